//! A number that identifies a holder in every run, worker and Ruby version.
//!
//! It is an identity across versions: a change of what goes in, or in which order, is a breaking change.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use super::class_names::{ClassNames, CoreClass};
use super::keys::{Keys, without_numbers};
use super::old_classes::OldClasses;
use super::role::Role;
use super::visible_owner::is_visible;
use crate::dump::is_anonymous;
use crate::graph::{EdgeKind, Graph, NodeId, PathNode, RootCategory, noted_name};
use crate::heap::Type;

/// What goes into a fingerprint. Up to the holder each part counts once: a list or a tree has the same fingerprint,
/// however long or deep it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part<'a> {
    /// Several objects hold what leaked.
    Shared,
    /// The path begins at such roots, and nothing on it has a name of its own.
    Root(RootCategory),
    /// A reference that a dump names.
    Edge(EdgeKind, &'a str),
    /// An object of this class; of classes and modules, that itself.
    Class(Cow<'a, str>),
    /// A class without a name: where it was made has a line in it.
    AnonymousClass,
}

/// Number of a part, in the order in which they were met.
type PartId = usize;

/// What one step of a path adds.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    edge: Option<PartId>,
    class: Option<PartId>,
    /// It has a name of its own.
    is_anchor: bool,
    /// Before Ruby 4.0 a Set keeps its elements in a Hash.
    is_storage_of_a_set: bool,
}

/// Hashes paths. Each step is looked at once: many paths have their beginnings in common.
pub(super) struct Fingerprints<'a> {
    graph: &'a Graph,
    names: &'a ClassNames,
    old_classes: &'a OldClasses,
    parts: IndexSet<Part<'a>, RandomState>,
    /// By node: each has one step that leads to it.
    steps: HashMap<NodeId, Step, RandomState>,
    /// By part: the last path that it was added to.
    added: Vec<u64>,
    /// Number of the path, twice over: once up to the holder, and once for what leaked.
    path: u64,
}

impl<'a> Fingerprints<'a> {
    pub(super) fn new(graph: &'a Graph, names: &'a ClassNames, old_classes: &'a OldClasses) -> Self {
        Self {
            graph,
            names,
            old_classes,
            parts: IndexSet::default(),
            steps: HashMap::default(),
            added: Vec::new(),
            path: 0,
        }
    }

    /// Hashes the path to the holder, at `position`, from the last step on it that has a name of its own: a class, a
    /// global, a thread's local, or else the category of roots. Only classes and the names that LeakHunter adds to dumps
    /// go in, and nothing that Ruby keeps for itself.
    pub(super) fn of(&mut self, path: &[PathNode], position: usize, shared: bool, role: &Role) -> u64 {
        let mut hash = Fnv::new();
        if let Some(number) = role.number() {
            hash.put(&[ROLE, number, END_OF_PART]);
        }
        match role {
            Role::Threads => return self.of_thread(hash, path[position].node),
            Role::Locals(Keys { kind, pattern }) => {
                Part::Edge(*kind, pattern.as_deref().unwrap_or_default()).add_to(&mut hash);
                return hash.0;
            }
            Role::Symbols => return hash.0,
            Role::Itself | Role::BareFinalizers | Role::Methods | Role::MethodCache => {}
        }
        let steps: Vec<Step> = (0..path.len()).map(|index| self.step(path, index)).collect();
        self.path += 1;
        if shared {
            let shared = self.part(Part::Shared);
            self.add(&mut hash, shared);
        }
        let last = path.len().min(position + 1);
        let anchor = steps[..last].iter().rposition(|step| step.is_anchor);
        match anchor {
            Some(index) => {
                let edge = steps[index].edge.filter(|edge| is_global(&self.parts[*edge]));
                self.add(&mut hash, edge);
                self.add(&mut hash, steps[index].class);
            }
            None => {
                let root = self.part(Part::Root(self.root(path)));
                self.add(&mut hash, root);
            }
        }
        let rest = steps.iter().enumerate().skip(anchor.map_or(1, |index| index + 1));
        for (index, step) in rest.filter(|(_, step)| !step.is_storage_of_a_set) {
            if index <= position {
                self.add(&mut hash, step.edge);
                self.add(&mut hash, step.class);
            } else if step.class.is_some() {
                // what leaked, as the holder has it: a Hash of Hashes is not a Hash
                hash.put(&[END_OF_HOLDER]);
                self.path += 1;
                self.add(&mut hash, step.class);
                break;
            }
        }
        hash.0
    }

    /// A thread is known by the file that starts it, wherever that is installed, and by its name.
    fn of_thread(&self, mut hash: Fnv, node: NodeId) -> u64 {
        let heap = self.graph.heap();
        if let Some(thread) = self.graph.object(node) {
            let file = heap.site(thread).and_then(|site| site.file).unwrap_or_default();
            let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
            hash.put(file.as_bytes());
            hash.put(&[END_OF_PART]);
            let name = heap.names().of_thread(heap.address(thread)).unwrap_or_default();
            hash.put(without_numbers(name).as_bytes());
            hash.put(&[END_OF_PART]);
        }
        hash.0
    }

    fn add(&mut self, hash: &mut Fnv, part: Option<PartId>) {
        let Some(part) = part else { return };
        if self.added[part] != self.path {
            self.added[part] = self.path;
            self.parts[part].add_to(hash);
        }
    }

    fn part(&mut self, part: Part<'a>) -> Option<PartId> {
        let (id, _) = self.parts.insert_full(part);
        self.added.resize(self.parts.len(), 0);
        Some(id)
    }

    fn step(&mut self, path: &[PathNode], index: usize) -> Step {
        let PathNode { node, omitted } = path[index];
        let parent = index.checked_sub(1).map(|before| path[before].node);
        let Some(parent) = parent.filter(|_| omitted == 0) else {
            return self.new_step(None, node);
        };
        if let Some(step) = self.steps.get(&node) {
            return *step;
        }
        let step = self.new_step(Some(parent), node);
        self.steps.insert(node, step);
        step
    }

    fn new_step(&mut self, parent: Option<NodeId>, node: NodeId) -> Step {
        let edge = parent.and_then(|parent| self.edge(parent, node));
        let class = self.class(node);
        let is_anchor = edge.as_ref().is_some_and(is_global)
            || self.is_module(node) && matches!(class, Some(Part::Class(_))) && !self.is_old(node);
        Step {
            is_anchor,
            is_storage_of_a_set: parent.is_some_and(|parent| self.is_storage_of_a_set(parent, node)),
            edge: edge.and_then(|edge| self.part(edge)),
            class: class.and_then(|class| self.part(class)),
        }
    }

    fn root(&self, path: &[PathNode]) -> RootCategory {
        let name = path.first().and_then(|it| self.graph.category(it.node));
        RootCategory::of(name.unwrap_or_default())
    }

    /// The name of the reference to a node, where the dump has it.
    fn edge(&self, parent: NodeId, node: NodeId) -> Option<Part<'a>> {
        let name = noted_name(self.graph, parent, node)?;
        Some(Part::Edge(name.kind, &name.name))
    }

    fn type_of(&self, node: NodeId) -> Option<Type> {
        let object = self.graph.object(node)?;
        Some(self.graph.heap().kind(object)?.type_)
    }

    /// Whether another class has taken its name: who holds it has to be known.
    fn is_old(&self, node: NodeId) -> bool {
        let object = self.graph.object(node);
        object.is_some_and(|object| self.old_classes.contains(self.graph.heap().address(object)))
    }

    fn is_module(&self, node: NodeId) -> bool {
        matches!(self.type_of(node), Some(Type::Class | Type::Module))
    }

    /// The class of an object that Ruby code can see.
    fn class(&self, node: NodeId) -> Option<Part<'a>> {
        let heap = self.graph.heap();
        let object = self.graph.object(node)?;
        let name = match self.is_module(node) {
            true => Cow::Owned(heap.classes().own_name(heap.address(object))?),
            false if is_visible(heap, object) => Cow::Borrowed(self.names.of(heap, object)?),
            false => return None,
        };
        Some(match is_anonymous(&name) {
            true => Part::AnonymousClass,
            false => Part::Class(name),
        })
    }

    fn is_storage_of_a_set(&self, parent: NodeId, node: NodeId) -> bool {
        self.type_of(node) == Some(Type::Hash)
            && self.type_of(parent) == Some(Type::Object)
            && self.graph.object(parent).is_some_and(|parent| {
                self.names.core_class(self.graph.heap(), parent) == Some(CoreClass::Set)
            })
    }
}

fn is_global(part: &Part<'_>) -> bool {
    matches!(part, Part::Edge(kind, _) if kind.is_global())
}

const END_OF_HOLDER: u8 = 6;
const ROLE: u8 = 7;
const END_OF_PART: u8 = 0xff;

impl Part<'_> {
    /// The numbers never change.
    fn add_to(&self, hash: &mut Fnv) {
        match self {
            Part::Shared => hash.put(&[1]),
            Part::Root(category) => hash.put(&[2, category.number()]),
            Part::Edge(kind, name) => {
                hash.put(&[3, *kind as u8]);
                hash.put(name.as_bytes());
            }
            Part::Class(name) => {
                hash.put(&[4]);
                hash.put(name.as_bytes());
            }
            Part::AnonymousClass => hash.put(&[5]),
        }
        hash.put(&[END_OF_PART]);
    }
}

/// FNV-1a of 64 bits (G. Fowler, L. Noll, K.-P. Vo, D. Eastlake, "The FNV Non-Cryptographic Hash Algorithm"): the standard
/// library promises of no hash that it stays the same.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
