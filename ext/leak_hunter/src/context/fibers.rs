//! A fiber begins in the context of the code that resumes it first.
//!
//! The new fiber's own locals are empty and its resumer's cannot be read any more, so the resumer's context is noted
//! down beforehand: whenever it changes, and whenever a fiber goes on.

use std::cell::Cell;

use rb_sys::{ID, VALUE};

use super::names::ContextId;

thread_local! {
    /// The Ruby thread that ran last on this native thread, and the context of the fiber it ran.
    static LAST: Cell<(VALUE, Option<ContextId>)> = const { Cell::new((0, None)) };
}

/// Called once, with the GVL: from the first context on. The hook costs what switches fibers some ten nanoseconds, and
/// nothing else.
pub(super) fn follow() {
    // With these, a Ruby thread goes from one native thread to another, and what was noted down on one is old.
    if std::env::var_os("RUBY_MN_THREADS").is_some_and(|value| value != "0") {
        return;
    }
    let events = rb_sys::RUBY_EVENT_FIBER_SWITCH | rb_sys::RUBY_EVENT_THREAD_BEGIN;
    // SAFETY: the hook is never unloaded, and does only what hooks may.
    unsafe { rb_sys::rb_add_event_hook(Some(on_event), events, rb_sys::Qnil as VALUE) };
}

/// The calling fiber's context is now this one.
pub(super) fn entered(context: Option<ContextId>) {
    // SAFETY: answers only.
    let thread = unsafe { rb_sys::rb_thread_current() };
    LAST.set((thread, context));
}

/// Called in the fiber that goes on, or begins.
unsafe extern "C" fn on_event(event: rb_sys::rb_event_flag_t, _: VALUE, _: VALUE, _: ID, _: VALUE) {
    // SAFETY: answers only.
    let thread = unsafe { rb_sys::rb_thread_current() };
    let (of_thread, context) = LAST.get();
    let same = of_thread == thread && event == rb_sys::RUBY_EVENT_FIBER_SWITCH;
    if same && context.is_some() && begins() && super::enter(context).is_ok() {
        return;
    }
    LAST.set((thread, super::of_fiber()));
}

/// Whether the calling fiber has not run anything yet.
fn begins() -> bool {
    let (mut frame, mut line) = (0, 0);
    // SAFETY: room for one frame; it makes no object.
    unsafe { rb_sys::rb_profile_frames(0, 1, &raw mut frame, &raw mut line) == 0 }
}
