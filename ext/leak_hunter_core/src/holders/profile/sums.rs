//! What a holder keeps, added up by depth and window.

use crate::verdict::{Births, Level};

#[derive(Debug, Default)]
pub(super) struct Profile {
    pub(super) levels: Vec<LevelSums>,
    pub(super) untimed: Births,
}

impl Profile {
    pub(super) fn add(&mut self, other: &Self) {
        for (depth, level) in other.levels.iter().enumerate() {
            match self.levels.get_mut(depth) {
                Some(sums) => sums.add(level),
                None => self.levels.push(level.clone()),
            }
        }
        add(&mut self.untimed, &other.untimed);
    }
}

pub(super) fn add(sum: &mut Births, births: &Births) {
    sum.count = sum.count.saturating_add(births.count);
    sum.bytes = sum.bytes.saturating_add(births.bytes);
}

/// Sums over the collections at one depth.
#[derive(Clone, Debug)]
pub(super) struct LevelSums {
    pub(super) births: Vec<Births>,
    /// `None` until there is a collection.
    lengths: Option<Vec<Option<u64>>>,
    pub(super) entries: Vec<u64>,
    pub(super) untimed_entries: u64,
}

impl LevelSums {
    pub(super) fn new(moments: usize) -> Self {
        Self {
            births: vec![Births::default(); moments + 1],
            lengths: None,
            entries: vec![0; moments + 1],
            untimed_entries: 0,
        }
    }

    pub(super) fn add_lengths(&mut self, lengths: Vec<Option<u64>>) {
        self.lengths = Some(match self.lengths.take() {
            None => lengths,
            Some(sums) => sums
                .into_iter()
                .zip(lengths)
                .map(|(sum, length)| Some(sum?.saturating_add(length?)))
                .collect(),
        });
    }

    fn add(&mut self, other: &Self) {
        for (sum, births) in self.births.iter_mut().zip(&other.births) {
            add(sum, births);
        }
        if let Some(lengths) = &other.lengths {
            self.add_lengths(lengths.clone());
        }
        for (sum, count) in self.entries.iter_mut().zip(&other.entries) {
            *sum += count;
        }
        self.untimed_entries += other.untimed_entries;
    }

    pub(super) fn into_level(self) -> Level {
        let timed: u64 = self.entries.iter().sum();
        let has_entries = self.lengths.is_some() && self.untimed_entries <= timed;
        Level {
            births: self.births,
            lengths: self.lengths.unwrap_or_default(),
            entries: has_entries.then_some(self.entries),
        }
    }
}
