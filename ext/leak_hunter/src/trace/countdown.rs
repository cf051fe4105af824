//! How many allocations, or bytes of them, there are until the next one is remembered: all that most allocations look at.
#![allow(unsafe_code)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use leak_hunter_core::sampling::SMALLEST_SLOT;
use rb_sys::VALUE;

use super::vm::Slots;

/// Only hooks change it, which run with the VM's lock, and what has the GVL.
static COUNTDOWN: AtomicI64 = AtomicI64::new(NEVER);
const NEVER: i64 = i64::MAX;
/// The next allocation is to say that it was reported, and nothing else.
static PROBE: AtomicBool = AtomicBool::new(false);
static SLOTS: OnceLock<Slots> = OnceLock::new();

/// How large slots are is asked here from now on.
pub(super) fn know(slots: Slots) {
    SLOTS.get_or_init(|| slots);
}

/// The bytes of the slot of an object.
///
/// # Safety
/// A slot of a page of the VM's.
#[inline]
pub(super) unsafe fn slot_size(object: VALUE) -> u32 {
    // SAFETY: what the caller promises.
    SLOTS
        .get()
        .map_or(SMALLEST_SLOT, |slots| unsafe { slots.size(object) })
}

/// What is next to be remembered is so many allocations or bytes away.
pub(super) fn set(distance: u32) {
    COUNTDOWN.store(i64::from(distance), Ordering::Relaxed);
}

/// Whether an allocation is one of those that are not remembered. `size`: its bytes, or 1 where allocations are counted.
#[inline]
pub(super) fn passes(size: u32) -> bool {
    let left = COUNTDOWN.load(Ordering::Relaxed) - i64::from(size);
    COUNTDOWN.store(left, Ordering::Relaxed);
    left > 0
}

/// Whether that was a probe.
pub(super) fn answers_probe() -> bool {
    PROBE.swap(false, Ordering::Relaxed)
}

/// Whether the allocation that this makes is reported. It is not remembered.
pub(super) fn is_reported(allocate: impl FnOnce()) -> bool {
    let left = COUNTDOWN.swap(1, Ordering::Relaxed);
    PROBE.store(true, Ordering::Relaxed);
    allocate();
    COUNTDOWN.store(left, Ordering::Relaxed);
    !PROBE.swap(false, Ordering::Relaxed)
}

/// Remembers nothing meanwhile.
pub(super) fn without<T>(body: impl FnOnce() -> T) -> T {
    let left = COUNTDOWN.swap(NEVER, Ordering::Relaxed);
    let result = body();
    COUNTDOWN.store(left, Ordering::Relaxed);
    result
}

/// Nothing more is remembered.
pub(super) fn end() {
    COUNTDOWN.store(NEVER, Ordering::Relaxed);
}
