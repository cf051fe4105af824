//! Leaked objects that have no holder worth reporting: what the VM caches for each place in the code that runs. It makes
//! them when code runs for the first time, and there are as many as there is code.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{Amount, Leaked};
use crate::error::Result;
use crate::graph::{Dominators, Graph, NodeId, Ticks};
use crate::heap::{Heap, Internal, ObjectSet, Site};
use crate::ids::ObjectId;
use crate::progress::Progress;

/// So many caches of one line of code are those of its calls. More of them grow with the data: code that is evaluated
/// again and again, calls to ever new classes.
pub(crate) const OF_ONE_LINE: u64 = 64;

/// Leaked objects that are caches of code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caches {
    /// All of them.
    pub total: Amount,
    /// By group of the report, ascending.
    pub groups: Vec<CachesOfGroup>,
}

/// Leaked objects of one group that are caches of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachesOfGroup {
    /// The group of the report.
    pub group: u32,
    /// So many.
    pub amount: Amount,
}

/// What leaked, and the caches that were taken out of it.
#[derive(Debug)]
pub(super) struct WithoutCaches {
    pub(super) leaked: Vec<Leaked>,
    pub(super) caches: Caches,
}

/// Takes the caches out of what leaked: those of lines that have only a few, unless something else that leaked keeps
/// them, such as a class.
pub(super) fn put_aside(
    graph: &Graph,
    tree: &Dominators,
    leaked: &[Leaked],
    progress: &Progress,
) -> Result<WithoutCaches> {
    let heap = graph.heap();
    let mut ticks = Ticks::new(progress);
    let mut others = ObjectSet::default();
    let mut by_line: HashMap<Option<Site<'_>>, u64, RandomState> = HashMap::default();
    let mut candidates = 0;
    for it in leaked {
        ticks.tick()?;
        if is_cache(heap, it.object) {
            candidates += 1;
            *by_line.entry(line(heap, it.object)).or_default() += 1;
        } else {
            others.insert(it.object);
        }
    }
    if candidates == 0 {
        return Ok(WithoutCaches {
            leaked: leaked.to_vec(),
            caches: Caches::default(),
        });
    }
    let above = above(tree, leaked, &others, &mut ticks)?;
    let mut below = Below::new(tree, &others);
    let mut kept = Vec::with_capacity(leaked.len());
    let mut caches = Caches::default();
    for it in leaked {
        ticks.tick()?;
        let line = line(heap, it.object);
        let has_few = line.is_none() || by_line.get(&line).is_none_or(|count| *count < OF_ONE_LINE);
        // the VM has a table of some call caches, which does not grow
        let is_of_the_vm = tree.of(it.object).is_none_or(|above| !graph.is_object(above));
        // a method entry that has a method that leaked is no cache
        let is_candidate = is_cache(heap, it.object) && (has_few || is_of_the_vm);
        if is_candidate && !above.contains(it.object) && !below.has(it.object, &mut ticks)? {
            caches.add(*it, heap.memsize(it.object));
        } else {
            kept.push(*it);
        }
    }
    caches.groups.sort_unstable_by_key(|of| of.group);
    caches.groups.dedup_by(|next, first| {
        let is_same = next.group == first.group;
        if is_same {
            first.amount.merge(next.amount);
        }
        is_same
    });
    Ok(WithoutCaches { leaked: kept, caches })
}

impl Caches {
    fn add(&mut self, leaked: Leaked, memsize: u64) {
        let amount = Amount { count: 1, memsize };
        self.total.merge(amount);
        match self.groups.last_mut() {
            Some(last) if last.group == leaked.group => last.amount.merge(amount),
            _ => self.groups.push(CachesOfGroup {
                group: leaked.group,
                amount,
            }),
        }
    }
}

/// An inline cache, or an entry of a class's methods, which the VM makes for calls, too.
fn is_cache(heap: &Heap, object: ObjectId) -> bool {
    let internal = heap.kind(object).map(|kind| kind.internal);
    internal.is_some_and(|internal| internal == Internal::MethodEntry || internal.is_cache())
}

fn line(heap: &Heap, object: ObjectId) -> Option<Site<'_>> {
    let site = heap.site(object)?;
    Some(Site { method: None, ..site })
}

/// The nodes that dominate one of the objects, which are among what leaked.
fn above(
    tree: &Dominators,
    leaked: &[Leaked],
    objects: &ObjectSet,
    ticks: &mut Ticks<'_>,
) -> Result<ObjectSet> {
    let mut above = ObjectSet::default();
    for it in leaked.iter().filter(|it| objects.contains(it.object)) {
        ticks.tick()?;
        let mut at = tree.of(it.object);
        while let Some(node) = at.filter(|node| above.insert(*node)) {
            ticks.tick()?;
            at = tree.of(node);
        }
    }
    Ok(above)
}

/// Which nodes one of the objects dominates. Each is walked over once.
struct Below<'a> {
    tree: &'a Dominators,
    objects: &'a ObjectSet,
    /// Nodes that are known.
    known: ObjectSet,
    /// Those among them that are below an object.
    below: ObjectSet,
}

impl<'a> Below<'a> {
    fn new(tree: &'a Dominators, objects: &'a ObjectSet) -> Self {
        Self {
            tree,
            objects,
            known: ObjectSet::default(),
            below: ObjectSet::default(),
        }
    }

    fn has(&mut self, object: ObjectId, ticks: &mut Ticks<'_>) -> Result<bool> {
        let mut walked = Vec::new();
        let mut at = NodeId::from(object);
        let is_below = loop {
            ticks.tick()?;
            if self.known.contains(at) {
                break self.below.contains(at);
            }
            walked.push(at);
            match self.tree.of(at) {
                None => break false,
                Some(above) if self.objects.contains(above) => break true,
                Some(above) => at = above,
            }
        };
        for node in walked {
            self.known.insert(node);
            if is_below {
                self.below.insert(node);
            }
        }
        Ok(is_below)
    }
}
