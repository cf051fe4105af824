//! Precision and recall on the corpus: half of it was looked at while rules were written, half was not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use leak_hunter_core::Progress;
use leak_hunter_scan::{Finding, Options, Rule, Text, scan_texts};

/// Where a finding is expected.
#[derive(Debug)]
struct Expected {
    path: PathBuf,
    line: u32,
    variable: Option<String>,
}

#[derive(Debug)]
struct Snippet {
    rule: Rule,
    name: String,
    leaky: bool,
    held_out: bool,
    texts: Vec<Text>,
    expected: Vec<Expected>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    expected: usize,
    found: usize,
    wrong: usize,
}

fn snippets() -> Vec<Snippet> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut all = Vec::new();
    for rule in Rule::ALL {
        let text = std::fs::read_to_string(folder.join(format!("{}.txt", snake(rule)))).unwrap_or_default();
        let mut numbers = BTreeMap::new();
        for part in text.split("=== ").skip(1) {
            let (title, body) = part.split_once('\n').unwrap_or((part, ""));
            let leaky = title.starts_with("leaky");
            let number = numbers.entry(leaky).or_insert(0);
            *number += 1;
            all.push(snippet(rule, title, leaky, *number % 2 == 0, body));
        }
    }
    all
}

fn snippet(rule: Rule, title: &str, leaky: bool, held_out: bool, body: &str) -> Snippet {
    let mut texts = Vec::new();
    let mut expected = Vec::new();
    for file in body.split("--- ").skip(1) {
        let (path, code) = file.split_once('\n').unwrap_or((file, ""));
        for (index, line) in code.lines().enumerate() {
            if let Some((_, variable)) = line.split_once("# LEAK") {
                expected.push(Expected {
                    path: path.into(),
                    line: index as u32 + 1,
                    variable: Some(variable.trim().to_owned()).filter(|it| !it.is_empty()),
                });
            }
        }
        texts.push(Text {
            path: path.into(),
            bytes: code.into(),
        });
    }
    assert_eq!(leaky, !expected.is_empty(), "{title}");
    Snippet {
        rule,
        name: title.to_owned(),
        leaky,
        held_out,
        texts,
        expected,
    }
}

fn snake(rule: Rule) -> String {
    let name = rule.name().trim_start_matches("LeakHunter/");
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

fn fits(expected: &Expected, finding: &Finding) -> bool {
    finding.location.path == expected.path
        && finding.location.line == expected.line
        && (expected.variable.is_none() || finding.variable == expected.variable)
}

#[test]
fn nine_of_ten_leaks_are_found_and_nine_of_ten_findings_are_leaks() {
    let options = Options {
        threads: Some(1),
        ..Options::default()
    };
    let mut table: BTreeMap<(bool, Rule), Count> = BTreeMap::new();
    let mut mistakes = String::new();
    let snippets = snippets();
    assert_eq!(snippets.iter().filter(|it| it.leaky).count(), 120);
    assert_eq!(snippets.iter().filter(|it| !it.leaky).count(), 120);
    for snippet in &snippets {
        let scan = scan_texts(&snippet.texts, &options, &Progress::default()).unwrap_or_default();
        assert!(scan.notes.is_empty(), "{}: {:?}", snippet.name, scan.notes);
        let count = table.entry((snippet.held_out, snippet.rule)).or_default();
        let half = if snippet.held_out { "held out" } else { "tuning" };
        for expected in &snippet.expected {
            count.expected += 1;
            let found = scan
                .findings
                .iter()
                .any(|it| it.rule == snippet.rule && fits(expected, it));
            count.found += usize::from(found);
            if !found && (!snippet.held_out || std::env::var_os("HELD_OUT").is_some()) {
                mistakes += &format!(
                    "missed ({half}, {:?}): {} {expected:?}\n",
                    snippet.rule, snippet.name
                );
            }
        }
        for finding in &scan.findings {
            if !snippet
                .expected
                .iter()
                .any(|it| it.path == finding.location.path && it.line == finding.location.line)
            {
                count.wrong += 1;
            } else if finding.rule == snippet.rule {
                continue;
            }
            if !snippet.held_out || std::env::var_os("HELD_OUT").is_some() {
                mistakes += &format!(
                    "not expected ({half}, {:?}): {}, {:?} {}:{} {:?} {}\n",
                    snippet.rule,
                    snippet.name,
                    finding.rule,
                    finding.location.path.display(),
                    finding.location.line,
                    finding.variable,
                    finding.message
                );
            }
        }
    }
    let mut report = format!(
        "{:9} {:22} {:>8} {:>5} {:>5}\n",
        "half", "rule", "expected", "found", "wrong"
    );
    let mut worst: f64 = 1.0;
    for held_out in [false, true] {
        let mut sum = Count::default();
        let half = if held_out { "held out" } else { "tuning" };
        for ((_, rule), count) in table.iter().filter(|((it, _), _)| *it == held_out) {
            report += &format!(
                "{half:9} {:22} {:8} {:5} {:5}\n",
                format!("{rule:?}"),
                count.expected,
                count.found,
                count.wrong
            );
            sum.expected += count.expected;
            sum.found += count.found;
            sum.wrong += count.wrong;
        }
        let recall = sum.found as f64 / sum.expected as f64;
        let precision = sum.found as f64 / (sum.found + sum.wrong) as f64;
        report += &format!("{half:9} recall {recall:.3}, precision {precision:.3}\n");
        worst = worst.min(recall).min(precision);
    }
    assert!(worst >= 0.9, "\n{report}{mistakes}");
    if std::env::var_os("SHOW").is_some() {
        std::fs::write(
            std::env::temp_dir().join("scan_corpus.txt"),
            format!("{report}{mistakes}"),
        )
        .unwrap_or_default();
    }
}
