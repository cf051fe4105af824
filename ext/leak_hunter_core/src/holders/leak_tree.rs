//! The part of the dominator tree that has leaked objects below it.

use super::Leaked;
use crate::error::Result;
use crate::graph::{Dominators, Graph, NodeId, Ticks};
use crate::heap::{NONE, ObjectSet};
use crate::ids::ObjectId;
use crate::progress::Progress;

/// What leaked at and below a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weight {
    pub(super) count: u64,
    /// Exact, whatever a damaged dump says of its objects.
    pub(super) bytes: u128,
}

#[derive(Debug)]
pub(super) struct LeakTree<'a> {
    pub(super) graph: &'a Graph,
    pub(super) tree: &'a Dominators,
    /// By node: its row in the columns below; [`NONE`] where nothing leaked.
    rows: Vec<u32>,
    weights: Vec<Weight>,
    /// By row: the group of a leaked object; [`NONE`] of others.
    groups: Vec<u32>,
    /// By row, where the list of children ends; it starts where the one before ends.
    ends: Vec<u32>,
    /// Ascending within each list.
    children: Vec<NodeId>,
}

impl<'a> LeakTree<'a> {
    pub(super) fn new(
        graph: &'a Graph,
        tree: &'a Dominators,
        leaked: &[Leaked],
        progress: &Progress,
    ) -> Result<Self> {
        let mut ticks = Ticks::new(progress);
        let mut within = ObjectSet::default();
        for it in leaked {
            let mut at = Some(NodeId::from(it.object));
            while let Some(node) = at.filter(|node| within.insert(*node)) {
                ticks.tick()?;
                at = tree.of(node);
            }
        }
        let mut rows = vec![NONE; graph.len() as usize];
        let mut nodes = Vec::new();
        for node in tree.order() {
            ticks.tick()?;
            if within.contains(*node) {
                rows[*node] = nodes.len() as u32;
                nodes.push(*node);
            }
        }
        let mut leak_tree = Self {
            graph,
            tree,
            weights: vec![Weight::default(); nodes.len()],
            groups: vec![NONE; nodes.len()],
            ends: Vec::new(),
            children: Vec::new(),
            rows,
        };
        for it in leaked {
            ticks.tick()?;
            if let Some(row) = leak_tree.row(it.object.into()) {
                // no group has the number that stands for none
                leak_tree.groups[row] = it.group.min(NONE - 1);
            }
        }
        leak_tree.weigh(&nodes, &mut ticks)?;
        leak_tree.fill_children(&nodes, &mut ticks)?;
        Ok(leak_tree)
    }

    /// `nodes` has each after its dominator.
    fn weigh(&mut self, nodes: &[NodeId], ticks: &mut Ticks<'_>) -> Result<()> {
        for (row, node) in nodes.iter().enumerate().rev() {
            ticks.tick()?;
            if self.groups[row] != NONE {
                self.weights[row].count += 1;
                self.weights[row].bytes += u128::from(self.memsize(*node));
            }
            if let Some(above) = self.row_above(*node) {
                let Weight { count, bytes } = self.weights[row];
                self.weights[above].count += count;
                self.weights[above].bytes += bytes;
            }
        }
        Ok(())
    }

    fn fill_children(&mut self, nodes: &[NodeId], ticks: &mut Ticks<'_>) -> Result<()> {
        let mut ends = vec![0u32; nodes.len()];
        for node in nodes {
            ticks.tick()?;
            if let Some(above) = self.row_above(*node) {
                ends[above] += 1;
            }
        }
        let mut sum = 0;
        for end in &mut ends {
            (*end, sum) = (sum, sum + *end);
        }
        let mut children = vec![NodeId::default(); sum as usize];
        for node in (0..self.rows.len() as u32).map(NodeId::new) {
            ticks.tick()?;
            if self.row(node).is_none() {
                continue;
            }
            if let Some(above) = self.row_above(node) {
                children[ends[above] as usize] = node;
                ends[above] += 1;
            }
        }
        (self.ends, self.children) = (ends, children);
        Ok(())
    }

    fn memsize(&self, node: NodeId) -> u64 {
        let object = self.graph.object(node);
        object.map_or(0, |object| self.graph.heap().memsize(object))
    }

    fn row(&self, node: NodeId) -> Option<usize> {
        let row = self.rows[node];
        (row != NONE).then_some(row as usize)
    }

    fn row_above(&self, node: NodeId) -> Option<usize> {
        self.row(self.tree.of(node)?)
    }

    /// The nodes right below that are leaked, or have leaked objects below; ascending.
    pub(super) fn children(&self, node: NodeId) -> &[NodeId] {
        let Some(row) = self.row(node) else { return &[] };
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.children[start as usize..self.ends[row] as usize]
    }

    pub(super) fn weight(&self, node: NodeId) -> Weight {
        self.row(node).map_or(Weight::default(), |row| self.weights[row])
    }

    /// The group of a leaked object; `None` of others.
    pub(super) fn group(&self, node: NodeId) -> Option<u32> {
        let group = self.groups[self.row(node)?];
        (group != NONE).then_some(group)
    }

    pub(super) fn is_leaked(&self, node: NodeId) -> bool {
        self.group(node).is_some()
    }

    /// Every leaked object that the members are or dominate.
    pub(super) fn leaked(&self, members: &[NodeId], ticks: &mut Ticks<'_>) -> Result<Vec<Leaked>> {
        let mut leaked = Vec::new();
        let mut open: Vec<NodeId> = members.to_vec();
        while let Some(node) = open.pop() {
            ticks.tick()?;
            if let Some((object, group)) = self.graph.object(node).zip(self.group(node)) {
                leaked.push(Leaked { object, group });
            }
            open.extend(self.children(node));
        }
        Ok(leaked)
    }

    /// Of those, the ones that no other dominates.
    pub(super) fn topmost(&self, members: &[NodeId], ticks: &mut Ticks<'_>) -> Result<Vec<ObjectId>> {
        let mut leaked = Vec::new();
        let mut open = members.to_vec();
        while let Some(node) = open.pop() {
            ticks.tick()?;
            match self.is_leaked(node) {
                true => leaked.extend(self.graph.object(node)),
                false => open.extend(self.children(node)),
            }
        }
        Ok(leaked)
    }
}
