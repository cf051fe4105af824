//! Paths against walking all the way up each time.

use std::sync::Arc;

use proptest::prelude::*;

use super::tests::{Plain, address};
use super::*;
use crate::progress::Progress;

/// A tree of objects: each refers to its children. Long branches, as `next` says how far up the parent is.
fn tree(ups: &[usize]) -> Plain {
    let mut objects: Vec<(Vec<usize>, Option<usize>, bool)> = vec![(Vec::new(), None, false)];
    for (index, up) in ups.iter().enumerate() {
        let child = index + 1;
        objects[index - (*up).min(index)].0.push(child);
        objects.push((Vec::new(), None, false));
    }
    Plain {
        sizes: vec![1; objects.len()],
        objects,
        strong: vec![0],
        stack: Vec::new(),
    }
}

fn whole_path(graph: &Graph, parents: &[NodeId], node: NodeId) -> Vec<NodeId> {
    let mut path = vec![node];
    while parents[path[path.len() - 1]] != graph.top() {
        path.push(parents[path[path.len() - 1]]);
    }
    path.reverse();
    path
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_references_of_an_object_are_each_there_once(ups in proptest::collection::vec(0..5usize, 1..60)) {
        let heap = Arc::new(tree(&ups).heap());
        let progress = Progress::default();
        let graph = Graph::new(Arc::clone(&heap), &progress).unwrap();
        for object in heap.objects() {
            let mut nodes: Vec<NodeId> = heap.references(object).map(NodeId::from).collect();
            nodes.sort_unstable();
            nodes.dedup();
            let steps = references(&graph, object, &progress).unwrap();
            prop_assert_eq!(steps.iter().map(|step| step.node).collect::<Vec<_>>(), nodes);
        }
    }

    #[test]
    fn a_long_path_keeps_its_ends_and_the_node_asked_for(
        ups in proptest::collection::vec(prop_oneof![40 => Just(0usize), 1 => 1..300usize], 1..1_500),
        asked in proptest::collection::vec((any::<proptest::sample::Index>(), any::<proptest::sample::Index>()), 1..40),
    ) {
        let heap = Arc::new(tree(&ups).heap());
        let progress = Progress::default();
        let graph = Graph::new(Arc::clone(&heap), &progress).unwrap();
        let parents = graph.parents(&progress).unwrap();
        let mut finder = PathFinder::new(&graph, &parents, &progress);
        for (node, by) in asked {
            let node = NodeId::from(heap.find(address(node.index(ups.len() + 1))).unwrap());
            let whole = whole_path(&graph, &parents, node);
            let by = whole[by.index(whole.len())];
            for (length, most) in [(Length::FULL, 200), (Length::SHORT, 24)] {
                let path = finder.find(node, Some(by), length).unwrap();
                prop_assert!(path.len() <= most);
                prop_assert_eq!(path.len() == whole.len(), whole.len() <= most);
                prop_assert!(path.iter().any(|step| step.node == by));
                let mut at = 0;
                for step in &path {
                    at += step.omitted as usize;
                    prop_assert_eq!(step.node, whole[at]);
                    at += 1;
                }
                prop_assert_eq!(at, whole.len());
            }
        }
    }
}

#[test]
fn a_gap_says_how_much_is_left_out() {
    let heap = Arc::new(tree(&[0; 999]).heap());
    let progress = Progress::default();
    let graph = Graph::new(Arc::clone(&heap), &progress).unwrap();
    let parents = graph.parents(&progress).unwrap();
    let steps = path(&graph, &parents, NodeId::new(999), &progress).unwrap();
    let gaps: Vec<&Edge> = steps
        .iter()
        .map(|step| &step.edge)
        .filter(|edge| edge.kind == EdgeKind::Gap)
        .collect();
    assert_eq!(gaps.len(), 1);
    // a thousand objects and their category of roots
    assert_eq!(gaps[0].omitted as usize + steps.len(), 1_001);
}

#[test]
fn parents_that_make_no_tree_end_a_path() {
    let heap = Arc::new(tree(&[0; 9]).heap());
    let progress = Progress::default();
    let graph = Graph::new(heap, &progress).unwrap();
    let mut circle = vec![NodeId::NONE; graph.len() as usize];
    for (node, next) in circle.iter_mut().enumerate().take(10) {
        *next = NodeId::new((node as u32 + 1) % 10);
    }
    assert!(
        !path(&graph, &circle, NodeId::new(3), &progress)
            .unwrap()
            .is_empty()
    );
}
