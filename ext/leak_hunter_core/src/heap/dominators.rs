//! Who alone keeps an object alive, and how much that is: the dominator tree and retained sizes.
//!
//! The Semi-NCA algorithm (L. Georgiadis, "Linear-Time Algorithms for Dominators and Related Problems", Princeton 2005,
//! chapter 2.2.2), iterative, in arrays of `u32`, over numbers in depth-first preorder. Of the predecessors only those
//! are kept that come later in that order, as differences of one byte or two: an edge from an earlier node comes from an
//! ancestor, and of those the earliest is all that is needed.

use super::edges::{self, Pause};
use super::graph::{CHECK_EVERY, Graph, Node};
use super::kinds::NONE;
use crate::error::{Error, ErrorKind, Result};
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
    let search = DepthFirst::run(graph, progress)?;
    let DepthFirst {
        order,
        numbers,
        parents,
        mut scratch,
    } = search;
    let later = Later::of(graph, &order, numbers, &mut scratch, progress)?;
    let [semis, labels, ..] = scratch;
    let idoms = semi_nca(parents, semis, labels, &later, progress)?;
    drop(later);

    let mut by_node = vec![NONE; order.len()];
    for (number, node) in order.iter().enumerate().skip(1) {
        by_node[*node as usize] = order[idoms[number] as usize];
    }
    drop(idoms);
    let objects = graph.heap().len();
    let mut retained: Vec<u64> = (0..graph.len())
        .map(|node| {
            if node < objects {
                graph.heap().memsize(node)
            } else {
                0
            }
        })
        .collect();
    for node in order.iter().skip(1).rev() {
        let idom = by_node[*node as usize] as usize;
        retained[idom] = retained[idom].saturating_add(retained[*node as usize]);
    }
    Ok(Dominators {
        idoms: by_node,
        retained,
        order,
    })
}

/// Columns of working memory, one row a node.
type Scratch = [Vec<u32>; 3];

/// Preorder numbers. The stack is the chain of parents; where the reading of each open node's successors stands is kept
/// in columns that are needed later anyway.
struct DepthFirst {
    /// Node by number.
    order: Vec<Node>,
    /// Number by node.
    numbers: Vec<u32>,
    /// Number of the parent in the tree, by number.
    parents: Vec<u32>,
    scratch: Scratch,
}

impl DepthFirst {
    fn run(graph: &Graph<'_>, progress: &Progress) -> Result<Self> {
        let length = graph.len() as usize;
        let mut search = Self {
            order: Vec::with_capacity(length),
            numbers: vec![NONE; length],
            parents: Vec::with_capacity(length),
            scratch: [vec![0; length], vec![0; length], vec![0; length]],
        };
        search.open(graph, graph.top(), 0);
        let mut current = 0;
        for step in 1usize.. {
            if step % CHECK_EVERY == 0 {
                progress.check()?;
            }
            match search.next_unseen(graph, current) {
                Some(next) => current = search.open(graph, next, current),
                None if current == 0 => break,
                None => current = search.parents[current as usize],
            }
        }
        if search.order.len() != length {
            let message = "not every object was reached from the roots";
            return Err(Error::new(ErrorKind::Internal, message));
        }
        Ok(search)
    }

    fn open(&mut self, graph: &Graph<'_>, node: Node, parent: u32) -> u32 {
        let number = self.order.len() as u32;
        self.numbers[node as usize] = number;
        self.order.push(node);
        self.parents.push(parent);
        if graph.is_object(node) {
            let mut pause = graph.heap().list(node).pause();
            // one more for the class, which comes first
            pause.left += 1;
            self.keep(number, pause);
        }
        number
    }

    fn keep(&mut self, number: u32, pause: Pause) {
        let [unread, left, last] = &mut self.scratch;
        let row = number as usize;
        (unread[row], left[row], last[row]) = (pause.unread, pause.left, pause.last);
    }

    /// The next successor that has no number yet.
    fn next_unseen(&mut self, graph: &Graph<'_>, number: u32) -> Option<Node> {
        let row = number as usize;
        let node = self.order[row];
        let [unread, left, last] = &mut self.scratch;
        let numbers = &self.numbers;
        let unseen = |next: &Node| numbers[*next as usize] == NONE;
        if graph.is_object(node) {
            let pause = Pause {
                unread: unread[row],
                left: left[row],
                last: last[row],
            };
            let (found, pause) = graph.resume(node, pause, unseen);
            self.keep(number, pause);
            return found;
        }
        let (done, found) = graph.resume_category(node, left[row], unseen)?;
        left[row] = done;
        Some(found)
    }
}

/// The predecessors that come later in preorder, each list ascending.
struct Later {
    /// Where a node's list ends, by number; it starts where the one before ends.
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl Later {
    /// Leaves in the first column of `scratch` the earliest predecessor of every node.
    fn of(
        graph: &Graph<'_>,
        order: &[Node],
        numbers: Vec<u32>,
        scratch: &mut Scratch,
        progress: &Progress,
    ) -> Result<Self> {
        let [semis, lasts, _] = scratch;
        semis.fill(NONE);
        let mut ends = vec![0u32; order.len()];
        reset(lasts);
        for from in 0..order.len() {
            if from % CHECK_EVERY == 0 {
                progress.check()?;
            }
            for next in graph.successors(order[from]) {
                let to = numbers[next as usize] as usize;
                if from < to {
                    semis[to] = semis[to].min(from as u32);
                } else if from as u32 > lasts[to] {
                    let length = length_of(from as u32 - lasts[to]);
                    ends[to] = ends[to].checked_add(length).ok_or_else(too_large)?;
                    lasts[to] = from as u32;
                }
            }
        }
        let mut sum = 0u32;
        for end in &mut ends {
            let length = *end;
            *end = sum;
            sum = sum.checked_add(length).ok_or_else(too_large)?;
        }
        let mut bytes = vec![0; sum as usize];
        reset(lasts);
        for from in 0..order.len() {
            if from % CHECK_EVERY == 0 {
                progress.check()?;
            }
            for next in graph.successors(order[from]) {
                let to = numbers[next as usize] as usize;
                if from > to && from as u32 > lasts[to] {
                    put(&mut bytes, &mut ends[to], from as u32 - lasts[to]);
                    lasts[to] = from as u32;
                }
            }
        }
        Ok(Self { ends, bytes })
    }

    fn of_node(&self, number: usize) -> impl Iterator<Item = u32> + '_ {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        let mut bytes = &self.bytes[start as usize..self.ends[number] as usize];
        let mut last = number as u32;
        std::iter::from_fn(move || {
            if bytes.is_empty() {
                return None;
            }
            last += edges::read(&mut bytes);
            Some(last)
        })
    }
}

fn reset(lasts: &mut [u32]) {
    for (number, last) in lasts.iter_mut().enumerate() {
        *last = number as u32;
    }
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

/// `parents` and what comes out are by number. `semis` holds the earliest predecessor of each.
fn semi_nca(
    parents: Vec<u32>,
    mut semis: Vec<u32>,
    mut labels: Vec<u32>,
    later: &Later,
    progress: &Progress,
) -> Result<Vec<u32>> {
    let mut ancestors = parents.clone();
    let mut stack = Vec::new();
    for number in (1..parents.len()).rev() {
        if number % CHECK_EVERY == 0 {
            progress.check()?;
        }
        let mut semi = semis[number];
        for from in later.of_node(number) {
            let label = evaluate(from, number as u32 + 1, &mut ancestors, &mut labels, &mut stack);
            semi = semi.min(label);
        }
        semis[number] = semi;
        labels[number] = semi;
    }
    drop((ancestors, labels));
    let mut idoms = parents;
    for number in 1..idoms.len() {
        let mut idom = idoms[number];
        while idom > semis[number] {
            idom = idoms[idom as usize];
        }
        idoms[number] = idom;
    }
    Ok(idoms)
}

/// The lowest semidominator on the way up from `node` to the root of its tree in the forest of nodes from `first` on.
/// Shortens that way for the next time.
#[inline]
fn evaluate(node: u32, first: u32, ancestors: &mut [u32], labels: &mut [u32], stack: &mut Vec<u32>) -> u32 {
    let mut at = node;
    while ancestors[at as usize] >= first {
        stack.push(at);
        at = ancestors[at as usize];
    }
    let root = ancestors[at as usize];
    let mut lowest = labels[at as usize];
    while let Some(below) = stack.pop() {
        let row = below as usize;
        lowest = lowest.min(labels[row]);
        labels[row] = lowest;
        ancestors[row] = root;
    }
    lowest
}
