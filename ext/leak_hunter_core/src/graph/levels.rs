//! How every object is reached: from which roots, and how well.
//!
//! Some edges say little about why an object lives: the machine stack is scanned conservatively, the VM's inline caches
//! copy what constants hold, tracing has tables of its own, and so has LeakHunter. They have low priority: they count
//! only for what nothing better leads to.

use std::sync::Arc;

use super::search::Search;
use super::{CHECK_EVERY, Graph, NodeId, RootCategory};
use crate::error::Result;
use crate::heap::{Heap, Kind, Root, Type, is_vm_cache};
use crate::ids::ObjectId;
use crate::progress::Progress;

/// How well an object is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// From roots, by references that mean something.
    Strong,
    /// Only from stacks, from caches of the VM, or from tools: low priority.
    Postponed,
    /// Only from finalizers: from Ruby 3.4 on, dumps have no root for them.
    Finalizers,
    /// From nowhere: garbage that was not collected yet.
    Unreachable,
}

pub(super) const LEVELS: [Level; 4] = [
    Level::Strong,
    Level::Postponed,
    Level::Finalizers,
    Level::Unreachable,
];
pub(super) const UNSEEN: u8 = u8::MAX;
/// Beside an object's level: its references have low priority.
pub(super) const CACHES: u8 = 1 << 7;

/// Labels of what has a stack of its own.
pub(super) const EXECUTIONS: [&str; 4] = ["VM/thread", "fiber", "VM/fiber", "continuation"];

#[derive(Clone, Debug)]
pub(super) struct Category {
    pub(super) root: Root,
    pub(super) level: Level,
}

/// Which objects' references have low priority.
#[derive(Clone, Debug)]
pub(super) struct LowPriority {
    by_kind: Vec<bool>,
    /// LeakHunter's own classes and modules, ascending.
    own: Vec<ObjectId>,
}

impl LowPriority {
    fn of(heap: &Heap) -> Self {
        let mut own: Vec<ObjectId> = heap
            .classes()
            .named_under("LeakHunter")
            .filter_map(|address| heap.find(address))
            .collect();
        own.sort_unstable();
        let by_kind = heap
            .all_kinds()
            .iter()
            .map(|kind| is_of_the_vm_or_ours(heap, kind));
        Self {
            by_kind: by_kind.collect(),
            own,
        }
    }

    #[inline]
    pub(super) fn has(&self, heap: &Heap, object: ObjectId) -> bool {
        match heap.kind_number(object) {
            Some(kind) => {
                self.by_kind[kind.index()]
                    || (!self.own.is_empty()
                        && matches!(heap.all_kinds()[kind.index()].type_, Type::Class | Type::Module)
                        && self.own.binary_search(&object).is_ok())
            }
            None => false,
        }
    }
}

/// Whether what an object of this kind refers to is held by something better, as a rule.
fn is_of_the_vm_or_ours(heap: &Heap, kind: &Kind) -> bool {
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

impl Graph {
    /// Finds how every object is reached.
    pub fn new(heap: Arc<Heap>, progress: &Progress) -> Result<Self> {
        let category = |root: &Root| Category {
            root: root.clone(),
            level: match RootCategory::of(&root.category) {
                RootCategory::MachineContext => Level::Postponed,
                _ => Level::Strong,
            },
        };
        let mut graph = Self {
            categories: heap.roots().iter().map(category).collect(),
            levels: Vec::new(),
            low_priority: LowPriority::of(&heap),
            heap,
        };
        let mut levels = vec![UNSEEN; graph.heap.len() as usize];
        graph.add_synthetic(&mut levels, progress)?;
        for (object, level) in graph.heap.objects().zip(&mut levels) {
            if object.index() % CHECK_EVERY == 0 {
                progress.check()?;
            }
            if graph.has_low_priority(object) {
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
        let finalizers = RootCategory::Finalizers;
        let mut known = self.categories.iter();
        if !known.any(|it| it.root.category == finalizers.name()) {
            let unseen = |object: &ObjectId| search.levels[*object] == UNSEEN;
            let hidden = |object: &ObjectId| {
                self.heap
                    .kind(*object)
                    .is_some_and(|kind| kind.type_ == Type::Array && kind.class == 0)
            };
            let entries: Vec<ObjectId> = self.heap.objects().filter(unseen).filter(hidden).collect();
            self.add_category(finalizers, Level::Finalizers, entries);
            search.reach_from_category(self, self.categories.len() - 1, |_, _| {})?;
        }
        let entries = search.unreachable(self)?;
        self.add_category(RootCategory::Unreachable, Level::Unreachable, entries);
        Ok(())
    }

    fn add_category(&mut self, category: RootCategory, level: Level, references: Vec<ObjectId>) {
        let root = Root {
            category: category.name().into(),
            references,
        };
        self.categories.push(Category { root, level });
    }

    /// Whether an object's references have low priority.
    #[inline]
    pub(super) fn has_low_priority(&self, object: ObjectId) -> bool {
        self.low_priority.has(&self.heap, object)
    }

    /// The tree of shortest paths from the roots: every node's parent in it. Strong edges first.
    pub fn parents(&self, progress: &Progress) -> Result<Vec<NodeId>> {
        let mut levels = vec![UNSEEN; self.heap.len() as usize];
        let mut parents = vec![NodeId::NONE; self.len() as usize];
        for category in self.category_nodes() {
            parents[category] = self.top();
        }
        let mut search = Search::new(&mut levels, progress);
        // A path from an instance to its class is one, but tells nothing.
        search.shortest = true;
        search.reach_from_roots(self, |parent, child| parents[child] = parent)?;
        for index in self.heap.roots().len()..self.categories.len() {
            search.reach_from_category(self, index, |parent, child| parents[child] = parent)?;
        }
        Ok(parents)
    }
}
