//! Heaps whose graphs are awkward to walk: long, wide, shared.

use std::error::Error;
use std::fmt::Write;

use leak_hunter_core::Progress;
use leak_hunter_core::graph::{Graph, dominators};
use leak_hunter_core::heap::Heap;
use leak_hunter_core::holders::{Leaked, holders_in};

use crate::{Folder, Shape};

const SIZES: [usize; 3] = [4_000, 8_000, 16_000];
/// Objects of this generation leaked.
const LEAKED: u64 = 9;

pub(crate) const SHAPES: &[Shape] = &[Shape {
    name: "star",
    sizes: SIZES,
    make: star,
}];

/// One Array holds everything.
fn star(objects: usize) -> Vec<u8> {
    let mut dump = Dump::default();
    let leaves: Vec<usize> = (1..objects).collect();
    dump.root(0);
    dump.object(0, "ARRAY", 1, &leaves);
    for leaf in leaves {
        dump.object(leaf, "OBJECT", LEAKED, &[]);
    }
    dump.text.into_bytes()
}

/// A dump in the making: objects by number.
#[derive(Default)]
struct Dump {
    text: String,
}

impl Dump {
    fn address(number: usize) -> u64 {
        0x7f00_0000_0000 + number as u64 * 40
    }

    fn root(&mut self, number: usize) {
        let address = Self::address(number);
        let _ = writeln!(
            self.text,
            r#"{{"type":"ROOT", "root":"vm", "references":["{address:#x}"]}}"#
        );
    }

    fn object(&mut self, number: usize, kind: &str, generation: u64, references: &[usize]) {
        let address = Self::address(number);
        let _ = write!(self.text, r#"{{"address":"{address:#x}", "type":"{kind}""#);
        for (index, reference) in references.iter().enumerate() {
            let before = if index == 0 { r#", "references":["# } else { ", " };
            let _ = write!(self.text, r#"{before}"{:#x}""#, Self::address(*reference));
        }
        let end = if references.is_empty() { "" } else { "]" };
        let _ = writeln!(
            self.text,
            r#"{end}, "file":"a.rb", "line":1, "generation":{generation}, "memsize":40}}"#
        );
    }
}

/// Loads the heap and finds who holds what leaked.
pub(crate) fn run(text: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new()?;
    let progress = Progress::default();
    let heap = Heap::load(&folder.write("heap.json", text)?, Some(1), &progress)?;
    let graph = Graph::new(&heap, &progress)?;
    let tree = dominators(&graph, &progress)?;
    let parents = graph.parents(&progress)?;
    let leaked: Vec<Leaked> = (0..heap.len())
        .filter(|object| heap.generation(*object) == Some(LEAKED))
        .map(|object| Leaked { object, group: 0 })
        .collect();
    let (holders, _) = holders_in(&graph, &tree, &parents, &leaked, Some(LEAKED), &progress)?;
    let held: u64 = holders.iter().map(|holder| holder.count).sum();
    if held != leaked.len() as u64 {
        return Err(format!("{held} of {} leaked objects have a holder", leaked.len()).into());
    }
    Ok(())
}
