//! Records longer than what is held in memory at once: their references are all in the heap.
#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::sync::Arc;

use leak_hunter_core::graph::{Graph, dominators};
use leak_hunter_core::heap::Site;
use leak_hunter_core::ids::{Address, Generation, NodeId, ObjectId};
use leak_hunter_core::{Heap, Progress};

/// 300,000 references take 6 MB, and the reader holds 4 MiB of a record.
const ELEMENTS: u64 = 300_000;

fn address(number: u64) -> u64 {
    0x7f00_0000_0000 + number * 40
}

fn list(numbers: impl Iterator<Item = u64>) -> String {
    let mut list = String::new();
    for number in numbers {
        let comma = if list.is_empty() { "" } else { ", " };
        write!(list, "{comma}\"{:#x}\"", address(number)).unwrap();
    }
    list
}

#[test]
fn long_lists_of_references_are_read_whole() {
    let (array, hash) = (ELEMENTS, ELEMENTS + 1);
    let mut dump = String::new();
    let root = |category: &str, list: &str| {
        format!("{{\"type\":\"ROOT\", \"root\":\"{category}\", \"references\":[{list}]}}\n")
    };
    dump += &root("vm", &list([array].into_iter()));
    dump += &root("global_tbl", &list((0..ELEMENTS).rev()));
    for number in 0..ELEMENTS {
        let address = address(number);
        writeln!(
            dump,
            "{{\"address\":\"{address:#x}\", \"type\":\"OBJECT\", \"memsize\":40}}"
        )
        .unwrap();
    }
    writeln!(
        dump,
        "{{\"address\":\"{:#x}\", \"type\":\"ARRAY\", \"length\":{ELEMENTS}, \"references\":[{}], \"file\":\"a \\\"b\\\".rb\", \
         \"line\":7, \"method\":\"fill\", \"generation\":3, \"memsize\":40, \"flags\":{{\"old\":true}}}}",
        address(array),
        list((0..ELEMENTS).map(|number| number * 7 % ELEMENTS).chain([hash]))
    )
    .unwrap();
    // no site, dangling references, and the last line of the file without its end
    write!(
        dump,
        "{{\"address\":\"{:#x}\", \"type\":\"HASH\", \"size\":{ELEMENTS}, \"references\":[{}], \"memsize\":40}}",
        address(hash),
        list((0..2 * ELEMENTS).map(|number| if number % 2 == 0 { number / 2 } else { number + ELEMENTS + 2 }))
    )
    .unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), dump).unwrap();

    for threads in [1, 3] {
        let progress = Progress::default();
        let heap = Arc::new(Heap::load(file.path(), Some(threads), &progress).unwrap());
        assert_eq!(u64::from(heap.len()), ELEMENTS + 2);
        assert_eq!(heap.dangling(), ELEMENTS);
        let numbers = |addresses: Vec<u64>| -> Vec<ObjectId> {
            addresses
                .into_iter()
                .map(|it| heap.find(Address::new(address(it))).unwrap())
                .collect()
        };
        let array = heap.find(Address::new(address(array))).unwrap();
        let elements = (0..ELEMENTS).map(|number| number * 7 % ELEMENTS).chain([hash]);
        assert!(heap.references(array).eq(numbers(elements.collect())));
        let site = Site {
            file: Some("a \\\"b\\\".rb"),
            line: Some(7),
            method: Some("fill"),
        };
        assert_eq!(heap.site(array), Some(site));
        assert_eq!(heap.length(array), Some(ELEMENTS as u32));
        assert_eq!(heap.generation(array), Some(Generation::new(3)));
        let hash = heap.find(Address::new(address(hash))).unwrap();
        assert!(heap.references(hash).eq(numbers((0..ELEMENTS).collect())));

        let graph = Graph::new(Arc::clone(&heap), &progress).unwrap();
        let globals = graph
            .category_nodes()
            .find(|node| graph.category(*node) == Some("global_tbl"));
        assert!(
            graph
                .successors(globals.unwrap())
                .eq(numbers((0..ELEMENTS).collect()).into_iter().map(NodeId::from))
        );
        let tree = dominators(&graph, &progress).unwrap();
        assert_eq!(
            tree.of(ObjectId::new(0)),
            Some(graph.top()),
            "by the global and by the Array"
        );
        assert_eq!(tree.retained(graph.top()), (ELEMENTS + 2) * 40);
    }
}
