//! Which of some nodes, the targets, dominate a node. A walk up the tree for each question would take too long: each
//! of a million entries of a list may refer to its head.

use crate::error::Result;
use crate::graph::{Dominators, Graph, NodeId, Ticks};
use crate::heap::{NONE, ObjectSet};
use crate::progress::Progress;

#[derive(Debug)]
pub(super) struct Targets {
    nodes: Vec<NodeId>,
    set: ObjectSet,
    /// By node: the target that it is, or the nearest above it; [`NONE`] where there is none.
    nearest: Vec<u32>,
    /// By target.
    spans: Vec<Span>,
}

/// Where a target's subtree of targets begins and ends, when the targets are numbered subtree by subtree.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    begin: u32,
    end: u32,
}

impl Targets {
    pub(super) fn of(
        graph: &Graph,
        tree: &Dominators,
        targets: impl Iterator<Item = NodeId>,
        progress: &Progress,
    ) -> Result<Self> {
        let mut nodes: Vec<NodeId> = targets.collect();
        nodes.sort_unstable();
        nodes.dedup();
        let mut set = ObjectSet::default();
        for node in &nodes {
            set.insert(*node);
        }
        let mut nearest = vec![NONE; graph.len() as usize];
        for (target, node) in nodes.iter().enumerate() {
            nearest[*node] = target as u32;
        }
        let mut ticks = Ticks::new(progress);
        // by target: the next one above it
        let mut above = vec![NONE; nodes.len()];
        // each after the one above it
        let mut order = Vec::with_capacity(nodes.len());
        for node in tree.order() {
            ticks.tick()?;
            let next = tree.of(*node).map_or(NONE, |node| nearest[node]);
            match nearest[*node] {
                NONE => nearest[*node] = next,
                target => {
                    above[target as usize] = next;
                    order.push(target as usize);
                }
            }
        }
        Ok(Self {
            nodes,
            set,
            nearest,
            spans: spans(&above, &order),
        })
    }

    pub(super) fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    pub(super) fn node(&self, target: usize) -> NodeId {
        self.nodes[target]
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The target that a node is. Most are none.
    #[inline]
    pub(super) fn target(&self, node: NodeId) -> Option<usize> {
        if !self.set.contains(node) {
            return None;
        }
        let target = self.nearest[node] as usize;
        (*self.nodes.get(target)? == node).then_some(target)
    }

    /// Whether a node is a target, or below it.
    pub(super) fn is_below(&self, target: usize, node: NodeId) -> bool {
        let Span { begin, end } = self.spans[target];
        self.spans
            .get(self.nearest[node] as usize)
            .is_some_and(|nearest| (begin..end).contains(&nearest.begin))
    }

    /// Those of some targets that no other of them dominates.
    pub(super) fn outermost(&self, mut targets: Vec<usize>) -> Vec<usize> {
        targets.sort_unstable_by_key(|target| self.spans[*target].begin);
        let mut last_end = 0;
        targets.retain(|target| {
            let Span { begin, end } = self.spans[*target];
            let is_outside = begin >= last_end;
            if is_outside {
                last_end = end;
            }
            is_outside
        });
        targets
    }
}

/// `order` has each target after the one above it.
fn spans(above: &[u32], order: &[usize]) -> Vec<Span> {
    let mut sizes = vec![1u32; above.len()];
    for target in order.iter().rev() {
        if let Some(size) = sizes.get(above[*target] as usize).copied() {
            sizes[above[*target] as usize] = size + sizes[*target];
        }
    }
    let mut spans = vec![Span::default(); above.len()];
    // by target: where the span of the next one right below it begins
    let mut free = vec![0u32; above.len()];
    let mut next_root = 0;
    for target in order {
        let next = free.get_mut(above[*target] as usize).unwrap_or(&mut next_root);
        let begin = *next;
        *next += sizes[*target];
        let end = begin + sizes[*target];
        spans[*target] = Span { begin, end };
        free[*target] = begin + 1;
    }
    spans
}
