//! What a mark counts, against a heap of the same objects; and diffs whose first moments are marks.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::diff::census::Census;
use crate::diff::input::{Input, Source};
use crate::diff::{Options, compare};
use crate::dump::{DumpHeader, Fields, Scanned, Type};
use crate::heap::{Columns, Dictionary, HeapBuilder, Row, TracedObject};
use crate::ids::KindId;
use crate::pool;
use crate::progress::Progress;
use crate::verdict::Verdict;

const CLASS: u64 = 0x10_0000;

fn address(number: usize) -> Address {
    Address::new(0x7f00_0000_0000 + number as u64 * 40)
}

/// Of each type that counts, of several classes and of none, and objects of the VM and of LeakHunter.
fn kinds() -> Vec<Fields<'static>> {
    let text = |text: &'static str| Some(text.as_bytes().into());
    let of = |kind: &'static str, class: Option<u64>| Fields {
        kind: kind.as_bytes().into(),
        class: class.map(Address::new),
        ..Fields::default()
    };
    vec![
        of("ARRAY", Some(CLASS)),
        of("ARRAY", Some(CLASS + 40)),
        of("ARRAY", None),
        of("HASH", Some(CLASS)),
        of("STRING", Some(CLASS + 80)),
        of("OBJECT", Some(CLASS + 80)),
        Fields {
            imemo_type: text("env"),
            ..of("IMEMO", None)
        },
        Fields {
            struct_name: text("LeakHunter::Native::Mark"),
            ..of("DATA", Some(CLASS))
        },
        Fields {
            struct_name: text("ObjectTracing/allocation_info_tracer"),
            ..of("DATA", Some(CLASS))
        },
    ]
}

fn classes() -> Vec<Fields<'static>> {
    let class = |(index, name): (usize, &'static str)| Fields {
        address: Address::new(CLASS + index as u64 * 40),
        kind: b"CLASS"[..].into(),
        name: Some(name.as_bytes().into()),
        ..Fields::default()
    };
    // two of one name, as when a class was loaded anew
    ["Cache", "Cache", "Order"]
        .into_iter()
        .enumerate()
        .map(class)
        .collect()
}

/// Each of two lines of a file in one of three generations, and one without a file.
fn sites() -> Vec<Fields<'static>> {
    let site = |number: u64| Fields {
        file: (number != 6).then(|| b"a.rb"[..].into()),
        line: Some(number / 3 + 1),
        method: (number % 2 == 0).then(|| b"add"[..].into()),
        generation: Some(Generation::new(number % 3)),
        ..Fields::default()
    };
    (0..7).map(site).collect()
}

#[derive(Clone, Debug)]
struct Object {
    kind: usize,
    site: Option<u32>,
    length: u32,
    memsize: u64,
}

fn objects() -> impl Strategy<Value = Vec<Object>> {
    let object = (
        0..kinds().len(),
        option::of(0..7u32),
        prop_oneof![0..20u32, any::<u32>()],
        prop_oneof![0..5000u64, any::<u32>().prop_map(|half| u64::from(half) << 8)],
    );
    let object = object.prop_map(|(kind, site, length, memsize)| Object {
        kind,
        site,
        length,
        memsize,
    });
    vec(object, 0..60)
}

fn columns(objects: &[Object]) -> Columns {
    let mut columns = Columns::default();
    for (number, object) in objects.iter().enumerate() {
        let small = u32::try_from(object.memsize).unwrap_or(u32::MAX);
        if small == u32::MAX {
            columns.large.insert(address(number), object.memsize);
        }
        columns.rows.push(Row {
            address: address(number),
            kind: KindId::new(object.kind as u32),
            memsize: small,
            references: 0,
            length: object.length,
        });
        // the last one counts
        for site in object.site.into_iter().flat_map(|site| [(site + 1) % 7, site]) {
            columns.sites.push(TracedObject {
                address: address(number),
                site: SiteId::new(site),
            });
        }
    }
    columns
}

fn recorded(id: &str, generation: u64) -> DumpHeader {
    DumpHeader {
        id: id.into(),
        boot: "boot".into(),
        pid: 1,
        host: "host".into(),
        sequence: generation,
        taken_at: format!("2026-01-01T00:00:{generation:02}.000000Z"),
        ruby: "3.4.1".into(),
        platform: "x86_64-linux".into(),
        generation: Generation::new(generation),
        compactions: 0,
        memory: None,
        tracing_since: Some(Generation::new(1)),
        tracer: None,
        sampling: None,
        snapshot: "mark".into(),
        own_path: None,
        names_complete: None,
        unmeasured: Vec::new(),
    }
}

fn count(columns: &Columns, dictionary: Dictionary<'_>, recorded: &DumpHeader) -> MarkedHeap {
    let objects = Objects {
        sites: &columns.sites,
        large: &columns.large,
        dictionary,
    };
    MarkedHeap::count(
        columns.rows.iter().copied(),
        &objects,
        recorded,
        &Progress::default(),
    )
    .unwrap()
}

fn both(objects: &[Object]) -> (MarkedHeap, Arc<crate::Heap>) {
    let (kinds, sites, classes) = (kinds(), sites(), classes());
    let dictionary = Dictionary {
        kinds: &kinds,
        sites: &sites,
        classes: &classes,
    };
    let columns = columns(objects);
    let progress = Progress::default();
    let recorded = recorded("mark", 3);
    let marked = count(&columns, dictionary, &recorded);
    let mut builder = HeapBuilder::new(columns.rows.iter().map(|row| row.address)).unwrap();
    builder.recorded(recorded);
    let heap = builder.build_columns(&columns, &dictionary, Some(1), &progress);
    (marked, Arc::new(heap.unwrap()))
}

proptest! {
    #[test]
    fn a_mark_counts_what_a_heap_has(objects in objects()) {
        let (marked, heap) = both(&objects);
        let own = |sum: Sum<Option<&str>>| Sum { of: sum.of.map(String::from), tally: sum.tally };
        let by_class: Vec<_> = marked.by_class().into_iter().map(own).collect();
        prop_assert_eq!(by_class, heap.by_class());
        prop_assert_eq!(marked.by_site(), heap.by_site());
        let all = Tally { count: objects.len() as u64, memsize: heap.total_memsize() };
        prop_assert_eq!(marked.tally(), all);
        let mut sum = Tally::default();
        let groups = marked.by_class_and_site(usize::MAX);
        groups.iter().for_each(|group| sum.add(group.tally));
        prop_assert_eq!(sum, all);
        for group in groups {
            let is_of_group = |object: &crate::ids::ObjectId| {
                heap.kind(*object).is_some_and(|kind| {
                    heap.row_name(kind).as_deref() == group.of.class
                        && heap.site(*object).filter(|site| site.file.is_some()) == group.of.site
                })
            };
            prop_assert_eq!(heap.objects().filter(is_of_group).count() as u64, group.tally.count);
        }
    }

    #[test]
    fn a_mark_has_the_totals_lengths_and_guards_of_a_pass(objects in objects()) {
        let (marked, heap) = both(&objects);
        let source = Source::Heap(Arc::clone(&heap));
        let visited = source.visit(&pool::of(1).unwrap(), &Progress::default(), || Census::new(false, false));
        let Scanned { pass: mut census, .. } = visited.unwrap();
        census.seal();
        let mark = Mark { recorded: recorded("mark", 3), heap: Some(marked) };
        let expected = Totals { generation: Some(Generation::new(3)), ..census.totals };
        prop_assert_eq!(format!("{:?}", mark.totals()), format!("{expected:?}"));
        let marked = mark.heap.as_ref().unwrap();
        for object in heap.objects() {
            let (address, generation) = (heap.address(object), heap.generation(object));
            let length = heap.length(object).map(u64::from).or_else(|| {
                let large = heap.memsize(object) >= crate::diff::lengths::LARGE;
                heap.bytesize(object).filter(|_| large).map(u64::from)
            });
            // an empty large String has no place in a heap's table
            let is_string = heap.kind(object).map(|kind| kind.type_) == Some(Type::String);
            if !is_string || length.is_some() {
                prop_assert_eq!(marked.length(address, generation), length);
            }
            let another = Some(Generation::new(9));
            prop_assert_eq!(marked.length(address, another), None);
            if let Some(guard) = marked.guard(address) {
                prop_assert_eq!(Some(guard), census.untraced.get(address).map(Guard::from_raw));
            } else {
                prop_assert!(generation.is_some() || marked.length(address, None).is_none());
            }
        }
        prop_assert!(marked.memory() >= objects.len() / 2);
    }
}

/// An Array that no site is known of, and of this length, beside what else there is at every moment.
fn moment(length: u32, generation: u64) -> (Mark, Arc<crate::Heap>) {
    let kinds = kinds();
    let dictionary = Dictionary {
        kinds: &kinds,
        sites: &[],
        classes: &[],
    };
    let columns = Columns {
        rows: vec![Row {
            address: address(1),
            kind: KindId::new(0),
            memsize: 40 + length * 8,
            references: 0,
            length,
        }],
        ..Columns::default()
    };
    let progress = Progress::default();
    let recorded = recorded(&format!("moment {generation}"), generation);
    let heap = count(&columns, dictionary, &recorded);
    let mut builder = HeapBuilder::new([address(1)]).unwrap();
    builder.recorded(recorded.clone());
    builder.root("vm", vec![address(1)]);
    let live = builder.build_columns(&columns, &dictionary, Some(1), &progress);
    let mark = Mark {
        recorded,
        heap: Some(heap),
    };
    (mark, Arc::new(live.unwrap()))
}

fn grown(lengths: [u32; 3], change: impl Fn(usize, Mark) -> Input) -> Vec<(Vec<Option<u64>>, Verdict)> {
    let moments = lengths.iter().enumerate().map(|(index, length)| {
        let (mark, heap) = moment(*length, 10 + 10 * index as u64);
        match index {
            2 => Input::Heap(heap),
            _ => change(index, mark),
        }
    });
    let inputs: Vec<Input> = moments.collect();
    let options = Options {
        holders: true,
        ..Options::default()
    };
    let report = compare(&inputs, &options, &Progress::default()).unwrap();
    let grown = report.grown_in_place.unwrap();
    grown
        .into_iter()
        .map(|it| (it.lengths, it.judgement.verdict))
        .collect()
}

#[test]
fn marks_tell_what_grows_in_place() {
    let as_it_is = |_: usize, mark: Mark| Input::Mark(Arc::new(mark));
    let lengths = vec![Some(3), Some(1000), Some(2000)];
    assert_eq!(grown([3, 1000, 2000], as_it_is), [(lengths, Verdict::Growing)]);
    assert_eq!(grown([2000, 2000, 2000], as_it_is), []);
}

#[test]
fn what_was_not_counted_or_has_moved_is_not_known() {
    let uncounted = |index: usize, mark: Mark| {
        let heap = if index == 0 { None } else { mark.heap };
        Input::Mark(Arc::new(Mark { heap, ..mark }))
    };
    assert_eq!(grown([3, 1000, 2000], uncounted), []);
    let moved = |index: usize, mut mark: Mark| {
        mark.recorded.compactions = index as u64;
        Input::Mark(Arc::new(mark))
    };
    assert_eq!(grown([3, 1000, 2000], moved), []);
}

#[test]
fn the_totals_of_marks_are_told() {
    let inputs = [10, 20, 30].map(|generation| moment(1000, generation));
    let [(first, _), (second, _), (_, third)] = inputs;
    let inputs = [
        Input::Mark(Arc::new(first)),
        Input::Mark(Arc::new(second)),
        Input::Heap(third),
    ];
    let report = compare(&inputs, &Options::default(), &Progress::default()).unwrap();
    let told: Vec<_> = report
        .dumps
        .iter()
        .map(|dump| (dump.records, dump.memsize))
        .collect();
    assert_eq!(told, [(1, 8040); 3]);
}
