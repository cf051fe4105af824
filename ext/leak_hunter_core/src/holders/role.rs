//! As what a holder holds, where that says more than which object it is: a class its methods, a thread its locals, the
//! VM its living threads and the names of everything.

use std::collections::BTreeMap;

use super::HolderKind;
use super::keys::{Keys, Named, by_pattern};
use super::leak_tree::LeakTree;
use super::visible_owner::is_visible;
use crate::error::Result;
use crate::graph::{EdgeKind, Graph, NodeId, RootCategory, Ticks, is_pinned_list, noted_name};
use crate::heap::{Internal, ObjectSet, Type};
use crate::ids::ObjectId;

/// Methods in which libraries are loaded: the names of their files are no names of the program's.
pub(super) const LOADING: [&str; 6] = [
    "require",
    "require_relative",
    "load",
    "gem_original_require",
    "zeitwerk_original_require",
    "require_without_bootsnap",
];
const RACTOR: &str = "Ractor";
/// Classes of finalizers.
const HANDLERS: [&str; 2] = ["Proc", "Method"];
/// So many elements of a list are looked at to see what it is a list of.
const LOOKED_AT: usize = 16;

/// As what a holder holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Role {
    /// As the object that it is.
    Itself,
    /// A living thread: the VM holds it.
    Threads,
    /// Locals of a thread, by keys that are alike.
    Locals(Keys),
    /// Methods of a class.
    Methods,
    /// Caches of a class.
    MethodCache,
    /// The VM's table of symbols.
    Symbols,
    /// Finalizers that keep nothing but themselves: they go when their objects go.
    BareFinalizers,
}

impl Role {
    pub(super) fn kind(&self) -> Option<HolderKind> {
        Some(match self {
            Self::Itself | Self::BareFinalizers => return None,
            Self::Threads => HolderKind::Threads,
            Self::Locals(_) => HolderKind::ThreadLocals,
            Self::Methods => HolderKind::Methods,
            Self::MethodCache => HolderKind::MethodCache,
            Self::Symbols => HolderKind::Symbols,
        })
    }

    /// Its part in fingerprints, which never changes: `None` of roles that had their fingerprints before they had names.
    pub(super) fn number(&self) -> Option<u8> {
        match self {
            Self::Itself | Self::BareFinalizers | Self::Methods => None,
            Self::Threads => Some(1),
            Self::Locals(_) => Some(2),
            Self::MethodCache => Some(4),
            Self::Symbols => Some(5),
        }
    }
}

/// Nodes, the living threads among them apart.
pub(super) struct Threads {
    pub(super) living: Vec<NodeId>,
    pub(super) others: Vec<NodeId>,
}

/// What a node holds in one role.
pub(super) struct Held {
    pub(super) role: Role,
    pub(super) members: Vec<NodeId>,
}

/// Keys of locals that are alike, and how many they hold.
struct Largest {
    count: usize,
    role: Role,
}

/// Finds out as what nodes hold.
pub(super) struct Roles<'a> {
    leak_tree: &'a LeakTree<'a>,
    /// Threads that the VM runs.
    living: Option<ObjectSet>,
}

impl<'a> Roles<'a> {
    pub(super) fn new(leak_tree: &'a LeakTree<'a>) -> Self {
        Self {
            leak_tree,
            living: None,
        }
    }

    fn graph(&self) -> &'a Graph {
        self.leak_tree.graph
    }

    fn internal(&self, node: NodeId) -> Option<Internal> {
        let kind = self.graph().heap().kind(self.graph().object(node)?)?;
        Some(kind.internal)
    }

    fn type_of(&self, node: NodeId) -> Option<Type> {
        let kind = self.graph().heap().kind(self.graph().object(node)?)?;
        Some(kind.type_)
    }

    /// Of the nodes below one, the living threads and the others. Whatever else refers to a living thread, it lives.
    pub(super) fn take_threads(&mut self, members: Vec<NodeId>, ticks: &mut Ticks<'_>) -> Result<Threads> {
        let is_thread =
            |node: &NodeId| self.leak_tree.is_leaked(*node) && self.internal(*node) == Some(Internal::Thread);
        if !members.iter().any(is_thread) {
            return Ok(Threads {
                living: Vec::new(),
                others: members,
            });
        }
        let living = match &self.living {
            Some(living) => living,
            None => self.living.insert(living_threads(self.graph(), ticks)?),
        };
        let lives = |node: &NodeId| living.contains(*node);
        let (living, others) = members.into_iter().partition(lives);
        Ok(Threads { living, others })
    }

    /// Whether it is a Ractor, to which the VM's threads belong.
    pub(super) fn is_ractor(&self, node: NodeId) -> bool {
        self.type_of(node) == Some(Type::Data)
            && self
                .graph()
                .object(node)
                .and_then(|object| self.graph().heap().class_name(object))
                .is_some_and(|name| name == RACTOR)
    }

    /// The nodes that a node holds itself, by the role in which it holds them.
    pub(super) fn of(&self, node: NodeId, members: Vec<NodeId>, ticks: &mut Ticks<'_>) -> Result<Vec<Held>> {
        let mut by_role: BTreeMap<Role, Vec<NodeId>> = BTreeMap::new();
        match self.type_of(node) {
            Some(Type::Class | Type::Module | Type::IClass) => {
                for member in members {
                    by_role
                        .entry(self.of_class_member(member))
                        .or_default()
                        .push(member);
                }
            }
            Some(Type::Data | Type::Hash) if self.has_locals(node) => {
                self.locals(node, members, &mut by_role)
            }
            Some(Type::Array | Type::Hash) if self.is_symbol_table(node, &members) => {
                by_role.insert(Role::Symbols, members);
            }
            None if self.graph().category(node).is_some_and(is_finalizers) => {
                for member in members {
                    let role = match self.is_bare(member, ticks)? {
                        true => Role::BareFinalizers,
                        false => Role::Itself,
                    };
                    by_role.entry(role).or_default().push(member);
                }
            }
            _ => drop(by_role.insert(Role::Itself, members)),
        }
        Ok(by_role
            .into_iter()
            .map(|(role, members)| Held { role, members })
            .collect())
    }

    /// Whether no object of the application's leaked by this finalizer, only what was made for it.
    fn is_bare(&self, member: NodeId, ticks: &mut Ticks<'_>) -> Result<bool> {
        let heap = self.graph().heap();
        let leaked = self.leak_tree.leaked(&[member], ticks)?;
        Ok(leaked.iter().all(|it| {
            !is_visible(heap, it.object)
                || heap
                    .class_name(it.object)
                    .is_some_and(|name| HANDLERS.contains(&name.as_str()))
        }))
    }

    fn of_class_member(&self, member: NodeId) -> Role {
        match self.internal(member) {
            Some(Internal::MethodEntry) => Role::Methods,
            Some(internal) if internal.is_cache() => Role::MethodCache,
            _ => Role::Itself,
        }
    }

    /// Whether it is a thread or a fiber, or the Hash of a thread's variables.
    fn has_locals(&self, node: NodeId) -> bool {
        let is_execution = |node| self.internal(node).is_some_and(Internal::is_execution);
        match self.type_of(node) {
            Some(Type::Hash) => self.leak_tree.tree.of(node).is_some_and(is_execution),
            _ => is_execution(node),
        }
    }

    fn locals(&self, node: NodeId, members: Vec<NodeId>, by_role: &mut BTreeMap<Role, Vec<NodeId>>) {
        let graph = self.graph();
        let above = self.leak_tree.tree.of(node);
        let is_table = above
            .and_then(|above| noted_name(graph, above, node))
            .is_some_and(|name| name.kind == EdgeKind::ThreadVariables);
        let mut named = Vec::new();
        let mut others = Vec::new();
        for member in members {
            match noted_name(graph, node, member).filter(|name| name.kind.is_key()) {
                Some(name) => named.push(Named { name, node: member }),
                None => others.push(member),
            }
        }
        let mut largest: Option<Largest> = None;
        for (keys, members) in by_pattern(named) {
            let role = Role::Locals(keys);
            if largest.as_ref().is_none_or(|it| members.len() > it.count) {
                largest = Some(Largest {
                    count: members.len(),
                    role: role.clone(),
                });
            }
            by_role.insert(role, members);
        }
        if others.is_empty() {
            return;
        }
        // what else is in the table of a thread's variables are their keys
        let role = match (is_table, largest) {
            (true, Some(largest)) => largest.role,
            (true, None) => Role::Locals(Keys::all(EdgeKind::ThreadVariable)),
            (false, _) => Role::Itself,
        };
        by_role.entry(role).or_default().extend(others);
    }

    /// Whether it is a list or table of names that only the VM has.
    fn is_symbol_table(&self, node: NodeId, members: &[NodeId]) -> bool {
        let graph = self.graph();
        let heap = graph.heap();
        let is_hidden = |node: NodeId| graph.object(node).is_some_and(|object| !is_visible(heap, object));
        let tree = self.leak_tree.tree;
        let above = |node: NodeId| {
            let above = tree.of(node)?;
            let list = graph.object(above).filter(|above| is_pinned_list(heap, *above));
            if list.is_some() {
                tree.of(above)
            } else {
                Some(above)
            }
        };
        let mut at = node;
        for _ in 0..2 {
            let Some(above) = above(at).filter(|_| is_hidden(at)) else {
                return false;
            };
            if let Some(category) = graph.category(above) {
                let members = members.iter().take(LOOKED_AT);
                return RootCategory::of(category).has_symbols()
                    && members.copied().all(|member| self.is_name(node, member));
            }
            at = above;
        }
        false
    }

    /// Whether a table has it as a name, or as a list of names.
    fn is_name(&self, table: NodeId, node: NodeId) -> bool {
        let Some(object) = self.graph().object(node) else {
            return false;
        };
        let heap = self.graph().heap();
        let is = |object: ObjectId, type_| heap.kind(object).is_some_and(|kind| kind.type_ == type_);
        let is_text = |object: ObjectId| is(object, Type::String) || is(object, Type::Symbol);
        if is(object, Type::Array) {
            return !is_visible(heap, object) && heap.references(object).take(LOOKED_AT).all(is_text);
        }
        // a Hash may as well be that of the files that are loaded
        let method = heap.site(object).and_then(|site| site.method);
        let is_file =
            self.type_of(table) == Some(Type::Hash) && method.is_some_and(|method| LOADING.contains(&method));
        is_text(object) && !is_file
    }
}

fn is_finalizers(category: &str) -> bool {
    RootCategory::of(category) == RootCategory::Finalizers
}

/// The threads that roots or Ractors refer to: those that the VM runs.
pub(super) fn living_threads(graph: &Graph, ticks: &mut Ticks<'_>) -> Result<ObjectSet> {
    let heap = graph.heap();
    let is_thread = |object: ObjectId| {
        let kind = heap.kind(object);
        kind.is_some_and(|kind| kind.internal == Internal::Thread)
    };
    let mut living = ObjectSet::default();
    for root in heap
        .roots()
        .iter()
        .filter(|root| RootCategory::of(&root.category) != RootCategory::MachineContext)
    {
        for object in root.objects() {
            ticks.tick()?;
            if is_thread(*object) {
                living.insert(NodeId::from(*object));
            }
        }
    }
    let is_ractor: Vec<bool> = heap
        .all_kinds()
        .iter()
        .map(|kind| kind.type_ == Type::Data && heap.class_name_of_kind(kind).as_deref() == Some(RACTOR))
        .collect();
    let is_ractor = heap.by_birth(|kind| is_ractor[kind.index()]);
    for object in heap.objects() {
        ticks.tick()?;
        if is_ractor.get(heap.birth_number(object).index()) == Some(&true) {
            for next in heap.references(object).filter(|next| is_thread(*next)) {
                living.insert(NodeId::from(next));
            }
        }
    }
    Ok(living)
}
