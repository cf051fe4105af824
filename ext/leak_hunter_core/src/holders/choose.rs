//! Which objects are reported as holders.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::class_names::ClassNames;
use super::leak_tree::LeakTree;
use super::visible_owner::VisibleOwners;
use crate::error::Result;
use crate::graph::{NodeId, Ticks};
use crate::heap::Type;
use crate::ids::ObjectId;
use crate::progress::Progress;

/// Of what an object holds, in percent: an object below it with a smaller share is not reported on its own.
const SHARE: u128 = 5;
/// More siblings of one class that hold about as much are reported as what is above them.
const SIBLINGS: usize = 3;
/// Classes above everything: what they alone dominate is held by several below them.
const ROOT_CLASSES: [&str; 3] = ["Object", "BasicObject", "Kernel"];

/// A holder, by its node, and what it accounts for: the nodes below it, with all leaked objects that they dominate.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) node: NodeId,
    /// The object that people know the holder by.
    pub(super) owner: NodeId,
    pub(super) members: Vec<NodeId>,
    /// The leaked objects among and below the members that no other leaked object dominates.
    pub(super) leaked: Vec<ObjectId>,
    /// Others hold the members, too.
    pub(super) shared: bool,
}

/// The walk down the dominators.
pub(super) struct Choice<'a> {
    leak_tree: &'a LeakTree<'a>,
    parents: &'a [NodeId],
    names: &'a ClassNames,
    owners: VisibleOwners<'a>,
    /// By leaked object: the nearest node above it, on the path from the roots, that is not leaked.
    referrers: HashMap<NodeId, NodeId, RandomState>,
    ticks: Ticks<'a>,
    chosen: Vec<Chosen>,
}

impl<'a> Choice<'a> {
    /// Goes down from the top. Each leaked object is accounted for once.
    pub(super) fn run(
        leak_tree: &'a LeakTree<'a>,
        parents: &'a [NodeId],
        names: &'a ClassNames,
        progress: &'a Progress,
    ) -> Result<Vec<Chosen>> {
        let mut choice = Self {
            leak_tree,
            parents,
            names,
            owners: VisibleOwners::new(leak_tree.graph, leak_tree.tree, names, progress),
            referrers: HashMap::default(),
            ticks: Ticks::new(progress),
            chosen: Vec::new(),
        };
        let mut open = vec![leak_tree.graph.top()];
        while let Some(node) = open.pop() {
            choice.ticks.tick()?;
            let below = choice.holders_below(node);
            let is_below = |child: &NodeId| below.binary_search(child).is_ok();
            let children = leak_tree.children(node).iter().copied();
            let members: Vec<NodeId> = children.filter(|child| !is_below(child)).collect();
            open.extend(below);
            if members.is_empty() {
                continue;
            }
            if choice.holds_nothing_alone(node) {
                choice.choose_shared(node, members)?;
            } else {
                choice.choose(node, members, false)?;
            }
        }
        Ok(choice.chosen)
    }

    fn choose(&mut self, node: NodeId, members: Vec<NodeId>, shared: bool) -> Result<()> {
        self.chosen.push(Chosen {
            node,
            owner: self.owners.of(node)?,
            leaked: self.leak_tree.topmost(&members, &mut self.ticks)?,
            members,
            shared,
        });
        Ok(())
    }

    /// The objects right below that are holders of their own, ascending.
    fn holders_below(&self, node: NodeId) -> Vec<NodeId> {
        let leak_tree = self.leak_tree;
        let candidates = leak_tree
            .children(node)
            .iter()
            .copied()
            .filter(|child| !leak_tree.is_leaked(*child));
        if !leak_tree.graph.is_object(node) || self.is_class(node) {
            return candidates.collect();
        }
        let whole = leak_tree.weight(node);
        let mut heavy: Vec<NodeId> = candidates
            .filter(|child| {
                let part = leak_tree.weight(*child);
                // sums of 2^31 numbers of 64 bits, times 100: far from 2^128
                part.bytes * 100 >= whole.bytes * SHARE && part.count * 100 >= whole.count
            })
            .collect();
        let heap = leak_tree.graph.heap();
        let kind = |child: NodeId| {
            let object = leak_tree.graph.object(child);
            object.map(|object| (self.names.of(heap, object), heap.type_name(object)))
        };
        let mut siblings: BTreeMap<Option<(Option<&str>, &str)>, usize> = BTreeMap::new();
        for child in &heavy {
            *siblings.entry(kind(*child)).or_default() += 1;
        }
        heavy.retain(|child| siblings.get(&kind(*child)).is_none_or(|count| *count <= SIBLINGS));
        heavy
    }

    fn is_class(&self, node: NodeId) -> bool {
        let graph = self.leak_tree.graph;
        let kind = graph.object(node).and_then(|object| graph.heap().kind(object));
        kind.is_some_and(|kind| matches!(kind.type_, Type::Class | Type::Module | Type::IClass))
    }

    /// Whether the node is only above all others: what it alone dominates is held by several below it.
    fn holds_nothing_alone(&self, node: NodeId) -> bool {
        let graph = self.leak_tree.graph;
        if node == graph.top() {
            return true;
        }
        let Some(object) = graph.object(node) else {
            return !self.leads_to_a_child(node);
        };
        let name = || graph.heap().classes().name(graph.heap().address(object));
        self.is_class(node)
            && name().is_some_and(|name| ROOT_CLASSES.contains(&name.as_str()))
            && !self.leads_to_a_child(node)
    }

    fn leads_to_a_child(&self, node: NodeId) -> bool {
        let children = self.leak_tree.children(node);
        self.leak_tree
            .graph
            .successors(node)
            .any(|next| children.binary_search(&next).is_ok())
    }

    /// Reports what several hold under the one of them that is nearest to the roots.
    fn choose_shared(&mut self, node: NodeId, members: Vec<NodeId>) -> Result<()> {
        let mut by_holder: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        for member in members {
            let referrer = self.referrer(member)?;
            let holder = if referrer <= self.leak_tree.graph.top() {
                referrer
            } else {
                node
            };
            by_holder.entry(holder).or_default().push(member);
        }
        for (node, members) in by_holder {
            self.choose(node, members, true)?;
        }
        Ok(())
    }

    /// The nearest node on the path from the roots that is not leaked.
    fn referrer(&mut self, member: NodeId) -> Result<NodeId> {
        let graph = self.leak_tree.graph;
        let mut walked = Vec::new();
        let mut at = member;
        let found = loop {
            self.ticks.tick()?;
            if let Some(known) = self.referrers.get(&at) {
                break *known;
            }
            walked.push(at);
            at = self.parents[at];
            if !graph.is_object(at) || !self.leak_tree.is_leaked(at) {
                break at;
            }
        };
        self.referrers
            .extend(walked.into_iter().map(|node| (node, found)));
        Ok(found)
    }
}
