//! What keeps an object alive alone, and how much that is: the dominator tree and retained sizes.
//!
//! The Semi-NCA algorithm (L. Georgiadis, "Linear-Time Algorithms for Dominators and Related Problems", Princeton 2005,
//! chapter 2.2.2), iterative, in arrays of `u32`, over numbers in depth-first preorder. Semidominators are found as by T.
//! Lengauer and R. Tarjan ("A Fast Algorithm for Finding Dominators in a Flowgraph", 1979), with path compression: of m
//! edges and n nodes in O(m log n). The second step, quadratic in the worst case as published, takes O(n log n) here.

use super::preorder::{DepthFirst, Pairs, Predecessors};
use super::{CHECK_EVERY, Graph, NodeId, Ticks};
use crate::error::Result;
use crate::progress::Progress;

/// The dominator tree of a [`Graph`].
#[derive(Debug)]
pub struct Dominators {
    /// By node.
    idoms: Vec<NodeId>,
    retained: Vec<u64>,
    order: Vec<NodeId>,
}

impl Dominators {
    /// The node closest to this one on all ways to it from the roots; `None` of the top.
    pub fn of(&self, node: impl Into<NodeId>) -> Option<NodeId> {
        let idom = self.idoms[node.into()];
        (idom != NodeId::NONE).then_some(idom)
    }

    /// Bytes that would be free if this node were gone: its own and of all it dominates.
    pub fn retained(&self, node: impl Into<NodeId>) -> u64 {
        self.retained[node.into()]
    }

    /// All nodes, each after its dominator.
    pub fn order(&self) -> &[NodeId] {
        &self.order
    }

    /// Bytes it takes.
    pub fn memory(&self) -> usize {
        self.idoms.len() * 4 + self.retained.len() * 8 + self.order.len() * 4
    }

    /// Whether `upper` is `lower` or one of its dominators.
    pub fn dominates(&self, upper: NodeId, lower: NodeId) -> bool {
        let mut node = lower;
        loop {
            if node == upper {
                return true;
            }
            match self.of(node) {
                Some(idom) => node = idom,
                None => return false,
            }
        }
    }
}

/// Finds the dominators of every node and the bytes each retains.
pub fn dominators(graph: &Graph, progress: &Progress) -> Result<Dominators> {
    dominators_of(graph, DepthFirst::from_roots(graph, progress)?, progress)
}

/// The same where what the roots lead to was searched already.
pub(crate) fn dominators_of(graph: &Graph, search: DepthFirst, progress: &Progress) -> Result<Dominators> {
    let DepthFirst {
        order,
        numbers,
        parents,
        predecessors,
        ..
    } = search.finish(graph, progress)?;
    let idoms = semi_nca(parents, numbers, predecessors, progress)?;

    let mut by_node = vec![NodeId::NONE; order.len()];
    for (number, node) in order.iter().enumerate().skip(1) {
        if number % CHECK_EVERY == 0 {
            progress.check()?;
        }
        by_node[*node] = order[idoms[number] as usize];
    }
    drop(idoms);
    progress.check()?;
    let mut retained: Vec<u64> = Vec::with_capacity(order.len());
    retained.extend(graph.heap().objects().map(|object| graph.heap().memsize(object)));
    retained.resize(order.len(), 0);
    for (number, node) in order.iter().enumerate().skip(1).rev() {
        if number % CHECK_EVERY == 0 {
            progress.check()?;
        }
        let idom = by_node[*node];
        retained[idom] = retained[idom].saturating_add(retained[*node]);
    }
    Ok(Dominators {
        idoms: by_node,
        retained,
        order,
    })
}

/// `parents` and what comes out are by number. What `semis` holds does not matter. The rows of the predecessors make the
/// forest of nodes that had their turn: each has a label and an ancestor in it, and the label is the lowest semidominator
/// on the way from the node to that ancestor.
fn semi_nca(
    parents: Vec<u32>,
    mut semis: Vec<u32>,
    mut predecessors: Predecessors,
    progress: &Progress,
) -> Result<Vec<u32>> {
    let mut forest = std::mem::take(&mut predecessors.rows);
    let mut stack = Vec::new();
    for number in (1..parents.len()).rev() {
        if number % CHECK_EVERY == 0 {
            progress.check()?;
        }
        let [list, mut semi] = forest[number];
        for from in predecessors.later(list) {
            let label = evaluate(from, number as u32 + 1, &mut forest, &mut stack);
            semi = semi.min(label);
        }
        semis[number] = semi;
        forest[number] = [semi, parents[number]];
    }
    drop(predecessors);
    nearest_common(parents, &semis, forest, progress)
}

/// Steps up the tree for each node, on average, before the search for dominators keeps shortcuts. In most heaps two are
/// enough.
const PLAIN_STEPS: usize = if cfg!(test) { 1 } else { 4 };

/// By number, the dominators: of each node the lowest in the tree above its parent that is not below its semidominator.
/// One step after the other would take quadratic time where a list is long and much is referred to by both of its ends.
fn nearest_common(parents: Vec<u32>, semis: &[u32], rows: Pairs, progress: &Progress) -> Result<Vec<u32>> {
    let mut idoms = parents;
    let mut ticks = Ticks::new(progress);
    let mut left = idoms.len() * PLAIN_STEPS;
    let mut rows = Some(rows);
    let mut shortcuts: Option<Shortcuts> = None;
    for number in 1..idoms.len() {
        let mut idom = idoms[number];
        let semi = semis[number];
        while idom > semi {
            ticks.tick()?;
            idom = match &shortcuts {
                Some(shortcuts) => shortcuts.up(&idoms, idom, semi),
                None => idoms[idom as usize],
            };
            left = left.saturating_sub(1);
            if let Some(rows) = rows.take_if(|_| left == 0) {
                shortcuts = Some(Shortcuts::of(&idoms[..number], rows, &mut ticks)?);
            }
        }
        ticks.tick()?;
        idoms[number] = idom;
        if let Some(shortcuts) = &mut shortcuts {
            shortcuts.add(number as u32, idom);
        }
    }
    Ok(idoms)
}

/// For every node of a growing tree a second ancestor further up, so that any ancestor is found in a logarithmic number
/// of steps (E. Myers, "An applicative random-access stack", Information Processing Letters 17, 1983).
struct Shortcuts {
    /// By node: its depth, and the second ancestor.
    rows: Pairs,
}

impl Shortcuts {
    /// Of a tree by the parent of each node; `rows` has one for every node to come.
    fn of(parents: &[u32], rows: Pairs, ticks: &mut Ticks<'_>) -> Result<Self> {
        let mut shortcuts = Self { rows };
        shortcuts.rows[0] = [0, 0];
        for (node, parent) in parents.iter().enumerate().skip(1) {
            ticks.tick()?;
            shortcuts.add(node as u32, *parent);
        }
        Ok(shortcuts)
    }

    #[inline]
    fn add(&mut self, node: u32, parent: u32) {
        let [depth, jump] = self.rows[parent as usize];
        let [jump_depth, next_jump] = self.rows[jump as usize];
        let [next_depth, _] = self.rows[next_jump as usize];
        let further = if depth - jump_depth == jump_depth - next_depth {
            next_jump
        } else {
            parent
        };
        self.rows[node as usize] = [depth + 1, further];
    }

    /// One step up, as far as the shortcuts lead without passing `limit`. Numbers get lower on the way.
    #[inline]
    fn up(&self, parents: &[u32], node: u32, limit: u32) -> u32 {
        let [_, further] = self.rows[node as usize];
        if further > limit {
            further
        } else {
            parents[node as usize]
        }
    }
}

/// The lowest semidominator on the way up from `node` to the root of its tree in the forest of nodes from `first` on.
/// Shortens that way for the next time.
#[inline]
fn evaluate(node: u32, first: u32, forest: &mut [[u32; 2]], stack: &mut Vec<u32>) -> u32 {
    let mut at = node;
    let [mut lowest, mut ancestor] = forest[at as usize];
    while ancestor >= first {
        stack.push(at);
        at = ancestor;
        [lowest, ancestor] = forest[at as usize];
    }
    while let Some(below) = stack.pop() {
        let pair = &mut forest[below as usize];
        lowest = lowest.min(pair[0]);
        *pair = [lowest, ancestor];
    }
    lowest
}
