//! A hash table of numbers. What they stand for is elsewhere.

/// Of a table.
const SMALLEST: usize = 256;

#[derive(Clone, Copy, Default)]
struct Bucket {
    hash: u32,
    /// One more than the number; 0 where there is none.
    number: u32,
}

/// Finds the number of something by its hash.
#[derive(Clone)]
pub(super) struct Numbers {
    buckets: Vec<Bucket>,
    used: usize,
}

impl Numbers {
    pub(super) const fn new() -> Self {
        Self {
            buckets: Vec::new(),
            used: 0,
        }
    }

    /// The number for which `is` is true, among those with this hash.
    #[inline]
    pub(super) fn find(&self, hash: u32, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        if self.buckets.is_empty() {
            return None;
        }
        let mask = self.buckets.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            let bucket = self.buckets[place];
            let number = bucket.number.checked_sub(1)?;
            if bucket.hash == hash && is(number) {
                return Some(number);
            }
            place = (place + 1) & mask;
        }
    }

    pub(super) fn insert(&mut self, hash: u32, number: u32) {
        if (self.used + 1) * 2 > self.buckets.len() {
            let length = (self.buckets.len() * 2).max(SMALLEST);
            let smaller = std::mem::replace(&mut self.buckets, vec![Bucket::default(); length]);
            for bucket in smaller.into_iter().filter(|bucket| bucket.number != 0) {
                self.link(bucket);
            }
        }
        self.used += 1;
        self.link(Bucket {
            hash,
            number: number + 1,
        });
    }

    pub(super) fn memory(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>()
    }

    fn link(&mut self, bucket: Bucket) {
        let mask = self.buckets.len() - 1;
        let mut place = bucket.hash as usize & mask;
        while self.buckets[place].number != 0 {
            place = (place + 1) & mask;
        }
        self.buckets[place] = bucket;
    }
}
