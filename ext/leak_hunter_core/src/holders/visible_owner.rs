//! The object that a holder is reported as, where the one that dominates is internal to Ruby.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::class_names::{ClassNames, CoreClass};
use crate::error::Result;
use crate::graph::{Dominators, Graph, NodeId, Ticks};
use crate::heap::{Heap, Type};
use crate::ids::ObjectId;
use crate::progress::Progress;

/// Whether Ruby code can have a reference to it.
pub(super) fn is_visible(heap: &Heap, object: ObjectId) -> bool {
    heap.kind(object)
        .is_some_and(|kind| !kind.class.is_none() && !matches!(kind.type_, Type::Imemo | Type::IClass))
}

/// What is at or above a node in the dominator tree.
#[derive(Clone, Copy, Debug)]
enum Above {
    /// The nearest object that is visible.
    Visible(ObjectId),
    /// None: a category of roots dominates the hidden objects.
    Category(NodeId),
    /// None at all.
    Top,
}

/// Finds visible owners. The result of each walk up the dominator tree is kept for all nodes on it, so that all walks
/// together take as many steps as there are nodes.
pub(super) struct VisibleOwners<'a> {
    graph: &'a Graph,
    tree: &'a Dominators,
    names: &'a ClassNames,
    /// By hidden object.
    above: HashMap<ObjectId, Above, RandomState>,
    /// By visible object: the Set around it, the first node of the list it is in, or itself.
    owners: HashMap<ObjectId, ObjectId, RandomState>,
    ticks: Ticks<'a>,
}

impl<'a> VisibleOwners<'a> {
    pub(super) fn new(
        graph: &'a Graph,
        tree: &'a Dominators,
        names: &'a ClassNames,
        progress: &'a Progress,
    ) -> Self {
        Self {
            graph,
            tree,
            names,
            above: HashMap::default(),
            owners: HashMap::default(),
            ticks: Ticks::new(progress),
        }
    }

    /// The object that Ruby code can see around a hidden one (the Proc around its closure scope), the Set around its
    /// Hash, the first node of a list.
    pub(super) fn of(&mut self, node: NodeId) -> Result<NodeId> {
        if !self.graph.is_object(node) {
            return Ok(node);
        }
        match self.visible_from(node)? {
            Above::Visible(object) => Ok(self.owner(object)?.into()),
            // a hidden object that roots lead to is theirs
            Above::Category(category) => Ok(category),
            Above::Top => Ok(node),
        }
    }

    /// The nearest visible object, from this node upwards.
    fn visible_from(&mut self, node: NodeId) -> Result<Above> {
        let mut hidden = Vec::new();
        let mut at = node;
        let found = loop {
            self.ticks.tick()?;
            let Some(object) = self.graph.object(at) else {
                break match at == self.graph.top() {
                    true => Above::Top,
                    false => Above::Category(at),
                };
            };
            if is_visible(self.graph.heap(), object) {
                break Above::Visible(object);
            }
            if let Some(known) = self.above.get(&object) {
                break *known;
            }
            hidden.push(object);
            match self.tree.of(at) {
                Some(above) => at = above,
                None => break Above::Top,
            }
        };
        self.above
            .extend(hidden.into_iter().map(|object| (object, found)));
        Ok(found)
    }

    fn owner(&mut self, object: ObjectId) -> Result<ObjectId> {
        let mut walked = Vec::new();
        let mut at = object;
        let owner = loop {
            if let Some(known) = self.owners.get(&at) {
                break *known;
            }
            walked.push(at);
            let above = match self.tree.of(at) {
                Some(above) => self.visible_from(above)?,
                None => Above::Top,
            };
            match above {
                Above::Visible(above) if self.wraps(above, at) || self.are_linked(above, at) => at = above,
                _ => break at,
            }
        };
        self.owners
            .extend(walked.into_iter().map(|object| (object, owner)));
        Ok(owner)
    }

    /// Whether it is a Set and the other its Hash. (From Ruby 4.0 on a Set has no Hash.)
    fn wraps(&self, above: ObjectId, object: ObjectId) -> bool {
        let heap = self.graph.heap();
        let is = |object, type_| heap.kind(object).is_some_and(|kind| kind.type_ == type_);
        is(above, Type::Object)
            && is(object, Type::Hash)
            && self.names.core_class(heap, above) == Some(CoreClass::Set)
    }

    /// Whether both are nodes of a linked list: objects of one class, and no collections.
    fn are_linked(&self, one: ObjectId, next: ObjectId) -> bool {
        let heap = self.graph.heap();
        let (Some(kind), Some(next_kind)) = (heap.kind(one), heap.kind(next)) else {
            return false;
        };
        !kind.class.is_none()
            && (kind.class, kind.type_) == (next_kind.class, next_kind.type_)
            && matches!(kind.type_, Type::Object | Type::Struct | Type::Data)
    }
}
