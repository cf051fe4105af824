//! The functions of `LeakHunter::Native` that sample: one allocation in so many is remembered.
#![allow(unsafe_code)]

use std::time::Duration;

use magnus::rb_sys::protect;
use magnus::{Error, Object, RHash, RModule, Ruby, Symbol, function};

use super::books::Counters;
use super::marks::Marks;
use super::sampling::{By, Sampling};
use super::{countdown, hooks, locked, vm};
use crate::convert::Hash;
use crate::errors;
use crate::system::processor_time;

/// Allocations by which the time that one event takes is measured, how often, and the least that it is.
const CALIBRATION: usize = 2_000;
const ROUNDS: usize = 8;
const LEAST_NANOSECONDS: f64 = 5.0;

pub(super) fn init(native: RModule) -> Result<(), Error> {
    native.define_singleton_method("sample", function!(sample, 3))?;
    native.define_singleton_method("samples?", function!(can_sample, 0))?;
    native.define_singleton_method("sampling?", function!(is_sampling, 0))?;
    native.define_singleton_method("sampling", function!(facts, 0))?;
    native.define_singleton_method("sampling_pulse", function!(pulse, 1))?;
    native.define_singleton_method("event_nanoseconds", function!(event_nanoseconds, 0))
}

/// Begins to remember one allocation in `every`, or one byte. Nothing when the tracer is on already.
fn sample(ruby: &Ruby, by: Symbol, every: u32, seed: Option<u64>) -> Result<(), Error> {
    let by = By::named(&by.name()?)
        .ok_or_else(|| errors::internal(ruby, "sampling is by allocations or by bytes"))?;
    let counters = Counters::resolve(ruby)?;
    let marks = Marks::resolve(ruby)?;
    let slots = vm::Slots::resolve().ok_or_else(|| {
        errors::unsupported(ruby, "this Ruby does not tell how large the slots of objects are")
    })?;
    let seed = seed.unwrap_or_else(random);
    {
        let mut state = locked(ruby)?;
        if state.on {
            return Ok(());
        }
        countdown::know(slots);
        state.begin(slots, counters);
        state.sampling = Some(Sampling::new(by, every, seed, marks));
    }
    // SAFETY: with the GVL; they were off.
    unsafe {
        hooks::add_forgetting();
        hooks::add_sampling(by);
    }
    let mut state = locked(ruby)?;
    state.count();
    if let Some(sampling) = &mut state.sampling {
        sampling.begin(&counters);
    }
    Ok(())
}

/// The application's random numbers stay as they are.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8)
}

/// Whether it can on this Ruby.
fn can_sample(ruby: &Ruby) -> bool {
    Marks::resolve(ruby).is_ok()
}

/// Whether it samples and, if not between pulses, allocations are reported indeed.
fn is_sampling(ruby: &Ruby) -> Result<bool, Error> {
    let rests = match &locked(ruby)?.sampling {
        None => return Ok(false),
        Some(sampling) => sampling.rests(),
    };
    Ok(rests || countdown::is_reported(allocate))
}

/// Without a call of Ruby's methods. No memory is no object.
fn allocate() {
    // SAFETY: Object can be allocated.
    drop(protect(|| unsafe { rb_sys::rb_obj_alloc(rb_sys::rb_cObject) }));
}

/// Allocations are reported from here on, or not until the next pulse.
fn pulse(ruby: &Ruby, on: bool) -> Result<(), Error> {
    let counters = Counters::resolve(ruby)?;
    let (by, missed) = match &mut locked(ruby)?.sampling {
        None => return Ok(()),
        Some(sampling) => (sampling.by, sampling.check()),
    };
    // SAFETY: with the GVL; they are off where they are switched on.
    unsafe {
        // a Ractor that has ended may have switched it off (Bug #19112)
        if missed {
            hooks::remove_forgetting();
            hooks::add_forgetting();
        }
        hooks::remove_sampling();
        if on {
            hooks::add_sampling(by);
        }
    }
    if let Some(sampling) = &mut locked(ruby)?.sampling {
        match on {
            true => sampling.pulse_begins(&counters),
            false => sampling.pulse_ends(&counters),
        }
    }
    Ok(())
}

/// What it samples, and what that has taken; nil when it does not.
fn facts(ruby: &Ruby) -> Result<Option<RHash>, Error> {
    let counters = Counters::resolve(ruby)?;
    let (facts, in_place) = {
        let mut state = locked(ruby)?;
        state.check();
        match &state.sampling {
            None => return Ok(None),
            Some(sampling) => (sampling.facts(&counters), state.stacks.are_read_in_place()),
        }
    };
    let hash = Hash::new(ruby)
        .set("by", facts.by.name())?
        .set("every", facts.every)?
        .set("objects", facts.remembered)?
        .set("taken", facts.taken)?
        .set("lost", facts.lost)?
        .set("allocations", facts.allocations)?
        .set("reported", facts.reported)?
        .set("seconds", facts.spent.as_secs_f64())?
        .set("stacks_in_place", in_place)?;
    Ok(Some(hash.hash))
}

/// How long the event of an allocation takes that is not remembered, in nanoseconds: allocations with and without it.
/// While sampling is on, and no pulse's.
fn event_nanoseconds(ruby: &Ruby) -> Result<f64, Error> {
    let by = match &locked(ruby)?.sampling {
        None => return Ok(LEAST_NANOSECONDS),
        Some(sampling) => sampling.by,
    };
    let allocate_many = || {
        let start = processor_time();
        (0..CALIBRATION).for_each(|_| allocate());
        processor_time().saturating_sub(start)
    };
    let measure = || {
        let (mut with, mut without) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            // SAFETY: with the GVL; it is off where it is switched on.
            unsafe { hooks::remove_sampling() };
            without = without.min(allocate_many());
            // SAFETY: the same.
            unsafe { hooks::add_sampling(by) };
            with = with.min(allocate_many());
        }
        with.saturating_sub(without)
    };
    let difference = countdown::without(measure);
    let counters = Counters::resolve(ruby)?;
    if let Some(sampling) = &mut locked(ruby)?.sampling {
        // what this has allocated is nothing to sample
        sampling.begin(&counters);
    }
    Ok((difference.as_nanos() as f64 / CALIBRATION as f64).max(LEAST_NANOSECONDS))
}
