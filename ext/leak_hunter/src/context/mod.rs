//! What the application is doing: `LeakHunter.context("POST /orders") { … }`.
//!
//! The number of the context is a fiber-local of Ruby's own (`Thread#[]`). So it is right whatever becomes of a fiber or
//! a thread: switched, killed, collected, moved to another native thread. A word of a native thread is not: Ruby reports
//! no switch of fibers when an interrupt waits for the thread that is switched.
//!
//! A fiber begins in the context of the code that resumes it first, an Enumerator's or a scheduler's too; from then on
//! its context is its own. A thread begins in none.
#![allow(unsafe_code)]

mod fibers;
mod names;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use magnus::rb_sys::{AsRawValue, protect};
use magnus::{Error, Object, RModule, Ruby, Value, function};
use rb_sys::{ID, VALUE};

pub(crate) use names::ContextId;

/// Visible to who lists a thread's fiber-locals, and for nobody else to use.
const KEY: &std::ffi::CStr = c"__leak_hunter_context__";

struct Keys {
    fiber_local: ID,
    main_ractor: rb_sys::rb_ractor_local_key_t,
}

// SAFETY: both are handles that the VM gives out once and never takes back.
unsafe impl Send for Keys {}
// SAFETY: the same.
unsafe impl Sync for Keys {}

static KEYS: OnceLock<Keys> = OnceLock::new();

/// Whether this process has ever had a context.
static USED: AtomicBool = AtomicBool::new(false);

/// To be called once.
pub(crate) fn init(native: RModule) -> Result<(), Error> {
    names::init();
    // SAFETY: called by the main Ractor, with the GVL, while the extension is loaded.
    KEYS.get_or_init(|| unsafe {
        let main_ractor = rb_sys::rb_ractor_local_storage_value_newkey();
        rb_sys::rb_ractor_local_storage_value_set(main_ractor, rb_sys::Qtrue as VALUE);
        Keys {
            fiber_local: rb_sys::rb_intern(KEY.as_ptr()),
            main_ractor,
        }
    });
    // SAFETY: says of the methods defined until it is taken back that other Ractors may call them.
    unsafe { rb_sys::rb_ext_ractor_safe(true) };
    let defined = native
        .define_singleton_method("context", function!(with_context, 1))
        .and_then(|()| native.define_singleton_method("rename_context", function!(rename, 1)))
        .and_then(|()| native.define_singleton_method("current_context", function!(current_name, 0)));
    // SAFETY: as above.
    unsafe { rb_sys::rb_ext_ractor_safe(false) };
    defined?;
    native.define_singleton_method("contexts_full?", function!(names::full, 0))
}

/// The number of the context in which the calling fiber is; 0 for none. For hooks of the VM: makes no object, never
/// raises, takes no lock.
///
/// To be called by a thread of Ruby's, with the GVL.
pub(crate) fn current() -> u32 {
    if !USED.load(Ordering::Relaxed) {
        return 0;
    }
    of_fiber().map_or(0, ContextId::number)
}

/// The name of a context by the number that [`current`] has given; `None` of 0. Takes no lock, needs no GVL.
pub(crate) fn name(number: u32) -> Option<&'static str> {
    ContextId::new(number).map(ContextId::name)
}

/// Runs the block of the calling method in a context. `nil` is for what has no name: the block runs in no context.
fn with_context(ruby: &Ruby, name: Value) -> Result<Value, Error> {
    let inner = match bytes(name) {
        _ if !in_main_ractor() => return ruby.yield_values(()),
        None => None,
        // SAFETY: the bytes are copied before anything else of Ruby runs.
        Some(bytes) => Some(names::intern(unsafe { &*bytes })),
    };
    if !USED.swap(true, Ordering::Relaxed) {
        fibers::follow();
    }
    let outer = of_fiber();
    enter(inner)?;
    let outcome = ruby.yield_values(());
    enter(outer)?;
    outcome
}

/// Gives the caller's context another name, until its block ends.
fn rename(name: Value) -> Result<(), Error> {
    match bytes(name) {
        // SAFETY: the bytes are copied before anything else of Ruby runs.
        Some(bytes) if in_main_ractor() && of_fiber().is_some() => {
            enter(Some(names::intern(unsafe { &*bytes })))
        }
        _ => Ok(()),
    }
}

/// The content of a String or the name of a Symbol.
fn bytes(name: Value) -> Option<*const [u8]> {
    let value = name.as_raw();
    // SAFETY: a living object. No method of it is called; a String of any subclass has its bytes in the same place.
    unsafe {
        let string = if rb_sys::RB_SYMBOL_P(value) {
            rb_sys::rb_sym2str(value)
        } else if rb_sys::RB_TYPE_P(value, rb_sys::ruby_value_type::RUBY_T_STRING) {
            value
        } else {
            return None;
        };
        let length = usize::try_from(rb_sys::RSTRING_LEN(string)).ok()?;
        let start = rb_sys::RSTRING_PTR(string).cast::<u8>();
        Some(std::ptr::slice_from_raw_parts(start, length))
    }
}

fn current_name(ruby: &Ruby) -> Option<magnus::RString> {
    let number = if in_main_ractor() { current() } else { 0 };
    Some(ruby.str_new(self::name(number)?))
}

/// Other Ractors have no context: they run beside this one, and what they allocate is mostly not traced.
fn in_main_ractor() -> bool {
    let Some(keys) = KEYS.get() else { return false };
    // SAFETY: a key of the VM's, asked by a thread of Ruby's.
    let value = unsafe { rb_sys::rb_ractor_local_storage_value(keys.main_ractor) };
    value == rb_sys::Qtrue as VALUE
}

/// The context of the calling fiber.
fn of_fiber() -> Option<ContextId> {
    let key = KEYS.get()?.fiber_local;
    // SAFETY: reads a table of the VM's own; makes no object and cannot raise.
    let value = unsafe { rb_sys::rb_thread_local_aref(rb_sys::rb_thread_current(), key) };
    if !rb_sys::FIXNUM_P(value) {
        return None; // nil, or what somebody else has put there
    }
    ContextId::new(u32::try_from(value >> 1).ok()?)
}

/// Sets the context of the calling fiber. A frozen thread keeps the one it has.
fn enter(context: Option<ContextId>) -> Result<(), Error> {
    let Some(keys) = KEYS.get() else { return Ok(()) };
    // SAFETY: nil or a small integer.
    let value = context.map_or(rb_sys::Qnil as VALUE, |id| (VALUE::from(id.number()) << 1) | 1);
    // SAFETY: a thread of Ruby's with the GVL. It may raise for want of memory only, which `protect` catches.
    unsafe {
        let thread = rb_sys::rb_thread_current();
        if rb_sys::rb_obj_frozen_p(thread) == rb_sys::Qtrue as VALUE {
            return Ok(());
        }
        protect(|| rb_sys::rb_thread_local_aset(thread, keys.fiber_local, value))?;
    }
    fibers::entered(context);
    Ok(())
}
