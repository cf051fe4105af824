//! The search that finds how every object is reached.

use std::collections::VecDeque;

use super::levels::UNSEEN;
use super::{CHECK_EVERY, Graph, Level, Node, Ticks};
use crate::error::Result;
use crate::progress::Progress;

/// A search that reaches every object once, by the best edges first and of those by the shortest way.
pub(super) struct Search<'a> {
    pub(super) levels: &'a mut [u8],
    queue: VecDeque<u32>,
    /// Objects reached whose references have to wait.
    waiting: Vec<u32>,
    /// Whether the shortest way is wanted, and none over a class where another leads there. Otherwise the order does not
    /// matter, and what was reached last goes first: that takes less memory.
    pub(super) shortest: bool,
    /// Objects whose classes have to wait.
    instances: Vec<u32>,
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
            progress,
        }
    }

    pub(super) fn reach_from_roots(
        &mut self,
        graph: &Graph,
        mut reached: impl FnMut(Node, u32),
    ) -> Result<()> {
        for index in 0..graph.categories.len() {
            if graph.categories[index].level == Level::Strong {
                self.reach_all(
                    graph,
                    graph.heap().len() + index as u32,
                    Level::Strong,
                    &mut reached,
                );
            }
        }
        self.run(graph, Level::Strong, &mut reached)?;
        // What a thread or a cache holds has a more telling way than the bare stack.
        for (index, object) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            if index % CHECK_EVERY == 0 {
                self.progress.check()?;
            }
            self.reach_all(graph, object, Level::Postponed, &mut reached);
        }
        self.run(graph, Level::Postponed, &mut reached)?;
        for index in 0..graph.categories.len() {
            if graph.categories[index].level == Level::Postponed {
                self.reach_from_category(graph, index, &mut reached)?;
            }
        }
        Ok(())
    }

    pub(super) fn reach_from_category(
        &mut self,
        graph: &Graph,
        index: usize,
        mut reached: impl FnMut(Node, u32),
    ) -> Result<()> {
        let level = graph.categories[index].level;
        self.reach_all(graph, graph.heap().len() + index as u32, level, &mut reached);
        self.run(graph, level, reached)
    }

    fn reach_all(&mut self, graph: &Graph, node: Node, level: Level, reached: &mut impl FnMut(Node, u32)) {
        let mut successors = graph.all_successors(node);
        if self.shortest {
            let class = successors.class.take();
            if class.is_some_and(|class| self.levels[class as usize] == UNSEEN) {
                self.instances.push(node);
            }
        }
        successors.for_each(|next| self.reach(node, next, level, reached));
    }

    #[inline]
    fn reach(&mut self, node: Node, next: u32, level: Level, reached: &mut impl FnMut(Node, u32)) {
        let known = &mut self.levels[next as usize];
        if *known == UNSEEN {
            *known = level as u8;
            reached(node, next);
            self.queue.push_back(next);
        }
    }

    fn run(&mut self, graph: &Graph, level: Level, mut reached: impl FnMut(Node, u32)) -> Result<()> {
        loop {
            self.run_queue(graph, level, &mut reached)?;
            if self.instances.is_empty() {
                return Ok(());
            }
            for (index, instance) in std::mem::take(&mut self.instances).into_iter().enumerate() {
                if index % CHECK_EVERY == 0 {
                    self.progress.check()?;
                }
                if let Some(class) = graph.heap().class_of(instance) {
                    self.reach(instance, class, level, &mut reached);
                }
            }
        }
    }

    fn run_queue(&mut self, graph: &Graph, level: Level, reached: &mut impl FnMut(Node, u32)) -> Result<()> {
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
            } else {
                self.reach_all(graph, object, level, reached);
            }
        }
    }

    /// Where to start so that everything is reached: what nothing refers to, and one object of each circle.
    pub(super) fn unreachable(&mut self, graph: &Graph) -> Result<Vec<u32>> {
        let objects = graph.heap().len();
        let mut referred = vec![0u64; objects.div_ceil(64) as usize];
        for object in 0..objects {
            if object as usize % CHECK_EVERY == 0 {
                self.progress.check()?;
            }
            if self.levels[object as usize] == UNSEEN {
                for next in graph.all_successors(object) {
                    if next != object {
                        referred[next as usize / 64] |= 1 << (next % 64);
                    }
                }
            }
        }
        let mut entries = Vec::new();
        for circles in [false, true] {
            for object in 0..objects {
                if object as usize % CHECK_EVERY == 0 {
                    self.progress.check()?;
                }
                let unseen = self.levels[object as usize] == UNSEEN;
                if unseen && (circles || referred[object as usize / 64] >> (object % 64) & 1 == 0) {
                    entries.push(object);
                    self.levels[object as usize] = Level::Unreachable as u8;
                    self.queue.push_back(object);
                    self.run(graph, Level::Unreachable, |_, _| {})?;
                }
            }
        }
        Ok(entries)
    }
}
