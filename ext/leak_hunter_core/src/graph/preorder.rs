//! All nodes in depth-first preorder, and of the predecessors those that dominators need.
//!
//! An edge from an earlier node comes from an ancestor, and of those the earliest is all that is needed. Those from later
//! nodes are kept as lists. All are noted down when the search looks at the edge, so that edges are read once.
//!
//! No levels are asked for: they are searched one after the other, the best first, so an edge is essential where it leads
//! to no node of a better one. What has references of low priority is a leaf until all that is strong was found. What it
//! leads to beside that is put right behind it then, as if it had been found there.

use super::behind::{Behind, put_behind};
use super::successors::Resumed;
use super::{CHECK_EVERY, Graph, Level, NodeId, Ticks};
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

/// Nodes that are no objects and not known when the search begins: the top, and categories that Ruby does not have.
const ADDED: usize = 3;

/// Preorder numbers. The stack is the chain of parents.
#[derive(Debug)]
pub(crate) struct DepthFirst {
    /// NodeId by number.
    pub(super) order: Vec<NodeId>,
    /// By node; while nodes are searched, its number.
    pub(super) numbers: Vec<u32>,
    /// Number of the parent in the tree, by number.
    pub(super) parents: Vec<u32>,
    pub(super) predecessors: Predecessors,
    /// Of each open node, where the reading of its successors stands: what is unread of its list in bytes and in
    /// references. Of a category, how many successors are done.
    open: Pairs,
    /// Nodes with lower numbers are of better levels.
    floor: u32,
}

impl DepthFirst {
    /// Searches what the roots lead to that Ruby has. Of the graph no more than these needs to be known.
    pub(crate) fn from_roots(graph: &Graph, progress: &Progress) -> Result<Self> {
        let roots = graph.heap().roots().len();
        let length = graph.heap().len() as usize + roots;
        let mut numbers = Vec::with_capacity(length + ADDED);
        numbers.resize(length, NONE);
        let mut search = Self {
            order: Vec::with_capacity(length + ADDED),
            numbers,
            parents: Vec::with_capacity(length + ADDED),
            predecessors: Predecessors::with_capacity(length + ADDED),
            open: Vec::new(),
            floor: 0,
        };
        // the top, which has no name yet
        search.push(NodeId::NONE, 0);
        let mut ticks = Ticks::new(progress);
        // ascending
        let mut waiting = Vec::new();
        for index in 0..roots {
            let number = search.add(graph.category_node(index), 0);
            match graph.categories[index].level {
                Level::Strong => search.descend(graph, number, Some(&mut waiting), &mut ticks)?,
                _ => waiting.push(number),
            }
        }
        search.floor = search.order.len() as u32;
        let strong = search.floor;
        let mut behind = Vec::new();
        for number in waiting {
            let first = search.order.len() as u32;
            search.descend(graph, number, None, &mut ticks)?;
            let found = search.order.len() as u32 - first;
            if found > 0 {
                behind.push(Behind { number, found });
            }
        }
        search.open = Vec::new();
        put_behind(&mut search, &behind, strong, &mut ticks)?;
        Ok(search)
    }

    /// Searches what else the graph has.
    pub(super) fn finish(mut self, graph: &Graph, progress: &Progress) -> Result<Self> {
        let length = graph.len() as usize;
        self.numbers.resize(length, NONE);
        self.order[0] = graph.top();
        let mut ticks = Ticks::new(progress);
        for index in graph.heap().roots().len()..graph.categories.len() {
            self.floor = self.order.len() as u32;
            let number = self.add(graph.category_node(index), 0);
            self.descend(graph, number, None, &mut ticks)?;
        }
        if self.order.len() != length {
            let message = "not every object was reached from the roots";
            return Err(Error::new(ErrorKind::Internal, message));
        }
        if self.predecessors.is_full() {
            let message = "the heap has more references than can be held";
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        Ok(self)
    }

    fn push(&mut self, node: NodeId, parent: u32) {
        self.order.push(node);
        self.parents.push(parent);
        self.predecessors.add_node(parent);
    }

    fn add(&mut self, node: NodeId, parent: u32) -> u32 {
        let number = self.order.len() as u32;
        self.numbers[node] = number;
        self.push(node, parent);
        number
    }

    fn open(&mut self, graph: &Graph, node: NodeId) {
        let state = if graph.is_object(node) { UNREAD } else { 0 };
        self.open.push([state, 0]);
    }

    /// Numbers all that a node leads to. The references of what has low priority are not followed if it may be left
    /// `waiting`.
    fn descend(
        &mut self,
        graph: &Graph,
        start: u32,
        mut waiting: Option<&mut Vec<u32>>,
        ticks: &mut Ticks<'_>,
    ) -> Result<()> {
        let first = self.order.len() as u32;
        let mut current = start;
        // what was found before
        let mut last = self.order[start as usize];
        self.open(graph, last);
        loop {
            ticks.tick()?;
            if let Some(next) = self.next_unseen(graph, current, first, last, waiting.is_some()) {
                let number = self.add(next, current);
                if let (Some(waiting), Some(object)) = (&mut waiting, graph.object(next)) {
                    if graph.has_low_priority(object) {
                        waiting.push(number);
                        last = next;
                        continue;
                    }
                }
                self.open(graph, next);
                current = number;
                continue;
            }
            self.open.pop();
            if current == start {
                return Ok(());
            }
            last = self.order[current as usize];
            current = self.parents[current as usize];
        }
    }

    /// The next successor that has no number yet, after `last`, the one that was found before. Leaves on the way to it
    /// are numbered, except for those that `may_wait`. `first` is the lowest number that was given below the node at
    /// which the search began.
    fn next_unseen(
        &mut self,
        graph: &Graph,
        number: u32,
        first: u32,
        last: NodeId,
        may_wait: bool,
    ) -> Option<NodeId> {
        let Self {
            order,
            numbers,
            parents,
            predecessors,
            open,
            floor,
        } = self;
        let node = order[number as usize];
        let state = open.last_mut()?;
        // one that had to wait comes right before what was found from it
        let place = if number < *floor { first } else { number };
        let mut leaves = CHECK_EVERY;
        let mut unseen = |next: NodeId| match numbers[next] {
            NONE => {
                let Some(class) = leaf(graph, next, numbers, may_wait).filter(|_| leaves > 0) else {
                    return true;
                };
                leaves -= 1;
                let leaf = order.len() as u32;
                numbers[next] = leaf;
                order.push(next);
                parents.push(number);
                predecessors.add_node(number);
                if class >= *floor && class != NONE {
                    predecessors.add_later(leaf, class);
                }
                false
            }
            to => {
                if to >= *floor && to != number {
                    match to < place {
                        true => predecessors.add_later(number, to),
                        false => predecessors.add_ancestor(number, to),
                    }
                }
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

/// Of a node that leads to nothing but a class that has a number, that number; of one that has no class, [`NONE`]. Nearly
/// half of a heap are Strings.
#[inline]
fn leaf(graph: &Graph, node: NodeId, numbers: &[u32], may_wait: bool) -> Option<u32> {
    let object = graph.object(node)?;
    let heap = graph.heap();
    if heap.has_references(object) || may_wait && graph.has_low_priority(object) {
        return None;
    }
    match heap.class_of(object) {
        Some(class) => Some(numbers[class]).filter(|number| *number != NONE),
        None => Some(NONE),
    }
}

/// By number, the predecessors of each node: the earliest one, and those that come later than itself.
#[derive(Debug)]
pub(super) struct Predecessors {
    /// Where the list of the later ones begins, [`NONE`] where there are none; and the earliest one.
    pub(super) rows: Pairs,
    /// The later ones: each with the place of the next one in its list.
    pub(super) later: Vec<[u32; 2]>,
}

impl Predecessors {
    fn with_capacity(length: usize) -> Self {
        Self {
            rows: Vec::with_capacity(length),
            // taken, not touched: most need less
            later: Vec::with_capacity(length),
        }
    }

    fn add_node(&mut self, parent: u32) {
        self.rows.push([NONE, parent]);
    }

    #[inline]
    fn add_ancestor(&mut self, from: u32, to: u32) {
        let [_, earliest] = &mut self.rows[to as usize];
        *earliest = from.min(*earliest);
    }

    #[inline]
    fn add_later(&mut self, from: u32, to: u32) {
        let [_, first] = self.rows[from as usize];
        let [list, earliest] = &mut self.rows[to as usize];
        if first == 0 {
            // the top leads to both over later nodes only: it is the semidominator, and no other edge matters
            *earliest = 0;
        } else if *earliest != 0
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
