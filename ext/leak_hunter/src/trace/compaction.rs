//! When the VM moves objects, their entries move with them.
//!
//! An entry of an object that was freed without a word would then be dangerous: an untraced object may be moved to where
//! it was. Before Ruby 3.4 a free is not reported when a collection starts in a hook of another tool. So each collection
//! begins with a look at the VM's counters, and when frees are missing, all entries are compared with their slots. If the
//! collection itself began in a hook of another tool, what has not moved is given up, since nobody can tell.
#![allow(unsafe_code)]

use rb_sys::VALUE;

use super::pages::Known;
use super::state::{Move, State};
use super::vm;

/// Whether another tool's hook may start a collection.
const HOOKS_COLLECT: bool = cfg!(not(ruby_gte_3_4));

impl State {
    /// A collection begins. What the last one has freed is free.
    ///
    /// # Safety
    /// In the event.
    #[cfg_attr(ruby_gte_3_4, allow(dead_code))] // no free is missed there
    pub(super) unsafe fn collection_begins(&mut self) {
        // SAFETY: a plain counter of the VM's.
        self.collections = unsafe { rb_sys::rb_gc_count() } as u64;
        let Some(counters) = self.counters else { return };
        let missed = counters.read().missed(&self.start, self.events).frees;
        if missed > self.reconciled {
            self.reconciled = missed;
            // SAFETY: the slots of pages that are there.
            self.give_up(|known| unsafe { vm::is_free(known.address as VALUE) });
        }
    }

    /// Objects were moved.
    ///
    /// # Safety
    /// In the collection that has moved them.
    pub(super) unsafe fn compacted(&mut self) {
        if let Some(sampling) = &mut self.sampling {
            // SAFETY: what the caller promises.
            return unsafe { sampling.compacted() };
        }
        let Some(slots) = self.slots else { return };
        // SAFETY: a plain counter of the VM's.
        let doubtful = HOOKS_COLLECT && unsafe { rb_sys::rb_gc_count() } as u64 != self.collections;
        let mut moves = Vec::new();
        self.give_up(|known| {
            // SAFETY: a slot of a page that is there: an object, or what says where it is now.
            let to = unsafe { rb_sys::rb_gc_location(known.address as VALUE) };
            if to as u64 == known.address {
                return doubtful;
            }
            moves.push(Move {
                known,
                to: to as u64,
                // SAFETY: where an object is now.
                stride: unsafe { slots.size(to) },
            });
            false
        });
        self.moved(&moves);
    }

    /// Gives up entries for which this is true, and those of pages that are gone.
    fn give_up(&mut self, mut is_gone: impl FnMut(Known) -> bool) {
        let mut gone = Vec::new();
        self.pages.each_page(|memory, objects| {
            let is_mapped = vm::is_mapped(&memory);
            gone.extend(objects.filter(|known| !is_mapped || is_gone(*known)));
        });
        for known in &gone {
            self.pages.remove(known.address);
        }
        self.dropped += gone.len() as u64;
    }
}
