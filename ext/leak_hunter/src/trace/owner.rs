//! The Ruby object that stands for the tracer: it tells ObjectSpace how much memory the tables take, and is told by the VM
//! when objects were moved.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::ptr;

use magnus::rb_sys::AsRawValue;
use magnus::{Class, Error, Module, RClass, RModule, Ruby};
use rb_sys::rb_data_type_t;

use super::state::state;

struct DataType(rb_data_type_t);

// SAFETY: nothing changes it.
unsafe impl Sync for DataType {}

/// The name by which dumps know it.
const NAME: &[u8] = b"LeakHunter::Native::Tracer\0";

static DATA_TYPE: DataType = {
    // SAFETY: all fields are numbers and pointers, and null means that there is none.
    let mut data_type: rb_data_type_t = unsafe { std::mem::zeroed() };
    data_type.wrap_struct_name = NAME.as_ptr().cast::<c_char>();
    data_type.function.dmark = Some(mark);
    data_type.function.dsize = Some(memory);
    data_type.function.dcompact = Some(compacted);
    DataType(data_type)
};

/// Makes it. It lives as long as the process.
pub(super) fn init(ruby: &Ruby, native: RModule) -> Result<(), Error> {
    let class: RClass = native.define_class("Tracer", ruby.class_object())?;
    class.undef_default_alloc_func();
    // SAFETY: with the GVL; the functions of the type do not look at the data.
    unsafe {
        let data_type = ptr::from_ref(&DATA_TYPE.0);
        let object = rb_sys::rb_data_typed_object_wrap(class.as_raw(), ptr::dangling_mut(), data_type);
        rb_sys::rb_gc_register_mark_object(object);
    }
    Ok(())
}

unsafe extern "C" fn memory(_data: *const c_void) -> rb_sys::size_t {
    state().map_or(0, |state| state.memory() as rb_sys::size_t)
}

/// Frames of stacks stay, and stay where they are. No collection begins while the tables are in use.
unsafe extern "C" fn mark(_data: *mut c_void) {
    let Some(state) = state() else { return };
    for frame in state.stacks.frames() {
        // SAFETY: an object of the VM's that has been marked in every collection so far.
        unsafe { rb_sys::rb_gc_mark(*frame) };
    }
}

/// The VM has moved objects. What has moved says where to until this ends.
unsafe extern "C" fn compacted(_data: *mut c_void) {
    if let Some(mut state) = state() {
        // SAFETY: the VM calls this in the collection.
        unsafe { state.compacted() };
    }
}
