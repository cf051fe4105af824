//! Who holds what leaked: the survivors of a diff, grouped by what keeps them alive.
//!
//! 1. [`LeakTree`](leak_tree): the dominators of everything that leaked form a tree.
//! 2. [`choose`]: going down from the roots, the walk ends where no single object below still accounts for much. That is
//!    a holder: the collection that grows, as a rule. So each leaked object has one holder, or none that alone keeps it
//!    ([`HolderKind::Shared`]).
//! 3. [`visible_owner`]: the object that people know the holder by.
//! 4. [`merge`]: holders of one [`fingerprint`] are reported as one.
//! 5. [`retained`]: what would be freed.
//! 6. [`profile`]: when what each keeps was born, and how long its collections were; [`crate::verdict`] judges that.
//! 7. [`last_value`], [`in_use`], [`loaded`]: what does not grow, whatever its profile says.
//! 8. [`describe`]: names and paths.
//!
//! Time is linear in nodes and edges, but for sorting what leaked.
//!
//! ```
//! use std::sync::Arc;
//!
//! use leak_hunter_core::holders::{Leaked, holders};
//! use leak_hunter_core::ids::{Address, Generation};
//! use leak_hunter_core::{Heap, Progress};
//!
//! let dump = tempfile::NamedTempFile::new()?;
//! std::fs::write(dump.path(), r#"{"type":"ROOT", "root":"vm", "references":["0x10"]}
//! {"address":"0x10", "type":"ARRAY", "generation":1, "references":["0x38", "0x60"], "memsize":40}
//! {"address":"0x38", "type":"STRING", "generation":9, "memsize":100}
//! {"address":"0x60", "type":"STRING", "generation":9, "memsize":100}
//! "#)?;
//! let progress = Progress::default();
//! let heap = Arc::new(Heap::load(dump.path(), Some(1), &progress)?);
//! let leaked: Vec<_> = [0x38, 0x60]
//!     .into_iter()
//!     .filter_map(|address| Some(Leaked { object: heap.find(Address::new(address))?, group: 0 }))
//!     .collect();
//! let found = holders(&heap, &leaked, Some(Generation::new(2)), &progress)?;
//! assert_eq!(found.holders.len(), 1, "one place holds both");
//! assert_eq!((found.holders[0].count, found.holders[0].retained.exclusive), (2, 200));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod caches;
mod choose;
mod class_names;
mod describe;
mod entries;
mod fingerprint;
mod in_use;
mod keys;
mod kind;
mod last_value;
mod leak_tree;
mod loaded;
mod merge;
mod old_classes;
mod past;
mod pinned;
mod profile;
mod referred;
mod retained;
mod role;
#[cfg(test)]
mod role_tests;
mod targets;
#[cfg(test)]
mod tests;
mod together;
mod visible_owner;

use std::sync::Arc;

use rayon::ThreadPool;

pub(crate) use self::caches::OF_ONE_LINE;
use self::caches::WithoutCaches;
pub use self::caches::{Caches, CachesOfGroup};
use self::choose::Choice;
use self::class_names::ClassNames;
use self::describe::Measured;
pub use self::entries::Entries;
pub use self::keys::Keys;
pub use self::kind::HolderKind;
use self::leak_tree::LeakTree;
pub use self::loaded::LoadedCode;
use self::loaded::LoadedFiles;
pub use self::merge::Consequence;
use self::old_classes::OldClasses;
use self::past::NoPast;
pub use self::past::Past;
pub use self::pinned::Pinned;
pub use self::retained::Retained;
use crate::error::Result;
use crate::graph::{Dominators, Edge, Graph, Level, NodeId, Step, dominators};
use crate::heap::{AllocationSite, Heap, ObjectSet, Type};
use crate::ids::{Address, Generation, ObjectId};
use crate::origin::Contexts;
use crate::pool;
use crate::progress::Progress;
use crate::sampling::Estimate;
use crate::verdict::{History, Judgement};

/// An object that leaked.
#[derive(Clone, Copy, Debug)]
pub struct Leaked {
    /// Its number in the heap.
    pub object: ObjectId,
    /// The group of the report that it is in.
    pub group: u32,
}

/// One step of a path, as it is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathStep {
    /// Address; `None` of a category of roots.
    pub address: Option<Address>,
    /// Class name, as in groups; of a class its own, of a category of roots that.
    pub class: Option<String>,
    /// Ruby's internal type, or `ROOT`.
    pub type_name: String,
    /// How the step before refers to it.
    pub edge: Edge,
    /// What a thread is called.
    pub thread: Option<String>,
    /// Of a collection, its length at each moment, where that is known.
    pub lengths: Vec<Option<u64>>,
    /// A class or module that another one of its name has replaced.
    pub is_old: bool,
}

impl PathStep {
    /// What is reported of a step.
    pub fn of(graph: &Graph, step: &Step) -> Self {
        let heap = graph.heap();
        let Some(object) = graph.object(step.node) else {
            return Self {
                address: None,
                class: graph.category(step.node).map(Into::into),
                type_name: "ROOT".into(),
                edge: step.edge.clone(),
                thread: None,
                lengths: Vec::new(),
                is_old: false,
            };
        };
        let address = heap.address(object);
        let is_class = heap
            .kind(object)
            .is_some_and(|kind| matches!(kind.type_, Type::Class | Type::Module));
        Self {
            address: Some(address),
            // of a class its own name, which is what a reader looks for
            class: match is_class {
                true => heap.classes().own_name(address),
                false => heap.class_name(object),
            },
            type_name: heap.type_name(object).into(),
            edge: step.edge.clone(),
            thread: heap.names().of_thread(address).map(Into::into),
            lengths: Vec::new(),
            is_old: false,
        }
    }
}

/// What keeps leaked objects alive.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Address; `None` of roots.
    pub address: Option<Address>,
    /// Its class; of roots their category.
    pub class: Option<String>,
    /// What it is.
    pub kind: HolderKind,
    /// How many objects hold in the same way and are reported as one.
    pub alike: u64,
    /// Leaked objects that it accounts for; an estimate where the last moment was sampled, as all numbers of such objects
    /// are.
    pub count: u64,
    /// What that is estimated from.
    pub estimate: Option<Estimate>,
    /// Their bytes.
    pub memsize: u64,
    /// Of a [`HolderKind::Shared`], the others that hold the same, most objects first.
    pub together: Vec<Sharer>,
    /// What would be freed.
    pub retained: Retained,
    /// Where most of the entries that it holds were allocated.
    pub entries: Option<Entries>,
    /// The keys of a thread's locals.
    pub keys: Option<Keys>,
    /// What living threads are called, numbers apart.
    pub thread_name: Option<String>,
    /// Strings that are alive because others are parts of them.
    pub pinned: Option<Pinned>,
    /// The code that it is, where that was loaded between the moments.
    pub loaded: Option<LoadedCode>,
    /// What goes when what it holds goes: finalizers.
    pub consequences: Vec<Consequence>,
    /// How many keys like these there are.
    pub key_count: Option<u64>,
    /// Bytes of the leaked objects that are stacks of threads and fibers: reserved, and used as far as calls go down.
    pub reserved: u64,
    /// Elements of the collection at each moment, where they are known.
    pub lengths: Vec<Option<u64>>,
    /// When what it keeps was born, and how long its collections were.
    pub history: History,
    /// Whether it grows.
    pub judgement: Judgement,
    /// The collection they are of: the holder, or what the holder wraps.
    pub collection: Option<Address>,
    /// GC count at the holder's birth; `None` when that was not traced.
    pub generation: Option<Generation>,
    /// Where the holder was allocated; `None` when that was not traced.
    pub site: Option<AllocationSite>,
    /// Groups of the report that its objects are of, most objects first.
    pub groups: Vec<GroupShare>,
    /// What the application was doing when its objects were allocated.
    pub contexts: Contexts,
    /// A few of the leaked objects.
    pub samples: Vec<Address>,
    /// From the roots to the holder and on to a leaked object.
    pub path: Vec<PathStep>,
    /// Index of the holder in `path`.
    pub position: usize,
    /// From the roots to an object of other groups, the largest ones.
    pub other_paths: Vec<Vec<PathStep>>,
    /// The same in every run, worker and Ruby version: classes and names, no addresses, lines and counts.
    pub fingerprint: u64,
}

/// Another one that holds what a holder does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharer {
    /// Address; `None` of roots.
    pub address: Option<Address>,
    /// Its class; of roots their category.
    pub class: Option<String>,
    /// So many of the objects it refers to, itself or by what leaked.
    pub count: u64,
    /// From the roots to it.
    pub path: Vec<PathStep>,
}

/// How many of a holder's objects are of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupShare {
    /// The group of the report.
    pub group: u32,
    /// So many objects.
    pub count: u64,
}

/// The answer: every leaked object is either held or set aside.
#[derive(Clone, Debug)]
pub struct Found {
    /// Who holds what leaked.
    pub holders: Vec<Holder>,
    /// What has no holder worth reporting.
    pub set_aside: SetAside,
}

/// Leaked objects that have no holder worth reporting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetAside {
    /// Caches of the VM, one for each place in the code that runs.
    pub caches: Caches,
    /// What no root leads to: the next garbage collection frees it.
    pub garbage: Amount,
}

/// How many objects, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub memsize: u64,
}

impl Amount {
    fn add(&mut self, memsize: u64) {
        self.merge(Self { count: 1, memsize });
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.memsize = self.memsize.saturating_add(other.memsize);
    }
}

/// What is found out of the heap once, for all holders.
#[derive(Debug)]
pub(crate) struct Facts {
    names: ClassNames,
    old_classes: OldClasses,
    /// Strings that others are parts of, and that nothing else may refer to.
    strings: ObjectSet,
    /// Whether any object was allocated in a context.
    has_contexts: bool,
}

impl Facts {
    pub(crate) fn of(
        graph: &Graph,
        parents: &[NodeId],
        classes: ClassFacts,
        leaked: &[Leaked],
        progress: &Progress,
    ) -> Result<Self> {
        Ok(Self {
            names: classes.names,
            old_classes: classes.old,
            has_contexts: graph.heap().has_contexts(),
            strings: pinned::candidates(graph, parents, leaked, progress)?,
        })
    }
}

/// Finds the holders of `leaked`, those of most bytes first, and what is not worth one. What was allocated at a GC count
/// of `since` or later counts as shared with others; nothing older does.
pub fn holders(
    heap: &Arc<Heap>,
    leaked: &[Leaked],
    since: Option<Generation>,
    progress: &Progress,
) -> Result<Found> {
    let graph = Graph::new(Arc::clone(heap), progress)?;
    let tree = dominators(&graph, progress)?;
    let parents = graph.parents(progress)?;
    holders_in(&graph, &tree, &parents, leaked, since, progress)
}

/// The same in a graph whose dominators and shortest paths ([`Graph::parents`]) are known.
pub fn holders_in(
    graph: &Graph,
    tree: &Dominators,
    parents: &[NodeId],
    leaked: &[Leaked],
    since: Option<Generation>,
    progress: &Progress,
) -> Result<Found> {
    let past = Earlier {
        since,
        past: &NoPast,
        pool: None,
    };
    let facts = Facts::of(graph, parents, ClassFacts::of(graph.heap()), leaked, progress)?;
    holders_with(graph, tree, parents, leaked, facts, &past, progress)
}

/// What is found out of the classes of a heap once, for all holders.
#[derive(Debug)]
pub(crate) struct ClassFacts {
    names: ClassNames,
    old: OldClasses,
}

impl ClassFacts {
    pub(crate) fn of(heap: &Heap) -> Self {
        Self {
            names: ClassNames::new(heap),
            old: OldClasses::of(heap),
        }
    }
}

/// What is known of the time before the heap, and the threads to look at it with.
pub(crate) struct Earlier<'a> {
    /// What was allocated at this GC count or later counts as shared with others.
    pub(crate) since: Option<Generation>,
    pub(crate) past: &'a dyn Past,
    pub(crate) pool: Option<&'a ThreadPool>,
}

/// The same with what earlier moments say. Those that grow come first, then by the verdict, by how much they grow, and by
/// bytes.
pub(crate) fn holders_with(
    graph: &Graph,
    tree: &Dominators,
    parents: &[NodeId],
    leaked: &[Leaked],
    facts: Facts,
    earlier: &Earlier<'_>,
    progress: &Progress,
) -> Result<Found> {
    let Earlier { since, past, pool } = *earlier;
    let heap = graph.heap();
    let WithoutCaches { leaked, caches } = caches::put_aside(graph, tree, leaked, progress)?;
    let mut garbage = Amount::default();
    let mut held = Vec::with_capacity(leaked.len());
    for it in leaked {
        match graph.level(it.object) {
            Level::Unreachable => garbage.add(heap.memsize(it.object)),
            _ => held.push(it),
        }
    }
    let leak_tree = LeakTree::new(graph, tree, &held, progress)?;
    let chosen = Choice::run(&leak_tree, parents, &facts.names, progress)?;
    let merged = merge::by_fingerprint(&leak_tree, &chosen, parents, &facts, progress)?;
    let retained = || retained::of_all(graph, tree, &merged, &facts.strings, since, pool, progress);
    let judged = || profile::of_all(graph, tree, parents, &merged, past, progress);
    let last_values = || last_value::of_all(&leak_tree, &merged, past, progress);
    let loaded = || LoadedFiles::of(heap, &held, past, progress)?.of_all(&leak_tree, &merged, past, progress);
    let ((retained, last_values), (judged, loaded)) = pool::join(
        pool,
        || pool::join(pool, retained, last_values),
        || pool::join(pool, judged, loaded),
    );
    let measured = retained?
        .into_iter()
        .zip(judged?)
        .zip(last_values?.into_iter().zip(loaded?))
        .map(|((freed, judged), (on_stack, loaded))| Measured {
            retained: freed.retained,
            pinned: freed.pinned,
            judged,
            on_stack,
            loaded,
        });
    let holders = describe::all(
        graph,
        parents,
        &facts,
        &merged,
        measured.collect(),
        past,
        progress,
    )?;
    Ok(Found {
        holders,
        set_aside: SetAside { caches, garbage },
    })
}
