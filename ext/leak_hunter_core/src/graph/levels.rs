//! The level of every object: by which kind of path the roots lead to it.
//!
//! Some references rarely are the reason why an object is alive: those from the machine stack, which is scanned
//! conservatively, from the VM's inline caches, which repeat what constants refer to, from tables of allocation tracing,
//! and from LeakHunter itself. They have low priority: they count only for objects that no other reference leads to.

use std::sync::Arc;

use super::search::Search;
use super::{Graph, NodeId, RootCategory};
use crate::error::Result;
use crate::heap::{Heap, Internal, Kind, Root, Type};
use crate::ids::{Address, ObjectId};
use crate::progress::Progress;

/// By how meaningful a path roots lead to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// From roots, without references of low priority.
    Strong,
    /// Only from stacks, from caches of the VM, or from tools: low priority.
    LowPriority,
    /// Only from finalizers: from Ruby 3.4 on, dumps have no root for them.
    Finalizers,
    /// From no root: garbage that is not collected yet.
    Unreachable,
}

impl Level {
    /// All levels, the best first.
    pub const ALL: [Self; 4] = [
        Self::Strong,
        Self::LowPriority,
        Self::Finalizers,
        Self::Unreachable,
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Strong => "strong",
            Self::LowPriority => "low_priority",
            Self::Finalizers => "finalizers",
            Self::Unreachable => "unreachable",
        }
    }
}

pub(super) const UNSEEN: u8 = u8::MAX;

#[derive(Clone, Debug)]
pub(super) struct Category {
    pub(super) root: Root,
    pub(super) level: Level,
}

/// Which objects' references have low priority.
#[derive(Clone, Debug)]
pub(super) struct LowPriorityKinds {
    by_birth: Vec<Priority>,
    /// LeakHunter's own classes and modules, ascending.
    own: Vec<ObjectId>,
}

/// What is known by an object's kind.
#[derive(Clone, Copy, Debug)]
enum Priority {
    Usual,
    /// Low, and not even a reason to be kept alive: a cache, a table of tracing, LeakHunter's own.
    Tool,
    /// Low, and yet it keeps what it refers to: what has a stack of its own.
    Execution,
    /// Of a class or module: low if it is LeakHunter's.
    OfClass,
}

impl LowPriorityKinds {
    fn of(heap: &Heap) -> Self {
        let mut own: Vec<ObjectId> = heap
            .classes()
            .named_under(OURS)
            .filter_map(|address| heap.find(address))
            .collect();
        own.sort_unstable();
        let mut classes = OwnClasses::of(heap);
        let by_kind = heap.all_kinds().iter().map(|kind| match kind.type_ {
            _ if is_of_the_vm_or_ours(heap, kind, &mut classes) => match kind.internal {
                Internal::Thread | Internal::Execution => Priority::Execution,
                _ => Priority::Tool,
            },
            Type::Class | Type::Module if !own.is_empty() => Priority::OfClass,
            _ => Priority::Usual,
        });
        let by_kind: Vec<Priority> = by_kind.collect();
        Self {
            by_birth: heap.by_birth(|kind| by_kind[kind.index()]),
            own,
        }
    }

    #[inline]
    pub(super) fn has(&self, heap: &Heap, object: ObjectId) -> bool {
        match self.by_birth.get(heap.birth_number(object).index()) {
            Some(Priority::Tool | Priority::Execution) => true,
            Some(Priority::OfClass) => self.own.binary_search(&object).is_ok(),
            Some(Priority::Usual) | None => false,
        }
    }

    /// Whether what such an object holds says nothing: not even that it is kept alive.
    #[inline]
    pub(super) fn is_tool(&self, heap: &Heap, object: ObjectId) -> bool {
        match self.by_birth.get(heap.birth_number(object).index()) {
            Some(Priority::Execution) => false,
            _ => self.has(heap, object),
        }
    }
}

/// LeakHunter's own namespace.
const OURS: &str = "LeakHunter";

/// Whether objects of this kind rarely are the reason why what they refer to is alive. `classes` has what was found of
/// the names of classes: there are many more kinds.
fn is_of_the_vm_or_ours(heap: &Heap, kind: &Kind, classes: &mut OwnClasses) -> bool {
    match (kind.internal, kind.type_) {
        (Internal::InlineCache | Internal::CallCacheTable, _) => true,
        (Internal::Thread | Internal::Execution | Internal::Tracing, _) => true,
        (_, Type::Imemo) => false,
        _ => {
            let by_class = kind
                .class()
                .and_then(|class| classes.has(heap, class, kind.class_number));
            by_class.unwrap_or_else(|| heap.label_of_kind(kind).is_some_and(is_ours))
        }
    }
}

fn is_ours(name: &str) -> bool {
    name.strip_prefix(OURS)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether classes are LeakHunter's, each asked for once.
struct OwnClasses {
    /// By object that is a class; `None` where that was not asked yet. The inner one: where it has no name.
    known: Vec<Option<Option<bool>>>,
}

impl OwnClasses {
    fn of(heap: &Heap) -> Self {
        Self {
            known: vec![None; heap.len() as usize],
        }
    }

    /// `None` of a class without a name.
    fn has(&mut self, heap: &Heap, class: Address, number: ObjectId) -> Option<bool> {
        let ask = || heap.classes().name(class).map(|name| is_ours(&name));
        match self.known.get_mut(number.index()) {
            Some(known) => *known.get_or_insert_with(ask),
            None => ask(),
        }
    }
}

impl Graph {
    /// Finds how every object is reached.
    pub fn new(heap: Arc<Heap>, progress: &Progress) -> Result<Self> {
        let mut graph = Self::unsearched(heap);
        let mut levels = vec![UNSEEN; graph.heap.len() as usize];
        graph.reach_everything(Search::new(&mut levels, progress), |_, _| {})?;
        graph.levels = levels;
        Ok(graph)
    }

    /// The graph and its [`Self::parents`], by one search, of a graph that was not searched yet.
    pub(crate) fn with_parents(self, progress: &Progress) -> Result<WithParents> {
        let mut graph = self;
        let mut levels = vec![UNSEEN; graph.heap.len() as usize];
        // the categories that are made on the way have their places behind
        let mut parents = vec![NodeId::NONE; graph.heap.len() as usize];
        let search = Search::for_paths(&graph, &mut levels, progress);
        graph.reach_everything(search, |parent, child| parents[child] = parent)?;
        parents.resize(graph.top().get() as usize, graph.top());
        parents.push(NodeId::NONE);
        graph.levels = levels;
        Ok(WithParents { graph, parents })
    }

    /// The graph with the categories that the heap has, and no levels yet.
    pub(crate) fn unsearched(heap: Arc<Heap>) -> Self {
        let category = |root: &Root| Category {
            root: root.clone(),
            level: match RootCategory::of(&root.category) {
                RootCategory::MachineContext => Level::LowPriority,
                _ => Level::Strong,
            },
        };
        Self {
            categories: heap.roots().iter().map(category).collect(),
            levels: Vec::new(),
            low_priority: LowPriorityKinds::of(&heap),
            heap,
        }
    }

    /// Reaches everything once, and makes categories for what Ruby's own do not lead to.
    fn reach_everything(
        &mut self,
        mut search: Search<'_>,
        mut reached: impl FnMut(NodeId, ObjectId),
    ) -> Result<()> {
        search.reach_from_roots(self, &mut reached)?;
        let finalizers = RootCategory::Finalizers;
        let mut known = self.categories.iter();
        if !known.any(|it| it.root.category == finalizers.name()) {
            let unseen = |object: &ObjectId| search.levels[*object] == UNSEEN;
            let hidden = |object: &ObjectId| {
                self.heap
                    .kind(*object)
                    .is_some_and(|kind| kind.type_ == Type::Array && kind.class.is_none())
            };
            let entries: Vec<ObjectId> = self.heap.objects().filter(unseen).filter(hidden).collect();
            self.add_category(finalizers, Level::Finalizers, entries);
            search.reach_from_category(self, self.categories.len() - 1, &mut reached)?;
        }
        let entries = search.unreachable(self)?;
        self.add_category(RootCategory::Unreachable, Level::Unreachable, entries);
        if search.shortest {
            search.forget(Level::Unreachable)?;
            search.reach_from_category(self, self.categories.len() - 1, &mut reached)?;
        }
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
    pub(crate) fn has_low_priority(&self, object: ObjectId) -> bool {
        self.low_priority.has(&self.heap, object)
    }

    /// The tree of shortest paths from the roots: every node's parent in it. Strong edges first.
    pub fn parents(&self, progress: &Progress) -> Result<Vec<NodeId>> {
        let mut levels = vec![UNSEEN; self.heap.len() as usize];
        let mut parents = vec![NodeId::NONE; self.len() as usize];
        for category in self.category_nodes() {
            parents[category] = self.top();
        }
        // A path over a closure, a method cache or a class does not explain why something is alive.
        let mut search = Search::for_paths(self, &mut levels, progress);
        search.reach_from_roots(self, |parent, child| parents[child] = parent)?;
        for index in self.heap.roots().len()..self.categories.len() {
            search.reach_from_category(self, index, |parent, child| parents[child] = parent)?;
        }
        Ok(parents)
    }
}

/// What [`Graph::with_parents`] finds.
pub(crate) struct WithParents {
    pub(crate) graph: Graph,
    pub(crate) parents: Vec<NodeId>,
}
