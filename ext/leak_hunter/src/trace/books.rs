//! Whether every event came: the VM's own counters say how many objects were allocated and freed.
//!
//! Events are not reported when a hook of another tool causes them (before Ruby 3.4 a hook that takes memory may start a
//! collection), when another Ractor does (before Ruby 4.0), or when a Ractor's end has switched all hooks off (Bug #19112).
#![allow(unsafe_code)]

use magnus::{Error, Ruby};
use rb_sys::VALUE;

use super::state::Events;

/// How many objects the VM has allocated and freed, of those for which there are events.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Books {
    allocations: u64,
    frees: u64,
}

/// Events that were not reported.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missed {
    pub(super) allocations: u64,
    pub(super) frees: u64,
}

/// The Symbols by which the VM's counters are read.
#[derive(Clone, Copy)]
pub(super) struct Counters {
    allocated: VALUE,
    freed: VALUE,
    awaiting_finalizer: VALUE,
    /// From Ruby 3.4 on a move counts as an allocation and a free. `None` where the VM moves nothing.
    moved: Option<VALUE>,
}

impl Counters {
    /// An error on a Ruby that does not count.
    pub(super) fn resolve(ruby: &Ruby) -> Result<Self, Error> {
        let counter = |name: &str| {
            ruby.gc_stat(ruby.sym_new(name))?;
            // SAFETY: makes a Symbol that lives for ever.
            Ok::<VALUE, Error>(unsafe {
                rb_sys::rb_id2sym(rb_sys::rb_intern2(name.as_ptr().cast(), name.len() as _))
            })
        };
        Ok(Self {
            allocated: counter("total_allocated_objects")?,
            freed: counter("total_freed_objects")?,
            awaiting_finalizer: counter("heap_final_slots")?,
            moved: cfg!(ruby_gte_3_4)
                .then(|| counter("total_moved_objects").ok())
                .flatten(),
        })
    }

    /// Makes no object, so that it can be asked in a hook.
    pub(super) fn read(&self) -> Books {
        // SAFETY: keys that the VM knows, as `resolve` has found out; with others it would raise.
        unsafe {
            let moved = self.moved.map_or(0, |moved| rb_sys::rb_gc_stat(moved));
            // what waits for its finalizer counts as freed later
            let freed = rb_sys::rb_gc_stat(self.freed) + rb_sys::rb_gc_stat(self.awaiting_finalizer);
            Books {
                allocations: rb_sys::rb_gc_stat(self.allocated).saturating_sub(moved) as u64,
                frees: freed.saturating_sub(moved) as u64,
            }
        }
    }
}

impl Books {
    pub(super) fn allocations(&self) -> u64 {
        self.allocations
    }

    pub(super) const fn new() -> Self {
        Self {
            allocations: 0,
            frees: 0,
        }
    }

    /// What is missing since `start`.
    pub(super) fn missed(&self, start: &Self, seen: Events) -> Missed {
        let missing = |now: u64, then: u64, seen: u64| now.saturating_sub(then).saturating_sub(seen);
        Missed {
            allocations: missing(self.allocations, start.allocations, seen.allocations),
            frees: missing(self.frees, start.frees, seen.frees),
        }
    }
}
