//! Strings that are alive only because others are parts of them: a part of a String shares its bytes, and so keeps all of
//! them.

use super::Leaked;
use crate::error::Result;
use crate::graph::{Graph, Level, NodeId, Ticks};
use crate::heap::{AllocationSite, Heap, ObjectSet, Type};
use crate::ids::ObjectId;
use crate::progress::Progress;

/// Strings that others are parts of, and that nothing else refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub memsize: u64,
    /// Where the largest was allocated; `None` when that was not traced.
    pub site: Option<AllocationSite>,
}

/// Leaked Strings that others are parts of and that nothing else refers to, as far as the shortest paths tell; without
/// garbage.
pub(super) fn candidates(
    graph: &Graph,
    parents: &[NodeId],
    leaked: &[Leaked],
    progress: &Progress,
) -> Result<ObjectSet> {
    let heap = graph.heap();
    let mut ticks = Ticks::new(progress);
    let is_held = |object: ObjectId| is_string(heap, object) && graph.level(object) != Level::Unreachable;
    let all = ObjectSet::of(leaked.iter().map(|it| it.object).filter(|it| is_held(*it)));
    // on the shortest path to most of them is what else refers to them
    let is_known_otherwise = |whole: ObjectId| {
        let parent = graph.object(parents[whole]);
        parent.is_some_and(|parent| !is_string(heap, parent))
    };
    let mut candidates = ObjectSet::default();
    for it in leaked.iter().filter(|it| all.contains(it.object)) {
        ticks.tick()?;
        for whole in heap.references(it.object).filter(|whole| all.contains(*whole)) {
            if !is_known_otherwise(whole) {
                candidates.insert(whole);
            }
        }
    }
    Ok(candidates)
}

pub(super) fn is_string(heap: &Heap, object: ObjectId) -> bool {
    heap.kind(object).is_some_and(|kind| kind.type_ == Type::String)
}

impl Pinned {
    /// Of the candidates among what a holder accounts for, those to which nothing but Strings refers.
    pub(super) fn of(heap: &Heap, candidates: &[ObjectId], by_others: &ObjectSet) -> Option<Self> {
        let objects = || {
            candidates
                .iter()
                .copied()
                .filter(|object| !by_others.contains(*object))
        };
        let largest = objects().max_by_key(|object| (heap.memsize(*object), std::cmp::Reverse(*object)))?;
        Some(Self {
            count: objects().count() as u64,
            memsize: objects().fold(0, |sum, object| sum.saturating_add(heap.memsize(object))),
            site: heap.site(largest).map(Into::into),
        })
    }
}
