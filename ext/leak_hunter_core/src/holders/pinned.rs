//! Strings that are alive only because others are parts of them: a part of a String shares its bytes, and so keeps all of
//! them.

use super::Leaked;
use crate::error::Result;
use crate::graph::Ticks;
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

/// Leaked Strings that only other Strings refer to.
pub(super) fn strings(heap: &Heap, leaked: &[Leaked], progress: &Progress) -> Result<ObjectSet> {
    let mut ticks = Ticks::new(progress);
    let is_string = |object: ObjectId| heap.kind(object).is_some_and(|kind| kind.type_ == Type::String);
    let all = ObjectSet::of(leaked.iter().map(|it| it.object).filter(|it| is_string(*it)));
    let mut pinned = ObjectSet::default();
    let mut count = 0u64;
    for it in leaked.iter().filter(|it| all.contains(it.object)) {
        ticks.tick()?;
        for whole in heap.references(it.object).filter(|whole| all.contains(*whole)) {
            count += u64::from(pinned.insert(whole));
        }
    }
    if count == 0 {
        return Ok(pinned);
    }
    for object in heap.objects() {
        ticks.tick()?;
        if is_string(object) {
            continue;
        }
        for next in heap.references(object).filter(|next| all.contains(*next)) {
            ticks.tick()?;
            pinned.remove(next);
        }
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
