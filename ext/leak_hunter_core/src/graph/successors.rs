//! What a node leads to: by every edge, by essential ones, by those that keep alive, and one at a time.

use super::{CACHES, EXECUTIONS, Graph, Level, Node};
use crate::heap::edges::{List, Pause};

/// What a node leads to.
#[derive(Clone, Debug)]
pub(super) struct Successors<'a> {
    pub(super) class: Option<u32>,
    list: List<'a>,
    others: std::slice::Iter<'a, u32>,
    categories: std::ops::Range<u32>,
}

impl Successors<'_> {
    fn none() -> Self {
        Self {
            class: None,
            list: List::empty(),
            others: [].iter(),
            categories: 0..0,
        }
    }
}

impl Iterator for Successors<'_> {
    type Item = Node;

    #[inline]
    fn next(&mut self) -> Option<Node> {
        self.class
            .take()
            .or_else(|| self.list.next())
            .or_else(|| self.others.next().copied())
            .or_else(|| self.categories.next())
    }

    /// Quicker than one by one: graphs are walked by it.
    #[inline]
    fn fold<B, F: FnMut(B, Node) -> B>(self, init: B, mut f: F) -> B {
        let sum = self.class.into_iter().fold(init, &mut f);
        let sum = self.list.fold(sum, &mut f);
        let sum = self.others.copied().fold(sum, &mut f);
        self.categories.fold(sum, f)
    }
}

impl Graph {
    /// The nodes that a node leads to by essential edges, as often as it does so.
    #[inline]
    pub fn successors(&self, node: Node) -> impl Iterator<Item = Node> + '_ {
        let successors = self.all_successors(node);
        let level = match node.checked_sub(self.heap.len()) {
            None => self.level_from(node),
            Some(index) => self.categories.get(index as usize).map_or(0, |it| it.level as u8),
        };
        let objects = self.heap.len();
        successors.filter(move |next| *next >= objects || self.level_to(*next) == level)
    }

    /// The objects that a node keeps alive, its class apart: all but what only caches, tools and the bare stack lead to.
    pub(crate) fn keeping_successors(&self, node: Node) -> impl Iterator<Item = u32> + '_ {
        let keeps = match node.checked_sub(self.heap.len()) {
            None => self.level_to(node) < Level::Unreachable as u8 && !self.is_tool(node),
            Some(index) => self
                .categories
                .get(index as usize)
                .is_some_and(|category| category.level != Level::Postponed),
        };
        let mut successors = self.all_successors(node);
        successors.class = None;
        successors.filter(move |_| keeps)
    }

    /// A cache, a table of tracing, or LeakHunter's own; threads and fibers are postponed and yet keep what they hold.
    fn is_tool(&self, object: u32) -> bool {
        self.levels[object as usize] & CACHES != 0
            && !self
                .heap
                .label(object)
                .is_some_and(|label| EXECUTIONS.contains(&label))
    }

    /// Goes on with an object's successors, up to one that `wanted` takes. `None` is where they begin: with the class.
    #[inline]
    pub(crate) fn resume(
        &self,
        object: u32,
        pause: Option<Pause>,
        wanted: impl Fn(&Node) -> bool,
    ) -> (Option<Node>, Pause) {
        let level = self.level_from(object);
        let essential = |next: &u32| self.level_to(*next) == level && wanted(next);
        let mut list = match pause {
            Some(pause) => self.heap.resume(object, pause),
            None => {
                let list = self.heap.list(object);
                if let Some(class) = self.heap.class_of(object).filter(essential) {
                    return (Some(class), list.pause());
                }
                list
            }
        };
        let found = list.find(essential);
        (found, list.pause())
    }

    /// Goes on with the successors of a category or of the top after the first `done`. Tells how many are done then.
    pub(crate) fn resume_category(
        &self,
        node: Node,
        done: u32,
        wanted: impl Fn(&Node) -> bool,
    ) -> Option<(u32, Node)> {
        let Some(category) = self.categories.get((node - self.heap.len()) as usize) else {
            let next = (self.heap.len() + done..self.top()).find(wanted)?;
            return Some((next - self.heap.len() + 1, next));
        };
        let essential = |next: &&u32| self.level_to(**next) == category.level as u8 && wanted(next);
        let rest = &category.root.references[done as usize..];
        let index = rest.iter().position(|next| essential(&next))?;
        Some((done + index as u32 + 1, rest[index]))
    }

    #[inline]
    pub(super) fn all_successors(&self, node: Node) -> Successors<'_> {
        match node.checked_sub(self.heap.len()) {
            None => Successors {
                class: self.heap.class_of(node),
                list: self.heap.list(node),
                others: [].iter(),
                categories: 0..0,
            },
            Some(index) => match self.categories.get(index as usize) {
                Some(category) => Successors {
                    others: category.root.references.iter(),
                    ..Successors::none()
                },
                None => Successors {
                    categories: self.heap.len()..self.top(),
                    ..Successors::none()
                },
            },
        }
    }
}
