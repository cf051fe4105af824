//! Which Strings are paths of code: compiled code refers to them.
#![allow(unsafe_code)]

use std::collections::HashSet;

use foldhash::fast::RandomState;
use leak_hunter_core::code_path;
use leak_hunter_core::heap::{CodeLink, CodePath};
use rb_sys::VALUE;
use rb_sys::ruby_value_type as T;

use super::slot::{Basic, address_of, number};

/// Objects that are remembered: code of one file follows on each other.
const RECENT: usize = 1 << 10;

/// What is read of code.
pub(super) struct Code {
    /// Strings and Arrays that were looked at.
    seen: HashSet<VALUE, RandomState>,
    /// What was looked at most recently, by the last bits of the address.
    recent: Vec<VALUE>,
    pub(super) paths: Vec<CodePath>,
    pub(super) links: Vec<CodeLink>,
}

impl Code {
    pub(super) fn new() -> Self {
        Self {
            seen: HashSet::with_capacity_and_hasher(1 << 14, RandomState::default()),
            recent: vec![0; RECENT],
            paths: Vec::with_capacity(1 << 12),
            links: Vec::with_capacity(1 << 14),
        }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.seen.clear();
        self.recent.fill(0);
        self.paths.clear();
        self.links.clear();
    }

    /// Notes down a String that is the path of code, and those in an Array of two, as code refers to its paths.
    ///
    /// # Safety
    /// An object, while the VM is paused.
    #[inline]
    pub(super) unsafe fn look_at(&mut self, object: VALUE) {
        let recent = &mut self.recent[(object as usize >> 3) % RECENT];
        if *recent != object {
            *recent = object;
            // SAFETY: as promised by the caller.
            unsafe { self.look_closely(object) };
        }
    }

    unsafe fn look_closely(&mut self, object: VALUE) {
        // SAFETY: an object.
        let kind = unsafe { Basic::of(object) }.kind();
        let is_string = kind == number(T::RUBY_T_STRING);
        if !(is_string || kind == number(T::RUBY_T_ARRAY)) || !self.seen.insert(object) {
            return;
        }
        if is_string {
            // SAFETY: a String, whose bytes nothing changes meanwhile.
            let text = unsafe {
                let length = rb_sys::RSTRING_LEN(object) as usize;
                match length {
                    0 => return,
                    _ => std::slice::from_raw_parts(rb_sys::RSTRING_PTR(object).cast::<u8>(), length),
                }
            };
            if let Some(path) = code_path::of_text(text) {
                self.paths.push(CodePath {
                    string: address_of(object),
                    path: String::from_utf8_lossy(path).into(),
                });
            }
            return;
        }
        // SAFETY: an Array; an element is an object, or no address of one.
        unsafe {
            if rb_sys::RARRAY_LEN(object) == 2 {
                for index in 0..2 {
                    let element = rb_sys::rb_ary_entry(object, index);
                    let is_string = !rb_sys::SPECIAL_CONST_P(element)
                        && Basic::of(element).kind() == number(T::RUBY_T_STRING);
                    if is_string {
                        self.look_at(element);
                    }
                }
            }
        }
    }
}
