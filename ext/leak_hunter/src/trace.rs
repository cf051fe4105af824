//! `LeakHunter::Native` traces allocations: where and in which GC generation each living object was allocated.
//!
//! Hooks of our own, beside those of Ruby's objspace: they take a sixth of the time and a tenth of the memory, and know
//! objects that were moved.

// VALUE and C's long have 64 bits here, but not everywhere.
#![allow(clippy::unnecessary_cast)]

mod books;
mod captured;
mod compaction;
mod countdown;
mod focus;
mod frames;
mod hooks;
mod marks;
mod numbers;
mod owner;
mod pages;
mod places;
mod read;
mod reader;
mod remembered;
mod running;
mod sample;
mod sampling;
mod stacks;
mod state;
mod vm;

use magnus::rb_sys::{AsRawValue, FromRawValue};
use magnus::{Error, Object, RHash, RModule, RString, Ruby, Value, function};

pub(crate) use self::frames::KnownStacks;
pub(crate) use self::read::{Place, each_known, knows_objects, noted};

use self::books::{Books, Counters, Missed};
use self::focus::Focus;
use self::state::{State, not_recorded, state};
use crate::convert::Hash;
use crate::errors;

pub(crate) fn init(ruby: &Ruby, native: RModule) -> Result<(), Error> {
    owner::init(ruby, native)?;
    native.define_singleton_method("trace", function!(trace, 0))?;
    native.define_singleton_method("untrace", function!(untrace, 0))?;
    native.define_singleton_method("tracing?", function!(is_tracing, 0))?;
    native.define_singleton_method("clear_traces", function!(clear, 0))?;
    native.define_singleton_method("traced", function!(traced, 0))?;
    native.define_singleton_method("note_births", function!(read::note, 0))?;
    native.define_singleton_method("forget_births", function!(forget_births, 0))?;
    native.define_singleton_method("focus_traces", function!(focus, 1))?;
    native.define_singleton_method("trace_stacks", function!(stacks, 0))?;
    native.define_singleton_method("allocation", function!(allocation, 1))?;
    sample::init(native)
}

/// Looks at the stacks of what is allocated at these sites from here on.
fn focus(ruby: &Ruby, sites: Vec<(String, String)>) -> Result<(), Error> {
    let focus = Focus::of(sites).map_err(|error| errors::exception(ruby, &error))?;
    let mut state = locked(ruby)?;
    state.places.set_focus(focus);
    state.stacks.clear_counts();
    Ok(())
}

/// The lines of a dump that have the stacks.
fn stacks(ruby: &Ruby) -> Result<RString, Error> {
    Ok(ruby.enc_str_new(KnownStacks::take().text(), ruby.utf8_encoding()))
}

/// Begins to trace. Nothing when it traces already.
#[allow(unsafe_code)]
fn trace(ruby: &Ruby) -> Result<(), Error> {
    let counters = Counters::resolve(ruby)?;
    let slots = vm::Slots::resolve().ok_or_else(|| {
        errors::unsupported(ruby, "this Ruby does not tell how large the slots of objects are")
    })?;
    {
        let mut state = locked(ruby)?;
        if state.on {
            return Ok(());
        }
        state.begin(slots, counters);
    }
    // SAFETY: with the GVL; they were off.
    unsafe { hooks::add() };
    locked(ruby)?.count();
    Ok(())
}

#[allow(unsafe_code)]
fn untrace(ruby: &Ruby) -> Result<(), Error> {
    // SAFETY: with the GVL.
    unsafe { hooks::remove() };
    locked(ruby)?.end();
    Ok(())
}

fn is_tracing(ruby: &Ruby) -> Result<bool, Error> {
    Ok(locked(ruby)?.on)
}

fn clear(ruby: &Ruby) -> Result<(), Error> {
    locked(ruby)?.clear();
    Ok(())
}

/// Of a dump that was not written.
fn forget_births() {
    drop(noted());
}

/// What the tracer knows of one object: file, line, method, generation.
#[allow(unsafe_code)]
fn allocation(ruby: &Ruby, object: Value) -> Result<Option<RHash>, Error> {
    let Some(it) = read::allocation(object.as_raw() as u64) else {
        return Ok(None);
    };
    let file = it.path.map(|path| ruby.enc_str_new(&path, ruby.utf8_encoding()));
    // SAFETY: a Symbol, or nil.
    let method = unsafe { Value::from_raw(it.method as _) };
    let hash = Hash::new(ruby)
        .set("file", file)?
        .set("line", (it.line != 0).then_some(it.line as i64))?
        .set("method", method)?
        .set("generation", it.generation)?;
    let hash = match it.context {
        Some(context) => hash.set("context", context)?,
        None => hash,
    };
    Ok(Some(hash.hash))
}

/// What it holds, and whether anything is missing.
fn traced(ruby: &Ruby) -> Result<RHash, Error> {
    let counters = Counters::resolve(ruby)?;
    let (objects, missed, dropped, memory, places) = {
        let mut state = locked(ruby)?;
        state.check();
        (
            state.len(),
            missed(&state, counters.read()),
            state.dropped + state.pages.dropped() + state.lost(),
            state.memory(),
            state.places.len(),
        )
    };
    let hash = Hash::new(ruby)
        .set("objects", objects)?
        .set("places", places)?
        .set("memory", memory)?
        .set("missed_allocations", missed.allocations)?
        .set("missed_frees", missed.frees)?
        .set("dropped", dropped)?
        .set("not_recorded", not_recorded())?;
    Ok(hash.hash)
}

/// Nothing where one in so many is remembered, which takes note of no event.
fn missed(state: &State, now: Books) -> Missed {
    match state.sampling {
        None => now.missed(&state.start, state.events),
        Some(_) => Missed {
            allocations: 0,
            frees: 0,
        },
    }
}

fn locked(ruby: &Ruby) -> Result<parking_lot::MutexGuard<'static, state::State>, Error> {
    state().ok_or_else(|| errors::internal(ruby, "the tracer's tables are in use"))
}
