//! Dumps of Ruby 4, where class variables and other objects' instance variables have records of their own: the holders
//! are those that the program had.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use leak_hunter_core::graph::EdgeKind;
use leak_hunter_core::holders::Holder;
use leak_hunter_core::{Options, Progress, diff};

/// The names on the way to each collection, and how many objects leaked into it between the first two dumps.
const TRUTH: [(&[&str], u64); 8] = [
    (&["CIvar", "@sessions"], 10),
    (&["CVar", "@@logins"], 5),
    (&["MIvar", "@list"], 10),
    (&["BAG", "@extra"], 5),
    (&["WIDE", "@cache"], 5),
    (&["SEEN"], 5),
    (&["POINTS"], 10),
    (&["ARR"], 5),
];

fn holders(version: &str) -> Vec<Holder> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ruby4_dumps");
    let paths: [PathBuf; 3] = [1, 2, 3].map(|number| folder.join(format!("{version}-{number}.ndjson")));
    let options = Options {
        holders: true,
        threads: Some(2),
        ..Options::default()
    };
    let report = diff(&paths, &options, &Progress::default()).unwrap();
    report.holders.unwrap()
}

/// Names on the path to the holder, of classes and of edges, without those of the VM.
fn names(holder: &Holder) -> Vec<String> {
    let mut names = Vec::new();
    for step in &holder.path[..=holder.position] {
        names.extend(
            step.edge
                .name
                .clone()
                .filter(|_| step.edge.kind != EdgeKind::Root),
        );
        if matches!(step.type_name.as_str(), "CLASS" | "MODULE") {
            names.extend(step.class.clone());
        }
    }
    names
}

#[test]
fn collections_are_named_as_the_program_names_them() {
    let mut fingerprints = Vec::new();
    for version in ["4.0", "4.1"] {
        let holders = holders(version);
        for (truth, leaked) in TRUTH {
            let holder = holders.iter().find(|holder| {
                let names = names(holder);
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                names.ends_with(truth)
            });
            let all: Vec<_> = holders.iter().map(names).collect();
            let holder = holder.unwrap_or_else(|| panic!("{version}: no {truth:?} among {all:?}"));
            assert_eq!(holder.count, leaked, "{version} {truth:?}");
            let classes = holder.path.iter().map(|step| step.class.as_deref());
            assert!(!classes.into_iter().any(|class| class == Some("fields")));
            if matches!(holder.class.as_deref(), Some("Array" | "Hash")) {
                assert_eq!(
                    holder.lengths,
                    [Some(1), Some(6), Some(11)],
                    "{version} {truth:?}"
                );
            }
            fingerprints.push(holder.fingerprint);
        }
    }
    // both Rubies tell the same holder by the same number
    let (one, other) = fingerprints.split_at(TRUTH.len());
    assert_eq!(one, other);
}
