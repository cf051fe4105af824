//! What a holder keeps, added up by depth and window.

use crate::verdict::{Births, Level, Sample};

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
    /// Objects whose births are not known because only some were sampled.
    pub(super) not_sampled: u64,
    /// For how many objects the entries stand whose births are known.
    pub(super) stand_for: f64,
}

impl LevelSums {
    pub(super) fn new(moments: usize) -> Self {
        Self {
            births: vec![Births::default(); moments + 1],
            lengths: None,
            entries: vec![0; moments + 1],
            untimed_entries: 0,
            not_sampled: 0,
            stand_for: 0.0,
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
        self.not_sampled += other.not_sampled;
        self.stand_for += other.stand_for;
    }

    /// Where only some births are known, one stands for `one_in`.
    pub(super) fn into_level(self, one_in: Option<f64>) -> Level {
        let timed: u64 = self.entries.iter().sum();
        let has_entries = self.lengths.is_some() && (one_in.is_some() || self.untimed_entries <= timed);
        let known: u64 = self.births.iter().map(|births| births.count).sum();
        let sample = one_in.map(|one_in| Sample {
            one_in: match timed {
                0 => one_in,
                _ => self.stand_for / timed as f64,
            },
            kept: known.saturating_add(self.not_sampled),
            entries: timed.saturating_add(self.untimed_entries),
        });
        Level {
            births: self.births,
            lengths: self.lengths.unwrap_or_default(),
            entries: has_entries.then_some(self.entries),
            sample,
        }
    }
}
