//! The first and longest part of the search for levels, by several threads: what roots lead to without references of low
//! priority. The order in which that is reached does not matter.

use std::sync::atomic::{AtomicU8, Ordering};

use rayon::{Scope, ThreadPool};

use super::levels::UNSEEN;
use super::{Graph, Level, Ticks};
use crate::error::Result;
use crate::ids::ObjectId;
use crate::lock::Mutex;
use crate::progress::Progress;

/// With so many open objects, a thread leaves half of them to another.
const MANY: usize = if cfg!(test) { 4 } else { 1 << 10 };

/// What was reached.
pub(super) struct Strong {
    pub(super) levels: Vec<u8>,
    /// The objects among it whose references have low priority.
    pub(super) waiting: Vec<ObjectId>,
}

struct Search<'a> {
    graph: &'a Graph,
    levels: Vec<AtomicU8>,
    waiting: Mutex<Vec<ObjectId>>,
    progress: &'a Progress,
}

impl Strong {
    pub(super) fn of(graph: &Graph, pool: &ThreadPool, progress: &Progress) -> Result<Self> {
        let search = Search {
            graph,
            levels: graph.heap.objects().map(|_| AtomicU8::new(UNSEEN)).collect(),
            waiting: Mutex::default(),
            progress,
        };
        pool.scope(|scope| {
            let categories = graph.categories.iter();
            for category in categories.filter(|category| category.level == Level::Strong) {
                let references = category.root.references.iter().copied();
                let open = references.filter(|next| search.is_new(*next)).collect();
                search.run(open, scope);
            }
        });
        // a thread that saw it cancelled has stopped
        progress.check()?;
        Ok(Self {
            levels: search.levels.into_iter().map(AtomicU8::into_inner).collect(),
            waiting: search.waiting.into_inner(),
        })
    }
}

impl Search<'_> {
    /// Reaches an object; `false` where that was done before.
    #[inline]
    fn is_new(&self, object: ObjectId) -> bool {
        let level = &self.levels[object];
        level.load(Ordering::Relaxed) == UNSEEN
            && level.swap(Level::Strong as u8, Ordering::Relaxed) == UNSEEN
    }

    /// Whether anything is to be reached from an object: nearly half of a heap are Strings.
    #[inline]
    fn leads_on(&self, object: ObjectId) -> bool {
        let heap = &self.graph.heap;
        heap.has_references(object)
            || heap
                .class_of(object)
                .is_some_and(|class| self.levels[class].load(Ordering::Relaxed) == UNSEEN)
    }

    /// Reaches all that these objects lead to.
    fn run<'scope>(&'scope self, mut open: Vec<ObjectId>, scope: &Scope<'scope>) {
        let mut ticks = Ticks::new(self.progress);
        let mut waiting = Vec::new();
        while let Some(object) = open.pop() {
            if ticks.tick().is_err() {
                return;
            }
            if self.graph.has_low_priority(object) {
                waiting.push(object);
                continue;
            }
            let successors = self.graph.object_successors(object.into());
            successors.for_each(|next| {
                if self.is_new(next) && self.leads_on(next) {
                    open.push(next);
                }
            });
            if open.len() >= MANY {
                let others = open.split_off(open.len() / 2);
                scope.spawn(move |scope| self.run(others, scope));
            }
        }
        self.waiting.lock().append(&mut waiting);
    }
}
