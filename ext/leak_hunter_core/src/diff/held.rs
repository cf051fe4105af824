//! Who holds the survivors: the heap of the third moment, and how long the collections were at the first two.

use std::sync::Arc;

use super::Run;
use super::census::{Census, Totals};
use super::input::Source;
use super::report::Group;
use crate::address_set::AddressSet;
use crate::dump::Classes;
use crate::error::Result;
use crate::graph::{Graph, dominators};
use crate::heap::{Heap, Rows, index_of};
use crate::holders::{Caches, Holder, Leaked, holders_in};
use crate::pool;
use crate::progress::Phase;

impl Run<'_> {
    /// Whether the third moment is a dump of which a heap is to be made.
    pub(super) fn wants_rows(&self) -> bool {
        self.options.holders && matches!(self.files[2], Source::File(_))
    }

    /// The heap of the third moment: of a dump, from the rows that were read of it.
    pub(super) fn third_heap(
        &self,
        rows: Vec<Rows>,
        addresses: AddressSet,
        classes: Classes,
        totals: &Totals,
    ) -> Result<Arc<Heap>> {
        self.progress.enter(Phase::Heap);
        let file = match &self.files[2] {
            Source::File(file) => file,
            Source::Heap(heap) => return Ok(Arc::clone(heap)),
            Source::Mark(_) => return Heap::empty().map(Arc::new),
        };
        let index = index_of(addresses, file)?;
        let recorded = file.recorded().cloned();
        let ordered;
        let pool = match totals.duplicates {
            0 => &self.pool,
            _ => {
                ordered = pool::of(1)?;
                &ordered
            }
        };
        let heap = Heap::of_rows(rows, index, classes, recorded, pool, self.progress)?;
        self.count_step(file.bytes());
        Ok(Arc::new(heap))
    }

    /// The holders of the objects of `groups`, all of whose addresses are known. `moved` tells whether objects moved after
    /// the first dump and after the second.
    pub(super) fn holders(
        &self,
        groups: &[Group],
        heap: &Arc<Heap>,
        censuses: [&Census; 2],
        moved: [Option<bool>; 2],
    ) -> Result<(Vec<Holder>, Caches)> {
        let leaked: Vec<Leaked> = groups
            .iter()
            .enumerate()
            .flat_map(|(index, group)| {
                group
                    .addresses
                    .iter()
                    .map(move |address| (index as u32, *address))
            })
            .filter_map(|(group, address)| {
                let object = heap.find(address)?;
                Some(Leaked { object, group })
            })
            .collect();
        self.progress.enter(Phase::Graph);
        let bytes = self.files.last().map_or(0, Source::bytes);
        let graph = Graph::new(Arc::clone(heap), self.progress)?;
        // neither needs the other
        let (tree, parents) = self.pool.join(
            || dominators(&graph, self.progress),
            || graph.parents(self.progress),
        );
        self.count_step(bytes);
        self.progress.enter(Phase::Holders);
        let since = censuses[0].totals.generation;
        let (mut holders, caches) = holders_in(&graph, &tree?, &parents?, &leaked, since, self.progress)?;
        for (index, census) in censuses.into_iter().enumerate() {
            if self.moved_to_third(index, moved) {
                continue;
            }
            for holder in &mut holders {
                holder.lengths[index] = self.length(index, census, heap, holder);
            }
        }
        self.count_step(bytes);
        Ok((holders, caches))
    }

    /// Of the three steps that follow the reading, each counts as a third of it.
    fn count_step(&self, bytes: u64) {
        self.progress.add(bytes / 3);
    }

    /// Whether objects moved after that moment, so that an address there may be another collection's.
    fn moved_to_third(&self, index: usize, moved: [Option<bool>; 2]) -> bool {
        match (self.files[index].recorded(), self.files[2].recorded()) {
            (Some(then), Some(now)) => then.compactions != now.compactions,
            _ => moved[index..].contains(&Some(true)),
        }
    }

    /// How long a holder's collection was at an earlier moment.
    fn length(&self, index: usize, census: &Census, third: &Heap, holder: &Holder) -> Option<u64> {
        let address = holder.collection?;
        let born = third.generation(third.find(address)?);
        if born.is_some() && born > census.totals.generation {
            return None;
        }
        match &self.files[index] {
            Source::Mark(_) => None,
            Source::File(_) => census.lengths.as_ref()?.of(address, born),
            Source::Heap(heap) => {
                let object = heap
                    .find(address)
                    .filter(|object| heap.generation(*object) == born)?;
                heap.length(object).map(u64::from)
            }
        }
    }
}
