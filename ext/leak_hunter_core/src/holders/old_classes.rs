//! Classes that were replaced by others of their name: reloading makes new ones, and the old ones are to go.

use foldhash::fast::RandomState;
use std::collections::HashSet;

use crate::graph::EdgeKind;
use crate::heap::Heap;
use crate::ids::Address;

/// The old ones among classes of one name.
#[derive(Debug, Default)]
pub(super) struct OldClasses(HashSet<Address, RandomState>);

impl OldClasses {
    pub(super) fn of(heap: &Heap) -> Self {
        let namesakes: Vec<Vec<Address>> = heap.classes().namesakes().map(|(_, all)| all).collect();
        if namesakes.is_empty() {
            return Self::default();
        }
        let constants: HashSet<Address, RandomState> = heap
            .names()
            .all()
            .filter(|(_, name)| name.kind == EdgeKind::Constant)
            .map(|(edge, _)| edge.value)
            .collect();
        let age = |address: Address| {
            let generation = heap.find(address).and_then(|object| heap.generation(object));
            (constants.contains(&address), generation, address)
        };
        let mut old = HashSet::default();
        for mut all in namesakes {
            // the one that the constant has, else the youngest
            all.sort_unstable_by_key(|address| age(*address));
            all.pop();
            old.extend(all.into_iter().filter(|address| !constants.contains(address)));
        }
        Self(old)
    }

    pub(super) fn contains(&self, address: Address) -> bool {
        self.0.contains(&address)
    }
}
