//! `LeakHunter::Native.collect`: a full collection, and whether it was enough. What a finalizer holds dies only in the
//! collection after the one that ran it.
#![allow(unsafe_code)]
// VALUE has 64 bits here, but not everywhere.
#![allow(clippy::unnecessary_cast)]

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;

use leak_hunter_core::sampling::splitmix64;
use magnus::{Error, Object, RModule, Ruby, function};

use crate::exported;

/// Called with the slots of a page: its start, its end, and the bytes from one to the next.
type EachPage = unsafe extern "C" fn(*mut c_void, *mut c_void, usize, *mut c_void) -> c_int;

pub(crate) fn init(native: RModule) -> Result<(), Error> {
    native.define_singleton_method("collect", function!(collect, 1))
}

/// Collects all garbage, whether collection is on or off. Returns whether no object with a finalizer died: then there is
/// none left. `None` where that is not known. `look`: whether the heap may be looked at, which beside other Ractors it may
/// not.
pub(crate) fn collect(ruby: &Ruby, look: bool) -> Option<bool> {
    let was_disabled = ruby.gc_enable();
    let before = look.then(with_finalizers).flatten();
    clear_stack();
    // not `GC.start`, which is anybody's to redefine
    ruby.gc_start();
    let after = look.then(with_finalizers).flatten();
    if was_disabled {
        ruby.gc_disable();
    }
    Some(before? == after?)
}

/// Overwrites what earlier calls left on the machine's stack below the caller: a collection's own functions lie there, and
/// keep what looks like an object in places that they have not written to.
#[inline(never)]
fn clear_stack() {
    const WORDS: usize = 1 << 10;

    let mut words = [MaybeUninit::<u64>::uninit(); WORDS];
    for word in &mut words {
        // SAFETY: a word of the array; volatile, or nothing would be written to what nobody reads.
        unsafe { std::ptr::write_volatile(word, MaybeUninit::new(0)) };
    }
}

/// A fingerprint of the objects that have finalizers: one that has died is not among them, be its finalizer run (Ruby 3.4)
/// or not yet. `None` on a Ruby that does not show its heap.
fn with_finalizers() -> Option<u64> {
    unsafe extern "C" fn page(
        start: *mut c_void,
        end: *mut c_void,
        stride: usize,
        data: *mut c_void,
    ) -> c_int {
        // SAFETY: the sum below.
        let sum = unsafe { &mut *data.cast::<u64>() };
        for slot in (start as usize..end as usize).step_by(stride) {
            // SAFETY: the VM says that slots are here; every slot begins with its flags.
            let flags = unsafe { *(slot as *const rb_sys::VALUE) };
            if has_finalizer(flags as u64) {
                *sum = sum.wrapping_add(splitmix64(&mut (slot as u64)));
            }
        }
        0
    }

    let function = exported::find(c"rb_objspace_each_objects")?;
    // SAFETY: the VM has no other function of that name.
    let each_objects =
        unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn(EachPage, *mut c_void)>(function) };
    let mut sum = 0_u64;
    // SAFETY: with the GVL; the callback neither raises nor makes an object.
    unsafe { each_objects(page, std::ptr::from_mut(&mut sum).cast()) };
    Some(sum)
}

/// Of a slot with these flags: whether there is a living object in it, and that has a finalizer.
#[inline]
fn has_finalizer(flags: u64) -> bool {
    use rb_sys::ruby_value_type as T;

    /// `RUBY_FL_FINALIZE`
    const FINALIZER: u64 = 1 << 7;
    const KIND: u64 = 0x1f;
    const NONE: [u64; 3] = [
        T::RUBY_T_NONE as u64,
        T::RUBY_T_ZOMBIE as u64,
        T::RUBY_T_MOVED as u64,
    ];
    flags & FINALIZER != 0 && !NONE.contains(&(flags & KIND))
}
