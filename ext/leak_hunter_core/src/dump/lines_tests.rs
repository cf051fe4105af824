//! Units are the same however a file is cut into chunks and regions.

use std::io::Write;

use super::*;
use crate::DumpFile;

/// The units of a file: the length of each one's text and how many references were left out of it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    text: usize,
    elided: usize,
}

fn units(text: &[u8], collect: bool) -> Vec<Seen> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text).unwrap();
    let file = DumpFile::open(file.path()).unwrap();
    let mut units = Vec::new();
    let each = |unit: Unit<'_>| {
        units.push(Seen {
            text: unit.text.len(),
            elided: unit.elided.len(),
        });
        Ok(())
    };
    each_unit(
        &mut Text::of(&file).unwrap(),
        0..file.bytes(),
        &mut Vec::new(),
        collect,
        &Progress::default(),
        each,
    )
    .unwrap();
    units
}

/// A record of roots so long that its middle is left out, with newlines at some of its bytes.
fn roots(newlines: &[usize]) -> Vec<u8> {
    let mut text =
        b"{\"type\":\"ROOT\", \"root\":\"global_tbl\", \"references\":[\"0x7f0000000028\"".to_vec();
    while text.len() < LONGEST + (2 << 10) {
        text.extend_from_slice(b", \"0x7f0000000190\"");
    }
    text.extend_from_slice(b"]}");
    for newline in newlines {
        text[*newline] = b'\n';
    }
    text
}

#[test]
fn an_overlong_record_with_newlines_is_read_alike_wherever_chunks_end() {
    let places = [
        HEAD_END,
        LONGEST - 300,
        LONGEST - 1,
        LONGEST,
        LONGEST + 1,
        LONGEST + 5,
        LONGEST + 200,
        LONGEST + 900,
    ];
    for first in places {
        for second in [first, LONGEST + 3, LONGEST + 1_000] {
            let roots = roots(&[first, second]);
            let alone = units(&[&roots[..], b"\n"].concat(), true);
            for before in (1..CHUNK).step_by(7) {
                let class = format!(
                    "{{\"address\":\"0x8\", \"type\":\"CLASS\", \"name\":\"{}\"}}\n",
                    "x".repeat(before)
                );
                let text = [class.as_bytes(), &roots, b"\n"].concat();
                assert_eq!(
                    &units(&text, true)[1..],
                    &alone,
                    "newlines at {first} and {second}, {before} before"
                );
            }
        }
    }
}

/// Just behind what is kept of the beginning of an overlong record.
const HEAD_END: usize = elide::HEAD + 1;
