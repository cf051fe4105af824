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

/// Leaked Strings that only other Strings refer to; without garbage.
pub(super) fn strings(
    graph: &Graph,
    parents: &[NodeId],
    leaked: &[Leaked],
    progress: &Progress,
) -> Result<ObjectSet> {
    let heap = graph.heap();
    let mut ticks = Ticks::new(progress);
    let is_string = |object: ObjectId| heap.kind(object).is_some_and(|kind| kind.type_ == Type::String);
    let is_held = |object: ObjectId| is_string(object) && graph.level(object) != Level::Unreachable;
    let all = ObjectSet::of(leaked.iter().map(|it| it.object).filter(|it| is_held(*it)));
    // on the shortest path to most of them is what else refers to them, so that no other need be looked for
    let is_known_otherwise = |whole: ObjectId| {
        let parent = graph.object(parents[whole]);
        parent.is_some_and(|parent| !is_string(parent))
    };
    let mut pinned = ObjectSet::default();
    let mut count = 0u64;
    for it in leaked.iter().filter(|it| all.contains(it.object)) {
        ticks.tick()?;
        for whole in heap.references(it.object).filter(|whole| all.contains(*whole)) {
            count += u64::from(!is_known_otherwise(whole) && pinned.insert(whole));
        }
    }
    if count == 0 {
        return Ok(pinned);
    }
    let wholes = pinned.clone();
    for object in heap.objects() {
        ticks.tick()?;
        heap.references(object).for_each(|next| {
            // what few refer to is asked for first
            if wholes.contains(next) && !is_string(object) {
                pinned.remove(next);
            }
        });
    }
    Ok(pinned)
}

impl Pinned {
    /// Those among what a holder accounts for.
    pub(super) fn of(heap: &Heap, leaked: &[Leaked], pinned: &ObjectSet) -> Option<Self> {
        let objects = || {
            leaked
                .iter()
                .map(|it| it.object)
                .filter(|it| pinned.contains(*it))
        };
        let largest = objects().max_by_key(|object| (heap.memsize(*object), std::cmp::Reverse(*object)))?;
        Some(Self {
            count: objects().count() as u64,
            memsize: objects().fold(0, |sum, object| sum.saturating_add(heap.memsize(object))),
            site: heap.site(largest).map(Into::into),
        })
    }

    /// With those of another holder that is reported as one with this one.
    pub(super) fn joined(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(Self {
                count: one.count.saturating_add(other.count),
                memsize: one.memsize.saturating_add(other.memsize),
                site: one.site.or(other.site),
            }),
            (one, other) => one.or(other),
        }
    }
}
