//! `LeakHunter::Native.objects_at`: living objects by their addresses. An address is never dereferenced: only slots that
//! the VM itself lists are read.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use leak_hunter_core::ids::Address;

use magnus::{Error, Object, RArray, RModule, Ruby, Value, function, rb_sys::FromRawValue};
use rb_sys::VALUE;
use rb_sys::ruby_value_type as T;

use super::api::Api;
use super::slot::{Basic, is_object, number, object_at};

struct Search<'a> {
    api: &'a Api,
    /// In ascending order of addresses.
    wanted: Vec<Wanted>,
    found: Vec<FoundObject>,
}

/// An address that is asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    address: Address,
    /// Its index in the answer.
    place: usize,
}

/// The object at an address that was asked for.
struct FoundObject {
    place: usize,
    object: VALUE,
}

pub(super) fn init(native: RModule) -> Result<(), Error> {
    native.define_singleton_method("objects_at", function!(objects_at, 1))
}

/// For each address the object there that Ruby code may see, or nil. Nothing but nil while other Ractors run.
fn objects_at(ruby: &Ruby, addresses: RArray) -> Result<RArray, Error> {
    let addresses: Vec<u64> = addresses.to_vec()?;
    let api = super::api_for(ruby, None)?;
    let answer = ruby.ary_new_capa(addresses.len());
    for _ in &addresses {
        answer.push(ruby.qnil())?;
    }
    if super::beside_ractors(ruby)? {
        // What belongs to another Ractor must not be handed to this one.
        return Ok(answer);
    }
    let wanted = |(place, address): (usize, &u64)| Wanted {
        address: Address::new(*address),
        place,
    };
    let mut wanted: Vec<Wanted> = addresses.iter().enumerate().map(wanted).collect();
    wanted.sort_unstable();
    let mut search = Search {
        api: &api,
        found: Vec::with_capacity(wanted.len()),
        wanted,
    };
    // Until it is in the answer, the collector does not know that an object is in use.
    let was_disabled = ruby.gc_disable();
    let data: *mut c_void = std::ptr::from_mut(&mut search).cast();
    // SAFETY: with the GVL, and no collection in progress; the callback neither raises nor makes objects, and catches
    // panics.
    unsafe { api.with_ractors_stopped(|| (api.each_objects)(page, data)) };
    let stored = search.found.iter().try_for_each(|FoundObject { place, object }| {
        // SAFETY: an object that was there a moment ago, with collections off since.
        let object = unsafe { Value::from_raw(*object) };
        answer.store(*place as isize, object)
    });
    if !was_disabled {
        ruby.gc_enable();
    }
    stored.map(|()| answer)
}

unsafe extern "C" fn page(start: *mut c_void, end: *mut c_void, stride: usize, data: *mut c_void) -> c_int {
    // SAFETY: the `Search` of `objects_at`, which nothing else uses meanwhile.
    let search = unsafe { &mut *data.cast::<Search<'_>>() };
    let searched = catch_unwind(AssertUnwindSafe(|| {
        search.page(start as u64..end as u64, stride as u64)
    }));
    c_int::from(searched.is_err())
}

impl Search<'_> {
    fn page(&mut self, slots: Range<u64>, stride: u64) {
        let first = self.wanted.partition_point(|it| it.address.get() < slots.start);
        let of_page = self.wanted[first..]
            .iter()
            .take_while(|it| it.address.get() < slots.end);
        for Wanted { address, place } in of_page.copied() {
            let object = object_at(address);
            // SAFETY: a slot of this page.
            if (address.get() - slots.start) % stride == 0 && unsafe { self.is_visible(object) } {
                self.found.push(FoundObject { place, object });
            }
        }
    }

    /// # Safety
    /// `object` must be a slot of the heap.
    unsafe fn is_visible(&self, object: VALUE) -> bool {
        // SAFETY: every slot starts like that.
        let basic = unsafe { &*(object as *const Basic) };
        let kind = basic.kind();
        let hidden = kind == number(T::RUBY_T_IMEMO) || kind == number(T::RUBY_T_ICLASS);
        if !is_object(kind) || hidden || basic.class == 0 {
            return false;
        }
        // SAFETY: an object.
        unsafe { (self.api.is_internal)(object) == 0 }
    }
}
