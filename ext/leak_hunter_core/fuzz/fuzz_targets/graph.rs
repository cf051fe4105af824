//! One file as a heap: its graph, dominators, paths and holders hold what they promise, whatever it says.
#![no_main]

use std::sync::Arc;

use leak_hunter_core::Progress;
use leak_hunter_core::graph::{Graph, Level, dominators, path};
use leak_hunter_core::heap::Heap;
use leak_hunter_core::holders::{Consequence, Found, Holder, Leaked, holders_in};
use leak_hunter_core::ids::{Generation, NodeId};
use libfuzzer_sys::fuzz_target;

fn consequences(holder: &Holder, size: impl Fn(&Consequence) -> u64) -> u64 {
    holder
        .consequences
        .iter()
        .fold(0, |sum, it| sum.saturating_add(size(it)))
}

fuzz_target!(|input: &[u8]| {
    // the first bytes pick what leaked and since when; the rest is the dump
    let Some((picks, text)) = input.split_first_chunk::<3>() else {
        return;
    };
    let path_of_dump = std::env::temp_dir().join(format!("leak_hunter-fuzz-{}.json", std::process::id()));
    std::fs::write(&path_of_dump, text).unwrap();
    let progress = Progress::default();
    let (one, three) = (
        Heap::load(&path_of_dump, Some(1), &progress),
        Heap::load(&path_of_dump, Some(3), &progress),
    );
    let (heap, other) = match (one, three) {
        (Ok(one), Ok(three)) => (one, three),
        (Err(one), Err(three)) => return assert_eq!(one.to_string(), three.to_string()),
        (one, three) => panic!("one thread says {one:?}, three say {three:?}"),
    };
    assert_eq!((heap.len(), heap.dangling()), (other.len(), other.dangling()));
    assert_eq!(heap.roots(), other.roots());
    for object in heap.objects() {
        assert!(heap.references(object).eq(other.references(object)));
        assert_eq!(heap.find(heap.address(object)), Some(object));
        assert_eq!(heap.site(object), other.site(object));
    }

    let heap = Arc::new(heap);
    let graph = Graph::new(Arc::clone(&heap), &progress).unwrap();
    let tree = dominators(&graph, &progress).unwrap();
    let parents = graph.parents(&progress).unwrap();
    assert_eq!(tree.order().len(), graph.len() as usize);
    assert_eq!(tree.retained(graph.top()), heap.total_memsize());
    for object in heap.objects() {
        let node = NodeId::from(object);
        let parent = parents[node];
        assert!(parent <= graph.top() && graph.successors(parent).any(|next| next == node));
        assert!(
            tree.of(object)
                .is_some_and(|above| tree.retained(above) >= tree.retained(object))
        );
        assert_eq!(
            path(&graph, &parents, node, &progress)
                .unwrap()
                .last()
                .map(|step| step.node),
            Some(node)
        );
    }

    let leaked: Vec<Leaked> = heap
        .objects()
        .filter(|object| {
            (object.get().wrapping_mul(0x9e37_79b9) >> 24) as u8 & picks[0] == picks[1] & picks[0]
        })
        .map(|object| Leaked {
            object,
            group: object.get() % 3,
        })
        .collect();
    let since = Some(Generation::new(u64::from(picks[2]))).filter(|since| since.get() > 0);
    let Found { holders, set_aside } =
        holders_in(&graph, &tree, &parents, &leaked, since, &progress).unwrap();
    // what goes with what a holder keeps is told with it
    let told: u64 = holders
        .iter()
        .map(|holder| holder.count + consequences(holder, |it| it.count))
        .sum();
    // Each is accounted for once: by a holder, as a cache of the VM's, or as garbage.
    assert_eq!(
        told + set_aside.caches.total.count + set_aside.garbage.count,
        leaked.len() as u64
    );
    let unreachable = leaked
        .iter()
        .filter(|it| graph.level(it.object) == Level::Unreachable);
    assert!(set_aside.garbage.count <= unreachable.count() as u64);
    let bytes = leaked
        .iter()
        .fold(0u64, |sum, it| sum.saturating_add(heap.memsize(it.object)));
    let apart = set_aside
        .caches
        .total
        .memsize
        .saturating_add(set_aside.garbage.memsize);
    let held = |sum: u64, it: &Holder| {
        sum.saturating_add(it.memsize)
            .saturating_add(consequences(it, |it| it.memsize))
    };
    assert_eq!(holders.iter().fold(apart, held), bytes);
    for holder in &holders {
        assert_eq!(
            holder.count,
            holder.groups.iter().map(|share| share.count).sum::<u64>()
        );
        assert!(holder.position < holder.path.len());
    }
});
