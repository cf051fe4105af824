//! Where the last moment was sampled, what is known stands for all: numbers are multiplied when everything is judged. What
//! the heap says of itself is exact and stays: lengths of collections, what a holder retains as a whole, all objects.

use super::callers::Callers;
use super::groups::Tally;
use super::report::{Group, GroupTotals};
use crate::export::FrameTree;
use crate::holders::{Amount, Holder, SetAside};
use crate::origin::Contexts;
use crate::sampling::{Estimate, Known, Sampled};

/// What some objects that are known stand for. Those of one place may stand for more than others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StandsFor {
    known: Known,
    /// Of those that are known, and of all.
    known_memsize: f64,
    memsize: f64,
    bytesize: f64,
}

impl StandsFor {
    /// Each of these objects stands for `one_in`.
    pub(super) fn of(tally: &Tally, one_in: f64) -> Self {
        let mut known = Known::default();
        known.add(tally.count, one_in);
        Self {
            known,
            known_memsize: tally.memsize as f64,
            memsize: tally.memsize as f64 * one_in,
            bytesize: tally.bytesize as f64 * one_in,
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.known.merge(other.known);
        self.known_memsize += other.known_memsize;
        self.memsize += other.memsize;
        self.bytesize += other.bytesize;
    }

    /// A part of them, in the middle.
    fn part(&self, count: u64) -> Self {
        let share = self.known.share(count);
        Self {
            known: self.known.part(count),
            known_memsize: self.known_memsize * share,
            memsize: self.memsize * share,
            bytesize: self.bytesize * share,
        }
    }

    fn scale(&self) -> Option<Scale> {
        let count = self.known.one_in()?;
        Some(Scale {
            count,
            bytes: match self.known_memsize > 0.0 {
                true => self.memsize / self.known_memsize,
                false => count,
            },
        })
    }
}

/// By what numbers are multiplied.
#[derive(Clone, Copy, Debug)]
struct Scale {
    count: f64,
    bytes: f64,
}

impl Scale {
    fn count(self, number: &mut u64) {
        *number = (*number as f64 * self.count).round() as u64;
    }

    fn bytes(self, number: &mut u64) {
        *number = (*number as f64 * self.bytes).round() as u64;
    }

    fn amount(self, amount: &mut Amount) {
        self.count(&mut amount.count);
        self.bytes(&mut amount.memsize);
    }

    fn contexts(self, contexts: &mut Contexts) {
        for context in &mut contexts.shown {
            self.count(&mut context.count);
        }
    }

    fn callers(self, callers: &mut Callers) {
        self.count(&mut callers.stayed);
        self.count(&mut callers.died);
        for caller in &mut callers.shown {
            self.count(&mut caller.stayed);
            self.count(&mut caller.died);
        }
    }
}

/// Of a group of which this is known.
pub(super) fn group(group: &mut Group, all: StandsFor) {
    let Some(scale) = all.scale() else { return };
    let estimate = Estimate::of(&all.known);
    group.count = estimate.count;
    group.estimate = Some(estimate);
    group.memsize = all.memsize.round() as u64;
    group.bytesize = all.bytesize.round() as u64;
    group.stands_for = all;
    scale.amount(&mut group.caches);
    scale.contexts(&mut group.contexts);
    scale.callers(&mut group.callers);
}

/// Of all groups, when they stand for what they stand for. How many they are is not multiplied.
pub(super) fn totals(groups: &[Group], sampled: &Sampled, totals: &mut GroupTotals) {
    let scale = Extrapolation::of(groups, sampled).rest;
    let sum = |number: fn(&Group) -> u64| groups.iter().map(number).fold(0, u64::saturating_add);
    totals.count = sum(|group| group.count);
    totals.bytesize = sum(|group| group.bytesize);
    totals.memsize = sum(|group| group.memsize);
    scale.count(&mut totals.filtered_count);
    scale.bytes(&mut totals.filtered_memsize);
    scale.count(&mut totals.own_count);
}

/// What the objects of each group stand for.
#[derive(Clone, Debug)]
pub(super) struct Extrapolation<'a> {
    groups: &'a [Group],
    /// Of what is in no group, or in several.
    rest: Scale,
}

impl<'a> Extrapolation<'a> {
    pub(super) fn of(groups: &'a [Group], sampled: &Sampled) -> Self {
        let mut all = StandsFor::default();
        groups.iter().for_each(|group| all.merge(&group.stands_for));
        let one_in = sampled.one_in(None);
        Self {
            groups,
            rest: all.scale().unwrap_or(Scale {
                count: one_in,
                bytes: one_in,
            }),
        }
    }

    /// For how many objects each of the groups stands, on the average.
    pub(super) fn one_in(&self) -> f64 {
        self.rest.count
    }

    fn of_group(&self, group: u32) -> Scale {
        let group = self.groups.get(group as usize);
        group
            .and_then(|group| group.stands_for.scale())
            .unwrap_or(self.rest)
    }

    pub(super) fn set_aside(&self, set_aside: &mut SetAside) {
        self.rest.amount(&mut set_aside.caches.total);
        for of in &mut set_aside.caches.groups {
            self.of_group(of.group).amount(&mut of.amount);
        }
        self.rest.amount(&mut set_aside.garbage);
    }

    pub(super) fn holder(&self, holder: &mut Holder) {
        let mut all = StandsFor::default();
        for share in &holder.groups {
            if let Some(group) = self.groups.get(share.group as usize) {
                all.merge(&group.stands_for.part(share.count));
            }
        }
        let scale = all.scale().unwrap_or(self.rest);
        holder.estimate = Some(Estimate::of(&all.known));
        scale.count(&mut holder.count);
        scale.bytes(&mut holder.memsize);
        scale.bytes(&mut holder.reserved);
        let retained = &mut holder.retained;
        scale.bytes(&mut retained.exclusive);
        scale.bytes(&mut retained.shared);
        // what hangs on entries that are not known counts twice where it is known itself, but there is no more than this
        if retained.cut > 0 {
            retained.exclusive = retained.exclusive.min(retained.cut);
        }
        for sharer in &mut holder.together {
            scale.count(&mut sharer.count);
        }
        if let Some(entries) = &mut holder.entries {
            scale.count(&mut entries.count);
        }
        if let Some(pinned) = &mut holder.pinned {
            scale.count(&mut pinned.count);
            scale.bytes(&mut pinned.memsize);
        }
        for it in &mut holder.consequences {
            scale.count(&mut it.count);
            scale.bytes(&mut it.memsize);
        }
        for level in &mut holder.history.levels {
            for births in &mut level.births {
                scale.count(&mut births.count);
                scale.bytes(&mut births.bytes);
            }
            let one_in = level.sample.map_or(1.0, |sample| sample.one_in);
            for entries in level.entries.iter_mut().flatten() {
                *entries = (*entries as f64 * one_in).round() as u64;
            }
        }
        for share in &mut holder.groups {
            self.of_group(share.group).count(&mut share.count);
        }
        scale.contexts(&mut holder.contexts);
    }

    pub(super) fn flame(&self, tree: &mut FrameTree) {
        for frame in &mut tree.frames {
            for number in [&mut frame.count, &mut frame.total_count] {
                self.rest.count(number);
            }
            for number in [&mut frame.bytes, &mut frame.total_bytes] {
                self.rest.bytes(number);
            }
        }
    }
}
