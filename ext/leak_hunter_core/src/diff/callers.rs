//! Through which callers what leaked was allocated, and what became of the rest that the same line allocated.

use std::cmp::Reverse;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::gem;
use crate::heap::stacks::{method_of, path_of};
use crate::heap::{Stack, Stacks};
use crate::ids::StackId;

/// As many stacks as are reported of a group.
const SHOWN: usize = 10;

/// The stacks through which objects of a group's lines were allocated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callers {
    /// Those whose objects stayed, most first, then those through which most died.
    pub shown: Vec<Caller>,
    /// How many stacks there are.
    pub stacks: u64,
    /// Objects of the group that came through them.
    pub stayed: u64,
    /// Objects of any class that they allocated and that are gone.
    pub died: u64,
}

/// A stack through which objects were allocated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its frames as in a backtrace, the one that allocates first.
    pub frames: Vec<String>,
    /// The application's own methods among them, the outermost first.
    pub through: Vec<String>,
    /// Objects of the group.
    pub stayed: u64,
    /// Objects of any class that it allocated and that are gone.
    pub died: u64,
}

/// How many of a group's objects came through each stack.
pub(super) type StayedByStack = HashMap<StackId, u64, RandomState>;

/// All stacks, by the line that allocates.
pub(super) struct StacksBySite<'a> {
    stacks: &'a Stacks,
    by_site: HashMap<&'a str, OfSite, RandomState>,
}

#[derive(Default)]
struct OfSite {
    /// Those through which most died first.
    rows: Vec<u32>,
    died: u64,
}

impl<'a> StacksBySite<'a> {
    pub(super) fn of(stacks: &'a Stacks) -> Self {
        let mut by_site: HashMap<&str, OfSite, RandomState> = HashMap::default();
        for stack in stacks.iter() {
            let of_site = by_site.entry(stack.site()).or_default();
            of_site.rows.push(stack.row);
            of_site.died = of_site.died.saturating_add(stack.died());
        }
        for of_site in by_site.values_mut() {
            let died = |row: &u32| stacks.at(*row).map_or(0, |stack| stack.died());
            of_site.rows.sort_by_cached_key(|row| (Reverse(died(row)), *row));
        }
        Self { stacks, by_site }
    }

    /// What is reported of a group. Time is linear in the stacks that its own objects have.
    pub(super) fn callers(&self, stayed: &StayedByStack) -> Callers {
        let mut by_row: HashMap<u32, OwnStack<'_>, RandomState> = HashMap::default();
        for (id, stayed) in stayed {
            if let Some(stack) = self.stacks.get(*id) {
                by_row
                    .entry(stack.row)
                    .or_insert(OwnStack { stack, stayed: 0 })
                    .stayed += *stayed;
            }
        }
        let mut own: Vec<&OwnStack<'_>> = by_row.values().collect();
        own.sort_by_key(|it| (Reverse(it.stayed), Reverse(it.stack.died()), it.stack.row));
        let mut sites: Vec<&str> = own.iter().map(|it| it.stack.site()).collect();
        sites.sort_unstable();
        sites.dedup();
        let of_sites: Vec<&OfSite> = sites.iter().filter_map(|site| self.by_site.get(site)).collect();
        let mut others: Vec<Stack<'_>> = of_sites
            .iter()
            .flat_map(|of_site| {
                let others = of_site.rows.iter().filter(|row| !by_row.contains_key(row));
                others.take(SHOWN)
            })
            .filter_map(|row| self.stacks.at(*row))
            .collect();
        others.sort_by_key(|stack| (Reverse(stack.died()), stack.row));
        let shown = own.iter().map(|it| caller(&it.stack, it.stayed));
        let shown = shown.chain(others.iter().map(|stack| caller(stack, 0)));
        Callers {
            shown: shown.take(SHOWN).collect(),
            stacks: of_sites.iter().map(|it| it.rows.len() as u64).sum(),
            stayed: own.iter().map(|it| it.stayed).sum(),
            died: of_sites
                .iter()
                .fold(0, |sum: u64, it| sum.saturating_add(it.died)),
        }
    }
}

/// Whether it says nothing: the top level of a file, or LeakHunter itself.
fn is_no_caller(method: &str) -> bool {
    ["<", "LeakHunter.", "LeakHunter::"]
        .iter()
        .any(|start| method.starts_with(start))
}

/// A stack that some of a group's objects have.
struct OwnStack<'a> {
    stack: Stack<'a>,
    stayed: u64,
}

fn caller(stack: &Stack<'_>, stayed: u64) -> Caller {
    let frames: Vec<String> = stack.frames().map(Into::into).collect();
    let mut through: Vec<String> = Vec::new();
    for frame in frames.iter().rev() {
        let is_own = gem::of_path(path_of(frame)).as_deref() == Some(gem::APP);
        let method = method_of(frame).filter(|method| is_own && !is_no_caller(method));
        if let Some(method) = method.filter(|method| through.last().is_none_or(|last| last != method)) {
            through.push(method.into());
        }
    }
    Caller {
        frames,
        through,
        stayed,
        died: stack.died(),
    }
}
