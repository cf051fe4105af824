//! Analyses of the references of a heap: how every object is reached, what keeps it alive, and by which paths.
//!
//! A node is an object, or behind those a category of roots, or the top above all categories. An edge is a reference of
//! a record, or an object's class. [`Graph`] gives every object a [`Level`] of reachability, and **an edge is essential
//! when it leads to its object at that object's level**. The same rule holds for successors, predecessors, dominators
//! and paths.
//!
//! | analysis | by | time | memory |
//! |---|---|---|---|
//! | [`Graph::new`]: levels | breadth-first search | nodes + edges | 1 byte an object |
//! | [`Graph::parents`]: shortest paths | breadth-first search | nodes + edges | 4 bytes a node |
//! | [`dominators`](mod@dominators) and retained sizes | Semi-NCA | see there | 16 bytes a node; at the peak 40, and 8 an edge from a later node |
//! | [`Dominated`]: the tree downwards | counting sort | nodes | 8 bytes a node |
//! | [`Referrers`]: the references reversed | counting sort | nodes + edges | 4 bytes an edge |
//!
//! ```
//! use std::sync::Arc;
//!
//! use leak_hunter_core::graph::{Graph, dominators, path};
//! use leak_hunter_core::ids::Address;
//! use leak_hunter_core::{Heap, Progress};
//!
//! let dump = tempfile::NamedTempFile::new()?;
//! std::fs::write(dump.path(), r#"{"type":"ROOT", "root":"vm", "references":["0x10"]}
//! {"address":"0x10", "type":"ARRAY", "generation":1, "references":["0x38"], "memsize":40}
//! {"address":"0x38", "type":"STRING", "generation":9, "memsize":100}
//! "#)?;
//! let progress = Progress::default();
//! let heap = Arc::new(Heap::load(dump.path(), Some(1), &progress)?);
//! let graph = Graph::new(Arc::clone(&heap), &progress)?;
//! let [array, string] = [0x10, 0x38].map(|address| heap.find(Address::new(address)));
//! let (array, string) = (array.ok_or("no Array")?, string.ok_or("no String")?);
//!
//! let tree = dominators(&graph, &progress)?;
//! assert!(tree.dominates(array.into(), string.into()));
//! assert_eq!(tree.retained(array), 140, "freed with the Array");
//!
//! let parents = graph.parents(&progress)?;
//! let steps = path(&graph, &parents, string.into(), &progress)?;
//! assert_eq!(steps.len(), 3, "the roots, the Array, the String");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod analyses;
mod behind;
#[cfg(test)]
mod derived_tests;
mod detours;
mod dominated;
mod dominators;
mod edge;
mod lazy;
mod levels;
mod path_finder;
#[cfg(test)]
mod path_tests;
mod paths;
mod preorder;
mod referrers;
mod root_category;
mod search;
mod successors;
mod summary;
#[cfg(test)]
pub(crate) mod tests;
mod ticks;

use std::sync::Arc;

pub use self::analyses::Analyses;
pub use self::dominated::Dominated;
pub(crate) use self::dominators::dominators_of;
pub use self::dominators::{Dominators, dominators};
pub use self::edge::{Edge, EdgeKind, NamedBy};
pub use self::levels::Level;
pub(crate) use self::levels::WithParents;
use self::levels::{Category, LowPriorityKinds};
pub(crate) use self::path_finder::{Length, PathFinder, PathNode};
pub(crate) use self::paths::{EdgeNames, is_pinned_list, is_whole_array, noted_name, variable_name};
pub use self::paths::{Step, path, references};
pub(crate) use self::preorder::DepthFirst;
pub use self::referrers::Referrers;
pub use self::root_category::RootCategory;
pub(crate) use self::ticks::{CHECK_EVERY, Ticks};
use crate::heap::Heap;

/// Number of an object, of a category of roots, or of the top.
pub use crate::ids::NodeId;
use crate::ids::ObjectId;

/// A heap with its roots, and the level of every object.
#[derive(Clone, Debug)]
pub struct Graph {
    heap: Arc<Heap>,
    categories: Vec<Category>,
    /// By object.
    levels: Vec<u8>,
    low_priority: LowPriorityKinds,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Object(ObjectId),
    /// One of the categories, by its index
    Category(usize),
    Top,
}

// Tables have a row for each of millions of objects.
const _: () = {
    assert!(size_of::<Level>() == 1);
    assert!(size_of::<PathNode>() == 8);
};

/// Analyses are shared between threads.
const _: fn() = || {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Heap>();
    is_shared::<Graph>();
    is_shared::<Dominators>();
    is_shared::<Analyses>();
};

impl Graph {
    /// The heap it is of.
    pub fn heap(&self) -> &Heap {
        &self.heap
    }

    /// Number of nodes.
    pub fn len(&self) -> u32 {
        self.top().get() + 1
    }

    /// There is always the top.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The node above all categories.
    pub fn top(&self) -> NodeId {
        NodeId::new(self.heap.len() + self.categories.len() as u32)
    }

    /// Whether the node is an object.
    pub fn is_object(&self, node: NodeId) -> bool {
        node.get() < self.heap.len()
    }

    /// The node as an object of the heap; `None` of categories and the top.
    pub fn object(&self, node: NodeId) -> Option<ObjectId> {
        match self.place(node) {
            Place::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The name of a category of roots; `None` of objects and the top.
    pub fn category(&self, node: NodeId) -> Option<&str> {
        match self.place(node) {
            Place::Category(index) => Some(&self.categories[index].root.category),
            _ => None,
        }
    }

    /// What a node is.
    #[inline]
    fn place(&self, node: NodeId) -> Place {
        match node.get().checked_sub(self.heap.len()) {
            None => Place::Object(ObjectId::new(node.get())),
            Some(index) if (index as usize) < self.categories.len() => Place::Category(index as usize),
            Some(_) => Place::Top,
        }
    }

    /// The node of a category.
    fn category_node(&self, index: usize) -> NodeId {
        NodeId::new(self.heap.len() + index as u32)
    }

    /// The nodes of the categories of roots.
    pub fn category_nodes(&self) -> impl ExactSizeIterator<Item = NodeId> + Clone + use<> {
        (self.heap.len()..self.top().get()).map(NodeId::new)
    }

    /// All nodes but the top.
    pub fn nodes_below_top(&self) -> impl ExactSizeIterator<Item = NodeId> + Clone + use<> {
        (0..self.top().get()).map(NodeId::new)
    }

    /// By how meaningful a path roots lead to an object.
    pub fn level(&self, object: ObjectId) -> Level {
        Level::ALL[usize::from(self.level_to(object)).min(Level::ALL.len() - 1)]
    }

    /// Number of objects that no root leads to.
    pub fn unreachable(&self) -> u64 {
        let unreachable = |level: &&u8| **level == Level::Unreachable as u8;
        self.levels.iter().filter(unreachable).count() as u64
    }

    /// The level at which an object's references lead on.
    #[inline]
    fn level_from(&self, object: ObjectId) -> u8 {
        let level = self.levels[object];
        match self.has_low_priority(object) {
            true => level.max(Level::LowPriority as u8),
            false => level,
        }
    }

    /// The level at which references lead to an object.
    #[inline]
    fn level_to(&self, object: ObjectId) -> u8 {
        self.levels[object]
    }

    /// Bytes it takes, without the heap.
    pub fn memory(&self) -> usize {
        let roots: usize = self.categories.iter().map(|it| it.root.objects().len() * 4).sum();
        roots + self.levels.len()
    }
}
