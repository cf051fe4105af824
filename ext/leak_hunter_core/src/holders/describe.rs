//! What is reported of a holder: what it is, what it accounts for, and the paths to it from the roots.

use super::class_names::ClassNames;
use super::merge::{Merged, position};
use super::{Holder, HolderKind, PathStep, Retained};
use crate::error::Result;
use crate::graph::{EdgeNames, Graph, Length, NodeId, PathFinder, PathNode};
use crate::heap::Type;
use crate::progress::Progress;

/// How many holders are reported with long paths and with other paths. A report shows a few dozen.
const DETAILED: usize = 1_000;

/// The paths that are reported of a holder, the main one first.
struct Paths(Vec<Vec<PathNode>>);

/// What is reported of the holders. `retained` has a row for each.
pub(super) fn all(
    graph: &Graph,
    parents: &[NodeId],
    names: &ClassNames,
    merged: &[Merged<'_>],
    retained: &[Retained],
    progress: &Progress,
) -> Result<Vec<Holder>> {
    let mut finder = PathFinder::new(graph, parents, progress);
    let mut paths = Vec::with_capacity(merged.len());
    for (rank, merged) in merged.iter().enumerate() {
        let (length, others) = match rank < DETAILED {
            true => (Length::FULL, merged.main.others.as_slice()),
            false => (Length::SHORT, &[][..]),
        };
        let owner = merged.main.chosen.owner;
        let mut found = vec![finder.find(merged.main.sample.into(), Some(owner), length)?];
        for object in others {
            found.push(finder.find((*object).into(), Some(owner), length)?);
        }
        paths.push(Paths(found));
    }
    let all_paths: Vec<&[PathNode]> = paths.iter().flat_map(|it| &it.0).map(Vec::as_slice).collect();
    let describer = Describer {
        edge_names: EdgeNames::of(graph, &all_paths, progress)?,
        graph,
        names,
    };
    let mut holders = Vec::with_capacity(merged.len());
    for ((merged, retained), paths) in merged.iter().zip(retained).zip(&paths) {
        progress.check()?;
        holders.push(describer.holder(merged, *retained, paths));
    }
    Ok(holders)
}

struct Describer<'a> {
    graph: &'a Graph,
    names: &'a ClassNames,
    edge_names: EdgeNames<'a>,
}

impl Describer<'_> {
    fn holder(&self, merged: &Merged<'_>, retained: Retained, paths: &Paths) -> Holder {
        let heap = self.graph.heap();
        let chosen = merged.main.chosen;
        let node = chosen.owner;
        let object = self.graph.object(node);
        let collection = [node, chosen.node]
            .into_iter()
            .filter_map(|node| self.graph.object(node))
            .find(|object| {
                heap.kind(*object)
                    .is_some_and(|kind| matches!(kind.type_, Type::Array | Type::Hash))
            });
        let mut in_words = paths.0.iter().map(|path| self.in_words(path));
        let main = paths.0.first().map_or(&[][..], Vec::as_slice);
        let path = in_words.next().unwrap_or_default();
        Holder {
            address: object.map(|object| heap.address(object)),
            class: match object {
                Some(object) => self.names.of(heap, object).map(Into::into),
                None => self.graph.category(node).map(Into::into),
            },
            kind: if chosen.shared {
                HolderKind::Shared
            } else {
                self.kind(node)
            },
            alike: merged.alike(),
            count: merged.count,
            memsize: u64::try_from(merged.bytes).unwrap_or(u64::MAX),
            retained,
            lengths: [
                None,
                None,
                collection.and_then(|object| heap.length(object).map(u64::from)),
            ],
            collection: collection.map(|object| heap.address(object)),
            generation: object.and_then(|object| heap.generation(object)),
            site: object.and_then(|object| heap.site(object)).map(Into::into),
            groups: merged.groups.clone(),
            samples: merged.main.samples.iter().map(|it| heap.address(*it)).collect(),
            position: position(main, node)
                .or_else(|| position(main, chosen.node))
                .unwrap_or(0),
            path,
            other_paths: in_words.collect(),
            fingerprint: merged.fingerprint,
        }
    }

    fn in_words(&self, path: &[PathNode]) -> Vec<PathStep> {
        let steps = self.edge_names.steps(path);
        steps.iter().map(|step| PathStep::of(self.graph, step)).collect()
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
