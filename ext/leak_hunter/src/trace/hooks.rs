//! What the VM calls when an object is allocated or freed. Nothing in here makes a Ruby object, takes memory of the VM's,
//! waits, or raises: a collection may be going on, and the object is not initialized yet.
#![allow(unsafe_code)]

use std::time::Instant;

use rb_sys::{
    RUBY_INTERNAL_EVENT_FREEOBJ, RUBY_INTERNAL_EVENT_GC_END_MARK, RUBY_INTERNAL_EVENT_NEWOBJ, VALUE,
    rb_trace_arg_t,
};

use super::captured::Origin;
use super::sampling::By;
use super::state::{Born, state};
use super::{countdown, vm};

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

/// Switches on what forgets objects that were sampled.
///
/// # Safety
/// With the GVL, and once until [`remove`].
pub(super) unsafe fn add_forgetting() {
    // SAFETY: what the caller promises; the hook raises nothing and makes nothing.
    unsafe { vm::add(marked, RUBY_INTERNAL_EVENT_GC_END_MARK) };
}

/// Switches that off, if it is on.
///
/// # Safety
/// With the GVL.
pub(super) unsafe fn remove_forgetting() {
    // SAFETY: what the caller promises.
    unsafe { vm::remove(marked) };
}

/// Switches on what remembers one in so many.
///
/// # Safety
/// With the GVL, and once until [`remove_sampling`] or [`remove`].
pub(super) unsafe fn add_sampling(by: By) {
    let hook = match by {
        By::Allocations => sampled,
        By::Bytes => sampled_by_bytes,
    };
    // SAFETY: what the caller promises; the hook raises nothing and makes nothing.
    unsafe { vm::add(hook, RUBY_INTERNAL_EVENT_NEWOBJ) };
}

/// Switches that off, if it is on.
///
/// # Safety
/// With the GVL.
pub(super) unsafe fn remove_sampling() {
    // SAFETY: what the caller promises.
    unsafe {
        vm::remove(sampled);
        vm::remove(sampled_by_bytes);
    }
}

/// Switches all hooks off that are on.
///
/// # Safety
/// With the GVL.
pub(super) unsafe fn remove() {
    // SAFETY: what the caller promises.
    unsafe {
        vm::remove(allocated);
        vm::remove(freed);
        vm::remove(sampled);
        vm::remove(sampled_by_bytes);
        vm::remove(marked);
        #[cfg(not(ruby_gte_3_4))]
        vm::remove(collecting);
    }
}

unsafe extern "C" fn allocated(_data: VALUE, event: *mut rb_trace_arg_t) {
    let Some(mut state) = state() else { return };
    let Some(slots) = state.slots else { return };
    // SAFETY: the VM's own event, while it lasts.
    unsafe {
        let object = rb_sys::rb_tracearg_object(event);
        let generation = rb_sys::rb_gc_count() as u32;
        state.allocated(object as u64, slots.size(object), generation, event);
    }
}

unsafe extern "C" fn sampled(_data: VALUE, event: *mut rb_trace_arg_t) {
    if !countdown::passes(1) {
        // SAFETY: the VM's own event, while it lasts.
        unsafe { remember(event, 0) };
    }
}

unsafe extern "C" fn sampled_by_bytes(_data: VALUE, event: *mut rb_trace_arg_t) {
    // SAFETY: the VM's own event, while it lasts.
    let slot = unsafe { countdown::slot_size(rb_sys::rb_tracearg_object(event)) };
    if !countdown::passes(slot) {
        // SAFETY: the same.
        unsafe { remember(event, u16::try_from(slot).unwrap_or(u16::MAX)) };
    }
}

/// # Safety
/// An allocation's event, while it lasts.
#[cold]
unsafe fn remember(event: *mut rb_trace_arg_t, slot: u16) {
    if countdown::answers_probe() {
        return;
    }
    let Some(mut state) = state() else { return };
    let since = state.counts_time().then(Instant::now);
    // SAFETY: what the caller promises.
    unsafe {
        let object = rb_sys::rb_tracearg_object(event);
        let generation = rb_sys::rb_gc_count() as u32;
        let born = Born {
            address: object as u64,
            generation,
            is_internal: vm::is_internal(object),
        };
        if state.sampled(&born, event, Origin::now(slot), since) {
            remove_sampling();
        }
    }
}

unsafe extern "C" fn marked(_data: VALUE, _event: *mut rb_trace_arg_t) {
    if let Some(sampling) = state().as_mut().and_then(|state| state.sampling.as_mut()) {
        // SAFETY: in the event.
        unsafe { sampling.marking_ends() };
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
