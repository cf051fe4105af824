//! Which objects are told as holders.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use foldhash::fast::RandomState;

use super::{Leaked, face};
use crate::error::Result;
use crate::graph::{Dominators, Graph, Node};
use crate::heap::Type;
use crate::progress::Progress;

/// Of what an object holds, in percent: an object below it with a smaller share is not told on its own.
const SHARE: u64 = 5;
/// More siblings of one kind that hold about as much are told as what is above them.
const SIBLINGS: usize = 3;
/// Leaked objects between two looks at whether to go on.
const CHECK_EVERY: usize = if cfg!(test) { 16 } else { 1 << 12 };

/// A holder, by its node, and what it accounts for: the nodes below it, with all leaked objects that they dominate.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) node: Node,
    /// What people would call the holder: the Set around the node's Hash, the first link of a list.
    pub(super) face: Node,
    pub(super) members: Vec<Node>,
    /// The leaked objects among and below the members that no other leaked object dominates.
    pub(super) leaked: Vec<u32>,
    /// Others hold the members too.
    pub(super) shared: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    count: u64,
    bytes: u64,
}

/// The part of the dominator tree that has what leaked below it.
#[derive(Debug)]
pub(super) struct LeakTree<'a> {
    graph: &'a Graph<'a>,
    tree: &'a Dominators,
    leaked: HashSet<Node, RandomState>,
    children: HashMap<Node, Vec<Node>, RandomState>,
    weights: HashMap<Node, Weight, RandomState>,
}

impl<'a> LeakTree<'a> {
    pub(super) fn new(
        graph: &'a Graph<'a>,
        tree: &'a Dominators,
        leaked: &[Leaked],
        progress: &Progress,
    ) -> Result<Self> {
        let mut leak_tree = Self {
            graph,
            tree,
            leaked: leaked.iter().map(|it| it.object).collect(),
            children: HashMap::default(),
            weights: HashMap::default(),
        };
        let mut seen: HashSet<Node, RandomState> = HashSet::default();
        for (index, it) in leaked.iter().enumerate() {
            if index % CHECK_EVERY == 0 {
                progress.check()?;
            }
            let mut node = it.object;
            while seen.insert(node) {
                let Some(above) = tree.of(node) else { break };
                leak_tree.children.entry(above).or_default().push(node);
                node = above;
            }
        }
        for children in leak_tree.children.values_mut() {
            children.sort_unstable();
        }
        leak_tree.weigh(progress)?;
        Ok(leak_tree)
    }

    fn weigh(&mut self, progress: &Progress) -> Result<()> {
        let mut order = vec![self.graph.top()];
        let mut next = 0;
        while let Some(node) = order.get(next).copied() {
            if next % CHECK_EVERY == 0 {
                progress.check()?;
            }
            next += 1;
            order.extend(self.children(node));
        }
        for (index, node) in order.into_iter().enumerate().rev() {
            if index % CHECK_EVERY == 0 {
                progress.check()?;
            }
            let mut weight = Weight::default();
            if self.leaked.contains(&node) {
                weight.count = 1;
                weight.bytes = self.graph.heap().memsize(node);
            }
            for child in self.children(node) {
                let below = self.weight(*child);
                weight.count += below.count;
                weight.bytes = weight.bytes.saturating_add(below.bytes);
            }
            self.weights.insert(node, weight);
        }
        Ok(())
    }

    fn children(&self, node: Node) -> &[Node] {
        self.children.get(&node).map_or(&[], Vec::as_slice)
    }

    fn weight(&self, node: Node) -> Weight {
        self.weights.get(&node).copied().unwrap_or_default()
    }

    pub(super) fn is_leaked(&self, node: Node) -> bool {
        self.leaked.contains(&node)
    }

    /// Every leaked object that the members are or dominate.
    pub(super) fn each_leaked(&self, members: &[Node], mut each: impl FnMut(u32)) {
        let mut open: Vec<Node> = members.to_vec();
        while let Some(node) = open.pop() {
            if self.is_leaked(node) {
                each(node);
            }
            open.extend(self.children(node));
        }
    }

    /// Goes down from the top. Each leaked object is accounted for once.
    pub(super) fn choose(
        &self,
        graph: &Graph<'_>,
        parents: &[Node],
        progress: &Progress,
    ) -> Result<Vec<Chosen>> {
        let mut chosen = Vec::new();
        let mut open = vec![graph.top()];
        while let Some(node) = open.pop() {
            progress.check()?;
            let below = self.worth_going_down(node);
            let (below, members): (Vec<Node>, Vec<Node>) = self
                .children(node)
                .iter()
                .partition(|child| below.contains(child));
            open.extend(below);
            if members.is_empty() {
                continue;
            }
            if self.holds_nothing_alone(node) {
                self.choose_shared(node, members, parents, &mut chosen);
            } else {
                chosen.push(self.chosen(node, members, false));
            }
        }
        Ok(chosen)
    }

    fn chosen(&self, node: Node, members: Vec<Node>, shared: bool) -> Chosen {
        let mut leaked = Vec::new();
        let mut open = members.clone();
        while let Some(node) = open.pop() {
            match self.is_leaked(node) {
                true => leaked.push(node),
                false => open.extend(self.children(node)),
            }
        }
        Chosen {
            node,
            face: face::of(self.graph, self.tree, node),
            members,
            leaked,
            shared,
        }
    }

    /// The objects below that are holders of their own.
    fn worth_going_down(&self, node: Node) -> HashSet<Node, RandomState> {
        let candidates = self
            .children(node)
            .iter()
            .copied()
            .filter(|child| !self.is_leaked(*child));
        if !self.graph.is_object(node) || self.is_class(node) {
            return candidates.collect();
        }
        let whole = self.weight(node);
        let mut heavy: Vec<Node> = candidates
            .filter(|child| {
                let part = self.weight(*child);
                part.bytes * 100 >= whole.bytes * SHARE && part.count * 100 >= whole.count
            })
            .collect();
        let heap = self.graph.heap();
        let mut siblings: BTreeMap<(Option<String>, &str), usize> = BTreeMap::new();
        let kind = |child: Node| (heap.class_name(child), heap.type_name(child));
        for child in &heavy {
            *siblings.entry(kind(*child)).or_default() += 1;
        }
        heavy.retain(|child| siblings.get(&kind(*child)).is_none_or(|count| *count <= SIBLINGS));
        heavy.into_iter().collect()
    }

    fn is_class(&self, node: Node) -> bool {
        let kind = self.graph.heap().kind(node);
        kind.is_some_and(|kind| matches!(kind.type_, Type::Class | Type::Module | Type::IClass))
    }

    /// Whether the node only stands above all others: what it alone dominates is held by several below it.
    fn holds_nothing_alone(&self, node: Node) -> bool {
        if node == self.graph.top() {
            return true;
        }
        let heap = self.graph.heap();
        match self.graph.is_object(node) {
            true => {
                self.is_class(node)
                    && heap
                        .classes()
                        .name(heap.address(node))
                        .is_some_and(|name| matches!(name.as_str(), "Object" | "BasicObject" | "Kernel"))
                    && !self.leads_to_a_child(node)
            }
            false => !self.leads_to_a_child(node),
        }
    }

    fn leads_to_a_child(&self, node: Node) -> bool {
        let children = self.children(node);
        self.graph
            .successors(node)
            .any(|next| children.binary_search(&next).is_ok())
    }

    /// Tells what several hold by the one of them that is nearest to the roots.
    fn choose_shared(&self, node: Node, members: Vec<Node>, parents: &[Node], chosen: &mut Vec<Chosen>) {
        let mut by_holder: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
        for member in members {
            let mut at = parents[member as usize];
            while self.graph.is_object(at) && self.is_leaked(at) {
                at = parents[at as usize];
            }
            by_holder
                .entry(if at < self.graph.len() { at } else { node })
                .or_default()
                .push(member);
        }
        let mut shared: Vec<Chosen> = by_holder
            .into_iter()
            .map(|(node, members)| self.chosen(node, members, true))
            .collect();
        shared.sort_by_key(|it| Reverse(it.members.len()));
        chosen.append(&mut shared);
    }
}
