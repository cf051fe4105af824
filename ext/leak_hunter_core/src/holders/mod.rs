//! Who holds what leaked: the survivors of a diff, grouped by what keeps them alive.
//!
//! The dominators of everything that leaked form a tree. Going down from the roots, the walk ends where no single object
//! below still accounts for much: that is a holder, the collection that grows, as a rule. So each leaked object has one
//! holder, or is told to have none that alone keeps it ([`Kind::Shared`]).

mod choose;
mod face;
mod fingerprint;
mod retained;
#[cfg(test)]
mod tests;
mod view;

use std::cmp::Reverse;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use self::choose::LeakTree;
pub use self::retained::Retained;
use self::view::View;
use crate::error::Result;
use crate::graph::{Dominators, Edge, Graph, Node, Step, dominators};
use crate::heap::{Heap, Type, is_vm_cache};
use crate::progress::Progress;

/// What a holder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Array, Hash, Set, Queue …
    Collection,
    /// Proc, Method, Binding: what code captured.
    Closure,
    /// A class or module: its constants, instance variables and methods.
    Class,
    /// A thread: its locals and its stack.
    Thread,
    /// A fiber, or an enumerator, which has one.
    Fiber,
    /// Roots of Ruby's own: finalizers, `at_exit`, the VM.
    Root,
    /// Any other object.
    Object,
    /// No single object: this is one of several that hold.
    Shared,
}

impl Kind {
    /// The name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Collection => "collection",
            Self::Closure => "closure",
            Self::Class => "class",
            Self::Thread => "thread",
            Self::Fiber => "fiber",
            Self::Root => "root",
            Self::Object => "object",
            Self::Shared => "shared",
        }
    }
}

/// An object that leaked.
#[derive(Clone, Copy, Debug)]
pub struct Leaked {
    /// Its number in the heap.
    pub object: u32,
    /// The group of the report that it is in.
    pub group: u32,
}

/// One step of a path, for results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathStep {
    /// Address; `None` of a category of roots.
    pub address: Option<u64>,
    /// Class name, as in groups; of a class its own, of a category of roots that.
    pub class: Option<String>,
    /// Ruby's internal type, or `ROOT`.
    pub type_name: String,
    /// How the step before refers to it.
    pub edge: Edge,
}

impl PathStep {
    /// Tells a step in words.
    pub fn of(graph: &Graph<'_>, step: &Step) -> Self {
        let heap = graph.heap();
        if !graph.is_object(step.node) {
            return Self {
                address: None,
                class: graph.category(step.node).map(Into::into),
                type_name: "ROOT".into(),
                edge: step.edge.clone(),
            };
        }
        let address = heap.address(step.node);
        let is_class = heap
            .kind(step.node)
            .is_some_and(|kind| matches!(kind.type_, Type::Class | Type::Module));
        Self {
            address: Some(address),
            // of a class its own name, which is what a reader looks for
            class: match is_class {
                true => heap.classes().own_name(address),
                false => heap.class_name(step.node),
            },
            type_name: heap.type_name(step.node).into(),
            edge: step.edge.clone(),
        }
    }
}

/// What keeps leaked objects alive.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Address; `None` of roots.
    pub address: Option<u64>,
    /// Its class; of roots their category.
    pub class: Option<String>,
    /// What it is.
    pub kind: Kind,
    /// So many of the same kind, held in the same way, are told as one.
    pub alike: u64,
    /// Leaked objects that it accounts for.
    pub count: u64,
    /// Their bytes.
    pub memsize: u64,
    /// What letting go of them would free.
    pub retained: Retained,
    /// Elements of the collection in the three dumps, where they are known.
    pub lengths: [Option<u64>; 3],
    /// The collection they are of: the holder, or what the holder wraps.
    pub collection: Option<u64>,
    /// GC count at the holder's birth; `None` when that was not traced.
    pub generation: Option<u64>,
    /// Where the holder was made: file, line, method.
    pub site: (Option<String>, Option<u64>, Option<String>),
    /// Groups of the report, and how many of its objects are of each, most first.
    pub groups: Vec<(u32, u64)>,
    /// A few of the leaked objects.
    pub samples: Vec<u64>,
    /// From the roots to the holder and on to a leaked object.
    pub path: Vec<PathStep>,
    /// Index of the holder in `path`.
    pub position: usize,
    /// From the roots to an object of other groups, of the largest ones.
    pub other_paths: Vec<Vec<PathStep>>,
    /// The same in every run, worker and Ruby version: classes and names, no addresses, lines and counts.
    pub fingerprint: u64,
}

/// Leaked objects that have no holder worth telling: inline caches of the VM, one for each place in the code that runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caches {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub memsize: u64,
}

/// Finds the holders of `leaked`, those of most bytes first, and what is not worth one. What was born from `since` on
/// counts as shared with others; nothing older does.
pub fn holders(
    heap: &Heap,
    leaked: &[Leaked],
    since: Option<u64>,
    progress: &Progress,
) -> Result<(Vec<Holder>, Caches)> {
    let graph = Graph::new(heap, progress)?;
    let tree = dominators(&graph, progress)?;
    let parents = graph.parents(progress)?;
    holders_in(&graph, &tree, &parents, leaked, since, progress)
}

/// The same in a graph of which the dominators and the ways from the roots are known.
pub fn holders_in(
    graph: &Graph<'_>,
    tree: &Dominators,
    parents: &[Node],
    leaked: &[Leaked],
    since: Option<u64>,
    progress: &Progress,
) -> Result<(Vec<Holder>, Caches)> {
    let heap = graph.heap();
    let (caches, leaked): (Vec<Leaked>, Vec<Leaked>) =
        leaked.iter().partition(|it| is_cache(heap, it.object));
    let caches = Caches {
        count: caches.len() as u64,
        memsize: caches.iter().map(|it| heap.memsize(it.object)).sum(),
    };
    let leak_tree = LeakTree::new(graph, tree, &leaked, progress)?;
    let chosen = leak_tree.choose(graph, parents, progress)?;
    let retained = retained::of_all(graph, tree, &chosen, since, progress)?;
    let view = View { graph, parents };
    let groups: HashMap<u32, u32, RandomState> = leaked.iter().map(|it| (it.object, it.group)).collect();
    let mut holders: Vec<Holder> = Vec::new();
    let mut by_fingerprint: HashMap<u64, usize, RandomState> = HashMap::default();
    for (chosen, retained) in chosen.iter().zip(retained) {
        progress.check()?;
        let Some(holder) = view.holder(chosen, &leak_tree, &groups, retained) else {
            continue;
        };
        match by_fingerprint.get(&holder.fingerprint) {
            Some(index) => holders[*index].absorb(holder),
            None => {
                by_fingerprint.insert(holder.fingerprint, holders.len());
                holders.push(holder);
            }
        }
    }
    holders.sort_by_key(|it| (Reverse((it.memsize, it.count)), it.fingerprint));
    Ok((holders, caches))
}

/// Caches of the VM are no leaks.
fn is_cache(heap: &Heap, object: u32) -> bool {
    let label = heap.label(object);
    heap.kind(object)
        .zip(label)
        .is_some_and(|(kind, label)| is_vm_cache(kind.type_, label))
}

impl Holder {
    /// Takes over another holder of the same fingerprint.
    fn absorb(&mut self, other: Self) {
        let smaller = if other.memsize > self.memsize {
            let counts = (self.alike, self.count, self.memsize);
            let retained = self.retained;
            let groups = std::mem::take(&mut self.groups);
            *self = other;
            (counts, retained, groups)
        } else {
            (
                (other.alike, other.count, other.memsize),
                other.retained,
                other.groups,
            )
        };
        let ((alike, count, memsize), retained, groups) = smaller;
        self.alike += alike;
        self.count += count;
        self.memsize = self.memsize.saturating_add(memsize);
        self.retained.add(retained);
        for (group, count) in groups {
            match self.groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, known)) => *known += count,
                None => self.groups.push((group, count)),
            }
        }
        self.groups
            .sort_by_key(|(group, count)| (Reverse(*count), *group));
    }
}
