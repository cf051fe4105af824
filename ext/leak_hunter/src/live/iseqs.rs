//! How references of compiled code are read: by the VM's function, or in place where that is much slower.
#![allow(unsafe_code)]

use leak_hunter_core::ids::Address;
use rb_sys::VALUE;

use super::api::Api;
use super::code::Code;
use super::sink::Sink;
use super::slot::{address_of, object_at, prefetch};

/// How a piece of code begins, and what it has elsewhere, in all versions.
#[repr(C)]
struct Iseq {
    flags: VALUE,
    wrapper: VALUE,
    body: *const Body,
}

#[repr(C)]
struct Body {
    type_: u32,
    iseq_size: u32,
    iseq_encoded: usize,
    param: [usize; 6],
    /// A String, or an Array of two.
    path: VALUE,
    location: [usize; 10],
    /// Addresses of tables of caches are among these.
    tables: [usize; 8],
}

/// Whether this Ruby has the path of code there.
const PATH_IS_KNOWN: bool = matches!(
    env!("LEAK_HUNTER_RUBY").as_bytes(),
    b"3.1" | b"3.2" | b"3.3" | b"3.4"
);
/// Bytes of a line of the processor's cache.
const LINE: usize = 64;
/// The processor follows on its own from there.
const MOST_LINES: usize = 8;

/// Begins to fetch what a piece of code has outside of its slot.
///
/// # Safety
/// `object` must be an IMEMO.
#[inline]
pub(super) unsafe fn fetch(object: VALUE) {
    // SAFETY: every slot has as many bytes.
    let body = unsafe { &*(object as *const Iseq) }.body as usize;
    (0..5).for_each(|line| prefetch(body + line * LINE));
}

/// The same, a bit later: what that leads to.
///
/// # Safety
/// `object` must be code.
#[inline]
pub(super) unsafe fn fetch_further(object: VALUE) {
    // SAFETY: what code has there is larger than this in all versions.
    let Some(body) = (unsafe { (*(object as *const Iseq)).body.as_ref() }) else {
        return;
    };
    let lines = body.iseq_size as usize * size_of::<VALUE>() / LINE + 1;
    (0..lines.min(MOST_LINES)).for_each(|line| prefetch(body.iseq_encoded + line * LINE));
    body.tables.iter().for_each(|table| prefetch(*table));
}

/// Reads what compiled code refers to.
pub(super) struct Iseqs {
    #[cfg(not(ruby_gte_3_2))]
    in_place: Option<super::iseq_3_1::InPlace>,
    /// What is read in place differs from what the VM says.
    pub(super) wrong: bool,
}

impl Iseqs {
    /// `in_place`: whether it may be read so.
    ///
    /// # Safety
    /// With the GVL, and no collection in progress.
    #[cfg_attr(ruby_gte_3_2, allow(unused_variables))]
    pub(super) unsafe fn new(api: &Api, in_place: bool) -> Self {
        Self {
            #[cfg(not(ruby_gte_3_2))]
            // SAFETY: as promised by the caller.
            in_place: in_place.then(|| unsafe { super::iseq_3_1::InPlace::new(api) }),
            wrong: false,
        }
    }

    /// Reads the references of a piece of code, and notes down its path.
    ///
    /// # Safety
    /// `object` must be one, while the VM is paused.
    #[inline]
    pub(super) unsafe fn read(&mut self, api: &Api, object: VALUE, sink: &mut Sink, code: &mut Code) {
        let before = sink.references.len();
        #[cfg(not(ruby_gte_3_2))]
        if let Some(reader) = &mut self.in_place {
            // SAFETY: as promised by the caller.
            if unsafe { reader.read(object, sink) } {
                if reader.checks() {
                    let found = sink.references.split_off(before);
                    // SAFETY: as promised by the caller.
                    unsafe { sink.ask(api, object) };
                    self.wrong |= found != sink.references[before..];
                }
                // SAFETY: as promised by the caller.
                unsafe { look_at_path(object, &sink.references[before..], code) };
                return;
            }
            sink.references.truncate(before);
        }
        // SAFETY: as promised by the caller.
        unsafe {
            sink.ask(api, object);
            look_at_path(object, &sink.references[before..], code);
        }
    }
}

/// Notes down the path of a piece of code. Where it is not known which reference that is, all are looked at.
///
/// # Safety
/// `object` must be one with these references.
#[inline]
unsafe fn look_at_path(object: VALUE, references: &[Address], code: &mut Code) {
    // SAFETY: what code has there is larger than this in all versions; references are objects.
    unsafe {
        let Some(body) = (*(object as *const Iseq)).body.as_ref() else {
            return;
        };
        if PATH_IS_KNOWN && references.contains(&address_of(body.path)) {
            return code.look_at(body.path);
        }
        for reference in references {
            code.look_at(object_at(*reference));
        }
    }
}
