//! What is computed of a heap, each analysis when it is first needed.

use std::sync::Arc;

use super::lazy::Lazy;
use super::{Dominated, Dominators, Graph, NodeId, Referrers, Step, dominators, path};
use crate::error::Result;
use crate::export::Named;
use crate::heap::Heap;
use crate::ids::ObjectId;
use crate::progress::Progress;

/// A heap and the analyses of it. Each is computed once, by the first thread that asks; others wait for it. All can be
/// cancelled.
///
/// ```
/// use std::sync::Arc;
///
/// use leak_hunter_core::Progress;
/// use leak_hunter_core::graph::Analyses;
/// use leak_hunter_core::heap::{HeapBuilder, Object};
/// use leak_hunter_core::ids::{Address, ObjectId};
///
/// // an Array of 40 bytes that the roots lead to, and a String of 100 in it
/// let [at_array, at_string] = [0x10, 0x20].map(Address::new);
/// let mut builder = HeapBuilder::new([at_array, at_string])?;
/// builder.root("vm", vec![at_array]);
/// let array = Object { address: at_array, kind: b"ARRAY"[..].into(), memsize: 40, ..Object::default() };
/// let string = Object { address: at_string, kind: b"STRING"[..].into(), memsize: 100, ..Object::default() };
/// let heap = builder.build_from([(array, vec![at_string]), (string, vec![])])?;
///
/// let analyses = Analyses::new(Arc::new(heap));
/// let progress = Progress::default();
/// let dominators = analyses.dominators(&progress)?;
/// let [array, string] = [0, 1].map(ObjectId::new);
/// assert_eq!(dominators.of(string), Some(array.into()));
/// assert_eq!(dominators.retained(array), 140);
/// assert_eq!(analyses.path_to(string, &progress)?.len(), 3);
/// # Ok::<(), leak_hunter_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Analyses {
    heap: Arc<Heap>,
    graph: Lazy<Graph>,
    parents: Lazy<Vec<NodeId>>,
    dominators: Lazy<Dominators>,
    dominated: Lazy<Dominated>,
    referrers: Lazy<Referrers>,
    named: Lazy<Named>,
}

impl Analyses {
    /// Computes nothing yet.
    pub fn new(heap: Arc<Heap>) -> Self {
        Self {
            heap,
            graph: Lazy::default(),
            parents: Lazy::default(),
            dominators: Lazy::default(),
            dominated: Lazy::default(),
            referrers: Lazy::default(),
            named: Lazy::default(),
        }
    }

    /// What is analysed.
    pub fn heap(&self) -> &Arc<Heap> {
        &self.heap
    }

    /// How every object is reached.
    pub fn graph(&self, progress: &Progress) -> Result<Arc<Graph>> {
        self.graph
            .get(progress, || Graph::new(Arc::clone(&self.heap), progress))
    }

    /// The tree of shortest paths from the roots.
    pub fn parents(&self, progress: &Progress) -> Result<Arc<Vec<NodeId>>> {
        let graph = self.graph(progress)?;
        self.parents.get(progress, || graph.parents(progress))
    }

    /// The dominator tree and retained sizes.
    pub fn dominators(&self, progress: &Progress) -> Result<Arc<Dominators>> {
        let graph = self.graph(progress)?;
        self.dominators.get(progress, || dominators(&graph, progress))
    }

    /// The dominator tree downwards.
    pub fn dominated(&self, progress: &Progress) -> Result<Arc<Dominated>> {
        let dominators = self.dominators(progress)?;
        self.dominated.get(progress, || Ok(Dominated::new(&dominators)))
    }

    /// The references reversed.
    pub fn referrers(&self, progress: &Progress) -> Result<Arc<Referrers>> {
        self.referrers
            .get(progress, || Referrers::new(&self.heap, progress))
    }

    /// The objects that constants and variables hold.
    pub fn named(&self, progress: &Progress) -> Result<Arc<Named>> {
        self.named.get(progress, || Ok(Named::new(&self.heap)))
    }

    /// The shortest path from the roots to an object.
    pub fn path_to(&self, object: ObjectId, progress: &Progress) -> Result<Vec<Step>> {
        let parents = self.parents(progress)?;
        path(&*self.graph(progress)?, &parents, object.into(), progress)
    }

    /// Bytes that the heap takes, and the analyses that are there.
    pub fn memory(&self) -> usize {
        let sizes = [
            self.graph.peek().map(|it| it.memory()),
            self.parents.peek().map(|it| it.len() * size_of::<NodeId>()),
            self.dominators.peek().map(|it| it.memory()),
            self.dominated.peek().map(|it| it.memory()),
            self.referrers.peek().map(|it| it.memory()),
            self.named.peek().map(|it| it.memory()),
        ];
        self.heap.memory() + sizes.into_iter().flatten().sum::<usize>()
    }
}
