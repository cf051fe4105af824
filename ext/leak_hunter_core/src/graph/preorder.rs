//! All nodes in depth-first preorder, and of the predecessors those that dominators need.
//!
//! An edge from an earlier node comes from an ancestor, and of those the earliest is all that is needed. The later ones
//! are kept as differences, so that each takes one byte or two.

use super::{CHECK_EVERY, Graph, NodeId};
use crate::error::{Error, ErrorKind, Result};
use crate::heap::NONE;
use crate::heap::edges::{self, Pause};
use crate::ids::ObjectId;
use crate::progress::Progress;

/// Of an object none of whose successors was looked at.
const UNREAD: u32 = u32::MAX;
/// Of an object of which only the class was looked at.
const CLASS: u32 = u32::MAX - 1;

/// Two numbers a node, which are needed at the same time. One column of them serves all phases, whatever each has to
/// keep: what is freed and taken anew in between would leave gaps.
pub(super) type Pairs = Vec<[u32; 2]>;

/// Preorder numbers. The stack is the chain of parents.
pub(super) struct DepthFirst {
    /// NodeId by number.
    pub(super) order: Vec<NodeId>,
    /// Number by node.
    pub(super) numbers: Vec<u32>,
    /// Number of the parent in the tree, by number.
    pub(super) parents: Vec<u32>,
    /// By number, where the reading of an open node's successors stands: what is unread of its list in bytes and in
    /// references. Of a category, how many successors are done.
    pub(super) pairs: Pairs,
}

impl DepthFirst {
    pub(super) fn run(graph: &Graph, progress: &Progress) -> Result<Self> {
        let length = graph.len() as usize;
        let mut search = Self {
            order: Vec::with_capacity(length),
            numbers: vec![NONE; length],
            parents: Vec::with_capacity(length),
            pairs: vec![[0; 2]; length],
        };
        search.open(graph, graph.top(), 0);
        let mut current = 0;
        // where the search came back from
        let mut last = graph.top();
        for step in 1usize.. {
            if step % CHECK_EVERY == 0 {
                progress.check()?;
            }
            match search.next_unseen(graph, current, last) {
                Some(next) => current = search.open(graph, next, current),
                None if current == 0 => break,
                None => {
                    last = search.order[current as usize];
                    current = search.parents[current as usize];
                }
            }
        }
        if search.order.len() != length {
            let message = "not every object was reached from the roots";
            return Err(Error::new(ErrorKind::Internal, message));
        }
        Ok(search)
    }

    fn open(&mut self, graph: &Graph, node: NodeId, parent: u32) -> u32 {
        let number = self.order.len() as u32;
        self.numbers[node] = number;
        self.order.push(node);
        self.parents.push(parent);
        self.pairs[number as usize][0] = if graph.is_object(node) { UNREAD } else { 0 };
        number
    }

    /// The next successor that has no number yet, after `last`, the one that was found before.
    fn next_unseen(&mut self, graph: &Graph, number: u32, last: NodeId) -> Option<NodeId> {
        let row = number as usize;
        let node = self.order[row];
        let unseen = |next: &NodeId| self.numbers[*next] == NONE;
        let Some(object) = graph.object(node) else {
            let (done, found) = graph.resume_category(node, self.pairs[row][0], unseen)?;
            self.pairs[row][0] = done;
            return Some(found);
        };
        let pause = match self.pairs[row] {
            [UNREAD, _] => None,
            [CLASS, _] => Some(graph.heap().list(object).pause()),
            // whatever was found in a list is an object
            [unread, left] => Some(Pause {
                unread,
                left,
                last: ObjectId::new(last.get()),
            }),
        };
        let (found, pause) = graph.resume(object, pause, |next| unseen(&NodeId::from(*next)));
        // what a list was read to is what was found in it, and its beginning is the object itself
        let is_class = found != Some(pause.last);
        self.pairs[row] = [if is_class { CLASS } else { pause.unread }, pause.left];
        found.map(NodeId::from)
    }
}

/// By node, its earliest predecessor and those that come later in preorder than itself, those ascending.
pub(super) struct Later(Vec<u8>);

impl Later {
    /// Leaves in `pairs`, by number, where each list ends; it starts where the one before ends.
    pub(super) fn of(
        graph: &Graph,
        order: &[NodeId],
        numbers: &[u32],
        pairs: &mut Pairs,
        progress: &Progress,
    ) -> Result<Self> {
        pairs.fill([0, NONE]);
        each(graph, order, numbers, pairs, progress, |end, difference| {
            *end = end.checked_add(length_of(difference)).ok_or_else(too_large)?;
            Ok(())
        })?;
        let mut sum = 0u32;
        for pair in &mut *pairs {
            let [length, _] = *pair;
            *pair = [sum, NONE];
            sum = sum.checked_add(length).ok_or_else(too_large)?;
        }
        let mut bytes = vec![0; sum as usize];
        each(graph, order, numbers, pairs, progress, |end, difference| {
            put(&mut bytes, end, difference);
            Ok(())
        })?;
        Ok(Self(bytes))
    }

    /// The predecessors of the node with this number, whose list is from `start` to `end`: the earliest, and the later
    /// ones.
    pub(super) fn between(&self, start: u32, end: u32, number: u32) -> (u32, impl Iterator<Item = u32> + '_) {
        let mut bytes = &self.0[start as usize..end as usize];
        let earliest = number - edges::read(&mut bytes);
        let mut last = number;
        let later = std::iter::from_fn(move || {
            if bytes.is_empty() {
                return None;
            }
            last += edges::read(&mut bytes);
            Some(last)
        });
        (earliest, later)
    }
}

/// Hands on how far before a node its earliest predecessor is, then how far behind it or the one before each later one
/// is, with what the node has in `pairs` beside the last of them.
fn each(
    graph: &Graph,
    order: &[NodeId],
    numbers: &[u32],
    pairs: &mut Pairs,
    progress: &Progress,
    mut each: impl FnMut(&mut u32, u32) -> Result<()>,
) -> Result<()> {
    for (from, node) in order.iter().enumerate() {
        if from % CHECK_EVERY == 0 {
            progress.check()?;
        }
        let from = from as u32;
        let mut result = Ok(());
        graph.successors(*node).for_each(|next| {
            let to = numbers[next];
            let [end, last] = &mut pairs[to as usize];
            let difference = match *last {
                // Everything but the top has an earlier predecessor: its parent in the tree.
                NONE => to - from,
                last if from > last => from - last,
                _ => return,
            };
            *last = if *last == NONE { to } else { from };
            if result.is_ok() {
                result = each(end, difference);
            }
        });
        result?;
    }
    Ok(())
}

fn length_of(number: u32) -> u32 {
    (32 - number.leading_zeros()).div_ceil(7).max(1)
}

fn put(bytes: &mut [u8], at: &mut u32, mut number: u32) {
    while number >= 0x80 {
        bytes[*at as usize] = number as u8 | 0x80;
        *at += 1;
        number >>= 7;
    }
    bytes[*at as usize] = number as u8;
    *at += 1;
}

fn too_large() -> Error {
    Error::new(
        ErrorKind::TooLarge,
        "the heap has more references than can be held",
    )
}
