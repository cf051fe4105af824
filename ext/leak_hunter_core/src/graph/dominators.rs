//! Who alone keeps an object alive, and how much that is: the dominator tree and retained sizes.
//!
//! The Semi-NCA algorithm (L. Georgiadis, "Linear-Time Algorithms for Dominators and Related Problems", Princeton 2005,
//! chapter 2.2.2), iterative, in arrays of `u32`, over numbers in depth-first preorder.

use super::preorder::{DepthFirst, Later, Pairs};
use super::{CHECK_EVERY, Graph, Node};
use crate::error::Result;
use crate::heap::NONE;
use crate::progress::Progress;

/// The dominator tree of a [`Graph`].
#[derive(Debug)]
pub struct Dominators {
    /// By node.
    idoms: Vec<Node>,
    retained: Vec<u64>,
    order: Vec<Node>,
}

impl Dominators {
    /// The node closest to this one on all ways to it from the roots; `None` of the top.
    pub fn of(&self, node: Node) -> Option<Node> {
        let idom = self.idoms[node as usize];
        (idom != NONE).then_some(idom)
    }

    /// Bytes that would be free if this node were gone: its own and of all it dominates.
    pub fn retained(&self, node: Node) -> u64 {
        self.retained[node as usize]
    }

    /// All nodes, each after its dominator.
    pub fn order(&self) -> &[Node] {
        &self.order
    }

    /// Bytes it takes.
    pub fn memory(&self) -> usize {
        self.idoms.len() * 4 + self.retained.len() * 8 + self.order.len() * 4
    }

    /// Whether `upper` is `lower` or one of its dominators.
    pub fn dominates(&self, upper: Node, lower: Node) -> bool {
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
pub fn dominators(graph: &Graph<'_>, progress: &Progress) -> Result<Dominators> {
    let DepthFirst {
        order,
        numbers,
        parents,
        mut pairs,
    } = DepthFirst::run(graph, progress)?;
    let later = Later::of(graph, &order, &numbers, &mut pairs, progress)?;
    let idoms = semi_nca(parents, numbers, pairs, &later, progress)?;
    drop(later);

    let mut by_node = vec![NONE; order.len()];
    for (number, node) in order.iter().enumerate().skip(1) {
        if number % CHECK_EVERY == 0 {
            progress.check()?;
        }
        by_node[*node as usize] = order[idoms[number] as usize];
    }
    drop(idoms);
    progress.check()?;
    let size = |node| match graph.is_object(node) {
        true => graph.heap().memsize(node),
        false => 0,
    };
    let mut retained: Vec<u64> = (0..graph.len()).map(size).collect();
    for (number, node) in order.iter().enumerate().skip(1).rev() {
        if number % CHECK_EVERY == 0 {
            progress.check()?;
        }
        let idom = by_node[*node as usize] as usize;
        retained[idom] = retained[idom].saturating_add(retained[*node as usize]);
    }
    Ok(Dominators {
        idoms: by_node,
        retained,
        order,
    })
}

/// `parents` and what comes out are by number. What `semis` holds does not matter. `forest` has where the list of each
/// node in `later` ends, and gets its label and its ancestor in the forest of nodes that had their turn: the label is the
/// lowest semidominator on the way from the node to its ancestor.
fn semi_nca(
    parents: Vec<u32>,
    mut semis: Vec<u32>,
    mut forest: Pairs,
    later: &Later,
    progress: &Progress,
) -> Result<Vec<u32>> {
    for (pair, parent) in forest.iter_mut().zip(&parents) {
        pair[1] = *parent;
    }
    let mut stack = Vec::new();
    for number in (1..parents.len()).rev() {
        if number % CHECK_EVERY == 0 {
            progress.check()?;
        }
        let ([start, _], [end, _]) = (forest[number - 1], forest[number]);
        let (mut semi, predecessors) = later.between(start, end, number as u32);
        for from in predecessors {
            let label = evaluate(from, number as u32 + 1, &mut forest, &mut stack);
            semi = semi.min(label);
        }
        semis[number] = semi;
        forest[number][0] = semi;
    }
    drop(forest);
    let mut idoms = parents;
    // The steps are what is counted: there are more than nodes, though in a heap not many more.
    let mut steps = 0usize;
    for number in 1..idoms.len() {
        let mut idom = idoms[number];
        loop {
            steps += 1;
            if steps % CHECK_EVERY == 0 {
                progress.check()?;
            }
            if idom <= semis[number] {
                break;
            }
            idom = idoms[idom as usize];
        }
        idoms[number] = idom;
    }
    Ok(idoms)
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
