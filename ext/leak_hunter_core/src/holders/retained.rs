//! What letting go would free, as an honest range.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::choose::Chosen;
use crate::error::Result;
use crate::heap::{Dominators, Graph, Node, Type};
use crate::progress::Progress;

/// Objects looked at for one holder: what is shared beyond is not counted.
const SHARED_LIMIT: usize = 1 << 20;
const CHECK_EVERY: u32 = 1 << 14;
const NOBODY: u32 = u32::MAX;

/// Bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Free when the holder lets go of what leaked: that, and what only that keeps.
    pub exclusive: u64,
    /// What the leaked objects keep and others keep too, if it was born since the first dump: it goes once those let go
    /// as well.
    pub shared: u64,
    /// Free when the one edge that leads to the holder is cut: the holder and all it dominates; 0 when more than one
    /// edge leads there.
    pub cut: u64,
}

impl Retained {
    pub(super) fn add(&mut self, other: Self) {
        self.exclusive = self.exclusive.saturating_add(other.exclusive);
        self.shared = self.shared.saturating_add(other.shared);
        self.cut = self.cut.saturating_add(other.cut);
    }
}

/// One for each of `chosen`.
pub(super) fn of_all(
    graph: &Graph<'_>,
    tree: &Dominators,
    chosen: &[Chosen],
    since: Option<u64>,
    progress: &Progress,
) -> Result<Vec<Retained>> {
    let owners = owners(graph, tree, chosen);
    let shared = shared(graph, &owners, chosen.len(), since, progress)?;
    let cuts = cuts(graph, tree, chosen, progress)?;
    let all = chosen
        .iter()
        .zip(shared)
        .zip(cuts)
        .map(|((chosen, shared), cut)| {
            let exclusive = chosen
                .leaked
                .iter()
                .fold(0u64, |sum, node| sum.saturating_add(tree.retained(*node)));
            match chosen.shared {
                true => Retained {
                    exclusive: 0,
                    shared: exclusive.saturating_add(shared),
                    cut: 0,
                },
                false => Retained {
                    exclusive,
                    shared,
                    cut,
                },
            }
        });
    Ok(all.collect())
}

/// By node: which of `chosen` has it, or what dominates it, among its leaked objects.
fn owners(graph: &Graph<'_>, tree: &Dominators, chosen: &[Chosen]) -> Vec<u32> {
    let mut owners = vec![NOBODY; graph.len() as usize];
    for (index, chosen) in chosen.iter().enumerate() {
        for object in &chosen.leaked {
            owners[*object as usize] = index as u32;
        }
    }
    for node in tree.order() {
        if owners[*node as usize] == NOBODY {
            if let Some(above) = tree.of(*node) {
                owners[*node as usize] = owners[above as usize];
            }
        }
    }
    owners
}

/// By holder, the bytes of young objects that its leaked objects lead to and do not own.
fn shared(
    graph: &Graph<'_>,
    owners: &[u32],
    count: usize,
    since: Option<u64>,
    progress: &Progress,
) -> Result<Vec<u64>> {
    let Some(since) = since else {
        return Ok(vec![0; count]);
    };
    let heap = graph.heap();
    let counts = |object: u32| {
        let kind = heap.kind(object).map(|kind| kind.type_);
        heap.generation(object).is_some_and(|born| born >= since)
            && !matches!(
                kind,
                Some(Type::Class | Type::Module | Type::IClass | Type::Imemo)
            )
    };
    let mut starts: Vec<Vec<u32>> = vec![Vec::new(); count];
    for object in 0..heap.len() {
        if object % CHECK_EVERY == 0 {
            progress.check()?;
        }
        let owner = owners[object as usize];
        if owner == NOBODY {
            continue;
        }
        for next in heap.references(object) {
            if owners[next as usize] != owner && counts(next) {
                starts[owner as usize].push(next);
            }
        }
    }
    let mut all = Vec::with_capacity(count);
    for (owner, mut open) in starts.into_iter().enumerate() {
        progress.check()?;
        let mut seen: HashSet<u32, RandomState> = HashSet::default();
        let mut bytes = 0u64;
        while let Some(object) = open.pop() {
            if seen.len() >= SHARED_LIMIT || !seen.insert(object) {
                continue;
            }
            bytes = bytes.saturating_add(heap.memsize(object));
            open.extend(
                heap.references(object)
                    .filter(|next| owners[*next as usize] != owner as u32 && counts(*next)),
            );
        }
        all.push(bytes);
    }
    Ok(all)
}

/// By holder, what the cut of the one edge that leads to it frees.
fn cuts(graph: &Graph<'_>, tree: &Dominators, chosen: &[Chosen], progress: &Progress) -> Result<Vec<u64>> {
    // Roots cannot be let go of: there the edge is the one to what they hold.
    let targets: Vec<Option<u32>> = chosen
        .iter()
        .map(|chosen| match chosen.members.as_slice() {
            _ if chosen.shared => None,
            _ if graph.is_object(chosen.face) => Some(chosen.face),
            [member] => Some(*member),
            _ => None,
        })
        .collect();
    let mut referrers: HashMap<u32, Vec<Node>, RandomState> =
        targets.iter().flatten().map(|node| (*node, Vec::new())).collect();
    for node in 0..graph.top() {
        if node % CHECK_EVERY == 0 {
            progress.check()?;
        }
        for next in graph.keeping_successors(node) {
            if let Some(known) = referrers.get_mut(&next) {
                if known.last() != Some(&node) {
                    known.push(node);
                }
            }
        }
    }
    let cut = |target: &Option<u32>| {
        let Some(target) = *target else { return 0 };
        let outside = referrers.get(&target).map_or(0, |known| {
            known
                .iter()
                .filter(|node| !tree.dominates(target, **node))
                .count()
        });
        if outside == 1 { tree.retained(target) } else { 0 }
    };
    Ok(targets.iter().map(cut).collect())
}
