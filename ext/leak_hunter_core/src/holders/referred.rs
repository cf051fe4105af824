//! By how many edges the objects of holders are referred to, and by what. All references are read once, for all questions.

use std::ops::Range;

use rayon::ThreadPool;

use super::pinned::is_string;
use super::targets::Targets;
use crate::error::Result;
use crate::graph::{Graph, NodeId, Ticks};
use crate::heap::ObjectSet;
use crate::ids::ObjectId;
use crate::pool;
use crate::progress::Progress;

/// What the references say.
#[derive(Debug)]
pub(super) struct Referred {
    /// By target, how many nodes outside of what it dominates refer to it and keep it alive.
    pub(super) edges: Vec<u32>,
    /// Those of the Strings that were asked for to which something else than a String refers.
    pub(super) by_others: ObjectSet,
}

/// Asks for the targets, and for some Strings.
pub(super) fn find(
    graph: &Graph,
    targets: &Targets,
    strings: &ObjectSet,
    pool: Option<&ThreadPool>,
    progress: &Progress,
) -> Result<Referred> {
    let mut wanted = strings.clone();
    let objects = targets.nodes().iter().filter_map(|node| graph.object(*node));
    let any = objects.fold(!strings.is_empty(), |_, object| {
        wanted.insert(object);
        true
    });
    let search = |range: Range<u32>| {
        let mut search = Search::new(graph, targets, strings);
        search.objects(&wanted, range, progress)?;
        Ok(search)
    };
    let length = if any { graph.heap().len() } else { 0 };
    let (low, high) = pool::join(pool, || search(0..length / 2), || search(length / 2..length));
    let mut search = low?.merge(high?);
    search.categories(&wanted, progress)?;
    Ok(search.found)
}

struct Search<'a> {
    graph: &'a Graph,
    targets: &'a Targets,
    strings: &'a ObjectSet,
    /// By target, the last node that was counted: an object may refer to it more than once.
    last: Vec<Option<NodeId>>,
    found: Referred,
}

impl<'a> Search<'a> {
    fn new(graph: &'a Graph, targets: &'a Targets, strings: &'a ObjectSet) -> Self {
        Self {
            graph,
            targets,
            strings,
            last: vec![None; targets.len()],
            found: Referred {
                edges: vec![0; targets.len()],
                by_others: ObjectSet::default(),
            },
        }
    }

    /// What these objects refer to. Few references lead to what is wanted, so that the rest is asked only then.
    fn objects(&mut self, wanted: &ObjectSet, objects: Range<u32>, progress: &Progress) -> Result<()> {
        let mut ticks = Ticks::new(progress);
        for object in objects.map(ObjectId::new) {
            ticks.tick()?;
            self.graph.heap().references(object).for_each(|next| {
                if wanted.contains(next) {
                    self.reference(object, next);
                }
            });
        }
        Ok(())
    }

    fn reference(&mut self, object: ObjectId, next: ObjectId) {
        if self.strings.contains(next) && !is_string(self.graph.heap(), object) {
            self.found.by_others.insert(next);
        }
        self.edge(object.into(), next);
    }

    /// What the categories of roots refer to.
    fn categories(&mut self, wanted: &ObjectSet, progress: &Progress) -> Result<()> {
        let mut ticks = Ticks::new(progress);
        for category in self.graph.category_nodes() {
            for next in self.graph.entries(category) {
                ticks.tick()?;
                if wanted.contains(*next) {
                    self.edge(category, *next);
                }
            }
        }
        Ok(())
    }

    fn edge(&mut self, node: NodeId, next: ObjectId) {
        let Some(target) = self.targets.target(next.into()) else {
            return;
        };
        let counts = self.last[target] != Some(node)
            && !self.targets.is_below(target, node)
            && self.graph.keeps_alive(node);
        if counts {
            self.found.edges[target] = self.found.edges[target].saturating_add(1);
            self.last[target] = Some(node);
        }
    }

    /// With what was found of other objects.
    fn merge(mut self, other: Self) -> Self {
        for (sum, count) in self.found.edges.iter_mut().zip(other.found.edges) {
            *sum = sum.saturating_add(count);
        }
        self.found.by_others.extend(&other.found.by_others);
        self
    }
}
