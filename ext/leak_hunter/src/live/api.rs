//! The functions of the VM by which its own objspace extension reads the heap. They are exported but in no header, so they
//! are looked up at run time: a Ruby without them can still load this extension.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_ulong, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rb_sys::VALUE;

/// Called with the slots of a page: its start, its end, and the bytes from one to the next.
pub(super) type EachPage = unsafe extern "C" fn(*mut c_void, *mut c_void, usize, *mut c_void) -> c_int;
/// Called with an object that is referred to.
pub(super) type EachReference = unsafe extern "C" fn(VALUE, *mut c_void);
/// Called with a category and an object.
pub(super) type EachRoot = unsafe extern "C" fn(*const c_char, VALUE, *mut c_void);
type Locked = unsafe extern "C" fn(*mut c_void) -> VALUE;

/// What objspace's tracing has of an object; the same from Ruby 2.7 to 4.1.
#[repr(C)]
pub(super) struct AllocationInfo {
    living: c_int,
    flags: VALUE,
    klass: VALUE,
    pub(super) path: *const c_char,
    pub(super) line: c_ulong,
    class_path: *const c_char,
    pub(super) method: VALUE,
    pub(super) generation: usize,
}

pub(super) struct Api {
    pub(super) each_objects: unsafe extern "C" fn(EachPage, *mut c_void),
    pub(super) reachable_objects_from: unsafe extern "C" fn(VALUE, EachReference, *mut c_void),
    pub(super) reachable_objects_from_root: unsafe extern "C" fn(EachRoot, *mut c_void),
    pub(super) memsize_of: unsafe extern "C" fn(VALUE) -> usize,
    pub(super) is_internal: unsafe extern "C" fn(VALUE) -> c_int,
    pub(super) data_type_name: unsafe extern "C" fn(VALUE) -> *const c_char,
    pub(super) imemo_name: unsafe extern "C" fn(c_uint) -> *const c_char,
    /// Whether an object has so many different variables that its shape has no names; from Ruby 3.2 on.
    #[cfg(ruby_gte_3_2)]
    pub(super) is_too_complex: Option<unsafe extern "C" fn(VALUE) -> bool>,
    /// From Ruby 4.0 on.
    lock_with_barrier: Option<unsafe extern "C" fn(Locked, *mut c_void) -> VALUE>,
    /// Of objspace, if that is loaded.
    pub(super) allocation_info: Option<unsafe extern "C" fn(VALUE) -> *const AllocationInfo>,
}

/// The address of an exported function, as a pointer to a function of the type that is asked for.
macro_rules! function {
    ($handle:expr, $name:literal) => {{
        let address = symbol($handle, concat!($name, "\0"));
        // SAFETY: the VM has no other function of that name, and its signature is the one in `Api`; `Option` of a
        // function pointer is null for `None`.
        unsafe { std::mem::transmute::<*mut c_void, Option<_>>(address) }
    }};
}

impl Api {
    /// `objspace`: the file of the extension of that name, if it is loaded. The error is the name of what is missing.
    pub(super) fn resolve(objspace: Option<&Path>) -> Result<Self, &'static str> {
        let vm = EVERYWHERE;
        Ok(Self {
            each_objects: function!(vm, "rb_objspace_each_objects").ok_or("rb_objspace_each_objects")?,
            reachable_objects_from: function!(vm, "rb_objspace_reachable_objects_from")
                .ok_or("rb_objspace_reachable_objects_from")?,
            reachable_objects_from_root: function!(vm, "rb_objspace_reachable_objects_from_root")
                .ok_or("rb_objspace_reachable_objects_from_root")?,
            memsize_of: function!(vm, "rb_obj_memsize_of").ok_or("rb_obj_memsize_of")?,
            is_internal: function!(vm, "rb_objspace_internal_object_p")
                .ok_or("rb_objspace_internal_object_p")?,
            data_type_name: function!(vm, "rb_objspace_data_type_name")
                .ok_or("rb_objspace_data_type_name")?,
            imemo_name: function!(vm, "rb_imemo_name").ok_or("rb_imemo_name")?,
            #[cfg(ruby_gte_3_2)]
            is_too_complex: function!(vm, "rb_shape_obj_too_complex")
                .or(function!(vm, "rb_shape_obj_too_complex_p")),
            lock_with_barrier: function!(vm, "rb_vm_lock_with_barrier"),
            allocation_info: objspace
                .and_then(allocation_info)
                .or(function!(vm, "objspace_lookup_allocation_info")),
        })
    }

    /// Whether allocation sites can be read.
    pub(super) fn has_sites(&self) -> bool {
        self.allocation_info.is_some()
    }

    /// Whether other Ractors can be stopped while the heap is walked.
    pub(super) fn stops_ractors(&self) -> bool {
        self.lock_with_barrier.is_some()
    }

    /// Runs `body` while other Ractors are stopped, where the VM can stop them. `None` when it panicked.
    ///
    /// Everything that is read of the VM's tables and of objects belongs in one `body`: other Ractors go on as soon as it
    /// returns, and what was found may change.
    ///
    /// # Safety
    /// With the GVL. `body` must neither raise nor make objects.
    pub(super) unsafe fn with_ractors_stopped<T, F: FnOnce() -> T>(&self, body: F) -> Option<T> {
        struct Call<T, F> {
            body: Option<F>,
            outcome: Option<T>,
        }

        unsafe extern "C" fn run<T, F: FnOnce() -> T>(call: *mut c_void) -> VALUE {
            // SAFETY: the `Call` below, which outlives the call and which nothing else uses meanwhile.
            let call = unsafe { &mut *call.cast::<Call<T, F>>() };
            if let Some(body) = call.body.take() {
                call.outcome = catch_unwind(AssertUnwindSafe(body)).ok();
            }
            0
        }

        let mut call = Call {
            body: Some(body),
            outcome: None,
        };
        let data: *mut c_void = std::ptr::from_mut(&mut call).cast();
        match self.lock_with_barrier {
            // SAFETY: as promised by the caller; `run` gets the `Call` above.
            Some(lock) => unsafe { lock(run::<T, F>, data) },
            // SAFETY: the same.
            None => unsafe { run::<T, F>(data) },
        };
        call.outcome
    }
}

/// Looks in an extension that Ruby has loaded: its symbols are not global.
fn allocation_info(objspace: &Path) -> Option<unsafe extern "C" fn(VALUE) -> *const AllocationInfo> {
    use std::os::unix::ffi::OsStrExt;

    let path = CString::new(objspace.as_os_str().as_bytes()).ok()?;
    // SAFETY: loads nothing; the library is never unloaded by Ruby, so what is found in it stays.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOLOAD | libc::RTLD_LAZY) };
    if library.is_null() {
        return None;
    }
    let found = function!(library, "objspace_lookup_allocation_info");
    // SAFETY: gives back only what `dlopen` took.
    unsafe { libc::dlclose(library) };
    found
}

const EVERYWHERE: *mut c_void = libc::RTLD_DEFAULT;

/// The address of a symbol; null if there is none. `name` ends with a NUL.
fn symbol(library: *mut c_void, name: &str) -> *mut c_void {
    match CStr::from_bytes_with_nul(name.as_bytes()) {
        // SAFETY: an open library or everywhere, and a C string.
        Ok(name) => unsafe { libc::dlsym(library, name.as_ptr()) },
        Err(_) => std::ptr::null_mut(),
    }
}
