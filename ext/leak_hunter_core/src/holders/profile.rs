//! Age profiles: when what each holder keeps was born, and how long its collections were.
//!
//! A holder keeps what its object dominates, except for what holders further down keep. Of a class, of roots, and of what
//! several hold together, only what was born since the first moment counts: they keep the program itself, too.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::choose::Chosen;
use super::merge::Merged;
use super::past::Past;
use super::role::Role;
use crate::error::Result;
use crate::graph::{Dominators, Graph, NodeId, Ticks};
use crate::heap::{Heap, Internal, NONE, Type};
use crate::ids::{Address, KindId, ObjectId};
use crate::progress::Progress;
use crate::verdict::{Births, History, Judgement, Level};

/// Collections inside collections are told apart so deep; what is deeper counts as that.
const LEVELS: u8 = 6;

/// When what a holder keeps was born, and what that says.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) history: History,
    pub(super) judgement: Judgement,
}

/// One for each of `merged`.
pub(super) fn of_all(
    graph: &Graph,
    tree: &Dominators,
    parents: &[NodeId],
    merged: &[Merged<'_>],
    past: &dyn Past,
    progress: &Progress,
) -> Result<Vec<Judged>> {
    let work = past.work();
    let history = |profile: Profile| History {
        levels: profile.levels.into_iter().map(LevelSums::into_level).collect(),
        work: work.clone(),
        untimed: profile.untimed,
    };
    let parts = Parts::of(merged, past, graph);
    let mut profiles = Vec::new();
    if past.moments() > 0 {
        let mut all = Profiles::new(graph, tree, parents, parts.len(), past, progress);
        all.run(merged, &parts)?;
        profiles = all.profiles;
    }
    profiles.resize_with(parts.len(), Profile::default);
    let mut profiles = profiles.into_iter();
    let judged = parts.by_row.iter().map(|parts| {
        let mut whole = Profile::default();
        let mut each = Vec::new();
        for profile in profiles.by_ref().take(parts.len()) {
            whole.add(&profile);
            each.push(history(profile));
        }
        let whole = history(whole);
        Judged {
            judgement: whole.judge_together(&each),
            history: whole,
        }
    });
    Ok(judged.collect())
}

/// Which of the holders of a row is which part of it: those that people know by one object are one. Those that are as new
/// as what they hold are one, too: threads that never end.
#[derive(Debug, Default)]
struct Parts {
    /// By row: its parts.
    by_row: Vec<std::ops::Range<usize>>,
    /// By row, for each that was chosen: its part.
    of_chosen: Vec<Vec<u32>>,
}

impl Parts {
    fn of(merged: &[Merged<'_>], past: &dyn Past, graph: &Graph) -> Self {
        let mut parts = Self::default();
        for merged in merged {
            let first = parts.len();
            let mut next = first as u32;
            let mut known: HashMap<Option<NodeId>, u32, RandomState> = HashMap::default();
            let of_chosen = merged.all.iter().map(|chosen| {
                let owner = graph.object(chosen.owner);
                let is_new = owner.is_some_and(|it| past.window(it).is_some_and(|window| window > 0));
                *known.entry((!is_new).then_some(chosen.owner)).or_insert_with(|| {
                    next += 1;
                    next - 1
                })
            });
            parts.of_chosen.push(of_chosen.collect());
            parts.by_row.push(first..next as usize);
        }
        parts
    }

    fn len(&self) -> usize {
        self.by_row.last().map_or(0, |row| row.end)
    }

    /// All that was chosen, with its part.
    fn each<'a>(&'a self, merged: &'a [Merged<'a>]) -> impl Iterator<Item = (u32, &'a Chosen)> + 'a {
        let rows = self.of_chosen.iter().zip(merged);
        rows.flat_map(|(parts, merged)| parts.iter().copied().zip(merged.all.iter().copied()))
    }
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

impl Profile {
    fn add(&mut self, other: &Self) {
        for (depth, level) in other.levels.iter().enumerate() {
            match self.levels.get_mut(depth) {
                Some(sums) => sums.add(level),
                None => self.levels.push(level.clone()),
            }
        }
        add(&mut self.untimed, &other.untimed);
    }
}

fn add(sum: &mut Births, births: &Births) {
    sum.count = sum.count.saturating_add(births.count);
    sum.bytes = sum.bytes.saturating_add(births.bytes);
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
#[derive(Clone, Debug)]
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

    fn add(&mut self, other: &Self) {
        for (sum, births) in self.births.iter_mut().zip(&other.births) {
            add(sum, births);
        }
        if let Some(lengths) = &other.lengths {
            self.add_lengths(lengths.clone());
        }
        for (sum, count) in self.entries.iter_mut().zip(&other.entries) {
            *sum += count;
        }
        self.untimed_entries += other.untimed_entries;
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
    /// By node that leaked, or that only what leaked refers to: the holder that accounts for it.
    of_member: Vec<u32>,
    /// By what is above and the object that is nearest to the roots: the holder, of those that several hold.
    shared: HashMap<Below, u32, RandomState>,
    /// By the object that several holders are, and what they hold there: the holder; [`NONE`] where more than one holds
    /// that.
    by_kind: HashMap<Share, u32, RandomState>,
    /// By class and allocation site of living threads that leaked: the holder, which is these threads; [`NONE`] where there
    /// are several.
    of_thread: HashMap<KindId, u32, RandomState>,
    /// By young node that several hold: the nearest holder on the path from the roots.
    nearest: HashMap<Below, u32, RandomState>,
}

impl<'a> Profiles<'a> {
    fn new(
        graph: &'a Graph,
        tree: &'a Dominators,
        parents: &'a [NodeId],
        holders: usize,
        past: &'a dyn Past,
        progress: &'a Progress,
    ) -> Self {
        Self {
            graph,
            tree,
            parents,
            past,
            ticks: Ticks::new(progress),
            profiles: (0..holders).map(|_| Profile::default()).collect(),
            of_member: vec![NONE; graph.len() as usize],
            shared: HashMap::default(),
            by_kind: HashMap::default(),
            of_thread: HashMap::default(),
            nearest: HashMap::default(),
        }
    }

    fn heap(&self) -> &'a Heap {
        self.graph.heap()
    }

    fn run(&mut self, merged: &[Merged<'_>], parts: &Parts) -> Result<()> {
        let mut keepers = self.keepers(merged, parts)?;
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
            let Some(holder) = kept_by else { continue };
            let depth = match keepers[above] == Keeper::Holder(holder) {
                true => depths[above],
                false => 0,
            };
            let object = self.graph.object(*node);
            if let Some(object) = object {
                self.count(holder, depth, object);
            }
            if keepers[*node] != Keeper::Nobody {
                continue;
            }
            keepers[*node] = Keeper::Holder(holder);
            depths[*node] = depth;
            let candidate = object.filter(|it| !own.contains(node) && self.is_collection(*it));
            if let Some(collection) = candidate {
                if self.is_standing(collection)? {
                    let deeper = (depth + 1).min(LEVELS);
                    depths[*node] = deeper;
                    self.collection(holder, deeper, collection)?;
                }
            }
        }
        Ok(())
    }

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
    fn keepers(&mut self, merged: &[Merged<'_>], parts: &Parts) -> Result<Vec<Keeper>> {
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
                self.collection(holder, 0, collection)?;
            }
        }
        Ok(keepers)
    }

    fn kept_by(&mut self, node: NodeId, above: NodeId, keeper: Keeper) -> Result<Option<u32>> {
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

    /// Whether a collection was there at every moment, or has changed since the moment that followed its birth: else it
    /// came as it is, and is part of what it is in.
    fn is_standing(&mut self, collection: ObjectId) -> Result<bool> {
        let born = match self.past.window(collection) {
            None | Some(0) => return Ok(true),
            Some(window) => window,
        };
        let lengths = self.past.lengths(self.heap(), collection);
        let since = lengths.get(born..).unwrap_or_default();
        if since.len() < 2 || since.contains(&None) {
            return Ok(false);
        }
        if since.iter().any(|length| *length != since[0]) {
            return Ok(true);
        }
        for entry in self.heap().references(collection) {
            self.ticks.tick()?;
            if self.past.window(entry).is_some_and(|window| window > born) {
                return Ok(true);
            }
        }
        Ok(false)
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
        let one = Births {
            count: 1,
            bytes: memsize,
        };
        add(births, &one);
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
