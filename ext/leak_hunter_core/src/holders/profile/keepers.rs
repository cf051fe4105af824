//! Whose an object is: of the holder that accounts for it, or else of the one whose node is above it.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::super::merge::Merged;
use super::super::role::Role;
use super::Profiles;
use super::parts::Parts;
use crate::error::Result;
use crate::graph::NodeId;
use crate::heap::{Internal, NONE, Type};
use crate::ids::{Address, KindId};

/// Whose a node's children in the dominator tree are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeper {
    Nobody,
    /// All of them this holder's.
    Holder(u32),
    /// The young ones this holder's.
    Young(u32),
    /// The young ones one of several holders'.
    Several,
    /// The young ones one of several holders', which hold objects of different kinds: a class its methods and its
    /// variables, a thread its locals.
    ByKind,
}

/// What an object is, as far as holders of one node differ in what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct What {
    type_: Type,
    class: Option<Address>,
}

/// A node, below what several holders have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Below {
    above: NodeId,
    node: NodeId,
}

/// What an object that is several holders holds as one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Share {
    of: NodeId,
    what: What,
}

impl Profiles<'_> {
    /// The nodes that more than one holder is.
    fn split_nodes(&mut self, merged: &[Merged<'_>], parts: &Parts) -> Result<HashSet<NodeId, RandomState>> {
        let mut holders: HashMap<NodeId, u32, RandomState> = HashMap::default();
        let mut split = HashSet::default();
        for (holder, chosen) in parts.each(merged).filter(|(_, chosen)| !chosen.shared) {
            self.ticks.tick()?;
            if *holders.entry(chosen.node).or_insert(holder) != holder {
                split.insert(chosen.node);
            }
        }
        Ok(split)
    }

    fn what(&self, node: NodeId) -> Option<What> {
        let kind = self.heap().kind(self.graph.object(node)?)?;
        Some(What {
            type_: kind.type_,
            class: kind.class.get(),
        })
    }

    /// The holders' nodes.
    pub(super) fn keepers(&mut self, merged: &[Merged<'_>], parts: &Parts) -> Result<Vec<Keeper>> {
        let mut keepers = vec![Keeper::Nobody; self.graph.len() as usize];
        let split = self.split_nodes(merged, parts)?;
        for (holder, chosen) in parts.each(merged) {
            self.ticks.tick()?;
            self.level(holder, 0);
            for member in &chosen.members {
                self.ticks.tick()?;
                self.of_member[*member] = holder;
            }
            if chosen.role == Role::Threads {
                if let Some(kind) = self.thread_kind(chosen.node) {
                    let known = self.of_thread.entry(kind).or_insert(holder);
                    if *known != holder {
                        *known = NONE;
                    }
                }
            }
            if chosen.shared {
                let above = chosen.members.first().and_then(|member| self.tree.of(*member));
                let above = above.unwrap_or(self.graph.top());
                let below = |node| Below { above, node };
                self.shared.insert(below(chosen.node), holder);
                for other in &chosen.together {
                    self.shared.entry(below(other.owner)).or_insert(holder);
                }
                keepers[above] = Keeper::Several;
            } else if split.contains(&chosen.node) {
                for member in &chosen.members {
                    let Some(what) = self.what(*member) else { continue };
                    let of = chosen.node;
                    let first = self.by_kind.entry(Share { of, what }).or_insert(holder);
                    if *first != holder {
                        *first = NONE;
                    }
                }
                keepers[chosen.node] = Keeper::ByKind;
                continue;
            } else {
                // all of a list is kept by its first node, and what a Proc keeps by the Proc
                let around = match self.graph.is_object(chosen.owner) {
                    true if keepers[chosen.owner] == Keeper::Nobody => chosen.owner,
                    _ => chosen.node,
                };
                keepers[around] = match self.graph.object(around) {
                    Some(object) if !self.is_class(object) => Keeper::Holder(holder),
                    _ => Keeper::Young(holder),
                };
            }
            let object = self.graph.object(chosen.node);
            if let Some(collection) = object.filter(|it| self.is_collection(*it)) {
                let lengths = self.past.lengths(self.heap(), collection);
                self.collection(holder, 0, collection, lengths)?;
            }
        }
        Ok(keepers)
    }

    pub(super) fn kept_by(&mut self, node: NodeId, above: NodeId, keeper: Keeper) -> Result<Option<u32>> {
        let holder = self.of_member[node];
        if holder != NONE {
            return Ok(Some(holder));
        }
        // a thread of the last window is one more of those that leaked
        let is_held = matches!(keeper, Keeper::Holder(_));
        if !is_held && !self.of_thread.is_empty() && self.is_young(node) {
            let kind = self.thread_kind(node);
            let holder = kind.and_then(|kind| self.of_thread.get(&kind).copied());
            if let Some(holder) = holder.filter(|holder| *holder != NONE) {
                return Ok(Some(holder));
            }
        }
        Ok(match keeper {
            Keeper::Nobody => None,
            Keeper::Holder(holder) => Some(holder),
            Keeper::Young(holder) => self.is_young(node).then_some(holder),
            Keeper::ByKind => {
                let what = self.what(node).filter(|_| self.is_young(node));
                let known = what.and_then(|what| self.by_kind.get(&Share { of: above, what }).copied());
                known.filter(|holder| *holder != NONE)
            }
            Keeper::Several if self.is_young(node) => self.nearest_holder(node, above)?,
            Keeper::Several => None,
        })
    }

    /// Of a thread: its class and allocation site, in one number.
    fn thread_kind(&self, node: NodeId) -> Option<KindId> {
        let object = self.graph.object(node)?;
        let is_thread = self.heap().kind(object)?.internal == Internal::Thread;
        self.heap().kind_number(object).filter(|_| is_thread)
    }

    /// Of several holders, the one that the path from the roots to a young node comes from.
    fn nearest_holder(&mut self, node: NodeId, above: NodeId) -> Result<Option<u32>> {
        let below = |node| Below { above, node };
        let mut walked = Vec::new();
        let mut at = node;
        let found = loop {
            self.ticks.tick()?;
            if let Some(known) = self.nearest.get(&below(at)) {
                break *known;
            }
            walked.push(at);
            at = self.parents[at];
            if let Some(holder) = self.shared.get(&below(at)) {
                break *holder;
            }
            if !self.is_young(at) {
                break self.shared.get(&below(above)).copied().unwrap_or(NONE);
            }
        };
        self.nearest
            .extend(walked.into_iter().map(|at| (below(at), found)));
        Ok((found != NONE).then_some(found))
    }
}
