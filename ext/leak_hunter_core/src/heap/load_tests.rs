//! Dumps with references of every number, around the sizes at which a record no longer fits.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::ids::{Address, Generation, ObjectId};
use crate::test_support::{Line, any_line};

fn address(number: usize) -> u64 {
    0x7f00_0000_0000 + number as u64 * 40
}

/// So many objects; what some refer to, often more than the 16 KiB that tests hold of a record (800 references).
fn references() -> impl Strategy<Value = (usize, Vec<Vec<usize>>)> {
    (1..60usize).prop_flat_map(|count| {
        let length = prop_oneof![0..30usize, 195..215usize, 780..840usize, 1_500..2_500usize];
        // the last number is that of no object
        let list = length.prop_flat_map(move |length| vec(0..=count, length));
        (Just(count), vec(list, 0..6))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_reference_is_there((count, lists) in references(), sites in any::<bool>()) {
        let mut dump = Vec::new();
        for number in 0..count {
            let site = sites.then_some(number as u64);
            let line = Line {
                address: address(number),
                kind: "ARRAY",
                references: lists.get(number).into_iter().flatten().map(|it| address(*it)).collect(),
                file: site.map(|_| b"app.rb".into()),
                line: site,
                generation: site,
                memsize: 40,
                flags: true,
                ..Line::default()
            };
            dump.extend_from_slice(&line.to_bytes());
            dump.push(b'\n');
        }
        for (index, list) in lists.iter().enumerate() {
            let list: Vec<_> = list.iter().map(|it| format!("\"{:#x}\"", address(*it))).collect();
            let list = list.join(", ");
            dump.extend_from_slice(format!("{{\"type\":\"ROOT\", \"root\":\"{index}\", \"references\":[{list}]}}\n").as_bytes());
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), dump).unwrap();

        for threads in [1, 3] {
            let heap = Heap::load(file.path(), Some(threads), &Progress::default()).unwrap();
            prop_assert_eq!(heap.len() as usize, count);
            let mut roots = BTreeMap::new();
            let mut dangling = 0;
            for (index, list) in lists.iter().enumerate() {
                let known = list.iter().filter(|it| **it < count);
                let known: Vec<ObjectId> = known.map(|it| ObjectId::new(*it as u32)).collect();
                dangling += list.len() - known.len();
                if index < count {
                    let object = ObjectId::new(index as u32);
                    dangling += list.len() - known.len();
                    prop_assert_eq!(&heap.references(object).collect::<Vec<_>>(), &known);
                    let generation = sites.then_some(Generation::new(index as u64));
                    prop_assert_eq!(heap.generation(object), generation);
                }
                let mut known = known;
                known.sort_unstable();
                known.dedup();
                roots.insert(index.to_string(), known);
            }
            prop_assert_eq!(heap.dangling(), dangling as u64);
            let counted: usize = heap.objects().map(|object| heap.references(object).len()).sum();
            prop_assert_eq!(heap.reference_count(), counted as u64);
            let found = heap.roots().iter().map(|root| (root.category.clone(), root.references.clone()));
            prop_assert_eq!(found.collect::<BTreeMap<_, _>>(), roots);
        }
    }
}

/// A record that is read alike alone and in a dump.
fn plain(mut line: Line) -> Line {
    let texts = [&mut line.name, &mut line.struct_name, &mut line.file];
    for text in texts.into_iter().flatten() {
        text.retain(|byte| !matches!(byte, b'\n' | b'"'));
    }
    line
}

/// What is told of each object.
fn told(heap: &Heap) -> Vec<String> {
    let objects = heap.objects().map(|object| {
        let references: Vec<Address> = heap.references(object).map(|it| heap.address(it)).collect();
        format!(
            "{:#x} {} {:?} {:?} {:?} {:?} {:?} {} {references:x?}",
            heap.address(object),
            heap.type_name(object),
            heap.class_of(object).map(|class| heap.address(class)),
            heap.class_name(object),
            heap.label(object),
            heap.site(object),
            heap.generation(object),
            heap.memsize(object),
        )
    });
    objects.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Kinds, births and texts that threads have numbered on their own come together.
    #[test]
    fn a_dump_gives_the_heap_that_is_built_object_by_object(
        lines in vec(any_line(), 1..80),
        links in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..80),
        large in any::<bool>(),
    ) {
        let mut lines: BTreeMap<u64, Line> = lines.into_iter().map(|line| (line.address, plain(line))).collect();
        let addresses: Vec<u64> = lines.keys().copied().collect();
        for (from, to) in links {
            if let Some(line) = lines.get_mut(from.get(&addresses)) {
                line.references.push(*to.get(&addresses));
                line.class = Some(*to.get(&addresses));
                line.memsize = if large { u64::MAX } else { line.memsize };
            }
        }
        let texts: Vec<Vec<u8>> = lines.values().map(Line::to_bytes).collect();
        let mut builder = crate::heap::HeapBuilder::new(addresses.into_iter().map(Address::new)).unwrap();
        builder.root("vm", Vec::new());
        let objects = texts.iter().map(|text| {
            let fields = Fields::parse(text).unwrap();
            let references = fields.references().collect();
            (fields, references)
        });
        let built = builder.build_from(objects).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [texts.join(&b'\n'), b"\n".to_vec()].concat()).unwrap();
        for threads in [1, 3] {
            let heap = Heap::load(file.path(), Some(threads), &Progress::default()).unwrap();
            prop_assert_eq!(told(&heap), told(&built));
            prop_assert_eq!(heap.dangling(), built.dangling());
        }
    }
}

#[test]
fn of_records_that_share_an_address_the_first_counts() {
    let mut text = Vec::new();
    for number in 0..400 {
        let line = Line {
            address: address(number % 100),
            kind: "ARRAY",
            references: vec![address(number / 100)],
            memsize: 40 + number as u64,
            ..Line::default()
        };
        text.extend(line.to_bytes());
        text.push(b'\n');
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    for threads in [1, 4] {
        let heap = Heap::load(file.path(), Some(threads), &Progress::default()).unwrap();
        for number in 0..100 {
            let object = ObjectId::new(number);
            assert_eq!(heap.memsize(object), 40 + u64::from(number));
            assert_eq!(heap.references(object).collect::<Vec<_>>(), [ObjectId::new(0)]);
        }
    }
}
