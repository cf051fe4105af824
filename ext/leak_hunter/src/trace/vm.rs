//! The functions of the VM that the hooks call.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ops::Range;

use rb_sys::{VALUE, rb_trace_arg_t};

use super::captured::Origin;
use super::places::{Caller, PathString};

/// Called with the data of a hook and the event.
pub(super) type Hook = unsafe extern "C" fn(VALUE, *mut rb_trace_arg_t);

/// Call the hook with the event as the VM has it, without a TracePoint in between.
const SAFE: c_int = 1;
const RAW_ARG: c_int = 4;

unsafe extern "C" {
    // rb-sys has the flags as an enum, which cannot hold two of them
    #[link_name = "rb_add_event_hook2"]
    fn add_event_hook(hook: *const c_void, events: u32, data: VALUE, flags: c_int);
    #[link_name = "rb_remove_event_hook"]
    fn remove_event_hook(hook: *const c_void) -> c_int;
}

/// # Safety
/// With the GVL. The hook must never raise, and make no object.
pub(super) unsafe fn add(hook: Hook, events: u32) {
    // SAFETY: what the caller promises.
    unsafe {
        add_event_hook(
            hook as *const c_void,
            events,
            rb_sys::Qnil as VALUE,
            SAFE | RAW_ARG,
        )
    };
}

/// # Safety
/// With the GVL.
pub(super) unsafe fn remove(hook: Hook) {
    // SAFETY: what the caller promises.
    unsafe { remove_event_hook(hook as *const c_void) };
}

/// How large the slots of objects are.
#[derive(Clone, Copy)]
pub(super) struct Slots {
    #[cfg(ruby_gte_3_2)]
    size: unsafe extern "C" fn(VALUE) -> usize,
}

/// Ruby 3.1 has one size.
#[cfg(not(ruby_gte_3_2))]
impl Slots {
    pub(super) fn resolve() -> Option<Self> {
        Some(Self {})
    }

    /// # Safety
    /// A slot of a page of the VM's.
    #[inline]
    pub(super) unsafe fn size(self, _object: VALUE) -> u32 {
        40
    }
}

#[cfg(ruby_gte_3_2)]
impl Slots {
    /// `None` on a Ruby that does not tell.
    pub(super) fn resolve() -> Option<Self> {
        let function = crate::exported::find(c"rb_gc_obj_slot_size")?;
        // SAFETY: the VM has no other function of that name.
        let size =
            unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn(VALUE) -> usize>(function) };
        Some(Self { size })
    }

    /// # Safety
    /// A slot of a page of the VM's.
    #[inline]
    pub(super) unsafe fn size(self, object: VALUE) -> u32 {
        // SAFETY: what the caller promises.
        unsafe { (self.size)(object) as u32 }
    }
}

/// Reads the running frame, as ObjectSpace does, and makes nothing.
///
/// # Safety
/// An allocation's event, while it lasts.
#[inline]
pub(super) unsafe fn caller<'a>(event: *mut rb_trace_arg_t, origin: Origin) -> Caller<'a> {
    // SAFETY: what the caller promises. The path lives as long as the frame runs.
    unsafe {
        Caller {
            path: path(rb_sys::rb_tracearg_path(event)),
            // a Fixnum
            line: (rb_sys::rb_tracearg_lineno(event) as i64 >> 1) as i32,
            method: rb_sys::rb_tracearg_method_id(event) as u64,
            context: origin.context,
            stack: 0,
            slot: origin.slot,
        }
    }
}

/// The bytes of a path, or `None`.
///
/// # Safety
/// A String or nil; the String must live as long as they are used.
#[inline]
unsafe fn path<'a>(path: VALUE) -> Option<PathString<'a>> {
    if path == rb_sys::Qnil as VALUE {
        return None;
    }
    // SAFETY: a String, which is frozen.
    let bytes = unsafe {
        let length = rb_sys::RSTRING_LEN(path) as usize;
        std::slice::from_raw_parts(rb_sys::RSTRING_PTR(path).cast::<u8>(), length)
    };
    Some(PathString {
        address: path as u64,
        bytes,
    })
}

/// Whether there is no object in a slot.
///
/// # Safety
/// A slot of a page of the VM's.
#[cfg_attr(ruby_gte_3_4, allow(dead_code))]
pub(super) unsafe fn is_free(slot: VALUE) -> bool {
    // SAFETY: what the caller promises.
    unsafe { type_in(slot) == rb_sys::ruby_value_type::RUBY_T_NONE as VALUE }
}

/// Whether an object is one of the VM's own, which no code ever sees.
///
/// # Safety
/// A slot of a page of the VM's.
pub(super) unsafe fn is_internal(slot: VALUE) -> bool {
    // SAFETY: what the caller promises.
    unsafe { type_in(slot) == rb_sys::ruby_value_type::RUBY_T_IMEMO as VALUE }
}

/// # Safety
/// A slot of a page of the VM's.
unsafe fn type_in(slot: VALUE) -> VALUE {
    const TYPE_MASK: VALUE = 0x1f;
    // SAFETY: every slot starts with its flags, which have the type; that of a free one is 0.
    unsafe { *(slot as *const VALUE) & TYPE_MASK }
}

/// Whether there is memory at these addresses. A page of the VM's is given back as a whole, when all that was in it is
/// freed; only entries of which no free was reported can be left of such a page.
#[cfg(target_os = "linux")]
pub(super) fn is_mapped(memory: &Range<u64>) -> bool {
    const SYSTEM_PAGE: u64 = 4096;
    // one byte for each page of the system's, of which none has less than this
    let mut resident = [0_u8; 16];
    let length = memory.end - memory.start;
    if length.div_ceil(SYSTEM_PAGE) as usize > resident.len() {
        return false;
    }
    // SAFETY: it only answers, for at most as many pages as there are bytes.
    unsafe {
        libc::mincore(
            memory.start as *mut c_void,
            length as usize,
            resident.as_mut_ptr(),
        ) == 0
    }
}

/// Where the system does not tell, what the VM has reported is believed.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_mapped(_memory: &Range<u64>) -> bool {
    true
}
