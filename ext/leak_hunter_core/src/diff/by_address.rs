//! The diff of the widely copied three-dump script: what is in the second and the third dump and not in the first, by
//! address alone, with the records of the second. Kept to the object, faults included, for those who compare.

use super::census::Totals;
use super::groups::Sites;
use super::options::Options;
use crate::address_set::AddressSet;
use crate::dump::{Classes, Damaged, Failure, Pass, Record};

/// The addresses of a dump: every line that has one counts, free slots and shapes too.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    pub(crate) totals: Totals,
    pub(crate) set: AddressSet,
}

impl Pass for Addresses {
    #[inline]
    fn visit(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        self.totals.count(record);
        self.totals.duplicates += u64::from(!self.set.insert(record.address));
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.totals.merge(&other.totals);
        self.totals.duplicates += self.set.merge(other.set);
    }
}

/// The pass over the second dump.
#[derive(Debug)]
pub(crate) struct NewAndKept<'a> {
    first: &'a AddressSet,
    third: &'a AddressSet,
    pub(crate) seen: Addresses,
    pub(crate) classes: Classes,
    pub(crate) sites: Sites,
}

impl<'a> NewAndKept<'a> {
    pub(crate) fn new(first: &'a AddressSet, third: &'a AddressSet, options: &Options) -> Self {
        let sites = Sites::new(options);
        Self {
            first,
            third,
            seen: Addresses::default(),
            classes: Classes::default(),
            sites,
        }
    }
}

impl Pass for NewAndKept<'_> {
    #[inline]
    fn visit(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        if record.type_.is_class() {
            self.classes.add(&record.fields().ok_or(Damaged)?);
        }
        if !self.first.contains(record.address) && self.third.contains(record.address) {
            self.sites.add(&record.fields().ok_or(Damaged)?);
        }
        self.seen.visit(record)
    }

    fn merge(&mut self, other: Self) {
        self.seen.merge(other.seen);
        self.classes.merge(other.classes);
        self.sites.merge(other.sites);
    }
}
