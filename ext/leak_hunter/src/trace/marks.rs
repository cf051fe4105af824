//! Which objects a collection has marked, so that what it frees is known without an event for each free.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_int, c_void};

use magnus::rb_sys::protect;
use magnus::{Error, Ruby};
use rb_sys::{ID, VALUE};

use crate::{errors, exported};

/// Of the flags of an object, so many at most.
const FLAGS: usize = 16;

/// Tells of an object whether it is marked, right after all are.
#[derive(Clone, Copy)]
enum Test {
    /// Ruby before 3.4.
    Marked(unsafe extern "C" fn(VALUE) -> c_int),
    /// Ruby 3.4: the names of what is true of the object.
    Flags {
        flags: unsafe extern "C" fn(VALUE, *mut ID, usize) -> usize,
        marked: ID,
    },
}

#[derive(Clone, Copy)]
pub(super) struct Marks {
    test: Test,
    /// `GC.latest_gc_info(:state)`, and its answer while a collection marks.
    state: VALUE,
    marking: VALUE,
}

impl Marks {
    /// An error on a Ruby that does not tell.
    pub(super) fn resolve(ruby: &Ruby) -> Result<Self, Error> {
        let missing = || {
            errors::unsupported(
                ruby,
                "this Ruby does not tell which objects a collection has marked",
            )
        };
        let marks = Self {
            test: Test::resolve().ok_or_else(missing)?,
            state: symbol(c"state"),
            marking: symbol(c"marking"),
        };
        // It raises where there is no such key. What it does once, it has done now.
        // SAFETY: Symbols, and an object.
        protect(|| unsafe { rb_sys::rb_gc_latest_gc_info(marks.state) }).map_err(|_| missing())?;
        // SAFETY: a class is an object.
        unsafe { marks.is_marked(rb_sys::rb_cObject) };
        Ok(marks)
    }

    /// # Safety
    /// An object, in the event that all are marked.
    #[inline]
    pub(super) unsafe fn is_marked(self, object: VALUE) -> bool {
        match self.test {
            // SAFETY: what the caller promises.
            Test::Marked(is_marked) => unsafe { is_marked(object) != 0 },
            Test::Flags { flags, marked } => {
                let mut names = [0; FLAGS];
                // SAFETY: room for as many as are asked for.
                let count = unsafe { flags(object, names.as_mut_ptr(), FLAGS) };
                names[..count.min(FLAGS)].contains(&marked)
            }
        }
    }

    /// Whether a collection marks right now, in steps. With the GVL; makes no object.
    pub(super) fn are_being_made(self) -> bool {
        // SAFETY: a key that the VM knows, as `resolve` has found out.
        unsafe { rb_sys::rb_gc_latest_gc_info(self.state) == self.marking }
    }
}

impl Test {
    fn resolve() -> Option<Self> {
        if let Some(function) = exported::find(c"rb_objspace_marked_object_p") {
            // SAFETY: the VM has no other function of that name.
            let is_marked =
                unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn(VALUE) -> c_int>(function) };
            return Some(Self::Marked(is_marked));
        }
        let function = exported::find(c"rb_obj_gc_flags")?;
        // SAFETY: the same.
        let flags = unsafe {
            std::mem::transmute::<*mut c_void, unsafe extern "C" fn(VALUE, *mut ID, usize) -> usize>(function)
        };
        Some(Self::Flags {
            flags,
            // SAFETY: makes an ID that lives for ever.
            marked: unsafe { rb_sys::rb_intern(c"marked".as_ptr()) },
        })
    }
}

fn symbol(name: &CStr) -> VALUE {
    // SAFETY: makes a Symbol that lives for ever.
    unsafe { rb_sys::rb_id2sym(rb_sys::rb_intern(name.as_ptr())) }
}
