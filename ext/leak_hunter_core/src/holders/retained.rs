//! What would be freed: a lower and an upper bound.

use rayon::ThreadPool;

use super::choose::Chosen;
use super::merge::Merged;
use super::pinned::Pinned;
use super::referred;
use super::targets::Targets;
use crate::error::Result;
use crate::graph::{Dominators, Graph, NodeId, Ticks};
use crate::heap::{NONE, ObjectSet, Type};
use crate::ids::{Generation, ObjectId};
use crate::pool;
use crate::progress::Progress;

/// How often all objects and references may be looked at to add up what is shared, over all holders. The largest come
/// first, so that what is not counted beyond is shared by small ones.
const SHARED_PASSES: u64 = 4;

/// Bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Freed when the holder removes the leaked objects: they, and what only they keep.
    pub exclusive: u64,
    /// What the leaked objects keep and others keep, too, if it was allocated since the first dump: freed once those
    /// remove it as well. At least so many: where thousands of holders share much, it is not added up for all of them.
    pub shared: u64,
    /// Freed when the one edge that leads to the holder is cut: the holder and all that it dominates; 0 when more than
    /// one edge leads there.
    pub cut: u64,
}

/// What is found of a holder.
pub(super) struct Freed {
    pub(super) retained: Retained,
    /// Of the Strings that it holds, those that only others keep.
    pub(super) pinned: Option<Pinned>,
}

/// One for each of `merged`. `strings` has those that others are parts of.
pub(super) fn of_all(
    graph: &Graph,
    tree: &Dominators,
    merged: &[Merged<'_>],
    strings: &ObjectSet,
    since: Option<Generation>,
    pool: Option<&ThreadPool>,
    progress: &Progress,
) -> Result<Vec<Freed>> {
    let shared = || match since {
        Some(since) => {
            let owners = owners(graph, tree, merged, progress)?;
            shared(graph, &owners, merged.len(), since, progress)
        }
        None => Ok(vec![0; merged.len()]),
    };
    let referred = || {
        let all = merged.iter().flat_map(|it| cut_at(graph, it));
        let targets = Targets::of(graph, tree, all, progress)?;
        let referred = referred::find(graph, &targets, strings, pool, progress)?;
        Ok((targets, referred))
    };
    let (shared, referred) = pool::join(pool, shared, referred);
    let (targets, referred) = referred?;
    let mut ticks = Ticks::new(progress);
    let mut all = Vec::with_capacity(merged.len());
    for (merged, shared) in merged.iter().zip(shared?) {
        let mut retained = Retained {
            shared,
            cut: cut(graph, tree, merged, &targets, &referred.edges, &mut ticks)?,
            ..Retained::default()
        };
        for chosen in &merged.all {
            let sum = match chosen.shared {
                true => &mut retained.shared,
                false => &mut retained.exclusive,
            };
            for node in &chosen.leaked {
                *sum = sum.saturating_add(tree.retained(*node));
            }
        }
        all.push(Freed {
            retained,
            pinned: Pinned::of(graph.heap(), &merged.strings, &referred.by_others),
        });
    }
    Ok(all)
}

/// By node: which of `merged` has it, or what dominates it, among its leaked objects; [`NONE`] of others.
fn owners(graph: &Graph, tree: &Dominators, merged: &[Merged<'_>], progress: &Progress) -> Result<Vec<u32>> {
    let mut ticks = Ticks::new(progress);
    let mut owners = vec![NONE; graph.len() as usize];
    for (index, merged) in merged.iter().enumerate() {
        for object in merged.all.iter().flat_map(|chosen| &chosen.leaked) {
            ticks.tick()?;
            owners[*object] = index as u32;
        }
    }
    for node in tree.order() {
        ticks.tick()?;
        if owners[*node] == NONE {
            if let Some(above) = tree.of(*node) {
                owners[*node] = owners[above];
            }
        }
    }
    Ok(owners)
}

/// By holder, the bytes of young objects that its leaked objects lead to and do not own.
fn shared(
    graph: &Graph,
    owners: &[u32],
    count: usize,
    since: Generation,
    progress: &Progress,
) -> Result<Vec<u64>> {
    let heap = graph.heap();
    let counts = |object: ObjectId| {
        let kind = heap.kind(object).map(|kind| kind.type_);
        heap.generation(object).is_some_and(|born| born >= since)
            && !matches!(
                kind,
                Some(Type::Class | Type::Module | Type::IClass | Type::Imemo)
            )
    };
    let mut ticks = Ticks::new(progress);
    let mut starts: Vec<Vec<ObjectId>> = vec![Vec::new(); count];
    for object in heap.objects() {
        ticks.tick()?;
        let owner = owners[object];
        if owner != NONE {
            let list = heap.references(object);
            let others = list.filter(|next| owners[*next] != owner && counts(*next));
            starts[owner as usize].extend(others);
        }
    }
    let mut left = (u64::from(heap.len()) + heap.reference_count()).saturating_mul(SHARED_PASSES);
    let mut all = Vec::with_capacity(count);
    let mut seen = ObjectSet::default();
    let mut visited = Vec::new();
    for (owner, mut open) in starts.into_iter().enumerate() {
        let mut bytes = 0u64;
        while let Some(object) = open.pop().filter(|_| left > 0) {
            ticks.tick()?;
            left -= 1;
            if !seen.insert(object) {
                continue;
            }
            visited.push(object);
            bytes = bytes.saturating_add(heap.memsize(object));
            let list = heap.references(object);
            left = left.saturating_sub(list.len() as u64);
            open.extend(list.filter(|next| owners[*next] != owner as u32 && counts(*next)));
        }
        for object in visited.drain(..) {
            seen.remove(object);
        }
        all.push(bytes);
    }
    Ok(all)
}

/// The node whose one edge is to be cut. Roots cannot be removed: there it is the edge to what they hold.
fn target_of(graph: &Graph, chosen: &Chosen) -> Option<NodeId> {
    match chosen.members.as_slice() {
        _ if chosen.shared => None,
        _ if graph.is_object(chosen.owner) => Some(chosen.owner),
        [member] => Some(*member),
        _ => None,
    }
}

/// The nodes whose one edge is to be cut.
fn cut_at(graph: &Graph, merged: &Merged<'_>) -> Vec<NodeId> {
    let all = merged.all.iter();
    all.filter_map(|chosen| target_of(graph, chosen)).collect()
}

/// What is freed when the one edge that leads to a holder is cut. `edges` has how many lead to each target.
fn cut(
    graph: &Graph,
    tree: &Dominators,
    merged: &Merged<'_>,
    targets: &Targets,
    edges: &[u32],
    ticks: &mut Ticks<'_>,
) -> Result<u64> {
    let mut own = Vec::new();
    for node in cut_at(graph, merged) {
        ticks.tick()?;
        own.extend(targets.target(node).filter(|target| edges[*target] == 1));
    }
    Ok(targets.outermost(own).into_iter().fold(0u64, |sum, target| {
        sum.saturating_add(tree.retained(targets.node(target)))
    }))
}
