//! Ids of 32 bits by which snapshots of one process can be compared: from the address, as long as that decides.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use crate::heap::Heap;
use crate::ids::ObjectId;

/// Gives every node an id. Those of objects are odd, of the rest even, as V8 has them.
pub(super) struct Ids<'a> {
    heap: &'a Heap,
    last_synthetic: u64,
    /// All that were given, where the low bits of an address may not decide.
    given: Option<HashSet<u32, RandomState>>,
}

impl<'a> Ids<'a> {
    pub(super) fn new(heap: &'a Heap) -> Self {
        // Objects lie in one range of 16 GB, as a rule: then the low bits decide.
        let end = |object: Option<ObjectId>| object.map(|object| heap.address(object).get() >> 34);
        let apart = end(heap.objects().next()) != end(heap.objects().next_back());
        Self {
            heap,
            last_synthetic: 0,
            given: apart.then(HashSet::default),
        }
    }

    pub(super) fn synthetic(&mut self) -> u64 {
        self.last_synthetic += 2;
        self.last_synthetic
    }

    /// To be called for every object once, in order.
    pub(super) fn of(&mut self, object: ObjectId) -> u64 {
        // slots are aligned to eight bytes
        let mut id = (self.heap.address(object).get() >> 2) as u32 | 1;
        if let Some(given) = &mut self.given {
            while !given.insert(id) {
                id = id.wrapping_add(2);
            }
        }
        u64::from(id)
    }
}
