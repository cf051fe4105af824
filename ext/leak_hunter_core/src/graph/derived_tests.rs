//! What is derived from a heap, against its plain definition, on random heaps.

use proptest::prelude::*;

use super::tests::{Plain, address, plain};
use super::*;
use crate::dump::Fields;
use crate::heap::{Columns, Dictionary, HeapBuilder, Row, Sum, Tally, TracedObject};
use crate::ids::{Address, Generation, KindId, ObjectId, SiteId};
use crate::progress::Progress;

/// What the objects of a [`Plain`] have in common: whether they are the VM's, and their class.
fn kinds(plain: &Plain) -> Vec<Fields<'static>> {
    let kinds = plain.objects.iter().map(|(_, class, postponed)| Fields {
        kind: if *postponed { &b"IMEMO"[..] } else { b"OBJECT" }.into(),
        imemo_type: postponed.then_some(b"constcache"[..].into()),
        class: class.map(address).filter(|_| !postponed),
        ..Fields::default()
    });
    kinds.collect()
}

/// Each a line and a generation.
fn sites(count: usize) -> Vec<Fields<'static>> {
    let sites = (0..count as u64).map(|number| Fields {
        file: Some(b"a.rb"[..].into()),
        line: Some(number + 1),
        generation: Some(Generation::new(number)),
        ..Fields::default()
    });
    sites.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn referrers_are_references_turned_round(plain in plain()) {
        let heap = Arc::new(plain.heap());
        let referrers = Referrers::new(&heap, &Progress::default()).unwrap();
        for object in heap.objects() {
            let expected: Vec<ObjectId> = heap.objects()
                .filter(|from| heap.references(*from).any(|to| to == object))
                .collect();
            prop_assert_eq!(referrers.of(object), expected);
        }
    }

    #[test]
    fn the_dominated_are_those_whose_dominator_it_is(plain in plain()) {
        let heap = Arc::new(plain.heap());
        let progress = Progress::default();
        let graph = Graph::new(Arc::clone(&heap), &progress).unwrap();
        let tree = dominators(&graph, &progress).unwrap();
        let dominated = Dominated::new(&tree);
        for node in (0..graph.len()).map(NodeId::new) {
            let mut children = dominated.by(node).to_vec();
            children.sort_unstable();
            let expected: Vec<NodeId> = (0..graph.len()).map(NodeId::new).filter(|it| tree.of(*it) == Some(node)).collect();
            prop_assert_eq!(children, expected);
        }
        let mut way = vec![graph.top()];
        let mut seen = 1;
        dominated.each_below(graph.top(), |node, depth| {
            way.truncate(depth);
            assert_eq!(tree.of(node), way.last().copied());
            way.push(node);
            seen += 1;
            Ok::<(), ()>(())
        }).unwrap();
        prop_assert_eq!(seen, graph.len());
    }

    #[test]
    fn columns_make_the_same_heap_as_objects_do(plain in plain(), threads in 1..4usize) {
        let expected = plain.heap();
        let mut columns = Columns::default();
        for (number, (references, _, _)) in plain.objects.iter().enumerate() {
            // some sizes are told aside
            let memsize = if number % 3 == 0 { u32::MAX } else { plain.sizes[number] as u32 };
            columns.large.insert(address(number), plain.sizes[number]);
            columns.rows.push(Row {
                address: address(number),
                kind: KindId::new(number as u32),
                memsize,
                references: references.len() as u32,
                length: 0,
            });
            // some are untraced, and some have their site told twice or of an object that is gone
            if number % 4 != 0 {
                let site = SiteId::new(number as u32 % 3);
                let gone = TracedObject { address: Address::new(address(number).get() + 8), site: SiteId::new(0) };
                columns.sites.extend([TracedObject { address: address(number), site }, gone]);
            }
            columns.references.extend(references.iter().copied().map(address));
        }
        let mut builder = HeapBuilder::new(columns.rows.iter().map(|row| row.address)).unwrap();
        builder.root("vm", plain.strong.iter().copied().map(address).collect());
        builder.root("machine_context", plain.stack.iter().copied().map(address).collect());
        builder.root("finalizers", Vec::new());
        let (kinds, sites) = (kinds(&plain), sites(3));
        let dictionary = Dictionary { kinds: &kinds, sites: &sites, classes: &[] };
        let heap = builder
            .build_columns(&columns, &dictionary, Some(threads), &Progress::default())
            .unwrap();
        prop_assert_eq!(heap.len(), expected.len());
        prop_assert_eq!(heap.roots(), expected.roots());
        for object in heap.objects() {
            prop_assert_eq!(heap.address(object), expected.address(object));
            prop_assert_eq!(heap.memsize(object), expected.memsize(object));
            prop_assert_eq!(heap.class_of(object), expected.class_of(object));
            prop_assert_eq!(heap.type_name(object), expected.type_name(object));
            let number = object.get();
            let traced = number % 4 != 0;
            prop_assert_eq!(heap.generation(object), traced.then_some(Generation::new(u64::from(number % 3))));
            prop_assert_eq!(heap.site(object).and_then(|site| site.line), traced.then_some(u64::from(number % 3) + 1));
            prop_assert_eq!(heap.label(object), expected.label(object));
            let references: Vec<ObjectId> = heap.references(object).collect();
            prop_assert_eq!(references, expected.references(object).collect::<Vec<_>>());
        }
    }

    #[test]
    fn retained_sizes_of_classes_count_no_object_twice(plain in plain()) {
        let heap = Arc::new(plain.heap());
        let progress = Progress::default();
        let analyses = Analyses::new(Arc::clone(&heap));
        let tree = analyses.dominators(&progress).unwrap();
        for (class, bytes) in analyses.retained_by_class(&progress).unwrap() {
            let of_class = |object: &ObjectId| heap.class_name(*object) == class;
            let held = heap.objects()
                .filter(|object| heap.objects().filter(of_class).any(|upper| tree.dominates(upper.into(), (*object).into())));
            prop_assert_eq!(bytes, held.map(|object| heap.memsize(object)).sum::<u64>());
        }
        let largest = analyses.largest_retainers(3, &progress).unwrap();
        let mut expected: Vec<ObjectId> = heap.objects().collect();
        expected.sort_by_key(|object| (std::cmp::Reverse(tree.retained(*object)), *object));
        expected.truncate(3);
        prop_assert_eq!(largest, expected);
    }
}

#[test]
fn objects_are_found_and_added_up_by_class_and_site() {
    let class = |address, name: &'static [u8]| Fields {
        address: Address::new(address),
        kind: b"CLASS"[..].into(),
        name: Some(name.into()),
        memsize: 500,
        ..Fields::default()
    };
    let object = |address, class, line| Fields {
        address: Address::new(address),
        kind: b"OBJECT"[..].into(),
        class: Some(Address::new(class)),
        file: Some(b"/srv/app/gems/rack-2.2.6/lib/rack.rb"[..].into()),
        line: Some(line),
        memsize: 40,
        ..Fields::default()
    };
    let objects = [
        class(80, b"User"),
        class(160, b"Order"),
        object(240, 80, 1),
        object(320, 160, 1),
        object(400, 80, 2),
    ];
    let builder = HeapBuilder::new(objects.iter().map(|it| it.address)).unwrap();
    let heap = builder
        .build_from(objects.into_iter().map(|it| (it, Vec::new())))
        .unwrap();
    let of_user = |from, limit| {
        let objects = heap.instances_of("User", ObjectId::new(from), limit);
        objects.into_iter().map(ObjectId::get).collect::<Vec<_>>()
    };
    assert_eq!(of_user(0, 9), [2, 4]);
    assert_eq!(of_user(3, 9), [4]);
    assert_eq!(of_user(0, 1), [2]);
    let tally = |count, memsize| Tally { count, memsize };
    let classes = heap.by_class();
    let sum = |of: Option<&str>, tally| Sum {
        of: of.map(String::from),
        tally,
    };
    assert_eq!(classes[0], sum(None, tally(2, 1000)));
    assert_eq!(classes[1], sum(Some("User"), tally(2, 80)));
    assert_eq!(classes[2], sum(Some("Order"), tally(1, 40)));
    let sites = heap.by_site();
    assert_eq!(sites[1].of.as_ref().unwrap().line, Some(1));
    assert_eq!(sites[1].tally, tally(2, 80));
    assert_eq!(heap.by_gem()[1], sum(Some("rack 2.2.6"), tally(3, 120)));
}
