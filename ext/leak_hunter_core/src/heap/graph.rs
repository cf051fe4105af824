//! How every object is reached: from which roots, and how well.
//!
//! A node is an object, or behind those a category of roots, or the top above all categories. An edge is a reference of
//! a record, or an object's class. Some edges say little about why an object lives: the machine stack is scanned
//! conservatively, the VM's inline caches copy what constants hold, tracing has tables of its own, and so has
//! LeakHunter. They are postponed: they count only for what nothing better leads to. So each object has a level, and
//! **an edge is essential when it leads to its object at that object's level**. The same rule holds for successors,
//! predecessors, dominators and paths.

use super::edges::{List, Pause};
use super::kinds::{Kind, NONE, Type};
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
const UNSEEN: u8 = u8::MAX;
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
#[derive(Debug)]
pub struct Graph<'a> {
    heap: &'a Heap,
    categories: Vec<Category>,
    /// And whether references are postponed.
    levels: Vec<u8>,
    /// By kind.
    postponed: Vec<bool>,
    /// LeakHunter's own classes and modules, ascending.
    own: Vec<u32>,
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
        let mut graph = Self {
            heap,
            categories: heap.roots.iter().map(category).collect(),
            levels: Vec::new(),
            postponed: heap
                .all_kinds()
                .iter()
                .map(|kind| is_postponed(heap, kind))
                .collect(),
            own,
        };
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
        graph.levels = levels;
        Ok(graph)
    }

    /// Reaches everything once, and makes categories for what Ruby's own do not lead to.
    fn add_synthetic(&mut self, levels: &mut [u8], progress: &Progress) -> Result<()> {
        let mut search = Search::new(levels, progress);
        search.reach_from_roots(self, |_, _| {})?;
        let heap = self.heap;
        if !self
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
            search.reach_from_category(self, self.categories.len() - 1, |_, _| {})?;
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
        self.categories.push(Category { root, level });
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
        self.heap.len() + self.categories.len() as u32
    }

    /// Whether the node is an object.
    pub fn is_object(&self, node: Node) -> bool {
        node < self.heap.len()
    }

    /// The name of a category of roots; `None` of objects and the top.
    pub fn category(&self, node: Node) -> Option<&str> {
        let index = node.checked_sub(self.heap.len())? as usize;
        Some(&self.categories.get(index)?.root.category)
    }

    /// How well an object is reached.
    pub fn level(&self, object: u32) -> Level {
        LEVELS[usize::from(self.level_to(object)).min(LEVELS.len() - 1)]
    }

    /// Number of objects that no root leads to.
    pub fn unreachable(&self) -> u64 {
        self.levels
            .iter()
            .filter(|level| **level & !CACHES == Level::Unreachable as u8)
            .count() as u64
    }

    /// The level at which an object's references lead on.
    #[inline]
    fn level_from(&self, object: u32) -> u8 {
        let level = self.levels[object as usize];
        if level & CACHES == 0 {
            level
        } else {
            (level & !CACHES).max(Level::Postponed as u8)
        }
    }

    /// The level at which references lead to an object.
    #[inline]
    fn level_to(&self, object: u32) -> u8 {
        self.levels[object as usize] & !CACHES
    }

    #[inline]
    fn is_postponed(&self, object: u32) -> bool {
        match self.heap.kind_number(object) {
            Some(kind) => {
                self.postponed[kind]
                    || (!self.own.is_empty()
                        && matches!(self.heap.all_kinds()[kind].type_, Type::Class | Type::Module)
                        && self.own.binary_search(&object).is_ok())
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
            Some(index) => self.categories.get(index as usize).map_or(0, |it| it.level as u8),
        };
        let objects = self.heap.len();
        successors.filter(move |next| *next >= objects || self.level_to(*next) == level)
    }

    /// The objects that a node keeps alive, its class apart: all but what only caches, tools and the bare stack lead to.
    pub(crate) fn keeping_successors(&self, node: Node) -> impl Iterator<Item = u32> + '_ {
        let keeps = match node.checked_sub(self.heap.len()) {
            None => self.level_to(node) < Level::Unreachable as u8 && !self.is_tool(node),
            Some(index) => self
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
        self.levels[object as usize] & CACHES != 0
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
        let Some(category) = self.categories.get((node - self.heap.len()) as usize) else {
            let next = (self.heap.len() + done..self.top()).find(wanted)?;
            return Some((next - self.heap.len() + 1, next));
        };
        let essential = |next: &&u32| self.level_to(**next) == category.level as u8 && wanted(next);
        let rest = &category.root.references[done as usize..];
        let index = rest.iter().position(|next| essential(&next))?;
        Some((done + index as u32 + 1, rest[index]))
    }

    #[inline]
    fn all_successors(&self, node: Node) -> Successors<'_> {
        match node.checked_sub(self.heap.len()) {
            None => Successors {
                class: self.heap.class_of(node),
                list: self.heap.list(node),
                others: [].iter(),
                categories: 0..0,
            },
            Some(index) => match self.categories.get(index as usize) {
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
        for index in self.heap.roots.len()..self.categories.len() {
            search.reach_from_category(self, index, |parent, child| parents[child as usize] = parent)?;
        }
        Ok(parents)
    }
}

/// What a node leads to.
#[derive(Clone, Debug)]
pub(crate) struct Successors<'a> {
    class: Option<u32>,
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

/// A search that reaches every object once, by the best edges first and of those by the shortest way.
struct Search<'a> {
    levels: &'a mut [u8],
    queue: Vec<u32>,
    /// Objects reached whose references have to wait.
    waiting: Vec<u32>,
    /// Whether the shortest way is wanted, and none over a class where another leads there. Otherwise the order does not
    /// matter, and what was reached last goes first: that takes less memory.
    shortest: bool,
    /// Objects whose classes have to wait.
    instances: Vec<u32>,
    progress: &'a Progress,
}

impl<'a> Search<'a> {
    fn new(levels: &'a mut [u8], progress: &'a Progress) -> Self {
        Self {
            levels,
            queue: Vec::new(),
            waiting: Vec::new(),
            shortest: false,
            instances: Vec::new(),
            progress,
        }
    }

    fn reach_from_roots(&mut self, graph: &Graph<'_>, mut reached: impl FnMut(Node, u32)) -> Result<()> {
        for index in 0..graph.categories.len() {
            if graph.categories[index].level == Level::Strong {
                self.reach_all(
                    graph,
                    graph.heap.len() + index as u32,
                    Level::Strong,
                    &mut reached,
                );
            }
        }
        self.run(graph, Level::Strong, &mut reached)?;
        // What a thread or a cache holds has a more telling way than the bare stack.
        for (index, object) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            if index % CHECK_EVERY == 0 {
                self.progress.check()?;
            }
            self.reach_all(graph, object, Level::Postponed, &mut reached);
        }
        self.run(graph, Level::Postponed, &mut reached)?;
        for index in 0..graph.categories.len() {
            if graph.categories[index].level == Level::Postponed {
                self.reach_from_category(graph, index, &mut reached)?;
            }
        }
        Ok(())
    }

    fn reach_from_category(
        &mut self,
        graph: &Graph<'_>,
        index: usize,
        mut reached: impl FnMut(Node, u32),
    ) -> Result<()> {
        let level = graph.categories[index].level;
        self.reach_all(graph, graph.heap.len() + index as u32, level, &mut reached);
        self.run(graph, level, reached)
    }

    fn reach_all(
        &mut self,
        graph: &Graph<'_>,
        node: Node,
        level: Level,
        reached: &mut impl FnMut(Node, u32),
    ) {
        let mut successors = graph.all_successors(node);
        if self.shortest {
            let class = successors.class.take();
            if class.is_some_and(|class| self.levels[class as usize] == UNSEEN) {
                self.instances.push(node);
            }
        }
        for next in successors {
            self.reach(node, next, level, reached);
        }
    }

    #[inline]
    fn reach(&mut self, node: Node, next: u32, level: Level, reached: &mut impl FnMut(Node, u32)) {
        let known = &mut self.levels[next as usize];
        if *known == UNSEEN {
            *known = level as u8;
            reached(node, next);
            self.queue.push(next);
        }
    }

    fn run(&mut self, graph: &Graph<'_>, level: Level, mut reached: impl FnMut(Node, u32)) -> Result<()> {
        loop {
            self.run_queue(graph, level, &mut reached)?;
            if self.instances.is_empty() {
                return Ok(());
            }
            for (index, instance) in std::mem::take(&mut self.instances).into_iter().enumerate() {
                if index % CHECK_EVERY == 0 {
                    self.progress.check()?;
                }
                if let Some(class) = graph.heap.class_of(instance) {
                    self.reach(instance, class, level, &mut reached);
                }
            }
        }
    }

    fn run_queue(
        &mut self,
        graph: &Graph<'_>,
        level: Level,
        reached: &mut impl FnMut(Node, u32),
    ) -> Result<()> {
        let mut done = 0;
        for step in 1usize.. {
            if step % CHECK_EVERY == 0 {
                self.progress.check()?;
                // what was handled is let go, so that the queue is never as long as the heap is large
                self.queue.drain(..done);
                done = 0;
            }
            let next = match self.shortest {
                true => self.queue.get(done).copied(),
                false => self.queue.pop(),
            };
            let Some(object) = next else { break };
            done += usize::from(self.shortest);
            if level == Level::Strong && graph.is_postponed(object) {
                self.waiting.push(object);
            } else {
                self.reach_all(graph, object, level, reached);
            }
        }
        self.queue.clear();
        Ok(())
    }

    /// Where to start so that everything is reached: what nothing refers to, and one object of each circle.
    fn unreachable(&mut self, graph: &Graph<'_>) -> Result<Vec<u32>> {
        let objects = graph.heap.len();
        let mut referred = vec![0u64; objects.div_ceil(64) as usize];
        for object in 0..objects {
            if object as usize % CHECK_EVERY == 0 {
                self.progress.check()?;
            }
            if self.levels[object as usize] == UNSEEN {
                for next in graph.all_successors(object) {
                    if next != object {
                        referred[next as usize / 64] |= 1 << (next % 64);
                    }
                }
            }
        }
        let mut entries = Vec::new();
        for circles in [false, true] {
            for object in 0..objects {
                if object as usize % CHECK_EVERY == 0 {
                    self.progress.check()?;
                }
                let unseen = self.levels[object as usize] == UNSEEN;
                if unseen && (circles || referred[object as usize / 64] >> (object % 64) & 1 == 0) {
                    entries.push(object);
                    self.levels[object as usize] = Level::Unreachable as u8;
                    self.queue.push(object);
                    self.run(graph, Level::Unreachable, |_, _| {})?;
                }
            }
        }
        Ok(entries)
    }
}
