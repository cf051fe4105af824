//! What is a way to an object and yet does not tell why it lives: what a block captured beside what it needs, and the
//! methods that a class has cached of others.

use super::{Graph, NodeId};
use crate::heap::{Internal, Kind, Type};
use crate::ids::ObjectId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    Direct,
    Closure,
    /// A class, or what stands for a module among superclasses.
    Class,
    Method,
    Cache,
}

/// A method that a class has cached of another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct CachedMethod {
    pub(super) class: NodeId,
    pub(super) method: ObjectId,
}

/// What a search for paths leaves for later.
#[derive(Debug, Default)]
pub(super) struct Detours {
    by_birth: Vec<Means>,
    /// Blocks whose references have to wait.
    pub(super) closures: Vec<ObjectId>,
    /// Methods of others.
    pub(super) cached: Vec<CachedMethod>,
}

impl Detours {
    pub(super) fn of(graph: &Graph) -> Self {
        let heap = graph.heap();
        let means = |kind: &Kind| match (kind.type_, kind.internal) {
            (_, Internal::Closure) => Means::Closure,
            (_, Internal::MethodEntry) => Means::Method,
            (_, Internal::InlineCache) => Means::Cache,
            (Type::Class | Type::IClass, _) => Means::Class,
            _ => Means::Direct,
        };
        let by_kind: Vec<Means> = heap.all_kinds().iter().map(means).collect();
        Self {
            by_birth: heap.by_birth(|kind| by_kind[kind.index()]),
            ..Self::default()
        }
    }

    fn means(&self, graph: &Graph, object: ObjectId) -> Means {
        let birth = graph.heap().birth_number(object);
        self.by_birth.get(birth.index()).copied().unwrap_or(Means::Direct)
    }

    pub(super) fn is_closure(&self, graph: &Graph, object: ObjectId) -> bool {
        self.means(graph, object) == Means::Closure
    }

    pub(super) fn has_methods(&self, graph: &Graph, node: NodeId) -> bool {
        graph
            .object(node)
            .is_some_and(|object| self.means(graph, object) == Means::Class)
    }

    /// Whether it is a method that a class has cached for its calls: in the list of a class the caches of a method's calls
    /// follow it. Its own methods are there by themselves, too.
    pub(super) fn is_cached_method(
        &self,
        graph: &Graph,
        method: ObjectId,
        following: Option<ObjectId>,
    ) -> bool {
        self.means(graph, method) == Means::Method
            && following.is_some_and(|next| self.means(graph, next) == Means::Cache)
    }
}
