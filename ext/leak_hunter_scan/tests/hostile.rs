//! Sources that nobody writes: deep, long, broken. Whatever they are, the scan ends and says what it left out.

use leak_hunter_core::{ErrorKind, Progress};
use leak_hunter_scan::{Gap, LARGEST, Options, Scan, Text, scan_texts};
use proptest::prelude::*;

#[path = "../examples/scan_complexity/shapes.rs"]
mod shapes;

fn scan(path: &str, bytes: &[u8]) -> Scan {
    let text = Text {
        path: path.into(),
        bytes: bytes.to_vec(),
    };
    let options = Options {
        threads: Some(1),
        ..Options::default()
    };
    scan_texts(&[text], &options, &Progress::default()).unwrap_or_default()
}

/// Those that nest: they would need the deepest stacks.
const DEEP: [&str; 14] = [
    "chain",
    "chain_of_indexes",
    "chain_of_blocks",
    "plus",
    "not",
    "parentheses",
    "arrays",
    "hashes",
    "interpolations",
    "lambdas",
    "ifs",
    "elsifs",
    "methods_in_methods",
    "modules_in_modules",
];

#[test]
fn anything_is_read_or_named_and_a_mebibyte_of_what_nests() {
    for shape in shapes::ALL {
        let deep = DEEP.contains(&shape);
        let text = shapes::make(shape, if deep { LARGEST as usize } else { 60_000 });
        assert!(text.len() as u64 <= LARGEST, "{shape}");
        let path = if shape == "tags" { "a.html.erb" } else { "a.rb" };
        let scan = scan(path, text.as_bytes());
        let left_out = scan.notes.iter().any(|note| note.gap == Gap::TooDeep);
        assert!(scan.files == 1 || left_out, "{shape}");
    }
}

#[test]
fn what_is_too_large_is_named() {
    let notes = scan("a.rb", &vec![b'#'; LARGEST as usize + 1]).notes;
    assert_eq!(
        notes.iter().map(|note| note.gap).collect::<Vec<_>>(),
        [Gap::TooLarge]
    );
}

#[test]
fn what_is_too_deep_is_named_and_the_rest_is_read() {
    let chain = shapes::make("chain", 100_000);
    let leak = "\nclass A\n  ALL = {}\n  def self.a(id) = ALL[id] ||= id.to_s\nend\n";
    let scan = scan("a.rb", format!("{chain}{leak}").as_bytes());
    assert_eq!(
        scan.notes.iter().map(|note| note.gap).collect::<Vec<_>>(),
        [Gap::TooDeep]
    );
    assert_eq!(scan.findings.len(), 1);
}

#[test]
fn a_scan_stops_when_it_is_cancelled() {
    let progress = Progress::default();
    progress.cancel();
    let text = Text {
        path: "a.rb".into(),
        bytes: b"a = 1\n".to_vec(),
    };
    let error = scan_texts(&[text], &Options::default(), &progress).err();
    assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Cancelled));
}

const PROGRAM: &str = include_str!("corpus/unbounded_memo.txt");
const MORE: &str = include_str!("corpus/thread_retention.txt");

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Pieces of programs in any order, with bytes changed: nothing panics, and twice the same is found.
    #[test]
    fn broken_programs_give_findings_or_notes(
        cuts in proptest::collection::vec((0usize..20_000, 0usize..400), 1..8),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
    ) {
        let whole = [PROGRAM, MORE].concat().into_bytes();
        let mut text = Vec::new();
        for (from, length) in cuts {
            let from = from % whole.len();
            text.extend_from_slice(whole.get(from..(from + length).min(whole.len())).unwrap_or_default());
        }
        for (index, byte) in changes {
            if !text.is_empty() {
                let at = index.index(text.len());
                text[at] = byte;
            }
        }
        for path in ["a.rb", "app/views/a.erb"] {
            let one = scan(path, &text);
            let other = scan(path, &text);
            prop_assert!(one.files == 1);
            prop_assert_eq!(&one.findings, &other.findings);
            let lines = text.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
            for finding in &one.findings {
                prop_assert!(finding.location.line >= 1 && finding.location.line <= lines);
            }
        }
    }
}
