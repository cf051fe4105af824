//! Takes references.
#![allow(unsafe_code)]

use std::ffi::c_void;

use leak_hunter_core::ids::{Address, OptionalAddress};
use rb_sys::VALUE;

use super::api::Api;
use super::slot::address_of;

/// References of all objects, one after the other.
pub(super) struct Sink {
    pub(super) references: Vec<Address>,
    /// Left out of the references, as in dumps: it has a column of its own.
    pub(super) class: OptionalAddress,
}

impl Sink {
    #[inline]
    pub(super) fn add(&mut self, object: VALUE) {
        let object = address_of(object);
        if OptionalAddress::from(object) != self.class {
            self.references.push(object);
        }
    }

    /// Asks the VM what an object refers to.
    ///
    /// # Safety
    /// `object` must be one of a type that the VM's functions take; with the GVL, and no collection in progress.
    #[inline]
    pub(super) unsafe fn ask(&mut self, api: &Api, object: VALUE) {
        let sink: *mut c_void = std::ptr::from_mut(self).cast();
        // SAFETY: as promised; `reference` gets this sink.
        unsafe { (api.reachable_objects_from)(object, reference, sink) };
    }
}

unsafe extern "C" fn reference(object: VALUE, data: *mut c_void) {
    // SAFETY: the sink of `ask`, which nothing else uses meanwhile.
    let sink = unsafe { &mut *data.cast::<Sink>() };
    sink.add(object);
}
