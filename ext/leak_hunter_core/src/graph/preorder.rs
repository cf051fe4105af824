//! All nodes in depth-first preorder, and of the predecessors those that dominators need.
//!
//! An edge from an earlier node comes from an ancestor, and of those the earliest is all that is needed. Those from later
//! nodes are kept as lists. All are noted down when the search looks at the edge, so that edges are read once.

use super::successors::Resumed;
use super::{CHECK_EVERY, Graph, NodeId};
use crate::error::{Error, ErrorKind, Result};
use crate::heap::NONE;
use crate::heap::edges::Pause;
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
    pub(super) predecessors: Predecessors,
    /// Of each open node, where the reading of its successors stands: what is unread of its list in bytes and in
    /// references. Of a category, how many successors are done.
    open: Pairs,
}

impl DepthFirst {
    pub(super) fn run(graph: &Graph, progress: &Progress) -> Result<Self> {
        let length = graph.len() as usize;
        let mut search = Self {
            order: Vec::with_capacity(length),
            numbers: vec![NONE; length],
            parents: Vec::with_capacity(length),
            predecessors: Predecessors::with_capacity(length),
            open: Vec::new(),
        };
        search.open(graph, graph.top(), 0);
        let mut current = 0;
        // where the search came back from
        let mut last = graph.top();
        for step in 1usize.. {
            if step % CHECK_EVERY == 0 {
                progress.check()?;
            }
            if let Some(next) = search.next_unseen(graph, current, last) {
                current = search.open(graph, next, current);
                continue;
            }
            search.open.pop();
            if current == 0 {
                break;
            }
            last = search.order[current as usize];
            current = search.parents[current as usize];
        }
        if search.order.len() != length {
            let message = "not every object was reached from the roots";
            return Err(Error::new(ErrorKind::Internal, message));
        }
        if search.predecessors.is_full() {
            let message = "the heap has more references than can be held";
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        Ok(search)
    }

    fn open(&mut self, graph: &Graph, node: NodeId, parent: u32) -> u32 {
        let number = self.order.len() as u32;
        self.numbers[node] = number;
        self.order.push(node);
        self.parents.push(parent);
        self.predecessors.add_node(parent);
        let state = if graph.is_object(node) { UNREAD } else { 0 };
        self.open.push([state, 0]);
        number
    }

    /// The next successor that has no number yet, after `last`, the one that was found before.
    fn next_unseen(&mut self, graph: &Graph, number: u32, last: NodeId) -> Option<NodeId> {
        let Self {
            order,
            numbers,
            predecessors,
            open,
            ..
        } = self;
        let node = order[number as usize];
        let state = open.last_mut()?;
        let mut unseen = |next: NodeId| match numbers[next] {
            NONE => true,
            to => {
                predecessors.add_edge(number, to);
                false
            }
        };
        let Some(object) = graph.object(node) else {
            let found = graph.resume_category(node, state[0], unseen)?;
            state[0] = found.done;
            return Some(found.node);
        };
        let pause = match *state {
            [UNREAD, _] => None,
            [CLASS, _] => Some(graph.heap().list(object).pause()),
            // whatever was found in a list is an object
            [unread, left] => Some(Pause {
                unread,
                left,
                last: ObjectId::new(last.get()),
            }),
        };
        let Resumed { found, pause } = graph.resume(object, pause, |next| unseen(next.into()));
        // what a list was read to is what was found in it, and its beginning is the object itself
        let is_class = found != Some(pause.last);
        *state = [if is_class { CLASS } else { pause.unread }, pause.left];
        found.map(NodeId::from)
    }
}

/// By number, the predecessors of each node: the earliest one, and those that come later than itself.
pub(super) struct Predecessors {
    /// Where the list of the later ones begins, [`NONE`] where there are none; and the earliest one.
    pub(super) rows: Pairs,
    /// The later ones: each with the place of the next one in its list.
    later: Vec<[u32; 2]>,
}

impl Predecessors {
    fn with_capacity(length: usize) -> Self {
        Self {
            rows: Vec::with_capacity(length),
            later: Vec::new(),
        }
    }

    fn add_node(&mut self, parent: u32) {
        self.rows.push([NONE, parent]);
    }

    #[inline]
    fn add_edge(&mut self, from: u32, to: u32) {
        let [_, first] = self.rows[from as usize];
        let [list, earliest] = &mut self.rows[to as usize];
        if from < to {
            *earliest = from.min(*earliest);
        } else if first == 0 {
            // the top leads to both over later nodes only: it is the semidominator, and no other edge matters
            *earliest = 0;
        } else if *earliest != 0
            && from > to
            && self
                .later
                .get(*list as usize)
                .is_none_or(|[known, _]| *known != from)
        {
            // where there are too many, the whole is given up
            let place = self.later.len().min(NONE as usize) as u32;
            if place != NONE {
                self.later.push([from, *list]);
                *list = place;
            }
        }
    }

    fn is_full(&self) -> bool {
        self.later.len() >= NONE as usize
    }

    /// The places of one node's later predecessors.
    pub(super) fn later(&self, list: u32) -> impl Iterator<Item = u32> + '_ {
        let mut next = list;
        std::iter::from_fn(move || {
            let [from, behind] = *self.later.get(next as usize)?;
            next = behind;
            Some(from)
        })
    }
}
