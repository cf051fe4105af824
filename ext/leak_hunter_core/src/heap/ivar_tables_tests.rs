//! Heaps of Ruby 4, with variables in records of their own, beside the same heaps as Ruby 3.4 has them.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::dump::Fields;
use crate::graph::tests::edge;
use crate::graph::{Graph, Level, dominators, path};
use crate::heap::{Heap, HeapBuilder, Name};
use crate::ids::{Address, ObjectId};
use crate::progress::Progress;

const TOP: Address = Address::new(0x1000);
const OWNER: Address = Address::new(0x1028);
const VALUE: Address = Address::new(0x1050);
const OTHER: Address = Address::new(0x1078);
const RECORD: Address = Address::new(0x10a0);

fn record(owner: Address, shape: Option<u64>) -> Fields<'static> {
    Fields {
        address: RECORD,
        kind: b"IMEMO".into(),
        imemo_type: Some(b"fields".into()),
        class: Some(owner),
        shape_id: shape,
        memsize: 40,
        ..Fields::default()
    }
}

fn object(address: Address, kind: &'static str) -> Fields<'static> {
    Fields {
        address,
        kind: kind.as_bytes().into(),
        class: Some(TOP),
        memsize: 40,
        ..Fields::default()
    }
}

/// A dump with the shapes `1: @list`, `2: @list, @@seen`, `3: @list, @@seen, __hidden__`, and as Ruby 3.4 has them of
/// OBJECTs `9: @of_object`.
fn load(lines: &[String]) -> Heap {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for (id, name) in ["@list", "@@seen", "__hidden__"].iter().enumerate() {
        let (id, parent) = (id + 1, id);
        let shape = r#""type":"SHAPE", "#;
        writeln!(
            file,
            r#"{{"address":"0x8", {shape}"id":{id}, "parent_id":{parent}, "depth":{id}, "shape_type":"IVAR","edge_name":"{name}", "edges":1, "memsize":20}}"#
        )
        .unwrap();
    }
    writeln!(
        file,
        r#"{{"address":"0x8", "type":"SHAPE", "id":8, "parent_id":65535, "depth":1, "shape_type":"T_OBJECT", "edges":1, "memsize":20}}"#
    )
    .unwrap();
    writeln!(
        file,
        r#"{{"address":"0x8", "type":"SHAPE", "id":9, "parent_id":8, "depth":2, "shape_type":"IVAR","edge_name":"@of_object", "edges":0, "memsize":20}}"#
    )
    .unwrap();
    writeln!(
        file,
        r#"{{"address":"0x8", "type":"SHAPE", "id":0, "depth":0, "shape_type":"ROOT", "edges":1, "memsize":20}}"#
    )
    .unwrap();
    writeln!(
        file,
        r#"{{"type":"ROOT", "root":"vm", "references":["{TOP:#x}"]}}"#
    )
    .unwrap();
    for line in lines {
        writeln!(file, "{line}").unwrap();
    }
    let heap = Heap::load(file.path(), Some(1), &Progress::default()).unwrap();
    let again = Heap::load(file.path(), Some(3), &Progress::default()).unwrap();
    assert_eq!(references(&heap), references(&again));
    heap
}

fn line(address: Address, members: &str, references: &[Address]) -> String {
    let list: Vec<String> = references.iter().map(|it| format!("\"{it:#x}\"")).collect();
    let list = list.join(", ");
    format!(
        r#"{{"address":"{address:#x}", {members}, "references":[{list}], "memsize":40, "flags":{{"age":3}}}}"#
    )
}

fn references(heap: &Heap) -> BTreeMap<Address, Vec<Address>> {
    let counted: usize = heap.objects().map(|object| heap.references(object).len()).sum();
    assert_eq!(heap.reference_count(), counted as u64);
    heap.objects()
        .map(|object| {
            let list = heap.references(object).map(|it| heap.address(it)).collect();
            (heap.address(object), list)
        })
        .collect()
}

/// Kinds and names of the edges from the owner to the value and to the record.
fn edges(heap: Heap) -> [(String, Option<String>); 2] {
    let graph = Graph::new(Arc::new(heap), &Progress::default()).unwrap();
    let heap = graph.heap();
    let owner = heap.find(OWNER).unwrap();
    [VALUE, RECORD].map(|address| {
        let edge = edge(&graph, owner.into(), heap.find(address).unwrap().into());
        (edge.kind.name().into(), edge.name)
    })
}

fn a_dump(owner: &str, own: &[Address], shape: u64, values: &[Address]) -> Heap {
    load(&[
        line(TOP, r#""type":"CLASS", "name":"Top""#, &[OWNER]),
        line(OWNER, owner, own),
        line(VALUE, r#""type":"ARRAY", "length":0"#, &[]),
        line(OTHER, r#""type":"ARRAY", "length":0"#, &[]),
        line(
            RECORD,
            &format!(r#""type":"IMEMO", "shape_id":{shape}, "class":"{OWNER:#x}", "imemo_type":"fields""#),
            values,
        ),
    ])
}

const MODULE: &str = r#""type":"MODULE", "name":"Store""#;

fn named(kind: &str, name: &str) -> (String, Option<String>) {
    (kind.into(), Some(name.into()))
}

fn unnamed(kind: &str) -> (String, Option<String>) {
    (kind.into(), None)
}

#[test]
fn values_are_their_owners() {
    let heap = a_dump(MODULE, &[OTHER, RECORD], 1, &[VALUE]);
    let references = references(&heap);
    assert_eq!(references[&OWNER], [OTHER, RECORD, VALUE]);
    assert!(references[&RECORD].is_empty());
    assert_eq!(heap.total_memsize(), 5 * 40);
    assert_eq!(
        edges(heap),
        [named("instance_variable", "@list"), unnamed("reference")]
    );
}

#[test]
fn shapes_tell_names_where_every_variable_is_there() {
    let heap = a_dump(MODULE, &[OTHER, RECORD], 2, &[OTHER, VALUE]);
    assert_eq!(edges(heap)[0], named("class_variable", "@@seen"));
    let heap = a_dump(MODULE, &[OTHER, RECORD], 3, &[OTHER, VALUE, OTHER]);
    assert_eq!(edges(heap)[0], named("class_variable", "@@seen"));
    // the last is one of Ruby's own
    let heap = a_dump(MODULE, &[OTHER, RECORD], 3, &[OTHER, OTHER, VALUE]);
    assert_eq!(edges(heap)[0], unnamed("reference"));
    // one of the two is a number, or the like
    let heap = a_dump(MODULE, &[OTHER, RECORD], 2, &[VALUE]);
    assert_eq!(edges(heap)[0], unnamed("reference"));
    let heap = a_dump(r#""type":"HASH", "size":1"#, &[OTHER, RECORD], 2, &[VALUE]);
    assert_eq!(edges(heap)[0], unnamed("instance_variable"));
}

#[test]
fn other_objects_have_variables_beside_what_they_hold() {
    let heap = a_dump(r#""type":"HASH", "size":1"#, &[RECORD, OTHER], 1, &[VALUE]);
    assert_eq!(edges(heap)[0], named("instance_variable", "@list"));
    let heap = a_dump(r#""type":"HASH", "size":1"#, &[RECORD, VALUE], 1, &[OTHER]);
    assert_eq!(edges(heap)[0], unnamed("hash_entry"));
    // both: the name says more
    let heap = a_dump(r#""type":"HASH", "size":1"#, &[RECORD, VALUE], 1, &[VALUE]);
    assert_eq!(edges(heap)[0], named("instance_variable", "@list"));
    // a wide OBJECT of Ruby 4.1
    let heap = a_dump(
        r#""type":"OBJECT", "shape_id":2, "ivars":2"#,
        &[RECORD],
        2,
        &[OTHER, VALUE],
    );
    assert_eq!(edges(heap)[0], named("class_variable", "@@seen"));
    let eight = [OTHER; 7];
    let own = [&[RECORD][..], &eight, &[VALUE]].concat();
    let heap = a_dump(r#""type":"ARRAY", "length":8"#, &own, 1, &[OTHER]);
    assert_eq!(edges(heap)[0], named("array_element", "[7]"));
}

#[test]
fn names_of_an_object_are_not_shifted_by_rubys_own_variables() {
    // `@list` is a number, `__hidden__` is not: it has no name that Ruby code knows
    let heap = a_dump(
        r#""type":"OBJECT", "shape_id":3, "ivars":3"#,
        &[VALUE, RECORD],
        1,
        &[],
    );
    assert_eq!(edges(heap)[0], unnamed("instance_variable"));
    let heap = a_dump(
        r#""type":"OBJECT", "shape_id":3, "ivars":3"#,
        &[OTHER, VALUE, OTHER],
        1,
        &[],
    );
    assert_eq!(edges(heap)[0], named("class_variable", "@@seen"));
}

#[test]
fn objects_of_ruby_3_4_begin_with_a_shape_without_a_parent() {
    let heap = a_dump(r#""type":"OBJECT", "shape_id":9, "ivars":1"#, &[VALUE], 1, &[]);
    assert_eq!(edges(heap)[0], named("instance_variable", "@of_object"));
}

#[test]
fn names_that_the_process_told_come_first() {
    let name = Name {
        kind: crate::heap::EdgeKind::InstanceVariable,
        name: "@told".into(),
    };
    let mut builder = HeapBuilder::new([TOP, OWNER, VALUE, RECORD]).unwrap();
    builder.name(OWNER, VALUE, name).root("vm", vec![TOP]);
    let heap = builder
        .build_from([
            (object(TOP, "CLASS"), vec![OWNER]),
            (object(OWNER, "MODULE"), vec![RECORD]),
            (object(VALUE, "HASH"), vec![]),
            (record(OWNER, Some(1)), vec![VALUE]),
        ])
        .unwrap();
    let graph = Graph::new(Arc::new(heap), &Progress::default()).unwrap();
    let heap = graph.heap();
    let parents = graph.parents(&Progress::default()).unwrap();
    let steps = path(
        &graph,
        &parents,
        heap.find(VALUE).unwrap().into(),
        &Progress::default(),
    )
    .unwrap();
    let objects = steps.iter().filter_map(|step| graph.object(step.node));
    let addresses: Vec<Address> = objects.map(|object| heap.address(object)).collect();
    assert_eq!(addresses, [TOP, OWNER, VALUE]);
    assert_eq!(steps[3].edge.name.as_deref(), Some("@told"));
}

#[test]
fn what_ruby_does_not_write_is_read_all_the_same() {
    let fields = |owner: Address, shape: u64| {
        format!(r#""type":"IMEMO", "class":"{owner:#x}", "imemo_type":"fields", "shape_id":{shape}"#)
    };
    let cases: [(Address, &[Address], &[Address]); 5] = [
        // an owner that does not refer to it: something else still does
        (OWNER, &[OTHER], &[VALUE, OWNER]),
        // one that is no object of the dump
        (Address::new(0x9999_9998), &[RECORD], &[VALUE]),
        // one that is the record itself
        (RECORD, &[RECORD], &[VALUE, RECORD]),
        // one that refers to it twice
        (OWNER, &[RECORD, RECORD], &[]),
        // one beside other things
        (OWNER, &[RECORD, OTHER], &[]),
    ];
    for (owner, own, kept) in cases {
        let heap = load(&[
            line(TOP, r#""type":"CLASS", "name":"Top""#, &[OWNER, RECORD]),
            line(OWNER, MODULE, own),
            line(VALUE, r#""type":"ARRAY", "length":0"#, &[]),
            line(OTHER, r#""type":"ARRAY", "length":0"#, &[]),
            line(RECORD, &fields(owner, 1), &[VALUE]),
        ]);
        assert_eq!(references(&heap)[&RECORD], kept, "{own:x?} {owner:x}");
        let graph = Graph::new(Arc::new(heap), &Progress::default()).unwrap();
        let heap = graph.heap();
        assert_ne!(graph.level(heap.find(VALUE).unwrap()), Level::Unreachable);
    }
}

#[test]
fn the_vms_own_objects_have_variables_too() {
    let heap = a_dump(r#""type":"DATA", "struct":"encoding""#, &[RECORD], 1, &[VALUE]);
    assert_eq!(references(&heap)[&OWNER], [RECORD, VALUE]);
    assert_eq!(edges(heap)[0], named("instance_variable", "@list"));
}

#[test]
fn stacks_that_refer_to_a_record_refer_to_its_owner() {
    let heap = load(&[
        line(TOP, r#""type":"DATA", "struct":"VM/thread""#, &[RECORD]),
        line(OWNER, r#""type":"HASH", "size":0"#, &[RECORD]),
        line(VALUE, r#""type":"ARRAY", "length":0"#, &[]),
        line(
            RECORD,
            &format!(r#""type":"IMEMO", "class":"{OWNER:#x}", "imemo_type":"fields""#),
            &[VALUE],
        ),
    ]);
    assert_eq!(references(&heap)[&TOP], [OWNER]);
    let mut builder = HeapBuilder::new([OWNER, VALUE, RECORD]).unwrap();
    builder.root("machine_context", vec![RECORD]);
    let heap = builder
        .build_from([
            (object(OWNER, "HASH"), vec![RECORD]),
            (object(VALUE, "HASH"), vec![]),
            (record(OWNER, Some(1)), vec![VALUE]),
        ])
        .unwrap();
    assert_eq!(heap.roots()[0].objects(), [heap.find(OWNER).unwrap()]);
}

/// For each object what it refers to, and how many of these, the last ones, are values of variables.
fn heaps() -> impl Strategy<Value = Vec<(Vec<usize>, usize)>> {
    (2..14usize).prop_flat_map(|count| vec((vec(0..count, 0..4), 0..4usize), count))
}

fn address(object: usize) -> Address {
    Address::new(0x7f00_0000_0000 + object as u64 * 40)
}

fn heap_of(objects: &[(Vec<usize>, usize)], ruby_4: bool) -> Heap {
    let count = objects.len();
    let mut all = Vec::new();
    for (index, (references, variables)) in objects.iter().enumerate() {
        let mut own: Vec<Address> = references.iter().copied().map(address).collect();
        let values = own.split_off(own.len().saturating_sub(*variables));
        let mut fields = record(address(index), None);
        fields.address = address(count + index);
        if ruby_4 {
            own.push(fields.address);
            all.push((fields, values));
        } else {
            own.extend(values);
        }
        // owners are the VM's own objects, too
        let class = Fields {
            class: None,
            ..object(address(index), ["HASH", "DATA", "MODULE"][index % 3])
        };
        all.push((class, own));
    }
    let mut builder = HeapBuilder::new(all.iter().map(|(fields, _)| fields.address)).unwrap();
    builder
        .root("vm", vec![address(0)])
        .root("finalizers", Vec::new());
    builder.build_from(all).unwrap()
}

proptest! {
    #[test]
    fn who_keeps_what_is_the_same_as_before_ruby_4(objects in heaps()) {
        let heaps = [true, false].map(|ruby_4| Arc::new(heap_of(&objects, ruby_4)));
        let [new, old] = heaps.each_ref().map(|heap| {
            let graph = Graph::new(Arc::clone(heap), &Progress::default()).unwrap();
            let tree = dominators(&graph, &Progress::default()).unwrap();
            let parents = graph.parents(&Progress::default()).unwrap();
            (0..objects.len() as u32)
                .map(ObjectId::new)
                .map(|object| {
                    let above = tree.of(object).filter(|above| graph.is_object(*above));
                    let steps = path(&graph, &parents, object.into(), &Progress::default()).unwrap().len();
                    (graph.level(object), above, steps)
                })
                .collect::<Vec<_>>()
        });
        prop_assert_eq!(new, old);
    }
}
