//! Which objects are reported as holders.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::class_names::ClassNames;
use super::leak_tree::LeakTree;
use super::role::{Held, Role, Roles};
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

/// A holder, by its node, and what it accounts for: the nodes below it, with all leaked objects that they dominate.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) node: NodeId,
    /// The object that people know the holder by.
    pub(super) owner: NodeId,
    /// As what it holds them.
    pub(super) role: Role,
    pub(super) members: Vec<NodeId>,
    /// So many of the members, the first ones, it refers to itself; the others only what leaked refers to.
    pub(super) own: usize,
    /// The leaked objects among and below the members that no other leaked object dominates.
    pub(super) leaked: Vec<ObjectId>,
    /// Others hold the members, too.
    pub(super) shared: bool,
    /// Those, most members first.
    pub(super) together: Vec<Together>,
}

/// One of several that hold the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Together {
    /// The object that people know it by.
    pub(super) owner: NodeId,
    /// How many of the members it refers to.
    pub(super) count: u64,
}

/// What is below a node: what it holds itself, and what several below it hold.
struct ByReference {
    alone: Vec<NodeId>,
    shared: Vec<NodeId>,
}

/// What siblings have in common.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SiblingKind<'a> {
    class: Option<&'a str>,
    type_name: &'a str,
}

/// The walk down the dominators.
pub(super) struct Choice<'a> {
    pub(super) leak_tree: &'a LeakTree<'a>,
    parents: &'a [NodeId],
    names: &'a ClassNames,
    pub(super) owners: VisibleOwners<'a>,
    roles: Roles<'a>,
    /// By leaked object: the nearest node above it, on the path from the roots, that is not leaked.
    referrers: HashMap<NodeId, NodeId, RandomState>,
    pub(super) ticks: Ticks<'a>,
    pub(super) chosen: Vec<Chosen>,
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
            roles: Roles::new(leak_tree),
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
            let threads = choice.roles.take_threads(members, &mut choice.ticks)?;
            for thread in threads.living {
                choice.choose(thread, vec![thread], Role::Threads, false)?;
            }
            let ByReference { alone, shared } = choice.by_reference(node, threads.others)?;
            for Held { role, members } in choice.roles.of(node, alone, &mut choice.ticks)? {
                choice.choose(node, members, role, false)?;
            }
            if !shared.is_empty() {
                choice.choose_shared(node, shared)?;
            }
        }
        choice.find_all_that_share()?;
        Ok(choice.chosen)
    }

    /// Of the members, those that the node holds itself, and those that several below it hold. Only what has many
    /// branches that have nothing to do with each other is taken apart: the roots, and namespaces.
    fn by_reference(&mut self, node: NodeId, members: Vec<NodeId>) -> Result<ByReference> {
        let graph = self.leak_tree.graph;
        if node == graph.top() {
            return Ok(ByReference {
                alone: Vec::new(),
                shared: members,
            });
        }
        if members.is_empty() || graph.is_object(node) && !self.is_class(node) && !self.roles.is_ractor(node)
        {
            return Ok(ByReference {
                alone: members,
                shared: Vec::new(),
            });
        }
        let mut is_referred = vec![false; members.len()];
        for next in graph.successors(node) {
            self.ticks.tick()?;
            if let Ok(index) = members.binary_search(&next) {
                is_referred[index] = true;
            }
        }
        let mut is_referred = is_referred.into_iter();
        let (alone, shared) = members
            .into_iter()
            .partition(|_| is_referred.next().unwrap_or_default());
        Ok(ByReference { alone, shared })
    }

    fn choose(&mut self, node: NodeId, members: Vec<NodeId>, role: Role, shared: bool) -> Result<()> {
        if members.is_empty() {
            return Ok(());
        }
        self.chosen.push(Chosen {
            node,
            role,
            owner: self.owners.of(node)?,
            leaked: self.leak_tree.topmost(&members, &mut self.ticks)?,
            own: members.len(),
            members,
            shared,
            together: Vec::new(),
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
            let object = leak_tree.graph.object(child)?;
            Some(SiblingKind {
                class: self.names.of(heap, object),
                type_name: heap.type_name(object),
            })
        };
        let mut siblings: BTreeMap<Option<SiblingKind<'_>>, usize> = BTreeMap::new();
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
            self.choose(node, members, Role::Itself, true)?;
        }
        Ok(())
    }

    /// The nearest node on the path from the roots that is not leaked.
    pub(super) fn referrer(&mut self, member: NodeId) -> Result<NodeId> {
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
