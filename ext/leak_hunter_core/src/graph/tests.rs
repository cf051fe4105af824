//! The graph and its dominators against slow plain versions, on random heaps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::dump::Fields;
use crate::heap::HeapBuilder;
use crate::ids::Address;
use crate::progress::Progress;

/// A heap as plain as can be: objects by a small number.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    /// What each refers to, its class among it; and whether its references are postponed.
    pub(crate) objects: Vec<(Vec<usize>, Option<usize>, bool)>,
    pub(crate) sizes: Vec<u64>,
    pub(crate) strong: Vec<usize>,
    pub(crate) stack: Vec<usize>,
}

/// How one object refers to another.
pub(crate) fn edge(graph: &Graph, parent: NodeId, child: NodeId) -> Edge {
    let path = [parent, child].map(|node| PathNode { node, omitted: 0 });
    let names = EdgeNames::of(graph, &[&path], &Progress::default()).unwrap();
    names.steps(&path)[1].edge.clone()
}

pub(crate) fn address(object: usize) -> Address {
    Address::new(0x7f00_0000_0000 + object as u64 * 40)
}

impl Plain {
    pub(crate) fn heap(&self) -> Heap {
        let mut builder = HeapBuilder::new((0..self.objects.len()).map(address)).unwrap();
        builder.root("vm", self.strong.iter().copied().map(address).collect());
        builder.root(
            "machine_context",
            self.stack.iter().copied().map(address).collect(),
        );
        builder.root("finalizers", Vec::new());
        let objects = self
            .objects
            .iter()
            .enumerate()
            .map(|(number, (references, class, postponed))| {
                let fields = Fields {
                    address: address(number),
                    kind: if *postponed { &b"IMEMO"[..] } else { b"OBJECT" }.into(),
                    imemo_type: postponed.then_some(b"constcache"[..].into()),
                    class: class.map(address).filter(|_| !postponed),
                    memsize: self.sizes[number],
                    ..Fields::default()
                };
                (fields, references.iter().copied().map(address).collect())
            });
        builder.build_from(objects).unwrap()
    }

    fn successors(&self, object: usize) -> Vec<usize> {
        let (references, class, postponed) = &self.objects[object];
        let class = class.filter(|_| !postponed);
        references.iter().copied().chain(class).collect()
    }

    /// All that is reached, by the references of what `through` lets pass.
    fn reached(&self, from: &[usize], through: impl Fn(usize) -> bool) -> BTreeSet<usize> {
        let mut seen: BTreeSet<usize> = from.iter().copied().collect();
        let mut open: Vec<usize> = seen.iter().copied().collect();
        while let Some(object) = open.pop() {
            if through(object) {
                open.extend(
                    self.successors(object)
                        .into_iter()
                        .filter(|next| seen.insert(*next)),
                );
            }
        }
        seen
    }

    fn levels(&self) -> Vec<Level> {
        let strong = self.reached(&self.strong, |object| !self.objects[object].2);
        let roots: Vec<usize> = self.strong.iter().chain(&self.stack).copied().collect();
        let all = self.reached(&roots, |_| true);
        (0..self.objects.len())
            .map(|object| match (strong.contains(&object), all.contains(&object)) {
                (true, _) => Level::Strong,
                (_, true) => Level::LowPriority,
                _ => Level::Unreachable,
            })
            .collect()
    }

    /// The nodes of a graph and the edges that count. Roots are numbered as the graph numbers them.
    fn edges(&self, graph: &Graph) -> BTreeMap<NodeId, BTreeSet<NodeId>> {
        let levels = self.levels();
        let mut edges: BTreeMap<NodeId, BTreeSet<NodeId>> = BTreeMap::new();
        for object in 0..self.objects.len() {
            let from = match self.objects[object].2 {
                true => levels[object].max(Level::LowPriority),
                false => levels[object],
            };
            let next = self
                .successors(object)
                .into_iter()
                .filter(|next| levels[*next] == from);
            edges.insert(node(object), next.map(node).collect());
        }
        for category in graph.category_nodes() {
            let (list, level) = match graph.category(category).unwrap() {
                "vm" => (self.strong.clone(), Level::Strong),
                "machine_context" => (self.stack.clone(), Level::LowPriority),
                "unreachable" => (
                    graph.successors(category).map(NodeId::index).collect(),
                    Level::Unreachable,
                ),
                _ => (Vec::new(), Level::Finalizers),
            };
            let list = list.into_iter().filter(|object| levels[*object] == level);
            edges.insert(category, list.map(node).collect());
        }
        edges.insert(graph.top(), graph.category_nodes().collect());
        edges
    }
}

/// The node of an object.
fn node(object: usize) -> NodeId {
    NodeId::new(object as u32)
}

fn reached_without(
    edges: &BTreeMap<NodeId, BTreeSet<NodeId>>,
    top: NodeId,
    without: Option<NodeId>,
) -> BTreeSet<NodeId> {
    let mut seen = BTreeSet::from([top]);
    let mut open = vec![top];
    while let Some(node) = open.pop() {
        for next in edges.get(&node).into_iter().flatten() {
            if Some(*next) != without && seen.insert(*next) {
                open.push(*next);
            }
        }
    }
    seen
}

/// Sparse, dense, with circles, self-references, orphans and objects of many roots.
pub(crate) fn plain() -> impl Strategy<Value = Plain> {
    (1..24usize, 0..4usize).prop_flat_map(|(count, degree)| {
        let object = (
            proptest::collection::vec(0..count, 0..=degree),
            proptest::option::weighted(0.3, 0..count),
            proptest::bool::weighted(0.1),
        );
        (
            proptest::collection::vec(object, count),
            proptest::collection::vec(0..1_000u64, count),
            proptest::collection::vec(0..count, 0..3),
            proptest::collection::vec(0..count, 0..3),
        )
            .prop_map(|(objects, sizes, strong, stack)| Plain {
                objects,
                sizes,
                strong,
                stack,
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn dominators_are_what_removing_a_node_shows(plain in plain()) {
        let heap = Arc::new(plain.heap());
        let progress = Progress::default();
        let graph = Graph::new(Arc::clone(&heap), &progress).unwrap();
        let levels: Vec<Level> = heap.objects().map(|object| graph.level(object)).collect();
        prop_assert_eq!(levels, plain.levels());

        let edges = plain.edges(&graph);
        for (node, next) in &edges {
            prop_assert_eq!(&graph.successors(*node).collect::<BTreeSet<_>>(), next);
        }
        let everything = reached_without(&edges, graph.top(), None);
        prop_assert_eq!(everything.len() as u32, graph.len());

        let tree = dominators(&graph, &progress).unwrap();
        let mut total = 0;
        for node in graph.nodes_below_top() {
            let left = reached_without(&edges, graph.top(), Some(node));
            let lost: BTreeSet<NodeId> = everything.difference(&left).copied().collect();
            for other in graph.nodes_below_top() {
                prop_assert_eq!(tree.dominates(node, other), lost.contains(&other));
            }
            let size = lost.iter().filter_map(|it| plain.sizes.get(it.index())).sum::<u64>();
            prop_assert_eq!(tree.retained(node), size);
            total += plain.sizes.get(node.index()).unwrap_or(&0);
        }
        prop_assert_eq!(tree.retained(graph.top()), total);
        prop_assert_eq!(total, heap.total_memsize());
    }

    #[test]
    fn nodes_are_in_the_order_of_a_search_in_depth(plain in plain()) {
        let progress = Progress::default();
        let graph = Graph::new(Arc::new(plain.heap()), &progress).unwrap();
        let tree = dominators(&graph, &progress).unwrap();
        let mut order = Vec::new();
        let mut open = vec![vec![graph.top()].into_iter()];
        while let Some(list) = open.last_mut() {
            match list.next() {
                Some(node) if order.contains(&node) => {}
                Some(node) => {
                    order.push(node);
                    open.push(graph.successors(node).collect::<Vec<_>>().into_iter());
                }
                None => drop(open.pop()),
            }
        }
        prop_assert_eq!(tree.order(), order);
    }

    #[test]
    fn every_object_has_a_shortest_way_from_the_roots(plain in plain()) {
        let heap = Arc::new(plain.heap());
        let progress = Progress::default();
        let graph = Graph::new(Arc::clone(&heap), &progress).unwrap();
        let parents = graph.parents(&progress).unwrap();
        let at_once = Graph::unsearched(Arc::clone(&heap)).with_parents(&progress).unwrap();
        prop_assert_eq!(&at_once.parents, &parents);
        let known = |graph: &Graph| {
            let categories: Vec<String> = graph.categories.iter().map(|it| format!("{it:?}")).collect();
            (graph.levels.clone(), categories)
        };
        prop_assert_eq!(known(&at_once.graph), known(&graph));
        for object in heap.objects() {
            let mut node = NodeId::from(object);
            let mut steps = 0;
            while node != graph.top() {
                let parent = parents[node];
                prop_assert!(graph.successors(parent).any(|next| next == node));
                node = parent;
                steps += 1;
                prop_assert!(steps <= graph.len());
            }
        }
    }
}

/// One object that refers to all others.
fn wide(count: usize) -> Plain {
    Plain {
        objects: std::iter::once(((1..count).collect(), None, false))
            .chain((1..count).map(|_| (Vec::new(), None, false)))
            .collect(),
        sizes: vec![1; count],
        strong: vec![0],
        stack: Vec::new(),
    }
}

/// A list as long as memory allows, and one object that refers to all others, would overflow a stack.
#[test]
fn deep_and_wide_graphs_do_not_recurse() {
    const COUNT: usize = 300_000;
    let chain = (0..COUNT).map(|number| {
        let next = (number + 1 < COUNT).then_some(number + 1);
        (next.into_iter().collect(), None, false)
    });
    let wide = wide(COUNT);
    let deep = Plain {
        objects: chain.collect(),
        ..wide.clone()
    };
    // nothing leads there, and it is a circle
    let mut circle = deep.clone();
    circle.strong.clear();
    circle.objects[COUNT - 1].0.push(0);
    for plain in [deep, wide, circle] {
        let heap = Arc::new(plain.heap());
        let progress = Progress::default();
        let graph = Graph::new(Arc::clone(&heap), &progress).unwrap();
        let tree = dominators(&graph, &progress).unwrap();
        assert_eq!(tree.retained(node(0)), COUNT as u64);
    }
}

#[test]
fn a_long_list_of_leaves_can_be_cancelled() {
    const COUNT: usize = 100 * CHECK_EVERY;
    let graph = Graph::unsearched(Arc::new(wide(COUNT).heap()));
    let progress = Progress::cancelled_at(4);
    assert!(
        DepthFirst::from_roots(&graph, &progress).is_err(),
        "looked four times"
    );
}
