//! All that hold what several hold: to remove it from one of them frees nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::choose::{Choice, Together};
use super::role::Role;
use crate::error::Result;
use crate::graph::NodeId;
use crate::heap::NONE;

/// One that refers to less of what is shared than this, in percent, is not named.
const SHARE: u64 = 5;
/// So many are named.
const MOST: usize = 8;

/// What refers to a member of what several hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sources {
    /// Only leaked objects of this holder, or of others that are reported as one with it.
    One(u32),
    /// Others.
    Several,
}

/// What refers to the members of something chosen.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Referrer {
    /// Its index.
    chosen: u32,
    owner: NodeId,
}

/// So many of them it refers to.
struct Counted {
    referrer: Referrer,
    count: u64,
}

impl Choice<'_> {
    /// Finds, for all that was chosen as shared, what else refers to it. Looks at every reference once.
    pub(super) fn find_all_that_share(&mut self) -> Result<()> {
        if !self.chosen.iter().any(|it| it.shared) {
            return Ok(());
        }
        let graph = self.leak_tree.graph;
        let mut chosen_of = vec![NONE; graph.len() as usize];
        for (index, chosen) in self.chosen.iter().enumerate() {
            for member in &chosen.members {
                chosen_of[*member] = index as u32;
            }
        }
        let within = self.members_above(&chosen_of)?;
        let mut sources: BTreeMap<NodeId, Sources> = BTreeMap::new();
        let mut counts: HashMap<Referrer, u64, RandomState> = HashMap::default();
        for node in graph.nodes_below_top() {
            self.ticks.tick()?;
            let mut last = None;
            for member in graph.successors(node) {
                self.ticks.tick()?;
                let index = chosen_of[member];
                // one that refers to a member twice counts once, where the references follow each other
                if index == NONE
                    || last == Some(member)
                    || within[node] == member
                    || !self.chosen[index as usize].shared
                {
                    continue;
                }
                last = Some(member);
                let is_leaked = self.leak_tree.is_leaked(node);
                let source = match within[node] {
                    above if is_leaked && above != NodeId::NONE => Sources::One(chosen_of[above]),
                    _ => Sources::Several,
                };
                let known = sources.entry(member).or_insert(source);
                *known = self.joined(*known, source);
                let referrer = if is_leaked { self.referrer(node)? } else { node };
                if referrer < graph.top() {
                    let referrer = Referrer {
                        chosen: index,
                        owner: self.owners.of(referrer)?,
                    };
                    *counts.entry(referrer).or_default() += 1;
                }
            }
        }
        self.name_sharers(counts);
        self.give_back(&sources)
    }

    /// By node: the member of a holder that it is, or that dominates it; none is below another one.
    fn members_above(&mut self, chosen_of: &[u32]) -> Result<Vec<NodeId>> {
        let mut within = vec![NodeId::NONE; chosen_of.len()];
        for node in self.leak_tree.tree.order() {
            self.ticks.tick()?;
            if chosen_of[*node] != NONE {
                within[*node] = *node;
            } else if let Some(above) = self.leak_tree.tree.of(*node) {
                within[*node] = within[above];
            }
        }
        Ok(within)
    }

    fn joined(&self, one: Sources, other: Sources) -> Sources {
        let (Sources::One(one_index), Sources::One(other_index)) = (one, other) else {
            return Sources::Several;
        };
        let [first, second] = [one_index, other_index].map(|index| &self.chosen[index as usize]);
        let is_one = first.role == second.role && (first.node == second.node || first.role == Role::Threads);
        if is_one { one } else { Sources::Several }
    }

    fn name_sharers(&mut self, counts: HashMap<Referrer, u64, RandomState>) {
        let mut all: Vec<Counted> = counts
            .into_iter()
            .map(|(referrer, count)| Counted { referrer, count })
            .collect();
        all.sort_unstable_by_key(|it| (it.referrer.chosen, Reverse(it.count), it.referrer.owner));
        for of_chosen in all.chunk_by(|one, two| one.referrer.chosen == two.referrer.chosen) {
            let chosen = &mut self.chosen[of_chosen[0].referrer.chosen as usize];
            let least = chosen.members.len() as u64 * SHARE;
            chosen.together = of_chosen
                .iter()
                .map(|it| Together {
                    owner: it.referrer.owner,
                    count: it.count,
                })
                .filter(|it| it.owner != chosen.owner && it.count * 100 >= least)
                .take(MOST)
                .collect();
        }
    }

    /// What only leaked objects of one holder refer to is that one's: a scope that two of its blocks share.
    fn give_back(&mut self, sources: &BTreeMap<NodeId, Sources>) -> Result<()> {
        let mut given = vec![Vec::new(); self.chosen.len()];
        for chosen in self.chosen.iter_mut().filter(|it| it.shared) {
            chosen.members.retain(|member| match sources.get(member) {
                Some(Sources::One(index)) => {
                    given[*index as usize].push(*member);
                    false
                }
                _ => true,
            });
            chosen.own = chosen.members.len();
        }
        for (chosen, members) in self.chosen.iter_mut().zip(given) {
            if members.is_empty() && !chosen.shared {
                continue;
            }
            chosen.members.extend(members);
            chosen.leaked = self.leak_tree.topmost(&chosen.members, &mut self.ticks)?;
        }
        self.chosen.retain(|it| !it.members.is_empty());
        Ok(())
    }
}
