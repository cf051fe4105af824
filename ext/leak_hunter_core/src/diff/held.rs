//! Who holds the survivors: the heap of the last moment, and what the others say of its objects.

use std::sync::Arc;

use super::Run;
use super::census::{Census, Totals};
use super::extrapolate::Extrapolation;
use super::grown::{GrownInPlace, grown_in_place};
use super::input::Source;
use super::lengths::Lengths;
use super::moments::Moments;
use super::report::Group;
use crate::address_set::AddressSet;
use crate::dump::Classes;
use crate::error::Result;
use crate::export::{FrameTree, Limits, Subject, View};
use crate::graph::{DepthFirst, Dominators, Graph, WithParents, dominators_of};
use crate::heap::{Heap, ObjectSet, Rows, index_of};
use crate::holders::{ClassFacts, Earlier, Facts, Holder, Leaked, SetAside, holders_with};
use crate::pool;
use crate::progress::Phase;
use crate::verdict::Verdict;

impl Run<'_> {
    /// Where the last moment is a dump of which a heap is to be made, the rows that one thread is to fill.
    pub(super) fn rows(&self) -> Option<Rows> {
        let last = self.files.last().filter(|_| self.options.holders)?;
        matches!(last, Source::File(_))
            .then(|| Rows::of_bytes(last.text_estimate() / self.pool.current_num_threads() as u64))
    }

    /// The heap of the last moment: of a dump, from the rows that were read of it.
    pub(super) fn third_heap(
        &self,
        rows: Vec<Rows>,
        addresses: AddressSet,
        classes: Classes,
        totals: &Totals,
    ) -> Result<Arc<Heap>> {
        self.progress.enter(Phase::Heap);
        let file = match self.files.last() {
            Some(Source::File(file)) => file,
            Some(Source::Heap(heap)) => return Ok(Arc::clone(heap)),
            Some(Source::Mark(_)) | None => return Heap::empty().map(Arc::new),
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
    /// each dump but the last.
    pub(super) fn held(
        &self,
        groups: &[Group],
        heap: &Arc<Heap>,
        censuses: &[Census],
        moved: &[Option<bool>],
        strings: &Lengths,
    ) -> Result<Held> {
        self.progress.enter(Phase::Graph);
        let bytes = self.files.last().map_or(0, Source::bytes);
        let graph = Graph::unsearched(Arc::clone(heap));
        // each pair has nothing to do with each other
        let (searched, depth_first) = self.pool.join(
            || graph.clone().with_parents(self.progress),
            || DepthFirst::from_roots(&graph, self.progress),
        );
        let (WithParents { graph, parents }, depth_first) = (searched?, depth_first?);
        let (tree, beside) = self.pool.join(
            || dominators_of(&graph, depth_first, self.progress),
            || {
                let leaked = leaked(groups, heap);
                let moments = Moments::new(self.files, censuses, heap, moved, &self.options.own_paths);
                let grown = grown_in_place(&graph, &parents, &moments, Some(strings), self.progress)?;
                let classes = ClassFacts::of(heap);
                let facts = Facts::of(&graph, &parents, classes, &leaked, self.progress)?;
                Ok(Beside {
                    leaked,
                    moments,
                    grown,
                    facts,
                })
            },
        );
        self.count_step(bytes);
        self.progress.enter(Phase::Holders);
        let tree = tree?;
        let Beside {
            leaked,
            moments,
            mut grown,
            facts,
        } = beside?;
        let earlier = Earlier {
            since: censuses.first().and_then(|first| first.totals.generation),
            past: &moments,
            pool: Some(&self.pool),
        };
        let found = holders_with(&graph, &tree, &parents, &leaked, facts, &earlier, self.progress)?;
        // where births were lost in part, it may have a holder all the same
        let has_holder = |address| {
            let mut growing = found
                .holders
                .iter()
                .filter(|it| it.judgement.verdict == Verdict::Growing);
            growing.any(|holder| holder.collection == Some(address))
        };
        grown.retain(|it| !it.by_name || !has_holder(it.address));
        let flame = self.options.flame.as_ref();
        let flame = flame
            .map(|limits| self.flame(&graph, &tree, &leaked, limits))
            .transpose()?;
        self.count_step(bytes);
        Ok(Held {
            flame,
            holders: found.holders,
            set_aside: found.set_aside,
            grown,
        })
    }

    /// What leaked, by each view.
    fn flame(
        &self,
        graph: &Graph,
        dominators: &Dominators,
        leaked: &[Leaked],
        limits: &Limits,
    ) -> Result<Vec<FrameTree>> {
        let counted = ObjectSet::of(leaked.iter().map(|it| it.object));
        let subject = Subject {
            graph,
            dominators,
            counted: Some(&counted),
        };
        View::ALL
            .into_iter()
            .map(|view| FrameTree::new(&subject, view, limits, self.progress))
            .collect()
    }

    /// Of the three steps that follow the reading, each counts as a third of it.
    fn count_step(&self, bytes: u64) {
        self.progress.add(bytes / 3);
    }
}

/// The objects of the groups.
fn leaked(groups: &[Group], heap: &Heap) -> Vec<Leaked> {
    let of_group = |(index, group): (usize, &Group)| {
        let objects = group.addresses.iter().filter_map(|address| heap.find(*address));
        let leaked = objects.map(|object| Leaked {
            object,
            group: index as u32,
        });
        leaked.collect::<Vec<_>>()
    };
    groups.iter().enumerate().flat_map(of_group).collect()
}

/// What takes no dominators.
struct Beside<'a> {
    leaked: Vec<Leaked>,
    moments: Moments<'a>,
    grown: Vec<GrownInPlace>,
    facts: Facts,
}

/// Who holds the survivors, and what grew without any.
pub(super) struct Held {
    pub(super) flame: Option<Vec<FrameTree>>,
    pub(super) holders: Vec<Holder>,
    pub(super) set_aside: SetAside,
    pub(super) grown: Vec<GrownInPlace>,
}

impl Held {
    pub(super) fn extrapolate(&mut self, extrapolation: &Extrapolation<'_>) {
        self.holders.iter_mut().for_each(|it| extrapolation.holder(it));
        extrapolation.set_aside(&mut self.set_aside);
        let trees = self.flame.iter_mut().flatten();
        trees.for_each(|tree| extrapolation.flame(tree));
    }
}
