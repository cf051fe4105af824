//! A compressed dump is read as the same dump that is not, wherever its frames begin, and what is wrong with it is said.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use proptest::prelude::*;

use super::seek_table::{self, Entry};
use super::{DumpFile, Failure, Fields, NameLine, Pass, Record, Seen, scan};
use crate::error::{ErrorKind, Result};
use crate::ids::Address;
use crate::pool;
use crate::progress::Progress;

/// All that a pass is shown, in an order that does not depend on threads.
#[derive(Debug, Default, PartialEq, Eq)]
struct Everything {
    records: BTreeMap<(u64, Vec<u8>), u32>,
    roots: BTreeMap<Vec<u8>, usize>,
    names: BTreeMap<String, u32>,
}

impl Pass for Everything {
    const REFERENCES: bool = true;

    fn visit(&mut self, record: &Record<'_>) -> std::result::Result<(), Failure> {
        let key = (record.address.get(), record.line.to_vec());
        *self.records.entry(key).or_default() += 1 + record.elided.len() as u32;
        record.fields().map(drop).ok_or(Failure::Damaged)
    }

    fn root(&mut self, root: &Fields<'_>, elided: &[Address]) {
        *self.roots.entry(root.references.to_vec()).or_default() += 1 + elided.len();
    }

    fn name(&mut self, name: NameLine) {
        *self.names.entry(name.name).or_default() += 1;
    }

    fn merge(&mut self, other: Self) {
        for (key, count) in other.records {
            *self.records.entry(key).or_default() += count;
        }
        for (key, count) in other.roots {
            *self.roots.entry(key).or_default() += count;
        }
        for (key, count) in other.names {
            *self.names.entry(key).or_default() += count;
        }
    }
}

type Read = (Everything, u64, Vec<super::Skipped>, Option<super::DumpHeader>);

fn read(path: &Path, threads: usize) -> Result<Read> {
    let file = DumpFile::open(path)?;
    let progress = Progress::default();
    progress.set_total(file.bytes());
    let read = scan(&file, &pool::of(threads)?, &progress, Everything::default)?;
    assert_eq!(
        progress.done(),
        progress.total() - trailer(&file),
        "progress is in bytes of the file"
    );
    let Seen {
        skipped,
        first_skipped,
    } = read.seen;
    Ok((read.pass, skipped, first_skipped, file.recorded().cloned()))
}

/// What no region has: the table of frames.
fn trailer(file: &DumpFile) -> u64 {
    match file.form() {
        super::file::Form::Frames(frames) => {
            let packed: u64 = frames.regions(1).iter().map(|region| region.packed).sum();
            file.bytes() - packed
        }
        _ => 0,
    }
}

fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// What is wrong, without the file's name; lines are those of the text, and a stream cannot count them before it is read.
fn outcome(bytes: &[u8], threads: usize) -> std::result::Result<Read, (ErrorKind, Option<u64>)> {
    read(written(bytes).path(), threads).map_err(|error| (error.kind(), error.byte()))
}

fn frames(text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut entries = Vec::new();
    let mut start = 0;
    for end in cuts.iter().copied().chain([text.len()]) {
        let frame = zstd::bulk::compress(&text[start..end], 1).unwrap();
        entries.push(Entry {
            packed: frame.len() as u32,
            text: (end - start) as u32,
        });
        file.extend_from_slice(&frame);
        start = end;
    }
    file.extend_from_slice(&seek_table::write(&entries));
    file
}

/// Frames that no table lists.
fn stream(text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut start = 0;
    let ends = cuts.iter().copied().chain([text.len()]);
    ends.flat_map(|end| {
        let frame = zstd::bulk::compress(&text[start..end], 1).unwrap();
        start = end;
        frame
    })
    .collect()
}

fn gzip(text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut start = 0;
    let ends = cuts.iter().copied().chain([text.len()]);
    ends.flat_map(|end| {
        let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        member.write_all(&text[start..end]).unwrap();
        start = end;
        member.finish().unwrap()
    })
    .collect()
}

/// Pieces of which dumps are made: whole, damaged, with raw newlines, long, of LeakHunter's own.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let object = (1u64..99, 0usize..40).prop_map(|(address, length)| {
        let references = vec!["\"0x28\""; length].join(", ");
        format!("{{\"address\":\"{address:#x}\", \"type\":\"ARRAY\", \"references\":[{references}], \"memsize\":40}}\n")
    });
    let raw = (1u64..99).prop_map(|address| {
        format!("{{\"address\":\"{address:#x}\", \"type\":\"OBJECT\", \"file\":\"a\n\"b\n.rb\", \"line\":3, \"memsize\":40}}\n")
    });
    let other = prop::sample::select(vec![
        "{\"type\":\"ROOT\", \"root\":\"vm\", \"references\":[\"0x28\", \"0x50\"]}\n",
        "{\"type\":\"NAME\", \"kind\":\"global\", \"name\":\"$a\", \"value\":\"0x28\"}\n",
        "{\"address\":\"0x7\", \"type\":\"STRING\", \"va{\"address\":\"0x8\", \"type\":\"OBJECT\", \"memsize\":40}\n",
        "{\"address\":\"0x7\", \"type\":\"STRI\n",
        "\n",
        "not a record\n",
        "{\"address\":\"0x9\", \"type\":\"OBJECT\"}\r\n",
    ]);
    prop_oneof![
        6 => object.prop_map(String::into_bytes),
        1 => raw.prop_map(String::into_bytes),
        2 => other.prop_map(|text| text.as_bytes().to_vec()),
        1 => (1usize..60).prop_map(|kilobytes| {
            let references = vec!["\"0x28\""; kilobytes * 128].join(", ");
            format!("{{\"address\":\"0xff\", \"type\":\"ARRAY\", \"references\":[{references}]}}\n").into_bytes()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_in_any_frames_is_read_as_if_it_were_plain(
        pieces in prop::collection::vec(piece(), 1..30),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        cut_off in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut text = b"{\"address\":\"0x28\", \"type\":\"OBJECT\"}\n".to_vec();
        text.extend(pieces.concat());
        if let Some(length) = cut_off {
            text.truncate(1 + length.index(text.len()));
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).collect();
        cuts.sort_unstable();
        let plain = outcome(&text, 1);
        for threads in [1, 3] {
            prop_assert_eq!(&outcome(&frames(&text, &cuts), threads), &plain, "frames at {:?}", cuts);
            prop_assert_eq!(&outcome(&stream(&text, &cuts), threads), &plain, "a stream cut at {:?}", cuts);
            prop_assert_eq!(&outcome(&gzip(&text, &cuts), threads), &plain, "gzip cut at {:?}", cuts);
        }
    }
}

fn records(count: u64) -> Vec<u8> {
    (1..=count)
        .map(|number| {
            format!(
                "{{\"address\":\"{:#x}\", \"type\":\"OBJECT\", \"memsize\":40}}\n",
                number * 40
            )
        })
        .collect::<String>()
        .into_bytes()
}

fn recorded(end: &str) -> Vec<u8> {
    let first = "{\"type\":\"DUMP\", \"id\":\"1\", \"boot\":\"b\", \"pid\":1, \"host\":\"h\", \"sequence\":1, \
                 \"taken_at\":\"t\", \"ruby\":\"3.1.2\", \"generation\":4, \"tracing_since\":null, \
                 \"snapshot\":\"in_process\"}\n";
    [first.as_bytes(), &records(100), end.as_bytes()].concat()
}

#[test]
fn the_first_and_last_line_are_read_of_every_kind() {
    let text = recorded("{\"type\":\"DUMP_END\", \"id\":\"1\", \"names\":0, \"names_complete\":true}\n");
    let cuts = [10, 3_000, text.len() - 40];
    for bytes in [
        text.clone(),
        frames(&text, &cuts),
        stream(&text, &cuts),
        gzip(&text, &cuts),
    ] {
        let (_, _, _, recorded) = outcome(&bytes, 2).unwrap();
        assert_eq!(recorded.unwrap().names_complete, Some(true));
    }
    let other = recorded("{\"type\":\"DUMP_END\", \"id\":\"2\"}\n");
    for bytes in [
        other.clone(),
        frames(&other, &cuts),
        stream(&other, &cuts),
        gzip(&other, &cuts),
    ] {
        assert_eq!(
            outcome(&bytes, 2).unwrap_err(),
            (ErrorKind::Truncated, Some(other.len() as u64))
        );
    }
}

#[test]
fn a_compressed_file_that_is_cut_short_is_never_taken_for_whole() {
    let text = records(2_000);
    for bytes in [
        frames(&text, &[30_000, 60_000]),
        stream(&text, &[30_000]),
        gzip(&text, &[30_000]),
    ] {
        for length in (20..bytes.len()).step_by(bytes.len() / 40) {
            match outcome(&bytes[..length], 2) {
                Err((ErrorKind::Truncated | ErrorKind::Unreadable, _)) => {}
                // cut between two frames of a file that has no table of them (any more)
                Ok((read, ..)) => assert!(text.starts_with(&joined(&read)), "{length} of {}", bytes.len()),
                other => panic!("{length} of {}: {other:?}", bytes.len()),
            }
        }
    }
}

fn joined(read: &Everything) -> Vec<u8> {
    read.records
        .keys()
        .flat_map(|(_, line)| [line, &b"\n"[..]].concat())
        .collect()
}

#[test]
fn a_damaged_byte_is_noticed_or_does_no_harm() {
    let text = records(300);
    let whole = outcome(&text, 1);
    let cuts = [5_000, 5_100];
    let zstd = |text: &[u8]| {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    for bytes in [frames(&text, &cuts), zstd(&text), gzip(&text, &cuts)] {
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 0x55;
            // whatever is said, nothing panics and nothing hangs
            let _ = outcome(&damaged, 2);
        }
    }
    let bytes = zstd(&text);
    for index in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[index] ^= 1;
        if let Ok(read) = outcome(&damaged, 1) {
            assert_eq!(Ok(read), whole, "byte {index}");
        }
    }
}

fn message(bytes: &[u8]) -> String {
    read(written(bytes).path(), 2)
        .map(|it| it.1)
        .unwrap_err()
        .to_string()
}

#[test]
fn what_unpacks_to_an_absurd_size_is_refused() {
    let spaces = vec![b' '; 1 << 20];
    let mut bomb = zstd::bulk::compress(&records(1), 1).unwrap();
    let frame = zstd::bulk::compress(&spaces, 19).unwrap();
    for _ in 0..4 {
        bomb.extend_from_slice(&frame);
    }
    let text = message(&bomb);
    assert!(
        text.contains("unpacks to more than 1000 times its size"),
        "{text}"
    );
    let entry = |text: u32| Entry {
        packed: frame.len() as u32,
        text,
    };
    let mut table = frame.repeat(4);
    table.extend_from_slice(&seek_table::write(&[entry(1 << 20); 4]));
    assert!(message(&table).contains("unpacks to more than 1000 times its size"));
}

#[test]
fn a_table_that_does_not_fit_its_frames_is_an_error_or_not_used() {
    let text = records(100);
    let frame = zstd::bulk::compress(&text, 1).unwrap();
    let with = |packed: usize, length: usize| {
        let entry = Entry {
            packed: packed as u32,
            text: length as u32,
        };
        [&frame[..], &seek_table::write(&[entry])].concat()
    };
    let whole = outcome(&text, 1);
    assert_eq!(outcome(&with(frame.len(), text.len()), 1), whole);
    assert_eq!(
        outcome(&with(frame.len() - 1, text.len()), 1),
        whole,
        "read as a stream"
    );
    for length in [text.len() - 1, text.len() + 1] {
        assert_eq!(
            outcome(&with(frame.len(), length), 1).unwrap_err().0,
            ErrorKind::Unreadable
        );
    }
}

#[test]
fn a_window_that_takes_too_much_memory_is_refused_with_what_to_do() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(30).unwrap();
    encoder.write_all(&records(100)).unwrap();
    let text = message(&encoder.finish().unwrap());
    assert!(text.contains("unzstd --long=31"), "{text}");
}

#[test]
fn other_compressed_files_are_no_dumps() {
    for bytes in [
        frames(b"hello\n", &[]),
        stream(b"hello\n", &[]),
        gzip(b"hello\n", &[]),
    ] {
        assert_eq!(outcome(&bytes, 1).unwrap_err().0, ErrorKind::NotADump);
    }
    assert_eq!(outcome(b"\x1f\x8b", 1).unwrap_err().0, ErrorKind::Truncated);
}

#[test]
fn the_same_dump_is_known_however_it_is_compressed() {
    let text = records(3_000);
    let mut other = text.clone();
    let last = other.len() - 4;
    other[last] = b'1';
    let forms = |text: &[u8]| {
        [
            text.to_vec(),
            frames(text, &[9_000]),
            stream(text, &[]),
            gzip(text, &[]),
        ]
        .map(|it| written(&it))
    };
    let open = |file: &tempfile::NamedTempFile| DumpFile::open(file.path()).unwrap();
    for one in &forms(&text) {
        for two in &forms(&text) {
            assert!(open(one).same_as(&open(two), &Progress::default()).unwrap());
        }
        for two in &forms(&other) {
            assert!(!open(one).same_as(&open(two), &Progress::default()).unwrap());
        }
    }
}
