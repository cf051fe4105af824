//! Holders of one fingerprint are reported as one.

use std::cmp::Reverse;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::Facts;
use super::choose::Chosen;
use super::fingerprint::Fingerprints;
use super::leak_tree::LeakTree;
use super::role::Role;
use super::visible_owner::is_visible;
use super::{GroupShare, Leaked};
use crate::error::Result;
use crate::graph::{Length, NodeId, PathFinder, PathNode, Ticks};
use crate::heap::{Heap, Type};
use crate::ids::{ObjectId, TextId};
use crate::origin::ContextTally;
use crate::progress::Progress;

/// Sample addresses of leaked objects that a holder keeps.
const SAMPLES: usize = 5;
/// Sample paths besides the first.
const OTHER_PATHS: usize = 2;

/// Holders that are known by the same fingerprint.
#[derive(Debug)]
pub(super) struct Merged<'a> {
    pub(super) fingerprint: u64,
    pub(super) count: u64,
    pub(super) bytes: u128,
    /// Most objects first.
    pub(super) groups: Vec<GroupShare>,
    pub(super) all: Vec<&'a Chosen>,
    /// The one that accounts for most bytes stands for all.
    pub(super) main: Sketch<'a>,
    /// Bytes of stacks.
    pub(super) reserved: u128,
    /// Strings that others are parts of, and that nothing else may refer to.
    pub(super) strings: Vec<ObjectId>,
    pub(super) contexts: ContextTally<TextId>,
    /// What goes when what it holds goes.
    pub(super) consequences: Vec<Consequence>,
}

/// Leaked objects that are held elsewhere, and go when others go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consequence {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub memsize: u64,
}

/// One holder that was chosen.
#[derive(Debug)]
pub(super) struct Sketch<'a> {
    pub(super) chosen: &'a Chosen,
    count: u64,
    bytes: u128,
    reserved: u128,
    strings: Vec<ObjectId>,
    contexts: ContextTally<TextId>,
    groups: Vec<GroupShare>,
    /// The leaked object that the path leads to.
    pub(super) sample: ObjectId,
    /// A few of the leaked objects.
    pub(super) samples: Vec<ObjectId>,
    /// An object each of the largest other groups.
    pub(super) others: Vec<ObjectId>,
}

/// What holders that are reported as one have in common.
#[derive(PartialEq, Eq, Hash)]
struct Identity<'a> {
    fingerprint: u64,
    role: &'a Role,
}

/// Where a node is in a path; of several the last.
pub(super) fn position(path: &[PathNode], node: NodeId) -> Option<usize> {
    path.iter().rposition(|step| step.node == node)
}

/// The holders by fingerprint, those of most bytes first.
pub(super) fn by_fingerprint<'a>(
    leak_tree: &LeakTree<'_>,
    chosen: &'a [Chosen],
    parents: &[NodeId],
    facts: &Facts,
    progress: &Progress,
) -> Result<Vec<Merged<'a>>> {
    let graph = leak_tree.graph;
    let mut fingerprints = Fingerprints::new(graph, &facts.names, &facts.old_classes);
    let mut paths = PathFinder::new(graph, parents, progress);
    let mut ticks = Ticks::new(progress);
    let mut merged: Vec<Merged<'a>> = Vec::new();
    let mut known: HashMap<Identity<'_>, usize, RandomState> = HashMap::default();
    for chosen in chosen {
        progress.check()?;
        let leaked = leak_tree.leaked(&chosen.members, &mut ticks)?;
        let Some(sketch) = Sketch::of(leak_tree, chosen, leaked, facts) else {
            continue;
        };
        let path = paths.find(sketch.sample.into(), Some(chosen.owner), Length::FULL)?;
        let at = position(&path, chosen.node).or_else(|| position(&path, chosen.owner));
        let fingerprint = fingerprints.of(&path, at.unwrap_or(0), chosen.shared, &chosen.role);
        let key = Identity {
            fingerprint,
            role: &chosen.role,
        };
        match known.get(&key) {
            Some(index) => merged[*index].add(sketch),
            None => {
                known.insert(key, merged.len());
                merged.push(Merged::new(fingerprint, sketch));
            }
        }
    }
    for one in &mut merged {
        one.sum_up();
    }
    merged.sort_by_key(|it| (Reverse((it.bytes, it.count)), it.fingerprint));
    attach_finalizers(&mut merged);
    Ok(merged)
}

/// Finalizers that keep only themselves are there because their objects are: they belong to what holds those. No dump
/// tells which objects those are, so it is the largest holder that has them, if there are enough objects at all.
fn attach_finalizers(merged: &mut Vec<Merged<'_>>) {
    let is_bare = |it: &Merged<'_>| it.main.chosen.role == Role::BareFinalizers;
    let Some(index) = merged.iter().position(is_bare) else {
        return;
    };
    let entries = merged[index]
        .all
        .iter()
        .map(|it| it.members.len() as u64)
        .sum::<u64>();
    let consequence = Consequence {
        count: merged[index].count,
        memsize: u64::try_from(merged[index].bytes).unwrap_or(u64::MAX),
    };
    let others = merged
        .iter()
        .filter(|it| !is_bare(it))
        .map(|it| it.count)
        .sum::<u64>();
    if others < entries {
        return;
    }
    if let Some(cause) = merged.iter_mut().find(|it| !is_bare(it)) {
        cause.consequences.push(consequence);
        merged.remove(index);
    }
}

impl<'a> Merged<'a> {
    fn new(fingerprint: u64, mut main: Sketch<'a>) -> Self {
        Self {
            fingerprint,
            count: main.count,
            bytes: main.bytes,
            reserved: main.reserved,
            strings: std::mem::take(&mut main.strings),
            contexts: std::mem::take(&mut main.contexts),
            consequences: Vec::new(),
            groups: std::mem::take(&mut main.groups),
            all: vec![main.chosen],
            main,
        }
    }

    fn add(&mut self, mut other: Sketch<'a>) {
        self.count += other.count;
        self.bytes += other.bytes;
        self.reserved += other.reserved;
        self.strings.append(&mut other.strings);
        self.contexts.merge(std::mem::take(&mut other.contexts));
        self.groups.append(&mut other.groups);
        self.all.push(other.chosen);
        if other.bytes > self.main.bytes {
            self.main = other;
        }
    }

    fn sum_up(&mut self) {
        self.groups.sort_by_key(|share| share.group);
        self.groups.dedup_by(|next, kept| {
            let is_same = next.group == kept.group;
            if is_same {
                kept.count += next.count;
            }
            is_same
        });
        self.groups
            .sort_by_key(|share| (Reverse(share.count), share.group));
    }

    /// How many objects hold in this way.
    pub(super) fn alike(&self) -> u64 {
        let mut owners: Vec<NodeId> = self.all.iter().map(|chosen| chosen.owner).collect();
        owners.sort_unstable();
        owners.dedup();
        owners.len() as u64
    }
}

impl<'a> Sketch<'a> {
    /// `None` where nothing leaked is left to it.
    fn of(
        leak_tree: &LeakTree<'_>,
        chosen: &'a Chosen,
        mut leaked: Vec<Leaked>,
        facts: &Facts,
    ) -> Option<Self> {
        let heap = leak_tree.graph.heap();
        leaked.sort_unstable_by_key(|it| (it.group, it.object));
        let mut by_group: Vec<&[Leaked]> = leaked.chunk_by(|one, two| one.group == two.group).collect();
        by_group.sort_by_key(|of_group| Reverse(of_group.len()));
        // of the largest group, the lowest
        let largest = by_group.first()?.first()?;
        // What the holder refers to itself says most; of several the lowest, so that every run says the same.
        let direct = chosen.members[..chosen.own]
            .iter()
            .copied()
            .filter(|node| leak_tree.is_leaked(*node))
            .filter_map(|node| leak_tree.graph.object(node))
            .min_by_key(|object| (rank(heap, *object), *object));
        let sample = direct.unwrap_or(largest.object);
        let of_sample = leak_tree.group(sample.into());
        let others = by_group
            .iter()
            .filter_map(|of_group| of_group.first())
            .filter(|lowest| of_sample != Some(lowest.group))
            .map(|lowest| lowest.object)
            .take(OTHER_PATHS)
            .collect();
        let share = |of_group: &&[Leaked]| GroupShare {
            group: of_group[0].group,
            count: of_group.len() as u64,
        };
        let mut contexts = ContextTally::default();
        if facts.has_contexts {
            for it in &leaked {
                if let Some(context) = heap.kind(it.object).and_then(|kind| kind.context) {
                    contexts.add(context, 1);
                }
            }
        }
        let mut samples: Vec<ObjectId> = leaked.iter().take(SAMPLES).map(|it| it.object).collect();
        samples.sort_unstable();
        Some(Self {
            chosen,
            count: leaked.len() as u64,
            bytes: leaked.iter().map(|it| u128::from(heap.memsize(it.object))).sum(),
            reserved: leaked
                .iter()
                .filter(|it| {
                    heap.kind(it.object)
                        .is_some_and(|kind| kind.internal.is_execution())
                })
                .map(|it| u128::from(heap.memsize(it.object)))
                .sum(),
            strings: leaked
                .iter()
                .map(|it| it.object)
                .filter(|object| facts.strings.contains(*object))
                .collect(),
            contexts,
            groups: by_group.iter().map(share).collect(),
            sample,
            samples,
            others,
        })
    }
}

/// Objects of the application's classes before strings and the VM's own.
fn rank(heap: &Heap, object: ObjectId) -> u8 {
    match heap.kind(object).map(|kind| kind.type_) {
        _ if !is_visible(heap, object) => 3,
        Some(Type::Object | Type::Struct | Type::Class | Type::Module | Type::Data) => 0,
        Some(Type::Array | Type::Hash) => 1,
        _ => 2,
    }
}
