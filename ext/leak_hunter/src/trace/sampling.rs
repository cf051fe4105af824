//! One allocation in so many is remembered, with its stack; or one byte in so many, with the allocation that it is of.
//!
//! Frees are not asked for. A slot becomes free only in a collection that has not marked its object, so at the end of each
//! marking all that is remembered and not marked is forgotten. Whether an end of marking was not reported (before Ruby 3.4
//! that of a collection in a hook of another tool is not), the VM's count of collections tells: what was remembered before
//! it is given up then, and counted as lost. So what is remembered is always of the object that is there.
#![allow(unsafe_code)]

use std::time::{Duration, Instant};

pub(super) use leak_hunter_core::sampling::By;
use leak_hunter_core::sampling::Gaps;
use rb_sys::VALUE;

use super::books::Counters;
use super::countdown;
use super::marks::Marks;
use super::pages::Entry;
use super::remembered::Remembered;

/// A pulse that nobody has ended after this time ends by itself: other threads leave the one that should end it no turn, or
/// this is a forked child, which does not have it.
const LONGEST_PULSE: Duration = Duration::from_millis(20);

/// How allocations are counted: by the VM, whether they are reported or not.
#[derive(Clone, Copy, Default)]
struct Counted {
    /// When it began.
    start: u64,
    /// While they were reported, without what runs now.
    reported: u64,
    /// When reporting began; `None` between pulses.
    on_since: Option<u64>,
    /// At the end of the last pulse.
    off_since: u64,
}

pub(super) struct Sampling {
    pub(super) by: By,
    pub(super) every: u32,
    gaps: Gaps,
    marks: Marks,
    remembered: Remembered,
    /// The GC count of the last collection whose end of marking was seen, or was over when this began.
    marked: u64,
    /// How many were ever remembered.
    taken: u64,
    /// How many were given up because an end of marking was not reported.
    lost: u64,
    counted: Counted,
    /// Where it is in pulses: when the one that is on began.
    pulse: Option<Instant>,
    /// The time that remembering, in pulses, and forgetting took.
    spent: Duration,
}

/// What it says of itself.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    pub(super) by: By,
    pub(super) every: u32,
    pub(super) remembered: usize,
    pub(super) taken: u64,
    pub(super) lost: u64,
    /// Allocations since it began, and those of them that were reported.
    pub(super) allocations: u64,
    pub(super) reported: u64,
    pub(super) spent: Duration,
}

impl Sampling {
    /// One in `every`. With the GVL.
    pub(super) fn new(by: By, every: u32, seed: u64, marks: Marks) -> Self {
        let mut sampling = Self {
            by,
            every,
            gaps: Gaps::new(every, seed),
            marks,
            remembered: Remembered::new(),
            marked: 0,
            taken: 0,
            lost: 0,
            counted: Counted::default(),
            pulse: None,
            spent: Duration::ZERO,
        };
        sampling.marked = sampling.last_marked();
        sampling
    }

    /// Allocations are reported from here on.
    pub(super) fn begin(&mut self, counters: &Counters) {
        let now = counters.read().allocations();
        self.counted = Counted {
            start: now,
            on_since: Some(now),
            ..Counted::default()
        };
        self.count_down();
    }

    /// They are reported again, until [`Self::pulse_ends`].
    pub(super) fn pulse_begins(&mut self, counters: &Counters) {
        self.pulse_ends(counters);
        self.counted.on_since = Some(counters.read().allocations());
        self.pulse = Some(Instant::now());
    }

    /// They are no longer reported.
    pub(super) fn pulse_ends(&mut self, counters: &Counters) {
        self.pulse = None;
        if let Some(since) = self.counted.on_since.take() {
            let now = counters.read().allocations();
            self.counted.reported += now.saturating_sub(since);
            self.counted.off_since = now;
        }
    }

    /// Whether it is between two pulses.
    pub(super) fn rests(&self) -> bool {
        self.counted.on_since.is_none()
    }

    /// Whether it is in a pulse: what remembering takes is part of a budget.
    pub(super) fn counts_time(&self) -> bool {
        self.pulse.is_some()
    }

    /// Whether this pulse should have been ended.
    pub(super) fn is_overdue(&self) -> bool {
        self.pulse.is_some_and(|began| began.elapsed() > LONGEST_PULSE)
    }

    fn count_down(&mut self) {
        countdown::set(self.gaps.draw());
    }

    /// An object was allocated, and is one of those that are remembered. `since`: when that was found, in a pulse.
    pub(super) fn remember(&mut self, address: u64, entry: Entry, since: Option<Instant>) {
        self.count_down();
        if self.remembered.insert(address, entry) {
            self.taken += 1;
        } else {
            self.lost += 1;
        }
        if let Some(since) = since {
            self.spent += since.elapsed();
        }
    }

    /// The GC count up to which all ends of marking are over.
    fn last_marked(&self) -> u64 {
        count().saturating_sub(u64::from(self.marks.are_being_made()))
    }

    /// A collection has marked all that it leaves.
    ///
    /// # Safety
    /// In the event.
    pub(super) unsafe fn marking_ends(&mut self) {
        let start = Instant::now();
        let now = count();
        if now > self.marked + 1 {
            // what was allocated since this one began was not there when others ended
            self.lose(|entry| u64::from(entry.generation()) < now);
        }
        self.marked = now;
        let marks = self.marks;
        // SAFETY: objects: none was freed since it was last looked whether they are.
        let lives = |address: u64| unsafe { marks.is_marked(address as VALUE) };
        self.remembered.keep(|address, _| lives(address));
        self.remembered.give_back();
        self.spent += start.elapsed();
    }

    /// Gives up what cannot be vouched for. With the GVL, not in a collection, before anything is read. Whether an end of
    /// marking was not reported.
    pub(super) fn check(&mut self) -> bool {
        if count() == self.marked {
            return false;
        }
        let marked = self.last_marked();
        let missed = marked != self.marked;
        if missed {
            self.lose(|entry| u64::from(entry.generation()) <= marked);
            self.marked = marked;
        }
        missed
    }

    fn lose(&mut self, is_lost: impl Fn(Entry) -> bool) {
        self.lost += self.remembered.keep(|_, entry| !is_lost(entry));
    }

    /// Objects were moved. What has moved says where to.
    ///
    /// # Safety
    /// In the collection that has moved them.
    pub(super) unsafe fn compacted(&mut self) {
        if count() != self.marked {
            self.lose(|_| true);
            return;
        }
        // SAFETY: an object, or what says where it is now.
        let now = |address: u64| unsafe { rb_sys::rb_gc_location(address as VALUE) } as u64;
        if !self.remembered.move_all(now) {
            self.lose(|_| true);
        }
    }

    /// Forgets all objects.
    pub(super) fn clear(&mut self) {
        self.remembered = Remembered::new();
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    pub(super) fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    pub(super) fn facts(&self, counters: &Counters) -> Facts {
        let now = counters.read().allocations();
        let Counted {
            start,
            reported,
            on_since,
            off_since,
        } = self.counted;
        let (until, running) = match on_since {
            Some(since) => (now, now.saturating_sub(since)),
            None => (off_since, 0),
        };
        Facts {
            by: self.by,
            every: self.every,
            remembered: self.remembered.len(),
            taken: self.taken,
            lost: self.lost,
            allocations: until.saturating_sub(start),
            reported: reported + running,
            spent: self.spent,
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.remembered.memory()
    }
}

/// `GC.count`
fn count() -> u64 {
    // SAFETY: a plain counter of the VM's.
    unsafe { rb_sys::rb_gc_count() as u64 }
}
