//! `LeakHunter::Native.collect`: a full collection, and how many objects wait for their finalizers then. What those hold
//! dies only in the collection after the one that ran them.
#![allow(unsafe_code)]
// C's size_t is not Rust's usize everywhere.
#![allow(clippy::unnecessary_cast)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use magnus::rb_sys::protect;
use magnus::{Error, Object, RModule, Ruby, function};
use rb_sys::{RUBY_INTERNAL_EVENT_GC_END_SWEEP, VALUE, rb_trace_arg_t};

use crate::trace::vm;

/// `:heap_final_slots`, if this Ruby counts them.
static KEY: OnceLock<Option<VALUE>> = OnceLock::new();

/// What was counted when all was swept, before any finalizer ran; [`UNKNOWN`] where that was not told.
static WAITING: AtomicUsize = AtomicUsize::new(UNKNOWN);
const UNKNOWN: usize = usize::MAX;

pub(crate) fn init(native: RModule) -> Result<(), Error> {
    KEY.get_or_init(key);
    native.define_singleton_method("collect", function!(collect, 1))
}

fn key() -> Option<VALUE> {
    // SAFETY: makes a Symbol that lives for ever.
    let key = unsafe { rb_sys::rb_id2sym(rb_sys::rb_intern(c"heap_final_slots".as_ptr())) };
    // it raises where there is no such key
    // SAFETY: a Symbol.
    protect(|| unsafe { rb_sys::rb_gc_stat(key) } as VALUE)
        .is_ok()
        .then_some(key)
}

unsafe extern "C" fn swept(_data: VALUE, _event: *mut rb_trace_arg_t) {
    if let Some(Some(key)) = KEY.get() {
        // SAFETY: a key that the VM knows: it only looks the number up.
        let waiting = unsafe { rb_sys::rb_gc_stat(*key) };
        WAITING.store(waiting as usize, Ordering::Relaxed);
    }
}

/// Collects all garbage, whether collection is on or off. Returns how many objects wait for their finalizers, or for what
/// frees them later; `nil` where that is not known. `count`: whether hooks may be used to count them.
pub(crate) fn collect(ruby: &Ruby, count: bool) -> Option<usize> {
    WAITING.store(UNKNOWN, Ordering::Relaxed);
    let was_disabled = ruby.gc_enable();
    if count {
        // SAFETY: with the GVL. The hook neither raises nor makes an object.
        unsafe { vm::add(swept, RUBY_INTERNAL_EVENT_GC_END_SWEEP) };
    }
    // not `GC.start`, which is anybody's to redefine
    ruby.gc_start();
    if count {
        // SAFETY: with the GVL.
        unsafe { vm::remove(swept) };
    }
    if was_disabled {
        ruby.gc_disable();
    }
    let waiting = WAITING.load(Ordering::Relaxed);
    (waiting != UNKNOWN).then_some(waiting)
}
