//! What a heap's graph costs, phase by phase: the work of `rake bench:graph`.
//!
//! `graph_phases DUMP THREADS SINCE` loads the dump, finds dominators and paths, and the holders of all that was born at
//! a GC count of `SINCE` or later. Prints one JSON object: counts, and by phase seconds and by how many bytes the peak of
//! memory has risen by its end.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use leak_hunter_core::Progress;
use leak_hunter_core::graph::{Graph, dominators};
use leak_hunter_core::heap::Heap;
use leak_hunter_core::holders::{Leaked, holders_in};
use leak_hunter_core::ids::Generation;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, dump, threads, since] = arguments.as_slice() else {
        return Err("usage: graph_phases DUMP THREADS SINCE".into());
    };
    let (threads, since) = (threads.parse()?, Generation::new(since.parse()?));
    let progress = Progress::default();
    let mut watch = Watch::start();

    let heap = Arc::new(Heap::load(Path::new(dump), Some(threads), &progress)?);
    watch.lap("load");
    let graph = Graph::new(Arc::clone(&heap), &progress)?;
    watch.lap("graph");
    let tree = dominators(&graph, &progress)?;
    watch.lap("dominators");
    let parents = graph.parents(&progress)?;
    watch.lap("paths");
    let leaked: Vec<Leaked> = heap
        .objects()
        .filter(|object| heap.generation(*object).is_some_and(|born| born >= since))
        .map(|object| Leaked { object, group: 0 })
        .collect();
    let found = holders_in(&graph, &tree, &parents, &leaked, Some(since), &progress)?;
    watch.lap("holders");

    let counts = [
        ("objects", u64::from(heap.len())),
        ("references", heap.reference_count()),
        ("tables", heap.memory() as u64),
        ("leaked", leaked.len() as u64),
        ("holders", found.holders.len() as u64),
        ("retained", tree.retained(graph.top())),
    ];
    let counts = counts
        .map(|(name, count)| format!("\"{name}\":{count}"))
        .join(",");
    println!("{{{counts},\"phases\":{{{}}}}}", watch.laps.join(","));
    Ok(())
}

struct Watch {
    before: u64,
    last: Instant,
    laps: Vec<String>,
}

impl Watch {
    fn start() -> Self {
        Self {
            before: peak(),
            last: Instant::now(),
            laps: Vec::new(),
        }
    }

    fn lap(&mut self, name: &str) {
        let seconds = self.last.elapsed().as_secs_f64();
        let grown = peak().saturating_sub(self.before);
        self.laps.push(format!(
            "\"{name}\":{{\"seconds\":{seconds:.4},\"peak\":{grown}}}"
        ));
        self.last = Instant::now();
    }
}

/// Peak resident memory so far, in bytes, less what is mapped from files: the program itself. 0 where the system does
/// not tell.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) * 1024
    };
    bytes("VmHWM:").saturating_sub(bytes("RssFile:"))
}
