//! Functions that the VM exports and no header declares: looked up when they are wanted, so that a Ruby without them can
//! still load this extension.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};

/// The address of a function of that name among what is loaded.
#[cfg(unix)]
pub(crate) fn find(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: looks for a C string among what is loaded.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!function.is_null()).then_some(function)
}

/// Not looked for.
#[cfg(not(unix))]
pub(crate) fn find(_name: &CStr) -> Option<*mut c_void> {
    None
}
