//! Who alone keeps an object alive, and how much that is: the dominator tree and retained sizes.
//!
//! The Semi-NCA algorithm (L. Georgiadis, "Linear-Time Algorithms for Dominators and Related Problems", Princeton 2005,
//! chapter 2.2.2), iterative, in arrays of `u32`, over numbers in depth-first preorder.

use super::graph::{CHECK_EVERY, Graph, Node};
use super::kinds::NONE;
use super::preorder::{DepthFirst, Later};
use crate::error::Result;
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
        ..
    } = DepthFirst::run(graph, progress)?;
    let later = Later::of(graph, &order, &numbers, progress)?;
    drop(numbers);
    let idoms = semi_nca(parents, later, progress)?;

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

/// `parents` and what comes out are by number.
fn semi_nca(parents: Vec<u32>, mut later: Later, progress: &Progress) -> Result<Vec<u32>> {
    // Until it is a node's turn, its label is where its list of predecessors ends.
    let ends = std::mem::take(&mut later.ends);
    let links = parents.iter().zip(&ends);
    let mut forest: Vec<Link> = links
        .map(|(parent, end)| Link {
            ancestor: *parent,
            label: *end,
        })
        .collect();
    drop(ends);
    let mut semis = vec![0; parents.len()];
    let mut stack = Vec::new();
    for number in (1..parents.len()).rev() {
        if number % CHECK_EVERY == 0 {
            progress.check()?;
        }
        let (start, end) = (forest[number - 1].label, forest[number].label);
        let (mut semi, predecessors) = later.between(start, end, number as u32);
        for from in predecessors {
            let label = evaluate(from, number as u32 + 1, &mut forest, &mut stack);
            semi = semi.min(label);
        }
        semis[number] = semi;
        forest[number].label = semi;
    }
    drop((forest, later));
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

/// A node of the forest, by number. Both are read at once.
#[derive(Clone, Copy, Debug)]
struct Link {
    ancestor: u32,
    /// The lowest semidominator on the way from the node to its ancestor.
    label: u32,
}

/// The lowest semidominator on the way up from `node` to the root of its tree in the forest of nodes from `first` on.
/// Shortens that way for the next time.
#[inline]
fn evaluate(node: u32, first: u32, forest: &mut [Link], stack: &mut Vec<u32>) -> u32 {
    let mut at = node;
    let mut link = forest[at as usize];
    while link.ancestor >= first {
        stack.push(at);
        at = link.ancestor;
        link = forest[at as usize];
    }
    let Link {
        ancestor,
        label: mut lowest,
    } = link;
    while let Some(below) = stack.pop() {
        let link = &mut forest[below as usize];
        lowest = lowest.min(link.label);
        *link = Link {
            ancestor,
            label: lowest,
        };
    }
    lowest
}
