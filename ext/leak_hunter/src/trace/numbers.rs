//! A hash table of numbers. What they stand for, and their hashes, are elsewhere.

/// Of a table.
const SMALLEST: usize = 256;
/// In a bucket: no number.
const EMPTY: u32 = u32::MAX;

/// Finds the number of something by its hash.
pub(super) struct Numbers {
    buckets: Vec<u32>,
    used: usize,
}

impl Numbers {
    pub(super) const fn new() -> Self {
        Self {
            buckets: Vec::new(),
            used: 0,
        }
    }

    /// The number for which `is` is true, among those that may have this hash.
    pub(super) fn find(&self, hash: u32, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        if self.buckets.is_empty() {
            return None;
        }
        let mask = self.buckets.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            let number = self.buckets[place];
            if number == EMPTY {
                return None;
            }
            if is(number) {
                return Some(number);
            }
            place = (place + 1) & mask;
        }
    }

    /// `hash_of`: the hash of a number that is in the table.
    pub(super) fn insert(&mut self, hash: u32, number: u32, hash_of: impl Fn(u32) -> u32) {
        if (self.used + 1) * 4 > self.buckets.len() * 3 {
            let length = (self.buckets.len() * 2).max(SMALLEST);
            let smaller = std::mem::replace(&mut self.buckets, vec![EMPTY; length]);
            for number in smaller.into_iter().filter(|number| *number != EMPTY) {
                self.link(hash_of(number), number);
            }
        }
        self.used += 1;
        self.link(hash, number);
    }

    pub(super) fn memory(&self) -> usize {
        self.buckets.capacity() * size_of::<u32>()
    }

    fn link(&mut self, hash: u32, number: u32) {
        let mask = self.buckets.len() - 1;
        let mut place = hash as usize & mask;
        while self.buckets[place] != EMPTY {
            place = (place + 1) & mask;
        }
        self.buckets[place] = number;
    }
}
