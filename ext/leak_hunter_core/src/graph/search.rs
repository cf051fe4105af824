//! The search that finds how every object is reached.

use std::collections::VecDeque;

use super::detours::{CachedMethod, Detours};
use super::levels::UNSEEN;
use super::{CHECK_EVERY, Graph, Level, NodeId, Ticks};
use crate::error::Result;
use crate::ids::ObjectId;
use crate::progress::Progress;

/// A search that reaches every object once, by the best edges first and of those by the shortest way.
pub(super) struct Search<'a> {
    pub(super) levels: &'a mut [u8],
    queue: VecDeque<ObjectId>,
    /// Objects reached whose references have to wait.
    waiting: Vec<ObjectId>,
    /// Whether the shortest way is wanted, and none over a class where another leads there. Otherwise the order does not
    /// matter, and what was reached last goes first: that takes less memory.
    pub(super) shortest: bool,
    /// Objects whose classes have to wait.
    instances: Vec<ObjectId>,
    /// What has to wait beside, where the shortest way is wanted.
    detours: Detours,
    progress: &'a Progress,
}

impl<'a> Search<'a> {
    pub(super) fn new(levels: &'a mut [u8], progress: &'a Progress) -> Self {
        Self {
            levels,
            queue: VecDeque::new(),
            waiting: Vec::new(),
            shortest: false,
            instances: Vec::new(),
            detours: Detours::default(),
            progress,
        }
    }

    /// A search for the ways that people would call an object's: the shortest, but over closures, method caches and
    /// classes only where there is no other.
    pub(super) fn for_paths(graph: &Graph, levels: &'a mut [u8], progress: &'a Progress) -> Self {
        Self {
            shortest: true,
            detours: Detours::of(graph),
            ..Self::new(levels, progress)
        }
    }

    pub(super) fn reach_from_roots(
        &mut self,
        graph: &Graph,
        mut reached: impl FnMut(NodeId, ObjectId),
    ) -> Result<()> {
        for index in 0..graph.categories.len() {
            if graph.categories[index].level == Level::Strong {
                self.reach_all(graph, graph.category_node(index), Level::Strong, &mut reached);
            }
        }
        self.run(graph, Level::Strong, &mut reached)?;
        // Of what a thread or a cache refers to, that is a better explanation than the stack alone.
        for (index, object) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            if index % CHECK_EVERY == 0 {
                self.progress.check()?;
            }
            self.reach_all(graph, object.into(), Level::LowPriority, &mut reached);
        }
        self.run(graph, Level::LowPriority, &mut reached)?;
        for index in 0..graph.categories.len() {
            if graph.categories[index].level == Level::LowPriority {
                self.reach_from_category(graph, index, &mut reached)?;
            }
        }
        Ok(())
    }

    pub(super) fn reach_from_category(
        &mut self,
        graph: &Graph,
        index: usize,
        mut reached: impl FnMut(NodeId, ObjectId),
    ) -> Result<()> {
        let level = graph.categories[index].level;
        self.reach_all(graph, graph.category_node(index), level, &mut reached);
        self.run(graph, level, reached)
    }

    fn reach_all(
        &mut self,
        graph: &Graph,
        node: NodeId,
        level: Level,
        reached: &mut impl FnMut(NodeId, ObjectId),
    ) {
        let mut successors = graph.object_successors(node);
        if self.shortest {
            let class = successors.class.take();
            if class.is_some_and(|class| self.levels[class] == UNSEEN) {
                self.instances.extend(graph.object(node));
            }
            if self.detours.has_methods(graph, node) {
                let mut successors = successors.peekable();
                while let Some(next) = successors.next() {
                    match self
                        .detours
                        .is_cached_method(graph, next, successors.peek().copied())
                    {
                        true => self.detours.cached.push(CachedMethod {
                            class: node,
                            method: next,
                        }),
                        false => self.reach(graph, node, next, level, reached),
                    }
                }
                return;
            }
        }
        successors.for_each(|next| self.reach(graph, node, next, level, reached));
    }

    #[inline]
    fn reach(
        &mut self,
        graph: &Graph,
        node: NodeId,
        next: ObjectId,
        level: Level,
        reached: &mut impl FnMut(NodeId, ObjectId),
    ) {
        let known = &mut self.levels[next];
        if *known == UNSEEN {
            *known = level as u8;
            reached(node, next);
            if self.leads_on(graph, next) {
                self.queue.push_back(next);
            }
        }
    }

    /// Whether anything is to be reached from an object: nearly half of a heap are Strings.
    #[inline]
    fn leads_on(&self, graph: &Graph, object: ObjectId) -> bool {
        let heap = graph.heap();
        heap.has_references(object)
            || heap
                .class_of(object)
                .is_some_and(|class| self.levels[class] == UNSEEN)
    }

    fn run(&mut self, graph: &Graph, level: Level, mut reached: impl FnMut(NodeId, ObjectId)) -> Result<()> {
        loop {
            self.run_queue(graph, level, &mut reached)?;
            if !self.detours.closures.is_empty() {
                for closure in std::mem::take(&mut self.detours.closures) {
                    self.reach_all(graph, closure.into(), level, &mut reached);
                }
                continue;
            }
            if self.instances.is_empty() {
                if self.detours.cached.is_empty() {
                    return Ok(());
                }
                for CachedMethod { class, method } in std::mem::take(&mut self.detours.cached) {
                    self.reach(graph, class, method, level, &mut reached);
                }
                continue;
            }
            for (index, instance) in std::mem::take(&mut self.instances).into_iter().enumerate() {
                if index % CHECK_EVERY == 0 {
                    self.progress.check()?;
                }
                if let Some(class) = graph.heap().class_of(instance) {
                    self.reach(graph, instance.into(), class, level, &mut reached);
                }
            }
        }
    }

    fn run_queue(
        &mut self,
        graph: &Graph,
        level: Level,
        reached: &mut impl FnMut(NodeId, ObjectId),
    ) -> Result<()> {
        let mut ticks = Ticks::new(self.progress);
        loop {
            ticks.tick()?;
            let next = match self.shortest {
                true => self.queue.pop_front(),
                false => self.queue.pop_back(),
            };
            let Some(object) = next else { return Ok(()) };
            if level == Level::Strong && graph.has_low_priority(object) {
                self.waiting.push(object);
            } else if self.shortest && self.detours.is_closure(graph, object) {
                self.detours.closures.push(object);
            } else {
                self.reach_all(graph, object.into(), level, reached);
            }
        }
    }

    /// Makes everything of a level unseen again.
    pub(super) fn forget(&mut self, level: Level) -> Result<()> {
        let mut ticks = Ticks::new(self.progress);
        for known in self.levels.iter_mut().filter(|known| **known == level as u8) {
            ticks.tick()?;
            *known = UNSEEN;
        }
        Ok(())
    }

    /// Where to start so that everything is reached: what nothing refers to, and one object of each circle.
    pub(super) fn unreachable(&mut self, graph: &Graph) -> Result<Vec<ObjectId>> {
        let objects = graph.heap().objects();
        let mut referred = vec![0u64; objects.len().div_ceil(64)];
        for object in objects.clone() {
            if object.index() % CHECK_EVERY == 0 {
                self.progress.check()?;
            }
            if self.levels[object] == UNSEEN {
                for next in graph.object_successors(object.into()) {
                    if next != object {
                        referred[next.index() / 64] |= 1 << (next.index() % 64);
                    }
                }
            }
        }
        let mut entries = Vec::new();
        for circles in [false, true] {
            for object in objects.clone() {
                if object.index() % CHECK_EVERY == 0 {
                    self.progress.check()?;
                }
                let unseen = self.levels[object] == UNSEEN;
                if unseen && (circles || referred[object.index() / 64] >> (object.index() % 64) & 1 == 0) {
                    entries.push(object);
                    self.levels[object] = Level::Unreachable as u8;
                    self.queue.push_back(object);
                    self.run(graph, Level::Unreachable, |_, _| {})?;
                }
            }
        }
        Ok(entries)
    }
}
