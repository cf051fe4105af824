//! How every object is reached: from which roots, and how well.
//!
//! A node is an object, or behind those a category of roots, or the top above all categories. An edge is a reference of
//! a record, or an object's class. Some edges say little about why an object lives: the machine stack is scanned
//! conservatively, the VM's inline caches copy what constants hold, tracing has tables of its own, and so has
//! LeakHunter. They are postponed: they count only for what nothing better leads to. So each object has a level, and
//! **an edge is essential when it leads to its object at that object's level**. The same rule holds for successors,
//! predecessors, dominators and paths.

#[cfg(test)]
mod derived_tests;
mod dominated;
mod dominators;
mod paths;
mod preorder;
mod referrers;
mod search;
mod successors;
mod summary;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

pub use self::dominated::Dominated;
pub use self::dominators::{Dominators, dominators};
pub use self::paths::{Edge, Step, edge, path};
pub use self::referrers::Referrers;
use self::search::Search;
use crate::error::Result;
use crate::heap::{Heap, Kind, NONE, Root, Type, is_vm_cache};
use crate::progress::Progress;

/// Number of an object, of a category of roots, or of the top.
pub type Node = u32;

/// How well an object is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// From roots, by references that mean something.
    Strong,
    /// Only from stacks, from caches of the VM, or from tools.
    Postponed,
    /// Only from finalizers: from Ruby 3.4 on, dumps have no root for them.
    Finalizers,
    /// From nowhere: garbage that was not collected yet.
    Unreachable,
}

const LEVELS: [Level; 4] = [
    Level::Strong,
    Level::Postponed,
    Level::Finalizers,
    Level::Unreachable,
];
pub(super) const UNSEEN: u8 = u8::MAX;
/// Beside an object's level: its references are postponed.
const CACHES: u8 = 1 << 7;
/// Nodes between two looks at whether to go on.
pub(crate) const CHECK_EVERY: usize = if cfg!(test) { 16 } else { 1 << 15 };

/// Roots by stacks: scanned without knowing what is a reference.
const STACK: &str = "machine_context";
/// Labels of what has a stack of its own.
const EXECUTIONS: [&str; 4] = ["VM/thread", "fiber", "VM/fiber", "continuation"];
const FINALIZERS: &str = "finalizers";
/// Made here, of what Ruby's own roots do not lead to.
pub(crate) const UNREACHABLE: &str = "unreachable";

#[derive(Clone, Debug)]
struct Category {
    root: Root,
    level: Level,
}

/// A heap with its roots, and the level of every object.
#[derive(Clone, Debug)]
pub struct Graph<'a> {
    heap: &'a Heap,
    reach: Reach,
}

/// What was found of a heap to make its [`Graph`]. It borrows nothing and is cheap to copy, so it can be kept beside the
/// heap.
#[derive(Clone, Debug)]
pub struct Reach {
    categories: Arc<[Category]>,
    /// And whether references are postponed.
    levels: Arc<[u8]>,
    /// By kind.
    postponed: Arc<[bool]>,
    /// LeakHunter's own classes and modules, ascending.
    own: Arc<[u32]>,
}

impl Reach {
    /// Bytes it takes.
    pub fn memory(&self) -> usize {
        let roots: usize = self
            .categories
            .iter()
            .map(|it| it.root.references.len() * 4)
            .sum();
        roots + self.levels.len() + self.postponed.len() + self.own.len() * 4
    }
}

impl<'a> Graph<'a> {
    /// Finds how every object is reached.
    pub fn new(heap: &'a Heap, progress: &Progress) -> Result<Self> {
        let category = |root: &Root| Category {
            root: root.clone(),
            level: if root.category == STACK {
                Level::Postponed
            } else {
                Level::Strong
            },
        };
        let mut own: Vec<u32> = heap
            .classes()
            .named_under("LeakHunter")
            .filter_map(|address| heap.find(address))
            .collect();
        own.sort_unstable();
        let reach = Reach {
            categories: heap.roots().iter().map(category).collect(),
            levels: Arc::default(),
            postponed: heap
                .all_kinds()
                .iter()
                .map(|kind| is_postponed(heap, kind))
                .collect(),
            own: own.into(),
        };
        let mut graph = Self { heap, reach };
        let mut levels = vec![UNSEEN; heap.len() as usize];
        graph.add_synthetic(&mut levels, progress)?;
        for (object, level) in levels.iter_mut().enumerate() {
            if object % CHECK_EVERY == 0 {
                progress.check()?;
            }
            if graph.is_postponed(object as u32) {
                *level |= CACHES;
            }
        }
        graph.reach.levels = levels.into();
        Ok(graph)
    }

    /// The graph again, of the same heap.
    pub fn of(heap: &'a Heap, reach: Reach) -> Self {
        Self { heap, reach }
    }

    /// What to make the graph of again.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Reaches everything once, and makes categories for what Ruby's own do not lead to.
    fn add_synthetic(&mut self, levels: &mut [u8], progress: &Progress) -> Result<()> {
        let mut search = Search::new(levels, progress);
        search.reach_from_roots(self, |_, _| {})?;
        let heap = self.heap;
        if !self
            .reach
            .categories
            .iter()
            .any(|category| category.root.category == FINALIZERS)
        {
            let unseen = |number: &u32| search.levels[*number as usize] == UNSEEN;
            let hidden = |number: &u32| {
                heap.kind(*number)
                    .is_some_and(|kind| kind.type_ == Type::Array && kind.class == 0)
            };
            let entries: Vec<u32> = (0..heap.len()).filter(unseen).filter(hidden).collect();
            self.add_category(FINALIZERS, Level::Finalizers, entries);
            search.reach_from_category(self, self.reach.categories.len() - 1, |_, _| {})?;
        }
        let entries = search.unreachable(self)?;
        self.add_category(UNREACHABLE, Level::Unreachable, entries);
        Ok(())
    }

    fn add_category(&mut self, name: &str, level: Level, references: Vec<u32>) {
        let root = Root {
            category: name.into(),
            references,
        };
        let all = self.reach.categories.iter().cloned();
        self.reach.categories = all.chain([Category { root, level }]).collect();
    }

    /// The heap it is of.
    pub fn heap(&self) -> &'a Heap {
        self.heap
    }

    /// Number of nodes.
    pub fn len(&self) -> u32 {
        self.top() + 1
    }

    /// There is always the top.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The node above all categories.
    pub fn top(&self) -> Node {
        self.heap.len() + self.reach.categories.len() as u32
    }

    /// Whether the node is an object.
    pub fn is_object(&self, node: Node) -> bool {
        node < self.heap.len()
    }

    /// The name of a category of roots; `None` of objects and the top.
    pub fn category(&self, node: Node) -> Option<&str> {
        let index = node.checked_sub(self.heap.len())? as usize;
        Some(&self.reach.categories.get(index)?.root.category)
    }

    pub(super) fn category_count(&self) -> usize {
        self.reach.categories.len()
    }

    pub(super) fn level_of_category(&self, index: usize) -> Level {
        self.reach.categories[index].level
    }

    /// How well an object is reached.
    pub fn level(&self, object: u32) -> Level {
        LEVELS[usize::from(self.level_to(object)).min(LEVELS.len() - 1)]
    }

    /// Number of objects that no root leads to.
    pub fn unreachable(&self) -> u64 {
        self.reach
            .levels
            .iter()
            .filter(|level| **level & !CACHES == Level::Unreachable as u8)
            .count() as u64
    }

    /// The level at which an object's references lead on.
    #[inline]
    fn level_from(&self, object: u32) -> u8 {
        let level = self.reach.levels[object as usize];
        if level & CACHES == 0 {
            level
        } else {
            (level & !CACHES).max(Level::Postponed as u8)
        }
    }

    /// The level at which references lead to an object.
    #[inline]
    fn level_to(&self, object: u32) -> u8 {
        self.reach.levels[object as usize] & !CACHES
    }

    #[inline]
    pub(super) fn is_postponed(&self, object: u32) -> bool {
        match self.heap.kind_number(object) {
            Some(kind) => {
                self.reach.postponed[kind]
                    || (!self.reach.own.is_empty()
                        && matches!(self.heap.all_kinds()[kind].type_, Type::Class | Type::Module)
                        && self.reach.own.binary_search(&object).is_ok())
            }
            None => false,
        }
    }

    /// The shortest way to every object: its parent on the way from the top. Strong edges first.
    pub fn parents(&self, progress: &Progress) -> Result<Vec<Node>> {
        let mut levels = vec![UNSEEN; self.heap.len() as usize];
        let mut parents = vec![NONE; self.len() as usize];
        // By way of an instance to its class is a way, but none that tells anything.
        for category in self.heap.len()..self.top() {
            parents[category as usize] = self.top();
        }
        let mut search = Search::new(&mut levels, progress);
        search.shortest = true;
        search.reach_from_roots(self, |parent, child| parents[child as usize] = parent)?;
        for index in self.heap.roots().len()..self.reach.categories.len() {
            search.reach_from_category(self, index, |parent, child| parents[child as usize] = parent)?;
        }
        Ok(parents)
    }
}

/// Whether what an object of this kind refers to is held by something better, as a rule.
fn is_postponed(heap: &Heap, kind: &Kind) -> bool {
    let label = heap.label_of_kind(kind).unwrap_or("");
    match kind.type_ {
        type_ if is_vm_cache(type_, label) => true,
        Type::Imemo => false,
        Type::Data if EXECUTIONS.contains(&label) => true,
        Type::Data if label.starts_with("ObjectTracing/") => true,
        _ => heap
            .class_name_of_kind(kind)
            .is_some_and(|name| name == "LeakHunter" || name.starts_with("LeakHunter::")),
    }
}
