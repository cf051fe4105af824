//! The dominator tree downwards: what would be gone with a node.

use super::{Dominators, NodeId};

/// For every node those that it dominates directly.
#[derive(Debug)]
pub struct Dominated {
    /// Where a node's list ends; it starts where the one before ends.
    ends: Vec<u32>,
    nodes: Vec<NodeId>,
}

impl Dominated {
    /// Turns the tree round.
    pub fn new(dominators: &Dominators) -> Self {
        let order = dominators.order();
        let mut ends = vec![0u32; order.len()];
        let parents = || {
            order
                .iter()
                .filter_map(|node| Some((*node, dominators.of(*node)?)))
        };
        for (_, parent) in parents() {
            ends[parent] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            let count = *end;
            *end = sum;
            sum += count;
        }
        let mut nodes = vec![NodeId::default(); sum as usize];
        for (node, parent) in parents() {
            let end = &mut ends[parent];
            nodes[*end as usize] = node;
            *end += 1;
        }
        Self { ends, nodes }
    }

    /// The nodes of which this one is the dominator.
    pub fn by(&self, node: NodeId) -> &[NodeId] {
        let node = node.index();
        let start = if node == 0 { 0 } else { self.ends[node - 1] };
        &self.nodes[start as usize..self.ends[node] as usize]
    }

    /// Calls `visit` with every node below `top`, and with how many steps below; each after its dominator, subtree by
    /// subtree. An error ends it.
    pub fn each_below<E>(
        &self,
        top: NodeId,
        mut visit: impl FnMut(NodeId, usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut open = vec![self.by(top).iter()];
        while let Some(list) = open.last_mut() {
            match list.next() {
                Some(node) => {
                    visit(*node, open.len())?;
                    open.push(self.by(*node).iter());
                }
                None => drop(open.pop()),
            }
        }
        Ok(())
    }

    /// Bytes it takes.
    pub fn memory(&self) -> usize {
        (self.ends.len() + self.nodes.len()) * 4
    }
}
