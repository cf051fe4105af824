//! A mark: a moment of which no addresses are kept, and no file. What it has of the heap is counted.

mod count;
#[cfg(test)]
mod tests;

pub use count::Objects;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

use super::census::{Guard, Totals};
use super::lengths::Lengths;
use crate::address_set::AddressMap;
use crate::dump::DumpHeader;
use crate::heap::{Site, Sum, Tally};
use crate::ids::{Address, Generation, SiteId, TextId};

/// A moment that a diff takes for any but the last one.
#[derive(Debug)]
pub struct Mark {
    /// What it says of itself.
    pub recorded: DumpHeader,
    /// What was counted; `None` where the heap could not be walked.
    pub heap: Option<MarkedHeap>,
}

impl Mark {
    pub(super) fn totals(&self) -> Totals {
        let counted = self.heap.as_ref().map(|heap| heap.totals);
        Totals {
            generation: Some(self.recorded.generation),
            ..counted.unwrap_or_default()
        }
    }
}

/// What a mark keeps of a heap: how many objects of each class and allocation site there are, their bytes, and how long
/// each collection is.
#[derive(Debug)]
pub struct MarkedHeap {
    totals: Totals,
    texts: Vec<Box<str>>,
    sites: Vec<NumberedSite>,
    /// Most bytes first.
    groups: Vec<Sum<Key>>,
    lengths: Lengths,
    /// What kind of object each untraced collection is.
    untraced: AddressMap,
}

/// What objects that were counted together have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassAndSite<'a> {
    /// Name of the class; `None` of hidden objects.
    pub class: Option<&'a str>,
    /// Where they were allocated; `None` of what was not traced.
    pub site: Option<Site<'a>>,
}

/// The same by numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    class: Option<TextId>,
    site: Option<SiteId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct NumberedSite {
    file: TextId,
    /// 0: none.
    line: u64,
    method: Option<TextId>,
}

impl MarkedHeap {
    /// All objects.
    pub fn tally(&self) -> Tally {
        Tally {
            count: self.totals.records,
            memsize: self.totals.memsize,
        }
    }

    /// By name of the class (`None`: hidden objects), largest first.
    pub fn by_class(&self) -> Vec<Sum<Option<&str>>> {
        self.by(|key| self.text(key.class))
    }

    /// By allocation site (`None`: not traced), largest first.
    pub fn by_site(&self) -> Vec<Sum<Option<Site<'_>>>> {
        self.by(|key| self.site(key.site))
    }

    /// By class and allocation site, largest first: so many at most.
    pub fn by_class_and_site(&self, limit: usize) -> Vec<Sum<ClassAndSite<'_>>> {
        let named = |group: &Sum<Key>| Sum {
            of: self.named(group.of),
            tally: group.tally,
        };
        self.groups.iter().take(limit).map(named).collect()
    }

    /// Bytes it takes.
    pub fn memory(&self) -> usize {
        self.texts.iter().map(|text| text.len()).sum::<usize>()
            + self.texts.capacity() * size_of::<Box<str>>()
            + self.sites.capacity() * size_of::<NumberedSite>()
            + self.groups.capacity() * size_of::<Sum<Key>>()
            + self.lengths.memory()
            + self.untraced.memory()
    }

    /// How long the collection, or how large the large String, of that generation at an address was.
    pub(super) fn length(&self, address: Address, generation: Option<Generation>) -> Option<u64> {
        self.lengths.of(address, generation)
    }

    /// What kind of object an untraced collection was.
    pub(super) fn guard(&self, address: Address) -> Option<Guard> {
        self.untraced.get(address).map(Guard::from_raw)
    }

    fn by<T: Copy + Hash + Ord>(&self, of: impl Fn(Key) -> T) -> Vec<Sum<T>> {
        let mut sums: HashMap<T, Tally, RandomState> = HashMap::default();
        for group in &self.groups {
            sums.entry(of(group.of)).or_default().add(group.tally);
        }
        let mut sums: Vec<_> = sums.into_iter().map(|(of, tally)| Sum { of, tally }).collect();
        sums.sort_unstable_by(|one, two| {
            largest_first(one.tally, two.tally).then_with(|| one.of.cmp(&two.of))
        });
        sums
    }

    fn named(&self, key: Key) -> ClassAndSite<'_> {
        ClassAndSite {
            class: self.text(key.class),
            site: self.site(key.site),
        }
    }

    fn site(&self, site: Option<SiteId>) -> Option<Site<'_>> {
        let site = self.sites.get(site?.index())?;
        Some(Site {
            file: self.text(Some(site.file)),
            line: (site.line != 0).then_some(site.line),
            method: self.text(site.method),
        })
    }

    fn text(&self, text: Option<TextId>) -> Option<&str> {
        self.texts.get(text?.index()).map(|text| &**text)
    }
}

fn largest_first(one: Tally, two: Tally) -> Ordering {
    (two.memsize, two.count).cmp(&(one.memsize, one.count))
}
