//! What earlier moments say of the objects of a heap.

use crate::heap::Heap;
use crate::ids::ObjectId;

/// Where one in so many entries is older than its collection, that is a copy.
const COPIED: u64 = 10;

/// The moments before a heap was taken, the first of them first. The heap is the last moment.
pub trait Past: Sync {
    /// How many moments there are before the heap; a window follows each.
    fn moments(&self) -> usize;

    /// The window in which an object was born: 0 before the first moment, `n` after the n-th. `None` when that is not
    /// known.
    fn window(&self, object: ObjectId) -> Option<usize>;

    /// Where only some objects are known: for how many this one stands that is, or any. What is not known of others says
    /// nothing then.
    fn one_in(&self, _known: Option<ObjectId>) -> Option<f64> {
        None
    }

    /// How long a collection was at an earlier moment, counted from 0.
    fn length(&self, moment: usize, collection: ObjectId) -> Option<u64>;

    /// Garbage collections in each window, where they are known.
    fn work(&self) -> Vec<Option<u64>>;

    /// The length of a collection at each moment, the heap's last. 0 before it was born, unless it replaced another one:
    /// how long that was is not known.
    fn lengths(&self, heap: &Heap, collection: ObjectId) -> Vec<Option<u64>> {
        let born = self.window(collection).unwrap_or(0);
        let before = match born > 0 && self.is_copy(heap, collection, born) {
            true => None,
            false => Some(0),
        };
        let earlier = (0..self.moments()).map(|moment| match moment < born {
            true => before,
            false => self.length(moment, collection),
        });
        earlier.chain([heap.length(collection).map(u64::from)]).collect()
    }

    /// Whether entries are older than the collection, in number: `@list += [entry]` makes a new one of the old entries.
    fn is_copy(&self, heap: &Heap, collection: ObjectId, born: usize) -> bool {
        let (mut entries, mut older) = (0u64, 0u64);
        for window in heap.references(collection).filter_map(|entry| self.window(entry)) {
            entries += 1;
            older += u64::from(window < born);
        }
        older > 0 && older.saturating_mul(COPIED) >= entries
    }
}

/// A heap of which no earlier moment is known.
pub(super) struct NoPast;

impl Past for NoPast {
    fn moments(&self) -> usize {
        0
    }

    fn window(&self, _: ObjectId) -> Option<usize> {
        None
    }

    fn length(&self, _: usize, _: ObjectId) -> Option<u64> {
        None
    }

    fn work(&self) -> Vec<Option<u64>> {
        Vec::new()
    }
}
