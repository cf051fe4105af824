//! Age profiles: when what each holder keeps was born, and how long its collections were.
//!
//! A holder keeps what its object dominates, except for what holders further down keep. Of a class, of roots, and of what
//! several hold together, only what was born since the first moment counts: they keep the program itself, too.

mod keepers;
mod parts;
mod sums;

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use self::keepers::{Below, Keeper, Share};
use self::parts::Parts;
use self::sums::{LevelSums, Profile, add};
use super::merge::Merged;
use super::past::Past;
use crate::error::Result;
use crate::graph::{Dominators, Graph, NodeId, Ticks};
use crate::heap::{Heap, NONE, Type};
use crate::ids::{KindId, ObjectId};
use crate::progress::Progress;
use crate::verdict::{Births, History, Judgement};

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
    let one_in = past.one_in(None);
    let history = |profile: Profile| History {
        levels: profile
            .levels
            .into_iter()
            .map(|level| level.into_level(one_in))
            .collect(),
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
                let lengths = self.past.lengths(self.heap(), collection);
                if self.is_standing(collection, &lengths)? {
                    let deeper = (depth + 1).min(LEVELS);
                    depths[*node] = deeper;
                    self.collection(holder, deeper, collection, lengths)?;
                }
            }
        }
        Ok(())
    }

    /// Whether it was born since the first moment.
    fn is_young(&self, node: NodeId) -> bool {
        let object = self.graph.object(node);
        object.is_some_and(|object| self.past.window(object).is_some_and(|window| window > 0))
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
    fn is_standing(&mut self, collection: ObjectId, lengths: &[Option<u64>]) -> Result<bool> {
        let born = match self.past.window(collection) {
            None | Some(0) => return Ok(true),
            Some(window) => window,
        };
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
            None if self.past.one_in(None).is_some() => {
                self.level(holder, depth).not_sampled += 1;
                return;
            }
            None => &mut self.profiles[holder as usize].untimed,
        };
        let one = Births {
            count: 1,
            bytes: memsize,
        };
        add(births, &one);
    }

    /// Adds a collection to a level.
    fn collection(
        &mut self,
        holder: u32,
        depth: u8,
        collection: ObjectId,
        lengths: Vec<Option<u64>>,
    ) -> Result<()> {
        if depth > 0 && lengths.contains(&None) {
            // one that was not there, or is not known to have been
            return Ok(());
        }
        let mut entries = vec![0; self.past.moments() + 1];
        let mut untimed = 0;
        let mut stand_for = 0.0;
        for entry in self.heap().references(collection) {
            self.ticks.tick()?;
            match self.past.window(entry) {
                Some(window) => {
                    entries[window] += 1;
                    stand_for += self.past.one_in(Some(entry)).unwrap_or(1.0);
                }
                None => untimed += 1,
            }
        }
        let level = self.level(holder, depth);
        level.stand_for += stand_for;
        level.add_lengths(lengths);
        level.untimed_entries += untimed;
        for (sum, count) in level.entries.iter_mut().zip(entries) {
            *sum += count;
        }
        Ok(())
    }
}
