//! Age profiles: when what each holder keeps was born, and how long its collections were.
//!
//! A holder keeps what its object dominates, except for what holders further down keep. Of a class, of roots, and of what
//! several hold together, only what was born since the first moment counts: they keep the program itself, too.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::merge::Merged;
use super::past::Past;
use crate::error::Result;
use crate::graph::{Dominators, Graph, NodeId, Ticks};
use crate::heap::{Heap, NONE, Type};
use crate::ids::{Address, ObjectId};
use crate::progress::Progress;
use crate::verdict::{Births, History, Level};

/// Collections inside collections are told apart so deep; what is deeper counts as that.
const LEVELS: u8 = 6;

/// One for each of `merged`.
pub(super) fn of_all(
    graph: &Graph,
    tree: &Dominators,
    parents: &[NodeId],
    merged: &[Merged<'_>],
    past: &dyn Past,
    progress: &Progress,
) -> Result<Vec<History>> {
    if past.moments() == 0 {
        return Ok(vec![History::default(); merged.len()]);
    }
    let mut profiles = Profiles::new(graph, tree, parents, merged, past, progress);
    profiles.run(merged)?;
    let work = past.work();
    let history = |profile: Profile| History {
        levels: profile.levels.into_iter().map(LevelSums::into_level).collect(),
        work: work.clone(),
        untimed: profile.untimed,
    };
    Ok(profiles.profiles.into_iter().map(history).collect())
}

/// Whose a node's children in the dominator tree are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeper {
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

#[derive(Debug, Default)]
struct Profile {
    levels: Vec<LevelSums>,
    untimed: Births,
}

/// What an object is, as far as holders of one node differ in what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct What {
    type_: Type,
    class: Option<Address>,
}

/// A node, below what several holders have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Below {
    above: NodeId,
    node: NodeId,
}

/// What an object that is several holders holds as one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Share {
    of: NodeId,
    what: What,
}

/// Sums over the collections at one depth.
#[derive(Debug)]
struct LevelSums {
    births: Vec<Births>,
    /// `None` until there is a collection.
    lengths: Option<Vec<Option<u64>>>,
    entries: Vec<u64>,
    untimed_entries: u64,
}

impl LevelSums {
    fn new(moments: usize) -> Self {
        Self {
            births: vec![Births::default(); moments + 1],
            lengths: None,
            entries: vec![0; moments + 1],
            untimed_entries: 0,
        }
    }

    fn add_lengths(&mut self, lengths: Vec<Option<u64>>) {
        self.lengths = Some(match self.lengths.take() {
            None => lengths,
            Some(sums) => sums
                .into_iter()
                .zip(lengths)
                .map(|(sum, length)| Some(sum?.saturating_add(length?)))
                .collect(),
        });
    }

    fn into_level(self) -> Level {
        let timed: u64 = self.entries.iter().sum();
        let has_entries = self.lengths.is_some() && self.untimed_entries <= timed;
        Level {
            births: self.births,
            lengths: self.lengths.unwrap_or_default(),
            entries: has_entries.then_some(self.entries),
        }
    }
}

struct Profiles<'a> {
    graph: &'a Graph,
    tree: &'a Dominators,
    parents: &'a [NodeId],
    past: &'a dyn Past,
    ticks: Ticks<'a>,
    profiles: Vec<Profile>,
    /// By what is above and the object that is nearest to the roots: the holder, of those that several hold.
    shared: HashMap<Below, u32, RandomState>,
    /// By the object that several holders are, and what they hold there: the holder; [`NONE`] where more than one holds
    /// that.
    by_kind: HashMap<Share, u32, RandomState>,
    /// By object that leaked, of such holders: the holder.
    by_member: HashMap<NodeId, u32, RandomState>,
    /// By young node that several hold: the nearest holder on the path from the roots.
    nearest: HashMap<Below, u32, RandomState>,
}

impl<'a> Profiles<'a> {
    fn new(
        graph: &'a Graph,
        tree: &'a Dominators,
        parents: &'a [NodeId],
        merged: &[Merged<'_>],
        past: &'a dyn Past,
        progress: &'a Progress,
    ) -> Self {
        Self {
            graph,
            tree,
            parents,
            past,
            ticks: Ticks::new(progress),
            profiles: merged.iter().map(|_| Profile::default()).collect(),
            shared: HashMap::default(),
            by_kind: HashMap::default(),
            by_member: HashMap::default(),
            nearest: HashMap::default(),
        }
    }

    fn heap(&self) -> &'a Heap {
        self.graph.heap()
    }

    fn run(&mut self, merged: &[Merged<'_>]) -> Result<()> {
        let mut keepers = self.keepers(merged)?;
        let all = merged.iter().flat_map(|merged| &merged.all);
        let own: HashSet<NodeId, RandomState> = all.map(|chosen| chosen.node).collect();
        // by node: how many collections are between its children and the holder
        let mut depths = vec![0u8; self.graph.len() as usize];
        for node in self.tree.order() {
            self.ticks.tick()?;
            let Some(above) = self.tree.of(*node) else {
                continue;
            };
            let kept_by = self.kept_by(*node, above, keepers[above])?;
            let object = self.graph.object(*node);
            if let Some((holder, object)) = kept_by.zip(object) {
                self.count(holder, depths[above], object);
            }
            if keepers[*node] != Keeper::Nobody {
                continue;
            }
            let Some(holder) = kept_by else { continue };
            keepers[*node] = Keeper::Holder(holder);
            depths[*node] = depths[above];
            if let Some(collection) = object.filter(|object| !own.contains(node) && self.is_standing(*object))
            {
                let depth = (depths[above] + 1).min(LEVELS);
                depths[*node] = depth;
                self.collection(holder, depth, collection)?;
            }
        }
        Ok(())
    }

    /// The nodes that more than one holder is.
    fn split_nodes(&mut self, merged: &[Merged<'_>]) -> Result<HashSet<NodeId, RandomState>> {
        let mut holders: HashMap<NodeId, u32, RandomState> = HashMap::default();
        let mut split = HashSet::default();
        for (index, merged) in merged.iter().enumerate() {
            for chosen in merged.all.iter().filter(|chosen| !chosen.shared) {
                self.ticks.tick()?;
                if *holders.entry(chosen.node).or_insert(index as u32) != index as u32 {
                    split.insert(chosen.node);
                }
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
    fn keepers(&mut self, merged: &[Merged<'_>]) -> Result<Vec<Keeper>> {
        let mut keepers = vec![Keeper::Nobody; self.graph.len() as usize];
        let split = self.split_nodes(merged)?;
        for (index, merged) in merged.iter().enumerate() {
            let holder = index as u32;
            self.level(holder, 0);
            for chosen in &merged.all {
                self.ticks.tick()?;
                if chosen.shared {
                    let above = chosen.members.first().and_then(|member| self.tree.of(*member));
                    let above = above.unwrap_or(self.graph.top());
                    let below = |node| Below { above, node };
                    self.shared.insert(below(chosen.node), holder);
                    for other in &chosen.together {
                        self.shared.entry(below(other.owner)).or_insert(holder);
                    }
                    keepers[above] = Keeper::Several;
                    if let Some(collection) = self
                        .graph
                        .object(chosen.node)
                        .filter(|it| self.is_collection(*it))
                    {
                        self.collection(holder, 0, collection)?;
                    }
                    continue;
                }
                if split.contains(&chosen.node) {
                    for member in &chosen.members {
                        self.ticks.tick()?;
                        self.by_member.insert(*member, holder);
                        if let Some(what) = self.what(*member) {
                            let of = chosen.node;
                            let first = *self.by_kind.entry(Share { of, what }).or_insert(holder);
                            if first != holder {
                                self.by_kind.insert(Share { of, what }, NONE);
                            }
                        }
                    }
                    keepers[chosen.node] = Keeper::ByKind;
                    continue;
                }
                // all of a list is kept by its first node, and what a Proc keeps by the Proc
                let around = match self.graph.is_object(chosen.owner) {
                    true if keepers[chosen.owner] == Keeper::Nobody => chosen.owner,
                    _ => chosen.node,
                };
                keepers[around] = match self.graph.object(around) {
                    Some(object) if !self.is_class(object) => Keeper::Holder(holder),
                    _ => Keeper::Young(holder),
                };
                if let Some(collection) = self
                    .graph
                    .object(chosen.node)
                    .filter(|it| self.is_collection(*it))
                {
                    self.collection(holder, 0, collection)?;
                }
            }
        }
        Ok(keepers)
    }

    fn kept_by(&mut self, node: NodeId, above: NodeId, keeper: Keeper) -> Result<Option<u32>> {
        Ok(match keeper {
            Keeper::Nobody => None,
            Keeper::Holder(holder) => Some(holder),
            Keeper::Young(holder) => self.is_young(node).then_some(holder),
            Keeper::ByKind => {
                if let Some(holder) = self.by_member.get(&node) {
                    return Ok(Some(*holder));
                }
                let what = self.what(node).filter(|_| self.is_young(node));
                let known = what.and_then(|what| self.by_kind.get(&Share { of: above, what }).copied());
                known.filter(|holder| *holder != NONE)
            }
            Keeper::Several if self.is_young(node) => self.nearest_holder(node, above)?,
            Keeper::Several => None,
        })
    }

    /// Whether it was born since the first moment.
    fn is_young(&self, node: NodeId) -> bool {
        let object = self.graph.object(node);
        object.is_some_and(|object| self.past.window(object).is_some_and(|window| window > 0))
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

    fn is_class(&self, object: ObjectId) -> bool {
        let kind = self.heap().kind(object);
        kind.is_some_and(|kind| matches!(kind.type_, Type::Class | Type::Module | Type::IClass))
    }

    fn is_collection(&self, object: ObjectId) -> bool {
        let kind = self.heap().kind(object);
        kind.is_some_and(|kind| matches!(kind.type_, Type::Array | Type::Hash))
    }

    /// Whether it is a collection that was there at every moment.
    fn is_standing(&self, object: ObjectId) -> bool {
        self.is_collection(object) && self.past.window(object).is_none_or(|window| window == 0)
    }

    fn level(&mut self, holder: u32, depth: u8) -> &mut LevelSums {
        let moments = self.past.moments();
        let levels = &mut self.profiles[holder as usize].levels;
        while levels.len() <= usize::from(depth) {
            levels.push(LevelSums::new(moments));
        }
        &mut levels[usize::from(depth)]
    }

    /// Adds an object that a holder keeps.
    fn count(&mut self, holder: u32, depth: u8, object: ObjectId) {
        let memsize = self.heap().memsize(object);
        let births = match self.past.window(object) {
            Some(window) => &mut self.level(holder, depth).births[window],
            None => &mut self.profiles[holder as usize].untimed,
        };
        births.count += 1;
        births.bytes = births.bytes.saturating_add(memsize);
    }

    /// Adds a collection to a level.
    fn collection(&mut self, holder: u32, depth: u8, collection: ObjectId) -> Result<()> {
        let lengths = self.past.lengths(self.heap(), collection);
        if depth > 0 && lengths.contains(&None) {
            // one that was not there, or is not known to have been
            return Ok(());
        }
        let mut entries = vec![0; self.past.moments() + 1];
        let mut untimed = 0;
        for entry in self.heap().references(collection) {
            self.ticks.tick()?;
            match self.past.window(entry) {
                Some(window) => entries[window] += 1,
                None => untimed += 1,
            }
        }
        let level = self.level(holder, depth);
        level.add_lengths(lengths);
        level.untimed_entries += untimed;
        for (sum, count) in level.entries.iter_mut().zip(entries) {
            *sum += count;
        }
        Ok(())
    }
}
