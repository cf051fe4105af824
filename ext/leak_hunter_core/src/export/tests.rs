//! What every format owes: all bytes, each once, under names that cannot break out of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::dump::Fields;
use crate::graph::{EdgeKind, dominators};
use crate::heap::{Heap, HeapBuilder, Name, Object};
use crate::ids::{Address, NodeId, ObjectId};
use crate::progress::Progress;

const HOSTILE: &str =
    "\u{202e}</script><script>alert(1)</script>;\"\\\n<!-- {{script}} \u{2028}\x1b[31m\u{85}";
/// As it is shown.
const SHOWN: &str = "\\u202E</script><script>alert(1)</script>;\"\\\\n<!-- {{script}} \\u2028\\e[31m\\u0085";

fn address(object: usize) -> Address {
    Address::new(0x7f00_0000_0000 + object as u64 * 40)
}

/// What each object refers to, and its bytes. The first is a root.
fn heap(objects: &[(Vec<usize>, u64)], class: &str) -> Arc<Heap> {
    let mut builder = HeapBuilder::new((0..objects.len() + 1).map(address)).unwrap();
    builder.root("vm", vec![address(0)]);
    builder.name(
        address(0),
        address(1),
        Name {
            kind: EdgeKind::Constant,
            name: HOSTILE.into(),
        },
    );
    let class_object = objects.len();
    let class_fields: Object<'_> = Fields {
        address: address(class_object),
        kind: b"CLASS"[..].into(),
        name: Some(class.as_bytes().into()),
        memsize: 500,
        ..Fields::default()
    };
    let all = objects.iter().enumerate().map(|(number, (references, memsize))| {
        let fields = Fields {
            address: address(number),
            kind: b"OBJECT"[..].into(),
            class: (number % 3 > 0).then_some(address(class_object)),
            file: (number % 2 > 0).then_some(class.as_bytes().into()),
            line: Some(number as u64 % 5),
            memsize: *memsize,
            ..Fields::default()
        };
        (fields, references.iter().copied().map(address).collect())
    });
    let heap = builder.build_from(all.chain([(class_fields, Vec::new())]));
    Arc::new(heap.unwrap())
}

/// Runs an export of a heap.
fn export<T>(
    heap: &Arc<Heap>,
    counted: Option<&ObjectSet>,
    run: impl FnOnce(&Subject<'_>, &mut Vec<u8>, &Progress) -> Result<T, Error>,
) -> String {
    let progress = Progress::default();
    let graph = Graph::new(Arc::clone(heap), &progress).unwrap();
    let dominators = dominators(&graph, &progress).unwrap();
    let subject = Subject {
        graph: &graph,
        dominators: &dominators,
        counted,
    };
    let mut written = Vec::new();
    run(&subject, &mut written, &progress).unwrap();
    String::from_utf8(written).unwrap()
}

fn folded_of(
    heap: &Arc<Heap>,
    counted: Option<&ObjectSet>,
    view: View,
    limits: Limits,
) -> BTreeMap<String, u64> {
    let text = export(heap, counted, |subject, out, progress| {
        folded(subject, view, &limits, out, progress)
    });
    let mut lines = BTreeMap::new();
    for line in text.lines() {
        let (stack, bytes) = line.rsplit_once(' ').unwrap();
        assert!(lines.insert(stack.to_string(), bytes.parse().unwrap()).is_none());
    }
    lines
}

fn samples() -> Vec<Arc<Heap>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/dumps");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "ndjson"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 8);
    let load = |path: &PathBuf| Arc::new(Heap::load(path, Some(1), &Progress::default()).unwrap());
    paths.iter().map(load).collect()
}

proptest! {
    #[test]
    fn every_byte_is_counted_once_whatever_is_folded(
        objects in proptest::collection::vec((proptest::collection::vec(0..30usize, 0..4), 0..1000u64), 2..30),
        leaked in proptest::collection::vec(0..30u32, 0..10),
        (depth, frames, parts) in (1..8u32, 0..12usize, 1..50u64),
    ) {
        let heap = heap(&objects, "Visit");
        let leaked = ObjectSet::of(leaked.into_iter().map(ObjectId::new));
        let limits = Limits { depth, frames, parts };
        for view in View::ALL {
            for counted in [None, Some(&leaked)] {
                let expected: u64 = heap.objects()
                    .filter(|object| counted.is_none_or(|set| set.contains(*object)))
                    .map(|object| heap.memsize(object))
                    .sum();
                let lines = folded_of(&heap, counted, view, limits);
                prop_assert_eq!(lines.values().sum::<u64>(), expected);
                for stack in lines.keys() {
                    prop_assert!(stack.split(';').count() <= depth as usize);
                }
            }
        }
    }
}

#[test]
fn frames_are_classes_and_the_names_of_constants() {
    let objects = [
        (vec![1], 10),
        (vec![2, 4], 20),
        (vec![4], 30),
        (vec![], 40),
        (vec![], 50),
    ];
    let heap = heap(&objects, "Visit");
    let lines = folded_of(&heap, None, View::Retained, Limits::default());
    let expected = [
        ("root vm;OBJECT (Ruby internal)", 10),
        ("root vm;OBJECT (Ruby internal);NAME (Visit)", 20),
        ("root vm;OBJECT (Ruby internal);NAME (Visit);Visit", 30 + 50),
        ("root vm;OBJECT (Ruby internal);NAME (Visit);class Visit", 500),
        ("unreachable;OBJECT (Ruby internal)", 40),
    ];
    let name: String = SHOWN.replace(';', ",");
    let expected: BTreeMap<String, u64> = expected
        .into_iter()
        .map(|(stack, bytes)| (stack.replace("NAME", &name), bytes))
        .collect();
    assert_eq!(lines, expected);
    let sites = folded_of(&heap, None, View::Sites, Limits::default());
    assert_eq!(
        sites["app;srv/x.rb;line 1;Visit"
            .replace("srv/x.rb", "Visit")
            .replace("app", "no gem")
            .as_str()],
        20
    );
    assert_eq!(sites["not traced;class Visit"], 500);
}

#[test]
fn real_heaps_add_up_in_every_view() {
    for heap in samples() {
        for view in View::ALL {
            let limits = Limits {
                frames: 40,
                ..Limits::default()
            };
            let lines = folded_of(&heap, None, view, limits);
            assert_eq!(lines.values().sum::<u64>(), heap.total_memsize());
            assert!(lines.len() <= 80);
        }
    }
}

/// Where Ruby dumps shapes, plain objects' variables have names, too.
#[test]
fn frames_have_the_names_of_variables() {
    let of_variable = |stack: &String| {
        stack
            .split(';')
            .any(|label| label.starts_with('@') && label.contains(' '))
    };
    for view in [View::Retained, View::Paths] {
        let named: usize = samples()
            .iter()
            .map(|heap| {
                folded_of(heap, None, view, Limits::default())
                    .keys()
                    .filter(|it| of_variable(it))
                    .count()
            })
            .sum();
        assert!(named > 0, "{view:?}");
    }
    let sites = samples().iter().any(|heap| {
        let lines = folded_of(heap, None, View::Sites, Limits::default());
        lines.keys().any(of_variable)
    });
    assert!(!sites);
}

/// A list as long as memory allows, and a chain of ever different classes.
#[test]
fn deep_trees_neither_recurse_nor_grow_deep_stacks() {
    const COUNT: usize = 200_000;
    let chain: Vec<(Vec<usize>, u64)> = (0..COUNT).map(|number| (vec![(number + 1) % COUNT], 1)).collect();
    let heap = heap(&chain, "NodeId");
    for view in [View::Retained, View::Paths] {
        let lines = folded_of(&heap, None, view, Limits::default());
        assert_eq!(lines.values().sum::<u64>(), heap.total_memsize());
        assert!(lines.keys().all(|stack| stack.split(';').count() <= 100));
    }
}

#[test]
fn speedscope_is_json_whose_weights_add_up() {
    let heap = heap(&[(vec![1], 10), (vec![], 20)], HOSTILE);
    let text = export(&heap, None, |subject, out, progress| {
        speedscope(subject, HOSTILE, &Limits::default(), out, progress)
    });
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["name"], SHOWN);
    let frames = json["shared"]["frames"].as_array().unwrap();
    assert!(
        frames
            .iter()
            .any(|frame| frame["name"] == format!("class {SHOWN}"))
    );
    let frames = frames.len() as u64;
    let profiles = json["profiles"].as_array().unwrap();
    assert_eq!(profiles.len(), 3);
    for profile in profiles {
        let weights = profile["weights"].as_array().unwrap();
        let samples = profile["samples"].as_array().unwrap();
        assert_eq!(weights.len(), samples.len());
        assert_eq!(weights.iter().map(|it| it.as_u64().unwrap()).sum::<u64>(), 530);
        assert_eq!(profile["endValue"], 530);
        let indexes = samples.iter().flat_map(|it| it.as_array().unwrap());
        assert!(indexes.into_iter().all(|it| it.as_u64().unwrap() < frames));
    }
}

#[test]
fn the_flame_graph_cannot_be_broken_out_of() {
    let heap = heap(&[(vec![1], 10), (vec![], 20)], HOSTILE);
    let text = export(&heap, None, |subject, out, progress| {
        flame(subject, HOSTILE, &Limits::default(), out, progress)
    });
    assert_eq!(text.matches("<script").count(), 2);
    assert_eq!(text.matches("</script>").count(), 2);
    assert!(!text.contains("alert(1)</"));
    let data = text
        .split("id=\"data\">")
        .nth(1)
        .unwrap()
        .split("</script>")
        .next()
        .unwrap();
    let json: Value = serde_json::from_str(data).unwrap();
    assert_eq!(json["title"], SHOWN);
    assert_eq!(json["views"].as_array().unwrap().len(), 3);
}

/// Reads a snapshot back, and compares what its strong edges retain.
#[test]
fn a_heapsnapshot_retains_what_the_heap_retains() {
    for heap in samples() {
        let text = export(&heap, None, |subject, out, progress| {
            heapsnapshot(subject.graph, out, progress)
        });
        let json: Value = serde_json::from_str(&text).unwrap();
        let list = |name: &str| -> Vec<u64> {
            json[name]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it.as_u64().unwrap())
                .collect()
        };
        let (nodes, edges) = (list("nodes"), list("edges"));
        let counts = &json["snapshot"];
        assert_eq!(nodes.len() as u64, counts["node_count"].as_u64().unwrap() * 7);
        assert_eq!(edges.len() as u64, counts["edge_count"].as_u64().unwrap() * 3);
        let strings = json["strings"].as_array().unwrap().len() as u64;
        let weak = 6;
        let mut references: Vec<Vec<Address>> = Vec::new();
        let mut rest = edges.chunks(3);
        for node in nodes.chunks(7) {
            assert!(node[1] < strings && node[0] < 15);
            let own = rest.by_ref().take(node[4] as usize);
            let strong = own.filter(|edge| edge[0] != weak).map(|edge| edge[2] / 7 * 8 + 8);
            references.push(strong.map(Address::new).collect());
        }
        assert!(rest.next().is_none());
        let mut ids: Vec<u64> = nodes.chunks(7).map(|node| node[2]).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len() * 7, nodes.len());

        let at = |index: usize| Address::new(index as u64 * 8 + 8);
        let mut builder = HeapBuilder::new((0..references.len()).map(at)).unwrap();
        builder.root("vm", vec![at(0)]);
        let again = nodes
            .chunks(7)
            .zip(references)
            .enumerate()
            .map(|(index, (node, references))| {
                let fields = Fields {
                    address: at(index),
                    kind: b"OBJECT"[..].into(),
                    memsize: node[3],
                    ..Fields::default()
                };
                (fields, references)
            });
        let again = Arc::new(builder.build_from(again).unwrap());
        let progress = Progress::default();
        let graph = Graph::new(Arc::clone(&heap), &progress).unwrap();
        let tree = dominators(&graph, &progress).unwrap();
        let graph_again = Graph::new(Arc::clone(&again), &progress).unwrap();
        let tree_again = dominators(&graph_again, &progress).unwrap();
        assert_eq!(graph_again.unreachable(), 0);
        let first = again.len() - heap.len();
        for object in heap.objects() {
            assert_eq!(
                tree_again.retained(ObjectId::new(object.get() + first)),
                tree.retained(object)
            );
        }
        for category in graph.category_nodes() {
            assert_eq!(
                tree_again.retained(NodeId::new(category.get() - heap.len() + 2)),
                tree.retained(category)
            );
        }
    }
}

#[test]
fn ids_of_a_heap_that_lies_far_apart_are_unique() {
    let far = 1u64 << 34;
    let addresses = [40, 80, far + 40, far + 80, 2 * far + 40, 2 * far + 48].map(Address::new);
    let objects = addresses.map(|address| {
        let fields = Fields {
            address,
            kind: b"OBJECT"[..].into(),
            ..Fields::default()
        };
        (fields, Vec::new())
    });
    let heap = Arc::new(HeapBuilder::new(addresses).unwrap().build_from(objects).unwrap());
    let text = export(&heap, None, |subject, out, progress| {
        heapsnapshot(subject.graph, out, progress)
    });
    let json: Value = serde_json::from_str(&text).unwrap();
    let nodes = json["nodes"].as_array().unwrap();
    let ids: std::collections::BTreeSet<u64> =
        nodes.chunks(7).map(|node| node[2].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), nodes.len() / 7);
}

#[test]
fn a_picture_shows_the_nearest_and_no_more() {
    let objects: Vec<(Vec<usize>, u64)> = (0..200)
        .map(|number| (vec![number / 2, (number + 1) % 200], 8))
        .collect();
    let heap = heap(&objects, HOSTILE);
    for name in ["any", "references", "referrers", "dominators"] {
        for limit in [1, 20] {
            let what = Neighbourhood {
                object: ObjectId::new(100),
                relation: name.parse().unwrap(),
                limit,
            };
            let text = export(&heap, None, |subject, out, progress| {
                dot(subject, &what, out, progress)
            });
            let shown = text
                .lines()
                .filter(|line| line.contains("[label=") && !line.contains("->"))
                .count();
            let more = usize::from(text.contains("not shown"));
            assert!(shown - more <= limit && shown > more);
            assert!(text.contains("n100 [label="));
        }
    }
}

#[test]
fn what_cannot_be_written_is_told() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let heap = heap(&[(vec![1], 10), (vec![], 20)], "Visit");
    let mut kind = None;
    export(&heap, None, |subject, _, progress| {
        kind = heapsnapshot(subject.graph, Full, progress)
            .err()
            .map(|error| error.kind());
        Ok(())
    });
    assert_eq!(kind, Some(ErrorKind::Unwritable));
}

#[test]
fn a_run_that_is_stopped_stops() {
    let heap = heap(&[(vec![1], 10), (vec![], 20)], "Visit");
    let kinds = std::cell::RefCell::new(Vec::new());
    export(&heap, None, |subject, _, _| {
        let progress = Progress::default();
        progress.cancel();
        let limits = Limits::default();
        let mut out = Vec::new();
        for result in [
            folded(subject, View::Retained, &limits, &mut out, &progress),
            speedscope(subject, "", &limits, &mut out, &progress),
            flame(subject, "", &limits, &mut out, &progress),
            heapsnapshot(subject.graph, &mut out, &progress),
        ] {
            kinds.borrow_mut().push(result.unwrap_err().kind());
        }
        Ok(())
    });
    assert_eq!(kinds.into_inner(), vec![ErrorKind::Cancelled; 4]);
}

/// Each character that acts on the text around it, in the name of a class and of a constant.
#[test]
fn nothing_in_a_name_acts_on_the_text_around_it() {
    let heap = heap(&[(vec![1], 10), (vec![], 20)], HOSTILE);
    let limits = Limits::default();
    let neighbourhood = Neighbourhood {
        object: ObjectId::new(0),
        relation: Relation::Any,
        limit: 10,
    };
    let texts = [
        export(&heap, None, |it, out, progress| {
            folded(it, View::Retained, &limits, out, progress)
        }),
        export(&heap, None, |it, out, progress| {
            folded(it, View::Sites, &limits, out, progress)
        }),
        export(&heap, None, |it, out, progress| {
            speedscope(it, HOSTILE, &limits, out, progress)
        }),
        export(&heap, None, |it, out, progress| {
            flame(it, HOSTILE, &limits, out, progress)
        }),
        export(&heap, None, |it, out, progress| {
            dot(it, &neighbourhood, out, progress)
        }),
        export(&heap, None, |it, out, progress| {
            heapsnapshot(it.graph, out, progress)
        }),
    ];
    for text in texts {
        assert!(text.contains("u202E"), "the name is there: {text}");
        let acting = text
            .chars()
            .find(|char| *char != '\n' && (char.is_control() || matches!(char, '\u{2028}'..='\u{202e}')));
        assert_eq!(acting, None, "in {text}");
    }
}
