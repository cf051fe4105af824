//! What the VM calls when an object is allocated or freed. Nothing in here makes a Ruby object, takes memory of the VM's,
//! waits, or raises: a collection may be going on, and the object is not initialized yet.
#![allow(unsafe_code)]

use rb_sys::{RUBY_INTERNAL_EVENT_FREEOBJ, RUBY_INTERNAL_EVENT_NEWOBJ, VALUE, rb_trace_arg_t};

use super::places::Caller;
use super::state::state;
use super::vm;
use crate::context;

/// Switches the hooks on.
///
/// # Safety
/// With the GVL, and once until [`remove`].
pub(super) unsafe fn add() {
    // SAFETY: what the caller promises; the hooks raise nothing and make nothing.
    unsafe {
        vm::add(allocated, RUBY_INTERNAL_EVENT_NEWOBJ);
        vm::add(freed, RUBY_INTERNAL_EVENT_FREEOBJ);
        #[cfg(not(ruby_gte_3_4))]
        vm::add(collecting, rb_sys::RUBY_INTERNAL_EVENT_GC_START);
    }
}

/// Switches the hooks off.
///
/// # Safety
/// With the GVL.
pub(super) unsafe fn remove() {
    // SAFETY: what the caller promises.
    unsafe {
        vm::remove(allocated);
        vm::remove(freed);
        #[cfg(not(ruby_gte_3_4))]
        vm::remove(collecting);
    }
}

unsafe extern "C" fn allocated(_data: VALUE, event: *mut rb_trace_arg_t) {
    let Some(mut state) = state() else { return };
    let Some(slots) = state.slots else { return };
    // SAFETY: the VM's own event, while it lasts. These read the running frame, as ObjectSpace does, and make nothing.
    unsafe {
        let object = rb_sys::rb_tracearg_object(event);
        let caller = Caller {
            path: vm::path(rb_sys::rb_tracearg_path(event)),
            // a Fixnum
            line: (rb_sys::rb_tracearg_lineno(event) as i64 >> 1) as i32,
            method: rb_sys::rb_tracearg_method_id(event) as u64,
            context: context::current(),
            stack: 0,
        };
        let generation = rb_sys::rb_gc_count() as u32;
        state.allocated(object as u64, slots.size(object), generation, &caller);
    }
}

unsafe extern "C" fn freed(_data: VALUE, event: *mut rb_trace_arg_t) {
    let Some(mut state) = state() else { return };
    // SAFETY: the VM's own event, while it lasts.
    state.freed(unsafe { rb_sys::rb_tracearg_object(event) } as u64);
}

#[cfg(not(ruby_gte_3_4))]
unsafe extern "C" fn collecting(_data: VALUE, _event: *mut rb_trace_arg_t) {
    if let Some(mut state) = state() {
        // SAFETY: in the event.
        unsafe { state.collection_begins() };
    }
}
