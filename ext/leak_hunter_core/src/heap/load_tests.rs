//! Dumps with references of every number, around the sizes at which a record no longer fits.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::test_support::Line;

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
                let known: Vec<u32> = list.iter().filter(|it| **it < count).map(|it| *it as u32).collect();
                dangling += list.len() - known.len();
                if index < count {
                    dangling += list.len() - known.len();
                    prop_assert_eq!(&heap.references(index as u32).collect::<Vec<_>>(), &known);
                    let generation = sites.then_some(index as u64);
                    prop_assert_eq!(heap.generation(index as u32), generation);
                }
                let mut known = known;
                known.sort_unstable();
                known.dedup();
                roots.insert(index.to_string(), known);
            }
            prop_assert_eq!(heap.dangling(), dangling as u64);
            let found = heap.roots().iter().map(|root| (root.category.clone(), root.references.clone()));
            prop_assert_eq!(found.collect::<BTreeMap<_, _>>(), roots);
        }
    }
}
