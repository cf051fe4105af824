//! What letting go would free, as an honest range.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::choose::Chosen;
use crate::error::Result;
use crate::graph::{Dominators, Graph, Node};
use crate::heap::Type;
use crate::progress::Progress;

/// Objects looked at for one holder: what is shared beyond is not counted.
const SHARED_LIMIT: usize = 1 << 20;
const CHECK_EVERY: u32 = if cfg!(test) { 16 } else { 1 << 14 };
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
    let shared = match since {
        Some(since) => {
            let owners = owners(graph, tree, chosen, progress)?;
            shared(graph, &owners, chosen.len(), since, progress)?
        }
        None => vec![0; chosen.len()],
    };
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
fn owners(graph: &Graph<'_>, tree: &Dominators, chosen: &[Chosen], progress: &Progress) -> Result<Vec<u32>> {
    let mut owners = vec![NOBODY; graph.len() as usize];
    for (index, chosen) in chosen.iter().enumerate() {
        for object in &chosen.leaked {
            owners[*object as usize] = index as u32;
        }
    }
    for (number, node) in tree.order().iter().enumerate() {
        if number % CHECK_EVERY as usize == 0 {
            progress.check()?;
        }
        if owners[*node as usize] == NOBODY {
            if let Some(above) = tree.of(*node) {
                owners[*node as usize] = owners[above as usize];
            }
        }
    }
    Ok(owners)
}

/// By holder, the bytes of young objects that its leaked objects lead to and do not own.
fn shared(
    graph: &Graph<'_>,
    owners: &[u32],
    count: usize,
    since: u64,
    progress: &Progress,
) -> Result<Vec<u64>> {
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
            if seen.len() % CHECK_EVERY as usize == 0 {
                progress.check()?;
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
    let below = Below::of(graph, tree, targets.iter().flatten().copied(), progress)?;
    // by target, how many refer to it from outside, and the last that did
    let mut outside = vec![(0u64, NOBODY); below.targets.len()];
    for node in 0..graph.top() {
        if node % CHECK_EVERY == 0 {
            progress.check()?;
        }
        for next in graph.keeping_successors(node) {
            let Some(target) = below.target(next) else {
                continue;
            };
            let (count, last) = &mut outside[target as usize];
            if *last != node && !below.is_below(target, node) {
                (*count, *last) = (*count + 1, node);
            }
        }
    }
    let cut = |target: &Option<u32>| {
        let node = (*target)?;
        (outside[below.target(node)? as usize].0 == 1).then(|| tree.retained(node))
    };
    Ok(targets.iter().map(|target| cut(target).unwrap_or(0)).collect())
}

/// Which of some nodes, the targets, stand above each node in the dominator tree. To walk up from each node that asks
/// would take too long: a list of a million entries may refer to its head from each.
struct Below {
    targets: Vec<Node>,
    /// By target: the next target above it.
    above: Vec<u32>,
    /// By node: the target that it is, or the nearest above it.
    nearest: Vec<u32>,
}

impl Below {
    fn of(
        graph: &Graph<'_>,
        tree: &Dominators,
        targets: impl Iterator<Item = Node>,
        progress: &Progress,
    ) -> Result<Self> {
        let mut below = Self {
            targets: targets.collect(),
            above: Vec::new(),
            nearest: vec![NOBODY; graph.len() as usize],
        };
        below.targets.sort_unstable();
        below.targets.dedup();
        below.above.resize(below.targets.len(), NOBODY);
        for (target, node) in below.targets.iter().enumerate() {
            below.nearest[*node as usize] = target as u32;
        }
        for (number, node) in tree.order().iter().enumerate() {
            if number % CHECK_EVERY as usize == 0 {
                progress.check()?;
            }
            let above = tree
                .of(*node)
                .map_or(NOBODY, |above| below.nearest[above as usize]);
            match below.nearest[*node as usize] {
                NOBODY => below.nearest[*node as usize] = above,
                target => below.above[target as usize] = above,
            }
        }
        Ok(below)
    }

    /// The target that a node is.
    fn target(&self, node: Node) -> Option<u32> {
        let target = self.nearest[node as usize];
        (*self.targets.get(target as usize)? == node).then_some(target)
    }

    /// Whether a node is a target or below it.
    fn is_below(&self, target: u32, node: Node) -> bool {
        let mut at = self.nearest[node as usize];
        while at != NOBODY && at != target {
            at = self.above[at as usize];
        }
        at == target
    }
}
