//! Objects added up: by class, by allocation site, by gem.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::kinds::Kind;
use super::site::Site;
use super::{Heap, Internal};
use crate::gem;
use crate::ids::ObjectId;

/// How many objects, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Objects.
    pub count: u64,
    /// Bytes they take.
    pub memsize: u64,
}

/// What objects with something in common add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum<T> {
    /// What they have in common.
    pub of: T,
    /// How many, and their bytes.
    pub tally: Tally,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.memsize = self.memsize.saturating_add(other.memsize);
    }
}

impl Heap {
    fn by_kind(&self) -> Vec<Tally> {
        let mut tallies = vec![Tally::default(); self.all_kinds().len()];
        for object in self.objects() {
            if let Some(kind) = self.kind_number(object) {
                let memsize = self.memsize(object);
                tallies[kind.index()].add(Tally { count: 1, memsize });
            }
        }
        tallies
    }

    fn by<K: std::hash::Hash + Eq + Ord>(&self, key: impl Fn(&Kind) -> K) -> Vec<Sum<K>> {
        let mut sums: HashMap<K, Tally, RandomState> = HashMap::default();
        for (kind, tally) in self.all_kinds().iter().zip(self.by_kind()) {
            sums.entry(key(kind)).or_default().add(tally);
        }
        let mut sums: Vec<_> = sums.into_iter().map(|(of, tally)| Sum { of, tally }).collect();
        sums.sort_by(|one, two| {
            let key = |sum: &Sum<K>| (sum.tally.memsize, sum.tally.count);
            key(two).cmp(&key(one)).then_with(|| one.of.cmp(&two.of))
        });
        sums
    }

    /// By name of the class (`None`: hidden objects), largest first.
    pub fn by_class(&self) -> Vec<Sum<Option<String>>> {
        self.by(|kind| self.row_name(kind))
    }

    /// By allocation site (`None`: not traced), largest first.
    pub fn by_site(&self) -> Vec<Sum<Option<Site<'_>>>> {
        self.by(|kind| self.site_of_kind(kind).filter(|site| site.file.is_some()))
    }

    /// By gem of the allocation site (`None`: not known), largest first.
    pub fn by_gem(&self) -> Vec<Sum<Option<String>>> {
        self.by(|kind| match kind.internal {
            Internal::Tracing => self.row_name(kind),
            _ => gem::of_path(self.site_of_kind(kind)?.file?),
        })
    }

    /// The classes and modules of this name, without their singleton classes.
    pub fn modules_named(&self, name: &str) -> Vec<ObjectId> {
        let is_module: Vec<bool> = self
            .all_kinds()
            .iter()
            .map(|kind| kind.type_.is_class())
            .collect();
        let is_named = |object: &ObjectId| {
            let address = self.address(*object);
            self.kind_number(*object)
                .is_some_and(|kind| is_module[kind.index()])
                && self.classes().own_name(address).as_deref() == Some(name)
        };
        self.objects().filter(is_named).collect()
    }

    /// Up to `limit` objects of the classes with this name, from the one numbered `from` on.
    pub fn instances_of(&self, name: &str, from: ObjectId, limit: usize) -> Vec<ObjectId> {
        let wanted: Vec<bool> = self
            .all_kinds()
            .iter()
            .map(|kind| self.row_name(kind).as_deref() == Some(name))
            .collect();
        let is_wanted =
            |object: &ObjectId| self.kind_number(*object).is_some_and(|kind| wanted[kind.index()]);
        (from.get()..self.len())
            .map(ObjectId::new)
            .filter(is_wanted)
            .take(limit)
            .collect()
    }
}
