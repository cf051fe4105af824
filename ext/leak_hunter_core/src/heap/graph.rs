//! How every object is reached: from which roots, and how well.
//!
//! A node is an object, or behind those a category of roots, or the top above all categories. An edge is a reference of
//! a record, or an object's class. Some edges say little about why an object lives: the machine stack is scanned
//! conservatively, the VM's inline caches copy what constants hold, tracing has tables of its own, and so has
//! LeakHunter. They are postponed: they count only for what nothing better leads to. So each object has a level, and
//! **an edge is essential when it leads to its object at that object's level**. The same rule holds for successors,
//! predecessors, dominators and paths.

use std::sync::Arc;

use super::edges::{List, Pause};
use super::kinds::{Kind, NONE, Type};
use super::search::Search;
use super::{Heap, Root};
use crate::error::Result;
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
            .classes
            .named_under("LeakHunter")
            .filter_map(|address| heap.find(address))
            .collect();
        own.sort_unstable();
        let reach = Reach {
            categories: heap.roots.iter().map(category).collect(),
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

    /// The nodes that a node leads to by essential edges, as often as it does so.
    #[inline]
    pub fn successors(&self, node: Node) -> impl Iterator<Item = Node> + '_ {
        let successors = self.all_successors(node);
        let level = match node.checked_sub(self.heap.len()) {
            None => self.level_from(node),
            Some(index) => self
                .reach
                .categories
                .get(index as usize)
                .map_or(0, |it| it.level as u8),
        };
        let objects = self.heap.len();
        successors.filter(move |next| *next >= objects || self.level_to(*next) == level)
    }

    /// The objects that a node keeps alive, its class apart: all but what only caches, tools and the bare stack lead to.
    pub(crate) fn keeping_successors(&self, node: Node) -> impl Iterator<Item = u32> + '_ {
        let keeps = match node.checked_sub(self.heap.len()) {
            None => self.level_to(node) < Level::Unreachable as u8 && !self.is_tool(node),
            Some(index) => self
                .reach
                .categories
                .get(index as usize)
                .is_some_and(|category| category.level != Level::Postponed),
        };
        let mut successors = self.all_successors(node);
        successors.class = None;
        successors.filter(move |_| keeps)
    }

    /// A cache, a table of tracing, or LeakHunter's own; threads and fibers are postponed and yet keep what they hold.
    fn is_tool(&self, object: u32) -> bool {
        self.reach.levels[object as usize] & CACHES != 0
            && !matches!(
                self.heap.label(object),
                Some("VM/thread" | "fiber" | "VM/fiber" | "continuation")
            )
    }

    /// Goes on with an object's successors, up to one that `wanted` takes. `None` is where they begin: with the class.
    #[inline]
    pub(crate) fn resume(
        &self,
        object: u32,
        pause: Option<Pause>,
        wanted: impl Fn(&Node) -> bool,
    ) -> (Option<Node>, Pause) {
        let level = self.level_from(object);
        let essential = |next: &u32| self.level_to(*next) == level && wanted(next);
        let mut list = match pause {
            Some(pause) => self.heap.edges.resume(self.heap.places[object as usize], pause),
            None => {
                let list = self.heap.list(object);
                if let Some(class) = self.heap.class_of(object).filter(essential) {
                    return (Some(class), list.pause());
                }
                list
            }
        };
        let found = list.find(essential);
        (found, list.pause())
    }

    /// Goes on with the successors of a category or of the top after the first `done`. Tells how many are done then.
    pub(crate) fn resume_category(
        &self,
        node: Node,
        done: u32,
        wanted: impl Fn(&Node) -> bool,
    ) -> Option<(u32, Node)> {
        let Some(category) = self.reach.categories.get((node - self.heap.len()) as usize) else {
            let next = (self.heap.len() + done..self.top()).find(wanted)?;
            return Some((next - self.heap.len() + 1, next));
        };
        let essential = |next: &&u32| self.level_to(**next) == category.level as u8 && wanted(next);
        let rest = &category.root.references[done as usize..];
        let index = rest.iter().position(|next| essential(&next))?;
        Some((done + index as u32 + 1, rest[index]))
    }

    #[inline]
    pub(super) fn all_successors(&self, node: Node) -> Successors<'_> {
        match node.checked_sub(self.heap.len()) {
            None => Successors {
                class: self.heap.class_of(node),
                list: self.heap.list(node),
                others: [].iter(),
                categories: 0..0,
            },
            Some(index) => match self.reach.categories.get(index as usize) {
                Some(category) => Successors {
                    others: category.root.references.iter(),
                    ..Successors::none()
                },
                None => Successors {
                    categories: self.heap.len()..self.top(),
                    ..Successors::none()
                },
            },
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
        for index in self.heap.roots.len()..self.reach.categories.len() {
            search.reach_from_category(self, index, |parent, child| parents[child as usize] = parent)?;
        }
        Ok(parents)
    }
}

/// What a node leads to.
#[derive(Clone, Debug)]
pub(crate) struct Successors<'a> {
    pub(super) class: Option<u32>,
    list: List<'a>,
    others: std::slice::Iter<'a, u32>,
    categories: std::ops::Range<u32>,
}

impl Successors<'_> {
    fn none() -> Self {
        Self {
            class: None,
            list: List::empty(),
            others: [].iter(),
            categories: 0..0,
        }
    }
}

impl Iterator for Successors<'_> {
    type Item = Node;

    #[inline]
    fn next(&mut self) -> Option<Node> {
        self.class
            .take()
            .or_else(|| self.list.next())
            .or_else(|| self.others.next().copied())
            .or_else(|| self.categories.next())
    }
}

/// Whether what an object of this kind refers to is held by something better, as a rule.
fn is_postponed(heap: &Heap, kind: &Kind) -> bool {
    let label = heap.kinds.text(kind.label).unwrap_or("");
    match kind.type_ {
        Type::Imemo => matches!(label, "constcache" | "callcache" | "callinfo" | "cvar_entry"),
        Type::Data if matches!(label, "VM/thread" | "fiber" | "VM/fiber" | "continuation") => true,
        Type::Data if label.starts_with("ObjectTracing/") => true,
        _ => heap
            .class_name_of_kind(kind)
            .is_some_and(|name| name == "LeakHunter" || name.starts_with("LeakHunter::")),
    }
}
