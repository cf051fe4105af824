//! What is found out about a heap as a whole, each when it is first needed.

use std::sync::Arc;

use leak_hunter_core::Heap;
use leak_hunter_core::export::Named;
use leak_hunter_core::graph::{Dominated, Dominators, Graph, Node, Reach, Referrers, dominators};
use magnus::{Error, Module, RClass, Ruby, method};

use super::lazy::Lazy;
use super::{Whole, Wrapped};

#[derive(Default)]
pub(super) struct Analyses {
    reach: Lazy<Reach>,
    parents: Lazy<Vec<Node>>,
    dominators: Lazy<Dominators>,
    dominated: Lazy<Dominated>,
    referrers: Lazy<Referrers>,
    named: Lazy<Named>,
}

impl Analyses {
    /// Bytes that those take which are there.
    pub(super) fn memory(&self) -> usize {
        let sizes = [
            self.reach.peek().map(|it| it.memory()),
            self.parents.peek().map(|it| it.len() * size_of::<Node>()),
            self.dominators.peek().map(|it| it.memory()),
            self.dominated.peek().map(|it| it.memory()),
            self.referrers.peek().map(|it| it.memory()),
            self.named.peek().map(|it| it.memory()),
        ];
        sizes.into_iter().flatten().sum()
    }
}

impl Whole {
    /// The graph, once its reach is known.
    pub(super) fn graph(&self, reach: &Reach) -> Graph<'_> {
        Graph::of(&self.heap, reach.clone())
    }
}

impl Wrapped {
    fn analysis<T: Send + Sync + 'static>(
        &self,
        ruby: &Ruby,
        lazy: impl Fn(&Analyses) -> &Lazy<T>,
        compute: impl FnOnce(&Whole, &leak_hunter_core::Progress) -> leak_hunter_core::Result<T> + Send + 'static,
    ) -> Result<Arc<T>, Error> {
        let lazy = lazy(&self.whole.analyses);
        if let Some(known) = lazy.peek() {
            return Ok(known);
        }
        let whole = Arc::clone(&self.whole);
        let value = lazy.get(ruby, move |progress| compute(&whole, progress))?;
        self.report();
        Ok(value)
    }

    pub(super) fn reach(&self, ruby: &Ruby) -> Result<Arc<Reach>, Error> {
        self.analysis(
            ruby,
            |it| &it.reach,
            |whole, progress| Ok(Graph::new(&whole.heap, progress)?.reach().clone()),
        )
    }

    pub(super) fn parents(&self, ruby: &Ruby) -> Result<Arc<Vec<Node>>, Error> {
        let reach = self.reach(ruby)?;
        self.analysis(
            ruby,
            |it| &it.parents,
            move |whole, progress| whole.graph(&reach).parents(progress),
        )
    }

    pub(super) fn dominators(&self, ruby: &Ruby) -> Result<Arc<Dominators>, Error> {
        let reach = self.reach(ruby)?;
        self.analysis(
            ruby,
            |it| &it.dominators,
            move |whole, progress| dominators(&whole.graph(&reach), progress),
        )
    }

    pub(super) fn dominated(&self, ruby: &Ruby) -> Result<Arc<Dominated>, Error> {
        let dominators = self.dominators(ruby)?;
        self.analysis(
            ruby,
            |it| &it.dominated,
            move |_, _| Ok(Dominated::new(&dominators)),
        )
    }

    pub(super) fn referrers(&self, ruby: &Ruby) -> Result<Arc<Referrers>, Error> {
        self.analysis(
            ruby,
            |it| &it.referrers,
            |whole, progress| Referrers::new(&whole.heap, progress),
        )
    }

    pub(super) fn named(&self, ruby: &Ruby) -> Result<Arc<Named>, Error> {
        self.analysis(ruby, |it| &it.named, |whole, _| Ok(Named::new(&whole.heap)))
    }

    fn unreachable(ruby: &Ruby, this: &Self) -> Result<u64, Error> {
        let reach = this.reach(ruby)?;
        this.apart(ruby, move |whole| whole.graph(&reach).unreachable())
    }
}

pub(super) fn init(class: RClass) -> Result<(), Error> {
    class.define_method("unreachable", method!(Wrapped::unreachable, 0))
}

/// The node if it is an object.
pub(super) fn object_of(heap: &Heap, node: Node) -> Option<u32> {
    (node < heap.len()).then_some(node)
}
