//! What is reported of a holder: what it is, what it accounts for, and the paths to it from the roots.

use std::cmp::Reverse;

use super::Facts;
use super::choose::Together;
use super::class_names::ClassNames;
use super::entries;
use super::keys::{KeyCounts, without_numbers};
use super::last_value::StackValue;
use super::loaded::LoadedCode;
use super::merge::{Merged, position};
use super::old_classes::OldClasses;
use super::profile::Judged;
use super::role::Role;
use super::{Holder, HolderKind, Past, PathStep, Pinned, Retained, Sharer};
use crate::error::Result;
use crate::graph::{EdgeNames, Graph, Length, NodeId, PathFinder, PathNode};
use crate::heap::Type;
use crate::ids::ObjectId;
use crate::progress::Progress;
use crate::verdict::{Because, Judgement, Verdict};

/// How many holders are reported with long paths and with other paths. A report shows a few dozen.
const DETAILED: usize = 1_000;

/// The paths that are reported of a holder.
struct Paths {
    /// The main one first.
    to_leaked: Vec<Vec<PathNode>>,
    /// To each that holds the same.
    to_sharers: Vec<Vec<PathNode>>,
}

/// What is known of a holder besides.
pub(super) struct Measured {
    pub(super) retained: Retained,
    pub(super) pinned: Option<Pinned>,
    pub(super) judged: Judged,
    pub(super) on_stack: StackValue,
    pub(super) loaded: Option<LoadedCode>,
}

impl Measured {
    fn judge(&self) -> Judgement {
        let known = match () {
            () if self.on_stack != StackValue::No => Because::LastValue,
            () if self.loaded.as_ref().is_some_and(|loaded| loaded.is_all) => Because::Loaded,
            () => return self.judged.judgement,
        };
        Judgement {
            verdict: known.verdict(),
            because: known,
            level: None,
        }
    }
}

/// What is reported of the holders. `measured` has a row for each.
pub(super) fn all(
    graph: &Graph,
    parents: &[NodeId],
    facts: &Facts,
    merged: &[Merged<'_>],
    measured: Vec<Measured>,
    past: &dyn Past,
    progress: &Progress,
) -> Result<Vec<Holder>> {
    let mut finder = PathFinder::new(graph, parents, progress);
    let mut paths = Vec::with_capacity(merged.len());
    for (rank, merged) in merged.iter().enumerate() {
        let chosen = merged.main.chosen;
        let (length, others, together) = match rank < DETAILED {
            true => (
                Length::FULL,
                merged.main.others.as_slice(),
                chosen.together.as_slice(),
            ),
            false => (Length::SHORT, &[][..], &[][..]),
        };
        let owner = chosen.owner;
        let mut found = vec![finder.find(merged.main.sample.into(), Some(owner), length)?];
        for object in others {
            found.push(finder.find((*object).into(), Some(owner), length)?);
        }
        let to_sharer = |it: &Together| finder.find(it.owner, None, Length::SHORT);
        paths.push(Paths {
            to_leaked: found,
            to_sharers: together.iter().map(to_sharer).collect::<Result<_>>()?,
        });
    }
    let all_paths: Vec<&[PathNode]> = paths
        .iter()
        .flat_map(|it| it.to_leaked.iter().chain(&it.to_sharers))
        .map(Vec::as_slice)
        .collect();
    let describer = Describer {
        edge_names: EdgeNames::of(graph, &all_paths, progress)?,
        key_counts: KeyCounts::of(graph.heap().names()),
        graph,
        names: &facts.names,
        past,
        old_classes: &facts.old_classes,
    };
    let mut holders = Vec::with_capacity(merged.len());
    for ((merged, measured), paths) in merged.iter().zip(measured).zip(&paths) {
        progress.check()?;
        holders.push(describer.holder(merged, measured, paths));
    }
    rank(&mut holders);
    Ok(holders)
}

/// By the verdict, then by growth; they are in the order of bytes. What is too little to judge comes last.
fn rank(holders: &mut [Holder]) {
    holders.sort_by_key(|holder| {
        let Judgement { verdict, because, .. } = holder.judgement;
        let growth = match verdict {
            Verdict::Growing => holder.history.grown_bytes(),
            _ => 0,
        };
        (because == Because::TooFew, verdict, Reverse(growth))
    });
}

struct Describer<'a> {
    past: &'a dyn Past,
    graph: &'a Graph,
    names: &'a ClassNames,
    edge_names: EdgeNames<'a>,
    old_classes: &'a OldClasses,
    key_counts: KeyCounts,
}

impl Describer<'_> {
    fn holder(&self, merged: &Merged<'_>, measured: Measured, paths: &Paths) -> Holder {
        let judgement = measured.judge();
        let Measured {
            retained,
            judged,
            pinned,
            on_stack,
            loaded,
        } = measured;
        let heap = self.graph.heap();
        let chosen = merged.main.chosen;
        let node = chosen.owner;
        let keys = match &chosen.role {
            Role::Locals(keys) => Some(keys),
            _ => None,
        };
        let object = self.graph.object(node);
        let collection = [node, chosen.node]
            .into_iter()
            .filter_map(|node| self.graph.object(node))
            .find(|object| {
                heap.kind(*object)
                    .is_some_and(|kind| matches!(kind.type_, Type::Array | Type::Hash))
            });
        let mut in_words = paths.to_leaked.iter().map(|path| self.in_words(path));
        let main = paths.to_leaked.first().map_or(&[][..], Vec::as_slice);
        let path = in_words.next().unwrap_or_default();
        Holder {
            address: object.map(|object| heap.address(object)),
            class: self.class(node),
            kind: match chosen.role.kind() {
                _ if on_stack == StackValue::Last => HolderKind::LastValue,
                Some(kind) => kind,
                None if chosen.shared => HolderKind::Shared,
                None => self.kind(node),
            },
            alike: merged.alike(),
            count: merged.count,
            estimate: None,
            memsize: u64::try_from(merged.bytes).unwrap_or(u64::MAX),
            together: self.sharers(&chosen.together, &paths.to_sharers),
            retained,
            entries: entries::of(heap, merged),
            key_count: keys.and_then(|keys| self.key_counts.count(keys)),
            keys: keys.cloned(),
            thread_name: self.thread_name(merged),
            pinned,
            loaded,
            consequences: merged.consequences.clone(),
            reserved: u64::try_from(merged.reserved).unwrap_or(u64::MAX),
            lengths: collection.map_or_else(
                || vec![None; self.past.moments() + 1],
                |object| self.past.lengths(heap, object),
            ),
            judgement,
            history: judged.history,
            collection: collection.map(|object| heap.address(object)),
            generation: object.and_then(|object| heap.generation(object)),
            site: object.and_then(|object| heap.site(object)).map(Into::into),
            groups: merged.groups.clone(),
            contexts: merged
                .contexts
                .report(merged.count, |context| heap.context_name(*context).into()),
            samples: merged.main.samples.iter().map(|it| heap.address(*it)).collect(),
            position: position(main, node)
                .or_else(|| position(main, chosen.node))
                .unwrap_or(0),
            path,
            other_paths: in_words.collect(),
            fingerprint: merged.fingerprint,
        }
    }

    /// Of living threads, if all are called alike.
    fn thread_name(&self, merged: &Merged<'_>) -> Option<String> {
        let heap = self.graph.heap();
        let chosen = merged.main.chosen;
        let thread = self
            .graph
            .object(chosen.node)
            .filter(|_| chosen.role == Role::Threads)?;
        heap.names().of_thread(heap.address(thread)).map(without_numbers)
    }

    fn sharers(&self, together: &[Together], paths: &[Vec<PathNode>]) -> Vec<Sharer> {
        let sharer = |(together, path): (&Together, &Vec<PathNode>)| Sharer {
            address: self
                .graph
                .object(together.owner)
                .map(|object| self.graph.heap().address(object)),
            class: self.class(together.owner),
            count: together.count,
            path: self.in_words(path),
        };
        together.iter().zip(paths).map(sharer).collect()
    }

    /// The class of an object; of a category of roots that.
    fn class(&self, node: NodeId) -> Option<String> {
        match self.graph.object(node) {
            Some(object) => self.names.of(self.graph.heap(), object).map(Into::into),
            None => self.graph.category(node).map(Into::into),
        }
    }

    fn in_words(&self, path: &[PathNode]) -> Vec<PathStep> {
        let steps = self.edge_names.steps(path);
        let describe = |step| {
            let mut described = PathStep::of(self.graph, step);
            described.lengths = self.lengths(step.node);
            let address = described.address;
            described.is_old = address.is_some_and(|address| self.old_classes.contains(address));
            described
        };
        steps.iter().map(describe).collect()
    }

    /// Of a collection, its length at each moment.
    fn lengths(&self, node: NodeId) -> Vec<Option<u64>> {
        let heap = self.graph.heap();
        let is_collection = |object: &ObjectId| {
            let kind = heap.kind(*object);
            kind.is_some_and(|kind| matches!(kind.type_, Type::Array | Type::Hash))
        };
        let collection = self.graph.object(node).filter(is_collection);
        collection.map_or_else(Vec::new, |object| self.past.lengths(heap, object))
    }

    fn kind(&self, node: NodeId) -> HolderKind {
        let heap = self.graph.heap();
        let Some(object) = self.graph.object(node) else {
            return HolderKind::Root;
        };
        match heap.kind(object).map(|kind| kind.type_) {
            Some(Type::Array | Type::Hash) => HolderKind::Collection,
            Some(Type::Class | Type::Module | Type::IClass) => HolderKind::Class,
            _ => HolderKind::of_class(self.names.core_class(heap, object)),
        }
    }
}
