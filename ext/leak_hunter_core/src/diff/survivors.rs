//! The pass over the last dump: finds the survivors and adds them up.

use super::census::{Guard, Totals, admit};
use super::groups::Sites;
use super::identity::{Doubt, Ground, Judge, Verdict};
use super::moves::site_hash;
use super::options::Options;
use crate::address_set::AddressSet;
use crate::dump::{Classes, Damaged, Failure, Fields, Pass, Record, StackLine};

/// What the last dump holds.
#[derive(Debug)]
pub(crate) struct Survivors<'a> {
    judge: &'a Judge<'a>,
    pub(crate) totals: Totals,
    pub(crate) addresses: AddressSet,
    pub(crate) classes: Classes,
    pub(crate) sites: Sites,
    pub(crate) counts: Counts,
    /// Untraced objects whose class differs from what their slot's object had in the last but one.
    undecided: Vec<Undecided>,
}

/// An object that this dump's classes decide on.
#[derive(Debug)]
struct Undecided {
    guard: Guard,
    fields: Fields<'static>,
}

/// How many survivors on which ground, and how many were withheld for which doubt.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) by_generation: u64,
    pub(crate) at_boundary: u64,
    pub(crate) by_address: u64,
    pub(crate) moved: u64,
    pub(crate) tracing_lost: u64,
    pub(crate) boundary: u64,
    pub(crate) slots_reused: u64,
}

impl Counts {
    fn merge(&mut self, other: &Self) {
        self.by_generation += other.by_generation;
        self.at_boundary += other.at_boundary;
        self.by_address += other.by_address;
        self.moved += other.moved;
        self.tracing_lost += other.tracing_lost;
        self.boundary += other.boundary;
        self.slots_reused += other.slots_reused;
    }
}

impl<'a> Survivors<'a> {
    pub(crate) fn new(judge: &'a Judge<'a>, options: &Options) -> Self {
        Self {
            judge,
            totals: Totals::default(),
            addresses: AddressSet::default(),
            classes: Classes::default(),
            sites: Sites::new(options),
            counts: Counts::default(),
            undecided: Vec::new(),
        }
    }

    fn act(&mut self, verdict: Verdict, fields: &Fields<'_>) {
        let counts = &mut self.counts;
        match verdict {
            Verdict::Survivor(ground) => {
                match ground {
                    Ground::Generation => counts.by_generation += 1,
                    Ground::Boundary => counts.at_boundary += 1,
                    Ground::Address => counts.by_address += 1,
                }
                counts.slots_reused += u64::from(self.judge.first.addresses.contains(fields.address));
                self.sites.add(fields);
            }
            Verdict::Withheld(Doubt::Moved) => counts.moved += 1,
            Verdict::Withheld(Doubt::TracingLost) => counts.tracing_lost += 1,
            Verdict::Withheld(Doubt::BoundaryMoved) => counts.boundary += 1,
            Verdict::Other | Verdict::AskThirdClasses => {}
        }
    }

    /// Judges what had to wait for this dump's classes.
    pub(crate) fn decide(&mut self) {
        for Undecided { guard, fields } in std::mem::take(&mut self.undecided) {
            let verdict = self.judge.untraced(fields.address, guard, Some(&self.classes));
            self.act(verdict, &fields);
        }
    }
}

impl Pass for Survivors<'_> {
    #[inline]
    fn visit(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        if !admit(record, &mut self.totals, &mut self.addresses) {
            return Ok(());
        }
        if record.type_.is_class() {
            self.classes.add(&record.fields().ok_or(Damaged)?);
        }
        match record.generation {
            Some(generation) => {
                let verdict = self
                    .judge
                    .traced(record.address, generation, || site_hash(record))?;
                if verdict != Verdict::Other {
                    self.act(verdict, &record.fields().ok_or(Damaged)?);
                }
            }
            None => {
                let guard = Guard::of(record)?;
                match self.judge.untraced(record.address, guard, None) {
                    Verdict::Other => {}
                    Verdict::AskThirdClasses => {
                        let fields = record.fields().ok_or(Damaged)?.into_owned();
                        self.undecided.push(Undecided { guard, fields });
                    }
                    verdict => self.act(verdict, &record.fields().ok_or(Damaged)?),
                }
            }
        }
        self.totals.count(record);
        Ok(())
    }

    fn stack(&mut self, stack: StackLine) {
        self.sites.stack(stack);
    }

    fn merge(&mut self, other: Self) {
        self.totals.merge(&other.totals);
        self.totals.duplicates += self.addresses.merge(other.addresses);
        self.classes.merge(other.classes);
        self.sites.merge(other.sites);
        self.counts.merge(&other.counts);
        self.undecided.extend(other.undecided);
    }
}
