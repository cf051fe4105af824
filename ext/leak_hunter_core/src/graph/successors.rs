//! What a node leads to: by every edge, by essential ones, by those that keep alive, and one at a time.

use super::{Graph, Level, NodeId, Place};
use crate::heap::edges::{List, Pause};
use crate::ids::ObjectId;

/// How far the reading of an object's successors has come.
pub(crate) struct Resumed {
    /// The one that was wanted; `None` at the end.
    pub(crate) found: Option<ObjectId>,
    pub(crate) pause: Pause,
}

/// A wanted successor of a category.
pub(crate) struct FoundBelow {
    /// How many successors are done, this one among them.
    pub(crate) done: u32,
    pub(crate) node: NodeId,
}

/// What a node leads to.
#[derive(Clone, Debug)]
struct Successors<'a> {
    objects: ObjectSuccessors<'a>,
    /// Of the top
    categories: std::ops::Range<u32>,
}

/// The objects that an object or a category leads to.
#[derive(Clone, Debug)]
pub(super) struct ObjectSuccessors<'a> {
    pub(super) class: Option<ObjectId>,
    list: List<'a>,
    others: std::slice::Iter<'a, ObjectId>,
}

impl ObjectSuccessors<'_> {
    fn none() -> Self {
        Self {
            class: None,
            list: List::empty(),
            others: [].iter(),
        }
    }
}

impl Iterator for ObjectSuccessors<'_> {
    type Item = ObjectId;

    #[inline]
    fn next(&mut self) -> Option<ObjectId> {
        self.class
            .take()
            .or_else(|| self.list.next())
            .or_else(|| self.others.next().copied())
    }

    /// Quicker than one by one: graphs are walked by it.
    #[inline]
    fn fold<B, F: FnMut(B, ObjectId) -> B>(self, init: B, mut f: F) -> B {
        let sum = self.class.into_iter().fold(init, &mut f);
        let sum = self.list.fold(sum, &mut f);
        self.others.copied().fold(sum, f)
    }
}

impl Iterator for Successors<'_> {
    type Item = NodeId;

    #[inline]
    fn next(&mut self) -> Option<NodeId> {
        let object = self.objects.next().map(NodeId::from);
        object.or_else(|| self.categories.next().map(NodeId::new))
    }

    #[inline]
    fn fold<B, F: FnMut(B, NodeId) -> B>(self, init: B, mut f: F) -> B {
        let sum = self
            .objects
            .fold(init, |sum, object| f(sum, NodeId::from(object)));
        self.categories.map(NodeId::new).fold(sum, f)
    }
}

impl Graph {
    /// The nodes that a node leads to by essential edges, as often as it does so.
    #[inline]
    pub fn successors(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let successors = self.all_successors(node);
        let level = match self.place(node) {
            Place::Object(object) => self.level_from(object),
            Place::Category(index) => self.categories[index].level as u8,
            Place::Top => 0,
        };
        let objects = NodeId::new(self.heap.len());
        successors.filter(move |next| *next >= objects || self.levels[*next] == level)
    }

    /// Whether a node keeps alive what it refers to. Caches, tools and the machine stack do not.
    pub(crate) fn keeps_alive(&self, node: NodeId) -> bool {
        match self.place(node) {
            Place::Object(object) => {
                self.level_to(object) < Level::Unreachable as u8
                    && !self.low_priority.is_tool(&self.heap, object)
            }
            Place::Category(index) => self.categories[index].level != Level::LowPriority,
            Place::Top => false,
        }
    }

    /// What a category of roots refers to.
    pub(crate) fn entries(&self, category: NodeId) -> &[ObjectId] {
        match self.place(category) {
            Place::Category(index) => &self.categories[index].root.references,
            _ => &[],
        }
    }

    /// Goes on with an object's successors, essential or not, up to one that `wanted` takes. `None` is where they begin:
    /// with the class.
    #[inline]
    pub(crate) fn resume(
        &self,
        object: ObjectId,
        pause: Option<Pause>,
        mut wanted: impl FnMut(ObjectId) -> bool,
    ) -> Resumed {
        let mut list = match pause {
            Some(pause) => self.heap.resume(object, pause),
            None => {
                let list = self.heap.list(object);
                if let Some(class) = self.heap.class_of(object).filter(|class| wanted(*class)) {
                    return Resumed {
                        found: Some(class),
                        pause: list.pause(),
                    };
                }
                list
            }
        };
        let found = list.find(|next| wanted(*next));
        Resumed {
            found,
            pause: list.pause(),
        }
    }

    /// Goes on with the successors of a category, essential or not, after the first `done`.
    pub(crate) fn resume_category(
        &self,
        node: NodeId,
        done: u32,
        mut wanted: impl FnMut(NodeId) -> bool,
    ) -> Option<FoundBelow> {
        let Place::Category(index) = self.place(node) else {
            return None;
        };
        let rest = &self.categories[index].root.references[done as usize..];
        let index = rest.iter().position(|next| wanted((*next).into()))?;
        Some(FoundBelow {
            done: done + index as u32 + 1,
            node: rest[index].into(),
        })
    }

    #[inline]
    fn all_successors(&self, node: NodeId) -> Successors<'_> {
        let is_top = self.place(node) == Place::Top;
        Successors {
            objects: self.object_successors(node),
            categories: if is_top {
                self.heap.len()..self.top().get()
            } else {
                0..0
            },
        }
    }

    /// Every object that a node leads to.
    #[inline]
    pub(super) fn object_successors(&self, node: NodeId) -> ObjectSuccessors<'_> {
        match self.place(node) {
            Place::Object(object) => ObjectSuccessors {
                class: self.heap.class_of(object),
                list: self.heap.list(object),
                others: [].iter(),
            },
            Place::Category(index) => ObjectSuccessors {
                others: self.categories[index].root.references.iter(),
                ..ObjectSuccessors::none()
            },
            Place::Top => ObjectSuccessors::none(),
        }
    }
}
