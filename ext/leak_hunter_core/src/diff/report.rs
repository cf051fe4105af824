//! What a diff answers. The Ruby documentation of `LeakHunter.diff` names the same keys.

use std::path::PathBuf;

use super::callers::Callers;
use super::extrapolate::StandsFor;
use super::grown::GrownInPlace;
use super::options::{Key, Options, Sort};
use crate::dump::{DumpHeader, Skipped, Tracer};
use crate::export::FrameTree;
use crate::holders::{Amount, Caches, Holder};
use crate::ids::{Address, Generation};
use crate::ledger::{self, Ledger};
use crate::origin::Contexts;
use crate::sampling::Estimate;
use crate::verdict::{Evidence, Outcome};

/// Version of the shape of [`Report`].
pub const SCHEMA: u32 = 1;

/// The answer.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the groups were made by.
    pub group_by: Vec<Key>,
    /// What they are sorted by.
    pub sort: Sort,
    /// The moments, the first of them first.
    pub dumps: Vec<DumpSummary>,
    /// What leaked.
    pub groups: Vec<Group>,
    /// Sums.
    pub totals: GroupTotals,
    /// All objects of the last dump.
    pub third: HeapSize,
    /// Who holds what leaked, if that was asked for.
    pub holders: Option<Vec<Holder>>,
    /// What grew without new objects, if holders were asked for; most bytes first.
    pub grown_in_place: Option<Vec<GrownInPlace>>,
    /// Whether anything grows, if holders were asked for.
    pub outcome: Option<Outcome>,
    /// What leaked as trees of frames, one for each of [`View::ALL`](crate::export::View::ALL), if that was asked for.
    pub flame: Option<Vec<FrameTree>>,
    /// Seconds from each moment to the next, where they say when they were taken.
    pub seconds: Vec<Option<f64>>,
    /// How much of what the process grew by is Ruby objects.
    pub ledger: Ledger,
    /// How sure the answer is, and why.
    pub evidence: Evidence,
}

impl Report {
    /// Leaves out what the caller does not want to see. Holders refer to groups by index, so all were kept until now.
    pub(super) fn shorten(&mut self, options: &Options) {
        self.groups.truncate(options.top.unwrap_or(usize::MAX));
        self.totals.shown = self.groups.len() as u64;
        for group in &mut self.groups {
            group.addresses.truncate(options.samples);
        }
    }
}

/// How large a heap is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapSize {
    /// Objects.
    pub count: u64,
    /// Their bytes, in Ruby's heap and outside.
    pub memsize: u64,
}

/// The generations of several objects, as GC counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenerationRange {
    /// The oldest object's.
    pub lowest: Generation,
    /// The youngest object's.
    pub highest: Generation,
}

/// One dump.
#[derive(Clone, Debug)]
pub struct DumpSummary {
    /// Path as given; `None` of a heap in memory and of a mark.
    pub path: Option<PathBuf>,
    /// Size of the file, in bytes.
    pub bytes: u64,
    /// Objects.
    pub records: u64,
    /// Their bytes, in Ruby's heap and outside.
    pub memsize: u64,
    /// Those of allocation tracing's tables, which are in `memsize`, too.
    pub tracing: u64,
    /// Those of heaps and marks that LeakHunter had in memory, which are in `memsize`, too.
    pub own: u64,
    /// GC count when the dump was taken; where it was not recorded, the highest generation of a record.
    pub generation: Option<Generation>,
    /// Objects whose birth was traced.
    pub traced: u64,
    /// Objects whose birth was not.
    pub untraced: u64,
    /// Free slots, in a dump taken with `full: true`.
    pub free_slots: u64,
    /// Records left out because another one has their address.
    pub duplicates: u64,
    /// Lines that are no record.
    pub skipped: u64,
    /// The first few of them.
    pub first_skipped: Vec<Skipped>,
    /// What the dump says of itself.
    pub recorded: Option<DumpHeader>,
}

impl DumpSummary {
    /// Where its memory was.
    pub(super) fn ledger_entry(&self) -> ledger::Entry {
        let memory = self
            .recorded
            .as_ref()
            .and_then(|it| it.memory.as_deref().copied());
        // a mark without numbers of objects
        if self.records == 0 {
            return ledger::Entry {
                memory,
                ..ledger::Entry::default()
            };
        }
        let tables = self.tracing.saturating_add(self.own);
        let tracer = self.recorded.as_ref().and_then(|it| it.tracer);
        let entries = match (self.tracing, tracer) {
            (0, _) | (_, Some(Tracer::Exact)) => 0,
            _ => self.traced.saturating_mul(ledger::TRACED_OBJECT),
        };
        ledger::Entry {
            memory,
            objects: Some(self.memsize.saturating_sub(tables)),
            tracing: Some(self.tracing.saturating_add(entries)),
            own: Some(self.own),
        }
    }
}

/// What objects of a group have in common. Only what the caller groups by is filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Values {
    /// Ruby's internal type.
    pub kind: Option<String>,
    /// Class name.
    pub class: Option<String>,
    /// File of the allocation site.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<u64>,
    /// Its method.
    pub method: Option<String>,
    /// GC count at birth.
    pub generation: Option<Generation>,
    /// Gem of the file.
    pub gem: Option<String>,
    /// What the application was doing.
    pub context: Option<String>,
}

/// Leaked objects with the same values.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they have in common.
    pub values: Values,
    /// How many they are; an estimate where the last moment was sampled, as all numbers here are.
    pub count: u64,
    /// What that is estimated from.
    pub estimate: Option<Estimate>,
    /// The same in all numbers.
    pub(super) stands_for: StandsFor,
    /// What of it is caches of code, which no holder accounts for.
    pub caches: Amount,
    /// Bytes of string contents.
    pub bytesize: u64,
    /// Bytes in all.
    pub memsize: u64,
    /// Lowest and highest generation.
    pub generations: Option<GenerationRange>,
    /// What the application was doing when they were allocated.
    pub contexts: Contexts,
    /// Through which callers they were allocated, where a tracer has recorded that.
    pub callers: Callers,
    /// The lowest addresses among them, in the last dump.
    pub addresses: Vec<Address>,
}

impl Group {
    pub(crate) fn sizes(&self, sort: Sort) -> (u64, u64) {
        match sort {
            Sort::Memsize => (self.memsize, self.count),
            Sort::Count => (self.count, self.memsize),
            Sort::Bytesize => (self.bytesize, self.memsize),
        }
    }
}

/// Sums over groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupTotals {
    /// Groups before `top`.
    pub groups: u64,
    /// Groups after `top`.
    pub shown: u64,
    /// Objects in all groups.
    pub count: u64,
    /// Bytes of string contents.
    pub bytesize: u64,
    /// Bytes in all.
    pub memsize: u64,
    /// Objects left out by `only` and `ignore`.
    pub filtered_count: u64,
    /// Their bytes.
    pub filtered_memsize: u64,
    /// Objects that the tool itself allocated.
    pub own_count: u64,
    /// Objects in the groups that are caches of code, which no holder accounts for.
    pub caches: Amount,
    /// Groups of nothing else.
    pub cache_groups: u64,
    /// Objects in the groups that no root leads to, if holders were asked for.
    pub garbage: Amount,
}

impl GroupTotals {
    /// Takes the caches that holders leave out for those of the groups.
    pub(super) fn set_caches(&mut self, groups: &mut [Group], caches: &Caches) {
        for group in &mut *groups {
            group.caches = Amount::default();
        }
        for of in &caches.groups {
            groups[of.group as usize].caches = of.amount;
        }
        self.count_caches(groups);
    }

    /// Adds up what is said of the groups.
    pub(super) fn count_caches(&mut self, groups: &[Group]) {
        self.caches = Amount::default();
        for group in groups {
            self.caches.merge(group.caches);
        }
        let is_all_caches = |group: &&Group| group.count == group.caches.count;
        self.cache_groups = groups.iter().filter(is_all_caches).count() as u64;
    }
}
