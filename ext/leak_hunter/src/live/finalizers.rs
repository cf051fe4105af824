//! `LeakHunter::Native.finalizers`: how many objects have a finalizer. When a collection has made the number smaller,
//! finalizers have run, and what those held dies in the next collection.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};

use magnus::{Error, Object, RModule, Ruby, function};
use rb_sys::ruby_value_type as T;
use rb_sys::{VALUE, ruby_fl_type};

pub(super) fn init(native: RModule) -> Result<(), Error> {
    native.define_singleton_method("finalizers", function!(finalizers, 0))
}

/// Reads one word of each slot: a million take a few milliseconds.
fn finalizers(ruby: &Ruby) -> Result<u64, Error> {
    let api = super::api_for(ruby, None)?;
    let mut count: u64 = 0;
    let data: *mut c_void = std::ptr::from_mut(&mut count).cast();
    // SAFETY: with the GVL, and no collection in progress; the callback neither raises nor makes objects.
    unsafe { api.with_ractors_stopped(|| (api.each_objects)(page, data)) };
    Ok(count)
}

unsafe extern "C" fn page(start: *mut c_void, end: *mut c_void, stride: usize, data: *mut c_void) -> c_int {
    const FINALIZE: VALUE = ruby_fl_type::RUBY_FL_FINALIZE as VALUE;
    const NO_OBJECTS: [T; 2] = [T::RUBY_T_NONE, T::RUBY_T_ZOMBIE];

    // SAFETY: the number of `finalizers`, which nothing else uses meanwhile.
    let count = unsafe { &mut *data.cast::<u64>() };
    for slot in (start as usize..end as usize).step_by(stride.max(1)) {
        // SAFETY: every slot of a page starts with its flags.
        let flags = unsafe { *(slot as *const VALUE) };
        let type_ = flags & T::RUBY_T_MASK as VALUE;
        *count += u64::from(flags & FINALIZE != 0 && !NO_OBJECTS.iter().any(|it| *it as VALUE == type_));
    }
    0
}
