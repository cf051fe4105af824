//! Whatever a run is at, it stops when it is told to.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::{ErrorKind, Result};
use crate::graph::{Graph, dominators};
use crate::heap::Heap;
use crate::holders::{Leaked, holders_in};
use crate::ids::Generation;
use crate::test_support::Line;
use crate::{Options, Phase, Progress, diff};

const COUNT: u64 = 400;

fn address(number: u64) -> u64 {
    0x7f00_0000_0000 + number * 40
}

/// A tree, a ring that no root leads to, and leaves.
fn dump(folder: &Path, name: &str, youngest: u64) -> std::path::PathBuf {
    let path = folder.join(name);
    let mut file = std::fs::File::create(&path).unwrap();
    let roots = format!(
        "{{\"type\":\"ROOT\", \"root\":\"vm\", \"references\":[\"{:#x}\"]}}\n",
        address(1)
    );
    file.write_all(roots.as_bytes()).unwrap();
    for number in 1..=COUNT {
        let ring = COUNT / 2 + number % (COUNT / 2);
        let references = if number < COUNT / 2 {
            vec![address(number * 2), address(number * 2 + 1)]
        } else {
            vec![address(ring + 1)]
        };
        let line = Line {
            address: address(number),
            kind: "OBJECT",
            class: Some(address(2)),
            references: references
                .into_iter()
                .filter(|it| *it <= address(COUNT))
                .collect(),
            file: Some(b"app.rb".into()),
            line: Some(1),
            generation: Some((number % 9).min(youngest)),
            memsize: 40,
            ..Line::default()
        };
        file.write_all(&line.to_bytes()).unwrap();
        file.write_all(b"\n").unwrap();
    }
    path
}

/// How often a phase looks at whether to go on. Stopped at any of these looks, it says so.
fn checks<T>(phase: impl Fn(&Progress) -> Result<T>) -> u64 {
    let progress = Progress::default();
    assert!(phase(&progress).is_ok());
    let checks = progress.checks.load(Ordering::Relaxed);
    for cancel_at in 1..=checks {
        let progress = Progress::cancelled_at(cancel_at);
        let error = phase(&progress).err().map(|error| error.kind());
        assert_eq!(
            error,
            Some(ErrorKind::Cancelled),
            "at check {cancel_at} of {checks}"
        );
    }
    checks
}

#[test]
fn every_phase_of_a_graph_can_be_stopped_all_along() {
    let folder = tempfile::tempdir().unwrap();
    let path = dump(folder.path(), "heap.json", 9);
    let heap = Arc::new(Heap::load(&path, Some(1), &Progress::default()).unwrap());
    let graph = Graph::new(Arc::clone(&heap), &Progress::default()).unwrap();
    let tree = dominators(&graph, &Progress::default()).unwrap();
    let parents = graph.parents(&Progress::default()).unwrap();
    let leaked: Vec<Leaked> = heap
        .objects()
        .filter(|object| object.get() % 3 == 0)
        .map(|object| Leaked { object, group: 0 })
        .collect();

    // 16 nodes between two looks, so many for each time that a phase goes through the heap
    let once = COUNT / 16;
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert!(checks(|progress| Heap::load(&path, Some(1), progress)) >= 2 * bytes / 500);
    assert!(checks(|progress| Graph::new(Arc::clone(&heap), progress)) >= 3 * once);
    // down the tree and up again, then four times along it
    assert!(checks(|progress| dominators(&graph, progress)) >= 6 * once);
    assert!(checks(|progress| graph.parents(progress)) >= once);
    let since = Some(Generation::new(1));
    let holders = |progress: &Progress| holders_in(&graph, &tree, &parents, &leaked, since, progress);
    assert!(checks(holders) >= 4 * once);
}

#[test]
fn a_diff_with_holders_can_be_stopped_all_along() {
    let folder = tempfile::tempdir().unwrap();
    let paths = [("1.json", 2), ("2.json", 5), ("3.json", 8)]
        .map(|(name, youngest)| dump(folder.path(), name, youngest));
    let with_holders = |holders| {
        let paths = &paths;
        move |progress: &Progress| {
            let options = Options {
                threads: Some(1),
                holders,
                ..Options::default()
            };
            diff(paths, &options, progress)
        }
    };
    let plain = checks(with_holders(false));
    assert!(checks(with_holders(true)) > plain + 10 * COUNT / 16);
}

#[test]
fn a_diff_says_how_long_each_phase_took_and_counts_to_the_end_once() {
    let folder = tempfile::tempdir().unwrap();
    let paths = [("1.json", 2), ("2.json", 5), ("3.json", 8)]
        .map(|(name, youngest)| dump(folder.path(), name, youngest));
    let reads = [Phase::Read(0), Phase::Read(1), Phase::Read(2), Phase::Groups];
    for holders in [false, true] {
        let options = Options {
            threads: Some(1),
            holders,
            ..Options::default()
        };
        let progress = Progress::default();
        diff(&paths, &options, &progress).unwrap();
        let phases: Vec<Phase> = progress.phase_times().iter().map(|it| it.phase).collect();
        let after: &[Phase] = match holders {
            true => &[Phase::Heap, Phase::Graph, Phase::Holders],
            false => &[],
        };
        assert_eq!(phases, [&reads, after].concat());
        let left = progress.total() - progress.done();
        assert!(left < 3, "thirds are rounded down: {left}");
    }
}

#[test]
fn a_phase_that_comes_again_is_one() {
    let progress = Progress::default();
    assert!(progress.phase_times().is_empty());
    for phase in [Phase::Read(0), Phase::Read(1), Phase::Read(0), Phase::Graph] {
        progress.enter(phase);
    }
    let phases: Vec<Phase> = progress.phase_times().iter().map(|it| it.phase).collect();
    assert_eq!(phases, [Phase::Read(0), Phase::Read(1), Phase::Graph]);
}
