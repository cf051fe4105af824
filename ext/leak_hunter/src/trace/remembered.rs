//! The objects that were sampled and are there.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::pages::{Entry, Known};

/// Room for so many is never given back.
const FEW: usize = 1 << 12;
const HASHER: FixedState = FixedState::with_seed(0x6c65_616b);

/// What is remembered, by address.
#[derive(Clone)]
pub(super) struct Remembered(HashMap<u64, Entry, FixedState>);

impl Remembered {
    pub(super) fn new() -> Self {
        Self(HashMap::with_hasher(HASHER))
    }

    /// Whether there was memory for it.
    pub(super) fn insert(&mut self, address: u64, entry: Entry) -> bool {
        let has_room = self.0.try_reserve(1).is_ok();
        if has_room {
            self.0.insert(address, entry);
        }
        has_room
    }

    /// Keeps those for which this is true, and says how many it did not keep.
    pub(super) fn keep(&mut self, mut is_kept: impl FnMut(u64, Entry) -> bool) -> u64 {
        let before = self.len();
        self.0.retain(|address, entry| is_kept(*address, *entry));
        (before - self.len()) as u64
    }

    /// Whether there was memory for it: all are where this says.
    pub(super) fn move_all(&mut self, now: impl Fn(u64) -> u64) -> bool {
        let mut moved = HashMap::with_hasher(HASHER);
        let has_room = moved.try_reserve(self.len()).is_ok();
        if has_room {
            moved.extend(self.0.iter().map(|(address, entry)| (now(*address), *entry)));
            self.0 = moved;
        }
        has_room
    }

    pub(super) fn get(&self, address: u64) -> Option<Entry> {
        self.0.get(&address).copied()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.0.values().copied()
    }

    /// By address.
    pub(super) fn sorted(&self) -> Vec<Known> {
        let all = self.0.iter();
        let mut sorted: Vec<Known> = all
            .map(|(address, entry)| Known {
                address: *address,
                entry: *entry,
            })
            .collect();
        sorted.sort_unstable_by_key(|known| known.address);
        sorted
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Memory for much more than there is now.
    pub(super) fn give_back(&mut self) {
        if self.0.capacity() > FEW.max(self.0.len() * 4) {
            self.0.shrink_to(self.0.len() * 2);
        }
    }

    pub(super) fn memory(&self) -> usize {
        // a byte beside each
        self.0.capacity() * 8 / 7 * (size_of::<(u64, Entry)>() + 1)
    }
}
