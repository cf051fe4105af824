//! The nodes on the shortest path from the roots to a node, without walking a long one again for each node that asks.
//!
//! Of a path that is too long to show only parts are kept: its beginning, its end, and what leads to one node on it. Each
//! walk up the tree of shortest paths leaves a mark every [`MARK_EVERY`] steps, with the depth of that node and where the
//! beginning of its path ends. A later walk stops at the first mark that it meets, so that all walks together take as
//! many steps as there are nodes, and [`MARK_EVERY`] for each.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::ticks::Ticks;
use super::{Graph, NodeId};
use crate::error::Result;
use crate::progress::Progress;

const MARK_EVERY: u32 = 64;

/// How much of a path is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    /// Longer paths have a gap.
    most: u32,
    /// Steps that are kept then at the beginning, before the node asked for, and at the end.
    part: u32,
}

impl Length {
    /// What a report can show.
    pub(crate) const FULL: Self = Self::of(200);
    /// Where many paths are kept.
    pub(crate) const SHORT: Self = Self::of(24);

    const fn of(most: u32) -> Self {
        Self { most, part: most / 3 }
    }
}

/// One node of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PathNode {
    pub(crate) node: NodeId,
    /// Nodes left out before this one.
    pub(crate) omitted: u32,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// Steps from the category of roots.
    depth: u32,
    /// The last node of the beginning of the path.
    beginning: NodeId,
}

/// Finds paths along a tree of parents ([`Graph::parents`]).
#[derive(Debug)]
pub(crate) struct PathFinder<'a> {
    graph: &'a Graph,
    parents: &'a [NodeId],
    marks: HashMap<NodeId, Place, RandomState>,
    ticks: Ticks<'a>,
}

impl<'a> PathFinder<'a> {
    pub(crate) fn new(graph: &'a Graph, parents: &'a [NodeId], progress: &'a Progress) -> Self {
        Self {
            graph,
            parents,
            marks: HashMap::default(),
            ticks: Ticks::new(progress),
        }
    }

    fn parent(&self, node: NodeId) -> Option<NodeId> {
        let parent = self.parents[node];
        (node != self.graph.top() && parent < self.graph.top()).then_some(parent)
    }

    /// The path to a node, from the category of roots on. `by` is a node on it that has to be among those kept.
    pub(crate) fn find(&mut self, node: NodeId, by: Option<NodeId>, length: Length) -> Result<Vec<PathNode>> {
        let place = self.place(node)?;
        if place.depth < length.most {
            return Ok(Self::joined(&[self.up(node, place.depth + 1)], 0));
        }
        let end = self.up(node, length.part);
        // marks know where the longest beginning ends
        let mut beginning = self.up(place.beginning, Length::FULL.part);
        beginning.truncate(length.part as usize);
        let mut middle = Vec::new();
        if let Some(by) = by.filter(|by| !end.contains(by) && !beginning.contains(by)) {
            let depth = self.place(by)?.depth;
            middle = self.up(by, length.part.min((depth + 1).saturating_sub(length.part)));
        }
        let omitted = place.depth + 1 - 2 * length.part;
        if middle.is_empty() {
            return Ok(Self::joined(&[beginning, end], omitted));
        }
        let before = self.place(middle[0])?.depth - length.part;
        let behind = omitted - before - middle.len() as u32;
        let mut path = Self::joined(&[beginning, middle], before);
        path.extend(
            Self::joined(&[end], 0)
                .into_iter()
                .enumerate()
                .map(|(index, it)| {
                    let omitted = if index == 0 { behind } else { 0 };
                    PathNode { omitted, ..it }
                }),
        );
        Ok(path)
    }

    /// Parts of a path with so many nodes left out before the second.
    fn joined(parts: &[Vec<NodeId>], omitted: u32) -> Vec<PathNode> {
        let mut path = Vec::with_capacity(parts.iter().map(Vec::len).sum());
        for (part, nodes) in parts.iter().enumerate() {
            for (index, node) in nodes.iter().enumerate() {
                let omitted = if part > 0 && index == 0 { omitted } else { 0 };
                path.push(PathNode { node: *node, omitted });
            }
        }
        path
    }

    /// The last `count` nodes of the path to a node.
    fn up(&self, node: NodeId, count: u32) -> Vec<NodeId> {
        let mut nodes = Vec::with_capacity(count as usize);
        let mut at = Some(node);
        while let Some(node) = at.filter(|_| nodes.len() < count as usize) {
            nodes.push(node);
            at = self.parent(node);
        }
        nodes.reverse();
        nodes
    }

    fn place(&mut self, node: NodeId) -> Result<Place> {
        let mut walked = Vec::new();
        let mut at = node;
        let mut place = loop {
            self.ticks.tick()?;
            if let Some(place) = self.marks.get(&at) {
                break *place;
            }
            match self.parent(at) {
                // whatever the parents are, no path is longer than there are nodes
                Some(parent) if walked.len() < self.graph.len() as usize => {
                    walked.push(at);
                    at = parent;
                }
                _ => {
                    break Place {
                        depth: 0,
                        beginning: at,
                    };
                }
            }
        };
        for node in walked.into_iter().rev() {
            place.depth += 1;
            if place.depth < Length::FULL.part {
                place.beginning = node;
            }
            if place.depth % MARK_EVERY == 0 {
                self.marks.insert(node, place);
            }
        }
        Ok(place)
    }
}
