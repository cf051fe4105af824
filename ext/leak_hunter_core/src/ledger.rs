//! How much of what a process has grown by is Ruby objects. Thresholds and their reasons: `docs/ledger.md`.
//!
//! ```
//! use leak_hunter_core::dump::Memory;
//! use leak_hunter_core::ledger::{Conclusion, Entry, Ledger};
//!
//! let entry = |rss, objects| Entry {
//!     memory: Some(Memory { rss: Some(rss), heap_bytes: Some(60_000_000), ..Memory::default() }),
//!     objects: Some(objects),
//!     tracing: Some(0),
//!     own: Some(0),
//! };
//! let ledger = Ledger::of(vec![entry(400_000_000, 100_000_000), entry(580_000_000, 102_000_000)], 0);
//! assert_eq!(ledger.conclusion, Conclusion::NotRubyObjects);
//! ```

use crate::dump::Memory;

/// A process that has grown by less than this is flat, and
const FLAT_BYTES: i128 = 32 << 20;
/// so is one that has grown by less than one part in so many.
const FLAT_PARTS: i128 = 10;
/// Building a heap takes about as much again as the heap itself, and malloc keeps it.
const OWN_FACTOR: i128 = 2;
/// What Ruby's objspace allocates for each traced object beside the tables whose size it knows.
pub(crate) const TRACED_OBJECT: u64 = 64;

/// What is known of one moment, in bytes. `None`: not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// What the process took.
    pub memory: Option<Memory>,
    /// All objects, without the next two.
    pub objects: Option<u64>,
    /// Allocation tracing.
    pub tracing: Option<u64>,
    /// Heaps that LeakHunter had in memory.
    pub own: Option<u64>,
}

/// What has changed from the first to the last moment, in bytes: negative where it has become less. `None`: not known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Growth {
    /// Resident set.
    pub rss: Option<i64>,
    /// Resident set without pages of files and shared memory: what the process itself has allocated.
    pub process: Option<i64>,
    /// Pages of Ruby's heap.
    pub heap_bytes: Option<i64>,
    /// Objects of the application and the VM.
    pub objects: Option<i64>,
    /// Allocation tracing.
    pub tracing: Option<i64>,
    /// Heaps that LeakHunter has in memory.
    pub own: Option<i64>,
    /// Pages by which Ruby's heap grew beyond what the objects grew by: slots that are free now.
    pub free_slots: Option<i64>,
    /// The rest.
    pub unexplained: Option<i64>,
    /// The objects' part of what the process grew by; `None` where it did not.
    pub objects_share: Option<f64>,
}

/// What a process has grown by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conclusion {
    /// Too little is known.
    #[default]
    Unknown,
    /// It has hardly grown, or has become smaller.
    Flat,
    /// At least half is Ruby objects.
    ObjectsExplain,
    /// At least half is allocation tracing, heaps that LeakHunter has in memory, and what these took to be built.
    LeakHunterExplains,
    /// At least half is pages of Ruby's heap whose slots are free.
    FreeSlotsExplain,
    /// At least three quarters are none of these.
    NotRubyObjects,
    /// Each of these is a part.
    Partly,
}

impl Conclusion {
    /// The name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Flat => "flat",
            Self::ObjectsExplain => "objects_explain",
            Self::LeakHunterExplains => "leak_hunter_explains",
            Self::FreeSlotsExplain => "free_slots_explain",
            Self::NotRubyObjects => "not_ruby_objects",
            Self::Partly => "partly",
        }
    }
}

/// Where the memory of a process was, and where its growth went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// All moments, in their order.
    pub moments: Vec<Entry>,
    /// Bytes of the objects that were allocated between the moments and are still alive.
    pub new_objects: u64,
    /// From the first moment to the last.
    pub growth: Growth,
    /// What that means.
    pub conclusion: Conclusion,
}

impl Ledger {
    /// `new_objects`: bytes of what the diff found, which is all that is known of objects where a moment is a mark.
    pub fn of(moments: Vec<Entry>, new_objects: u64) -> Self {
        let ends = moments.first().zip(moments.last());
        let (growth, conclusion) = match ends {
            Some((first, last)) if moments.len() > 1 => {
                let growth = Growth::between(first, last);
                let conclusion = match growth.objects {
                    Some(objects) => growth.conclude(first, i128::from(objects)),
                    None => by_new_objects(&moments, growth.process, new_objects),
                };
                (growth, conclusion)
            }
            _ => (Growth::default(), Conclusion::Unknown),
        };
        Self {
            moments,
            new_objects,
            growth,
            conclusion,
        }
    }
}

impl Entry {
    fn known(&self, what: impl Fn(&Memory) -> Option<u64>) -> Option<u64> {
        what(self.memory.as_ref()?)
    }

    /// Without pages of files, where these are known.
    fn anonymous(&self) -> Option<u64> {
        self.known(|it| Some(it.rss?.saturating_sub(it.shared.unwrap_or(0))))
    }
}

impl Growth {
    fn between(first: &Entry, last: &Entry) -> Self {
        let of = |what: fn(&Entry) -> Option<u64>| difference(what(first)?, what(last)?);
        let process = of(Entry::anonymous);
        let heap_bytes = of(|it| it.known(|it| it.heap_bytes));
        let objects = of(|it| it.objects);
        let tracing = of(|it| it.tracing);
        let own = of(|it| it.own);
        let free_slots = heap_bytes
            .zip(objects)
            .map(|(heap, objects)| heap.saturating_sub(objects.max(0)).max(0));
        let parts = [objects, tracing, own, free_slots].map(|part| part.map(i128::from));
        let explained: Option<i128> = parts.into_iter().try_fold(0, |sum, part| Some(sum + part?));
        let unexplained = process
            .zip(explained)
            .map(|(process, explained)| clamp(i128::from(process) - explained));
        let grown = process.filter(|process| *process > 0);
        Self {
            rss: of(|it| it.known(|it| it.rss)),
            process,
            heap_bytes,
            objects,
            tracing,
            own,
            free_slots,
            unexplained,
            objects_share: grown.zip(objects).map(|(all, part)| part as f64 / all as f64),
        }
    }

    fn conclude(&self, first: &Entry, objects: i128) -> Conclusion {
        let Some(process) = self.process.map(i128::from) else {
            return Conclusion::Unknown;
        };
        if is_flat(first, process) {
            return Conclusion::Flat;
        }
        let is_half = |bytes: i128| bytes * 2 >= process;
        let known = |bytes: Option<i64>| bytes.map_or(0, i128::from);
        if is_half(objects) {
            Conclusion::ObjectsExplain
        } else if is_half(known(self.tracing) + OWN_FACTOR * known(self.own)) {
            Conclusion::LeakHunterExplains
        } else if is_half(known(self.free_slots)) {
            Conclusion::FreeSlotsExplain
        } else if self
            .unexplained
            .is_some_and(|bytes| i128::from(bytes) * 4 >= process * 3)
        {
            Conclusion::NotRubyObjects
        } else {
            Conclusion::Partly
        }
    }
}

fn is_flat(first: &Entry, growth: i128) -> bool {
    let before = first.anonymous().unwrap_or(0);
    growth < FLAT_BYTES.max(i128::from(before) / FLAT_PARTS)
}

/// What can be said where the objects of a moment are not known. Those that the diff found were allocated before the
/// last moment but one and are still there, so they are a part of the growth up to that. That others are few is not known:
/// objects that were there before may have grown.
fn by_new_objects(moments: &[Entry], process: Option<i64>, new_objects: u64) -> Conclusion {
    let Some((first, process)) = moments.first().zip(process.map(i128::from)) else {
        return Conclusion::Unknown;
    };
    if is_flat(first, process) {
        return Conclusion::Flat;
    }
    let second_last = moments.iter().rev().nth(1);
    let before = first.anonymous().zip(second_last.and_then(Entry::anonymous));
    let grown = before.map(|(first, last)| i128::from(last) - i128::from(first));
    let new_objects = i128::from(new_objects);
    match grown {
        Some(grown) if !is_flat(first, new_objects) && new_objects * 2 >= grown => Conclusion::ObjectsExplain,
        _ => Conclusion::Unknown,
    }
}

fn difference(first: u64, last: u64) -> Option<i64> {
    Some(clamp(i128::from(last) - i128::from(first)))
}

fn clamp(bytes: i128) -> i64 {
    let limited = bytes.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    limited as i64
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
