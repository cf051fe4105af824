//! Slots of the heap, as the walk reads them.
#![allow(unsafe_code)]

use leak_hunter_core::ids::{Address, OptionalAddress};
use rb_sys::VALUE;
use rb_sys::ruby_value_type as T;

const TYPE_MASK: u64 = 0x1f;
/// Where the flags of an IMEMO have its type.
const IMEMO_TYPE_SHIFT: u32 = 12;
const IMEMO_TYPE_MASK: u64 = 0xf;
/// How many types an IMEMO may have.
pub(super) const IMEMO_TYPES: usize = IMEMO_TYPE_MASK as usize + 1;

/// How every object starts.
#[repr(C)]
pub(super) struct Basic {
    pub(super) flags: VALUE,
    pub(super) class: VALUE,
}

impl Basic {
    /// # Safety
    /// `object` must be a slot of the heap.
    #[inline]
    pub(super) unsafe fn of<'a>(object: VALUE) -> &'a Self {
        // SAFETY: every slot starts like that.
        unsafe { &*(object as *const Self) }
    }

    #[inline]
    pub(super) fn kind(&self) -> u64 {
        self.flags as u64 & TYPE_MASK
    }

    /// Of an IMEMO: the number of its type.
    #[inline]
    pub(super) fn imemo_type(&self) -> u64 {
        self.flags as u64 >> IMEMO_TYPE_SHIFT & IMEMO_TYPE_MASK
    }

    /// What the slot has as its class; none of hidden objects.
    #[inline]
    pub(super) fn class(&self) -> OptionalAddress {
        address_of(self.class).into()
    }
}

/// Where an object is.
#[inline]
pub(super) const fn address_of(object: VALUE) -> Address {
    Address::new(object as u64)
}

/// The object at an address.
#[inline]
pub(super) const fn object_at(address: Address) -> VALUE {
    address.get() as VALUE
}

/// Ruby's number of a type.
pub(super) const fn number(kind: T) -> u64 {
    kind as u32 as u64
}

/// Whether the slot has an object that the VM's functions accept. They abort the process on others.
#[inline]
pub(super) fn is_object(kind: u64) -> bool {
    const NOT: u32 = 1 << number(T::RUBY_T_NONE)
        | 1 << number(T::RUBY_T_ZOMBIE)
        | 1 << number(T::RUBY_T_MOVED)
        | 1 << number(T::RUBY_T_NODE);
    NOT >> kind & 1 == 0
}

/// Whether it is a String whose bytes are in its slot, without instance variables: it refers to nothing but its class, and
/// takes nothing but its slot.
#[inline]
pub(super) fn is_small_string(basic: &Basic) -> bool {
    const ELSEWHERE: u64 = rb_sys::ruby_rstring_flags::RSTRING_NOEMBED as u64;
    /// The flag is gone in Ruby 4.0.
    const VARIABLES: u64 = 1 << 10;
    const KNOWN: bool = matches!(
        env!("LEAK_HUNTER_RUBY").as_bytes(),
        b"3.1" | b"3.2" | b"3.3" | b"3.4"
    );
    KNOWN && basic.kind() == number(T::RUBY_T_STRING) && basic.flags as u64 & (ELSEWHERE | VARIABLES) == 0
}

/// Elements of an Array or Hash, where they are not few; bytes of a String.
///
/// # Safety
/// `object` must be one, of this kind.
#[inline]
pub(super) unsafe fn length(object: VALUE, kind: u64) -> usize {
    if kind == number(T::RUBY_T_STRING) {
        // SAFETY: a String.
        unsafe { rb_sys::RSTRING_LEN(object) as usize }
    } else if kind == number(T::RUBY_T_ARRAY) {
        // SAFETY: an Array.
        unsafe { rb_sys::RARRAY_LEN(object) as usize }
    } else if kind == number(T::RUBY_T_HASH) {
        // SAFETY: a Hash.
        unsafe { rb_sys::rb_hash_size_num(object) as usize }
    } else {
        0
    }
}

/// Begins to fetch memory that will be read soon. Any address is good.
#[inline]
pub(super) fn prefetch(address: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which reads nothing.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address as *const i8);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
