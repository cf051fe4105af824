//! Whatever a file holds, the answer is a clear error or a result that counts what was wrong.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use leak_hunter_core::diff::Report;
use leak_hunter_core::ids::Address;
use leak_hunter_core::verdict::Reason;
use leak_hunter_core::{Error, ErrorKind, Options, Progress, diff};
use tempfile::TempDir;

struct Dumps {
    folder: TempDir,
    paths: [PathBuf; 3],
}

impl Dumps {
    /// Three good dumps: object 0x20 leaked.
    fn good() -> Self {
        let folder = TempDir::new().unwrap();
        let paths = [1, 2, 3].map(|number| folder.path().join(format!("{number}.json")));
        let dumps = Self { folder, paths };
        dumps.write(0, record(0x10, 1) + &record(0x18, 3));
        dumps.write(1, record(0x10, 1) + &record(0x20, 4) + &record(0x28, 5));
        dumps.write(2, record(0x30, 7) + &record(0x10, 1) + &record(0x20, 4));
        dumps
    }

    fn write(&self, index: usize, text: impl AsRef<[u8]>) {
        fs::write(&self.paths[index], text).unwrap();
    }

    fn diff(&self) -> Result<Report, Error> {
        let options = Options {
            threads: Some(2),
            ..Options::default()
        };
        diff(&self.paths, &options, &Progress::default())
    }

    fn error(&self) -> Error {
        self.diff().expect_err("an error")
    }
}

fn record(address: u64, generation: u64) -> String {
    format!(
        "{{\"address\":\"{address:#x}\", \"type\":\"OBJECT\", \"class\":\"0x8\", \"ivars\":3, \"file\":\"a.rb\", \
         \"line\":{generation}, \"generation\":{generation}, \"memsize\":40, \"flags\":{{\"wb_protected\":true}}}}\n"
    )
}

fn named(address: u64, name: &str) -> String {
    format!("{{\"address\":\"{address:#x}\", \"type\":\"CLASS\", \"name\":\"{name}\", \"memsize\":40}}\n")
}

fn recorded(id: &str, pid: u64, sequence: u64, compactions: u64) -> String {
    format!(
        "{{\"type\":\"DUMP\", \"leak_hunter\":\"0.1.0\", \"schema\":1, \"id\":\"{id}\", \"boot\":\"b\", \"pid\":{pid}, \
         \"host\":\"h\", \"sequence\":{sequence}, \"taken_at\":\"2026-01-01T00:00:00.000000Z\", \"ruby\":\"3.4.1\", \
         \"platform\":\"x\", \"generation\":{}, \"compactions\":{compactions}, \"tracing_since\":null, \
         \"snapshot\":\"in_process\"}}\n",
        newest(sequence)
    )
}

/// The highest generation in each of [`Dumps::good`].
fn newest(index: u64) -> u64 {
    3 + 2 * index
}

fn end(id: &str) -> String {
    format!("{{\"type\":\"DUMP_END\", \"id\":\"{id}\"}}\n")
}

#[test]
fn good_dumps_are_compared() {
    let report = Dumps::good().diff().unwrap();
    assert_eq!(
        (report.totals.count, report.groups[0].addresses.as_slice()),
        (1, &[Address::new(0x20)][..])
    );
}

#[test]
fn a_missing_file_is_named() {
    let dumps = Dumps::good();
    fs::remove_file(&dumps.paths[1]).unwrap();
    let error = dumps.error();
    assert_eq!(
        (error.kind(), error.path()),
        (ErrorKind::Unreadable, Some(dumps.paths[1].as_path()))
    );
    assert!(error.to_string().ends_with("2.json: no such file"), "{error}");
}

#[test]
fn a_folder_and_a_pipe_are_no_dumps() {
    let mut dumps = Dumps::good();
    dumps.paths[0] = dumps.folder.path().to_path_buf();
    assert_eq!(dumps.error().kind(), ErrorKind::Unreadable);
    dumps.paths[0] = PathBuf::from("/dev/stdin");
    #[cfg(unix)]
    {
        let pipe = dumps.folder.path().join("pipe");
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        dumps.paths[0] = pipe;
        assert_eq!(dumps.error().kind(), ErrorKind::Unreadable);
    }
}

#[test]
fn empty_binary_and_foreign_files_are_told_apart() {
    for (text, kind, said) in [
        (&b""[..], ErrorKind::Empty, "is empty"),
        (
            b"\x7fELF\x02\x01\x01\0\0\0",
            ErrorKind::NotADump,
            "is not a heap dump",
        ),
        (b"[1, 2, 3]\n", ErrorKind::NotADump, "is not a heap dump"),
        (
            b"{\"name\": \"package\"}\n",
            ErrorKind::NotADump,
            "is not a heap dump",
        ),
        (
            b"{\"a\":1}\n{\"type\":\"STRING\"}\n",
            ErrorKind::NotADump,
            "is not a heap dump",
        ),
        (
            b"{ this is { not JSON }\n{ nor this }\n",
            ErrorKind::NotADump,
            "is not a heap dump",
        ),
    ] {
        let dumps = Dumps::good();
        dumps.write(2, text);
        let error = dumps.error();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(said), "{error}");
        assert!(kind == ErrorKind::Empty || error.line() == Some(1), "{error}");
    }
}

#[test]
fn of_a_compressed_file_that_is_cut_short_the_byte_is_told() {
    for text in [&b"\x1f\x8b\x08\0\0"[..], b"\x28\xb5\x2f\xfd\0"] {
        let dumps = Dumps::good();
        dumps.write(2, text);
        let error = dumps.error();
        assert_eq!(error.kind(), ErrorKind::Truncated, "{error}");
        assert!(error.to_string().contains("is cut short"), "{error}");
        assert_eq!((error.line(), error.byte()), (None, Some(5)), "{error}");
    }
}

#[test]
fn a_dump_cut_short_at_any_byte_is_told_by_line_and_byte_or_compared() {
    let dumps = Dumps::good();
    let whole = fs::read(&dumps.paths[2]).unwrap();
    let line_starts: Vec<usize> = [0]
        .into_iter()
        .chain(
            whole
                .iter()
                .enumerate()
                .filter(|(_, it)| **it == b'\n')
                .map(|it| it.0 + 1),
        )
        .collect();
    for length in 1..whole.len() {
        dumps.write(2, &whole[..length]);
        let line = line_starts.iter().filter(|start| **start < length).count() as u64;
        let start = line_starts[line as usize - 1] as u64;
        match dumps.diff() {
            // Cut at the end of a record: nothing shows that more should follow.
            Ok(report) => assert!(
                whole[length - 1] == b'\n' || whole[length] == b'\n',
                "{length}: {report:?}"
            ),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Truncated, "{length}: {error}");
                assert_eq!(
                    (error.line(), error.byte()),
                    (Some(line), Some(start)),
                    "{length}: {error}"
                );
            }
        }
    }
}

#[test]
fn a_dump_of_leak_hunter_that_is_cut_short_between_records_is_told_too() {
    let dumps = Dumps::good();
    let cut = recorded("c", 1, 3, 0) + &record(0x10, 1) + &record(0x20, 4);
    dumps.write(2, &cut);
    let error = dumps.error();
    assert_eq!(error.kind(), ErrorKind::Truncated, "{error}");
    let place = (error.line(), error.byte());
    assert_eq!(place, (Some(4), Some(cut.len() as u64)), "{error}");
}

#[test]
fn broken_lines_are_counted_and_the_first_are_named() {
    let dumps = Dumps::good();
    let good = fs::read_to_string(&dumps.paths[2]).unwrap();
    let (first, rest) = good.split_once('\n').unwrap();
    dumps.write(
        2,
        format!("{first}\nfoo bar\n{{\"address\":\"0x\", \"type\":\n{rest}"),
    );
    let report = dumps.diff().unwrap();
    assert_eq!(report.totals.count, 1);
    let third = &report.dumps[2];
    assert_eq!(third.skipped, 2);
    let places: Vec<_> = third.first_skipped.iter().map(|it| (it.line, it.byte)).collect();
    assert_eq!(places, [(2, first.len() as u64 + 1), (3, first.len() as u64 + 9)]);
    assert_eq!(report.evidence.skipped_lines, 2);
    assert!(report.evidence.reasons.contains(&Reason::SkippedLines));
}

#[test]
fn of_two_lines_run_into_one_the_whole_record_is_kept() {
    let dumps = Dumps::good();
    let cut = &record(0x18, 4)[..60];
    dumps.write(2, record(0x10, 1) + cut + &record(0x20, 4) + &record(0x30, 7));
    let report = dumps.diff().unwrap();
    assert_eq!((report.totals.count, report.dumps[2].skipped), (1, 1));
}

#[test]
fn windows_line_ends_and_a_missing_last_one_do_no_harm() {
    let dumps = Dumps::good();
    for path in &dumps.paths {
        let text = fs::read_to_string(path).unwrap().replace('\n', "\r\n");
        fs::write(path, text.trim_end()).unwrap();
    }
    let report = dumps.diff().unwrap();
    assert_eq!((report.totals.count, report.evidence.skipped_lines), (1, 0));
}

#[test]
fn of_two_records_with_one_address_the_first_counts_and_the_other_is_counted() {
    let dumps = Dumps::good();
    dumps.write(
        2,
        record(0x10, 7) + &record(0x20, 4) + &record(0x20, 4) + &record(0x20, 7),
    );
    let report = dumps.diff().unwrap();
    assert_eq!(
        (
            report.totals.count,
            report.dumps[2].duplicates,
            report.dumps[2].records
        ),
        (1, 2, 2)
    );
}

#[test]
fn dumps_in_the_wrong_order_are_refused() {
    let mut dumps = Dumps::good();
    dumps.paths.swap(0, 2);
    let error = dumps.error();
    assert_eq!(error.kind(), ErrorKind::WrongOrder, "{error}");
}

#[test]
fn the_same_dump_twice_is_refused_also_as_a_copy() {
    let mut dumps = Dumps::good();
    dumps.paths[2] = dumps.paths[1].clone();
    assert_eq!(dumps.error().kind(), ErrorKind::SameDump);
    let copy = dumps.folder.path().join("copy.json");
    fs::copy(&dumps.paths[1], &copy).unwrap();
    dumps.paths[2] = copy;
    assert_eq!(dumps.error().kind(), ErrorKind::SameDump);
}

#[test]
fn dumps_of_different_processes_are_refused_by_what_they_say() {
    let dumps = Dumps::good();
    for (index, pid) in [(0, 7), (1, 7), (2, 8)] {
        let text = fs::read_to_string(&dumps.paths[index]).unwrap();
        let id = index.to_string();
        dumps.write(index, recorded(&id, pid, index as u64, 0) + &text + &end(&id));
    }
    let error = dumps.error();
    assert_eq!(error.kind(), ErrorKind::DifferentProcesses, "{error}");
    for process in ["first of process 7 on h", "third of process 8 on h"] {
        assert!(error.to_string().contains(process), "{error}");
    }
}

#[test]
fn a_third_dump_of_another_process_is_told_as_that_whatever_its_number() {
    for order in [[(7, 1), (7, 2), (8, 1)], [(7, 2), (7, 1), (8, 1)]] {
        let dumps = Dumps::good();
        for (index, (pid, sequence)) in order.into_iter().enumerate() {
            let text = fs::read_to_string(&dumps.paths[index]).unwrap();
            let id = index.to_string();
            dumps.write(index, recorded(&id, pid, sequence, 0) + &text + &end(&id));
        }
        assert_eq!(dumps.error().kind(), ErrorKind::DifferentProcesses, "{order:?}");
    }
}

#[test]
fn the_first_and_the_third_must_be_of_one_process_when_nothing_is_recorded_of_the_second() {
    let dumps = Dumps::good();
    for (index, pid) in [(0, 7), (2, 8)] {
        let text = fs::read_to_string(&dumps.paths[index]).unwrap();
        let id = index.to_string();
        dumps.write(index, recorded(&id, pid, index as u64, 0) + &text + &end(&id));
    }
    assert_eq!(dumps.error().kind(), ErrorKind::DifferentProcesses);
}

#[test]
fn a_younger_process_is_no_wrong_order() {
    for odd in 0..3 {
        let dumps = Dumps::good();
        for index in 0..3 {
            let base = if index == odd { 0x9000 } else { 0x1000 };
            let classes: String = ["Object", "String", "Array"]
                .iter()
                .zip(0u64..)
                .map(|(name, it)| named(base + it * 40, name))
                .collect();
            // its GC count is above the others' where it comes first, and below where it comes later
            let generation = if index == odd {
                [99, 1, 1][odd]
            } else {
                10 + index as u64
            };
            dumps.write(index, record(0x10, generation) + &classes);
        }
        assert_eq!(dumps.error().kind(), ErrorKind::DifferentProcesses, "{odd}");
    }
}

#[test]
fn dumps_of_different_processes_are_refused_by_where_rubys_own_classes_stand() {
    let dumps = Dumps::good();
    for (index, base) in [(0, 0x1000), (1, 0x1000), (2, 0x9000)] {
        let text = fs::read_to_string(&dumps.paths[index]).unwrap();
        let classes: String = ["Object", "String", "Array"]
            .iter()
            .zip(0u64..)
            .map(|(name, it)| named(base + it * 40, name))
            .collect();
        dumps.write(index, text + &classes);
    }
    assert_eq!(dumps.error().kind(), ErrorKind::DifferentProcesses);
}

#[test]
fn untraced_objects_are_withheld_when_everything_moved() {
    let dumps = Dumps::good();
    let untraced = |address: u64| {
        format!("{{\"address\":\"{address:#x}\", \"type\":\"STRING\", \"class\":\"0x8\", \"memsize\":40}}\n")
    };
    for (index, compactions, address) in [(0, 0, 0x100), (1, 1, 0x200), (2, 1, 0x200)] {
        let text = fs::read_to_string(&dumps.paths[index]).unwrap();
        let id = index.to_string();
        dumps.write(
            index,
            recorded(&id, 7, index as u64, compactions) + &text + &untraced(address) + &end(&id),
        );
    }
    let report = dumps.diff().unwrap();
    assert_eq!((report.totals.count, report.evidence.untraced_moved), (1, 1));
    assert_eq!(report.evidence.moved_first_to_second, Some(true));
    assert!(report.evidence.reasons.contains(&Reason::Compaction));
}

/// It was there, so where it is now does not matter.
#[test]
fn what_is_older_than_a_dump_may_be_the_newest_in_it_and_move() {
    let dumps = Dumps::good();
    let texts = [
        record(0x10, 1),
        record(0x10, 1) + &record(0x20, 4),
        record(0x10, 1) + &record(0x90, 4) + &record(0x98, 7),
    ];
    for (index, text) in texts.into_iter().enumerate() {
        let (id, compactions) = (index.to_string(), u64::from(index == 2));
        dumps.write(
            index,
            recorded(&id, 7, index as u64, compactions) + &text + &end(&id),
        );
    }
    let report = dumps.diff().unwrap();
    assert_eq!((report.totals.count, report.evidence.boundary), (1, 0));
}

/// An untraced object that is, at last, where a traced one was in the second dump.
#[test]
fn where_objects_move_with_their_births_an_untraced_one_in_a_traced_ones_slot_has_lost_nothing() {
    let withheld = |change: fn(String) -> String, compactions: [u64; 3]| {
        let dumps = Dumps::good();
        for (index, slot) in [None, Some(record(0x200, 3)), None].into_iter().enumerate() {
            let untraced =
                "{\"address\":\"0x200\", \"type\":\"STRING\", \"class\":\"0x8\", \"memsize\":40}\n";
            let slot = slot.unwrap_or(if index == 0 {
                String::new()
            } else {
                untraced.into()
            });
            let (text, id) = (
                fs::read_to_string(&dumps.paths[index]).unwrap(),
                index.to_string(),
            );
            let header = change(recorded(&id, 7, index as u64, compactions[index]));
            dumps.write(index, header + &text + &slot + &end(&id));
        }
        let evidence = dumps.diff().unwrap().evidence;
        (evidence.untraced_moved, evidence.tracing_lost)
    };
    fn traced(header: String) -> String {
        header.replace("\"tracing_since\":null", "\"tracing_since\":1")
    }
    fn old(header: String) -> String {
        header.replace("3.4.1", "3.1.2")
    }
    fn exact(header: String) -> String {
        header.replace("\"snapshot\"", "\"tracer\":\"exact\", \"snapshot\"")
    }
    assert_eq!(withheld(traced, [0, 0, 1]), (1, 0));
    assert_eq!(withheld(|it| exact(old(traced(it))), [0, 0, 1]), (1, 0));
    // nothing moved since, or births do not move, or tracing did not go on: it was traced
    assert_eq!(withheld(traced, [0, 1, 1]), (0, 1));
    assert_eq!(withheld(|it| old(traced(it)), [0, 0, 1]), (0, 1));
    assert_eq!(withheld(|it| it, [0, 0, 1]), (0, 1));
}

/// Which of the two is first, the end of the reading or the write, is the scheduler's to say: it is tried until it is
/// the write. A write that comes later changes nothing that was read.
#[test]
fn a_dump_that_grows_while_it_is_read_is_refused() {
    let dumps = Dumps::good();
    let mut text = fs::read_to_string(&dumps.paths[2]).unwrap();
    for number in 0..200_000 {
        text += &record(0x1000 + number * 8, 9);
    }
    let refused = (0..200).find_map(|_| {
        dumps.write(2, &text);
        diff_beside_a_write(&dumps).err()
    });
    let error = refused.expect("an error");
    assert_eq!(error.kind(), ErrorKind::Changed, "{error}");
}

/// Something is written at the end of the third dump when it has been opened.
fn diff_beside_a_write(dumps: &Dumps) -> Result<Report, Error> {
    let progress = Arc::new(Progress::default());
    let watched = Arc::clone(&progress);
    let path = dumps.paths[2].clone();
    let writer = std::thread::spawn(move || {
        let mut file = File::options().append(true).open(path).unwrap();
        while watched.total() == 0 {
            std::thread::yield_now();
        }
        file.write_all(record(0x9_0000_0000, 9).as_bytes()).unwrap();
    });
    let options = Options {
        threads: Some(1),
        ..Options::default()
    };
    let result = diff(&dumps.paths, &options, &progress);
    writer.join().unwrap();
    result
}

/// In a process of its own, whose memory no other test takes.
#[test]
fn a_line_of_a_gigabyte_is_read_in_bounded_memory_and_its_record_counts() {
    const ALONE: &str = "LEAK_HUNTER_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let name = "a_line_of_a_gigabyte_is_read_in_bounded_memory_and_its_record_counts";
        let alone = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&alone.stdout);
        assert!(alone.status.success() && output.contains("1 passed"), "{output}");
        return;
    }
    let dumps = Dumps::good();
    let mut file = File::create(&dumps.paths[2]).unwrap();
    file.write_all(record(0x10, 1).as_bytes()).unwrap();
    file.write_all(b"{\"address\":\"0x20\", \"type\":\"STRING\", \"class\":\"0x8\", \"bytesize\":1073741824, \"value\":\"").unwrap();
    // A hole: a gigabyte of NUL without a gigabyte of disk.
    file.seek(SeekFrom::Current(1 << 30)).unwrap();
    file.write_all(
        b"\", \"encoding\":\"UTF-8\", \"references\":[\"0x10\"], \"file\":\"big.rb\", \"line\":4, ",
    )
    .unwrap();
    file.write_all(
        b"\"method\":\"read\", \"generation\":4, \"memsize\":1073741865, \"flags\":{\"old\":true}}\n",
    )
    .unwrap();
    file.write_all(record(0x30, 7).as_bytes()).unwrap();
    drop(file);
    let before = peak_memory();
    let report = dumps.diff().unwrap();
    assert_eq!((report.totals.count, report.totals.bytesize), (1, 1 << 30));
    assert_eq!(report.groups[0].values.file.as_deref(), Some("big.rb"));
    assert!(peak_memory() - before < 64 << 20);

    // The same with no end: an error that names the line, not a hang.
    let file = File::options().write(true).open(&dumps.paths[2]).unwrap();
    file.set_len(1 << 29).unwrap();
    let error = dumps.error();
    assert_eq!(
        (error.kind(), error.line()),
        (ErrorKind::Truncated, Some(2)),
        "{error}"
    );
}

fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap_or("VmHWM: 0");
    line.split_whitespace()
        .nth(1)
        .and_then(|kilobytes| kilobytes.parse::<u64>().ok())
        .unwrap_or(0)
        << 10
}

#[test]
fn a_run_stops_when_it_is_told_to() {
    let dumps = Dumps::good();
    let progress = Progress::default();
    progress.cancel();
    let error = diff(&dumps.paths, &Options::default(), &progress).expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn unknown_options_say_what_is_known() {
    let error = "colour"
        .parse::<leak_hunter_core::diff::Key>()
        .expect_err("an error");
    assert_eq!(
        error.to_string(),
        "group_by: \"colour\" is not known; it takes type, class, file, line, method, gem, generation, context"
    );
    let error = leak_hunter_core::diff::Pattern::regex("(").expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Options);
}
