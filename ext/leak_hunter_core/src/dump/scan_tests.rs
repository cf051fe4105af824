//! Hostile lines cost work in proportion to their length, and a run can be stopped inside them.

use std::io::Write;
use std::sync::atomic::Ordering;

use super::*;
use crate::error::ErrorKind;
use crate::pool;

struct Shape {
    name: &'static str,
    #[allow(dead_code)] // the sizes for counting instructions; here every limit is smaller
    sizes: [usize; 3],
    make: fn(usize) -> Vec<u8>,
}

#[path = "../../examples/complexity/hostile.rs"]
mod hostile;

/// In tests a record of 16 KiB is too long to be held, so that these sizes meet every limit.
const SIZES: [usize; 3] = [24 << 10, 48 << 10, 96 << 10];

struct Reader;

impl Pass for Reader {
    const REFERENCES: bool = true;

    fn visit(&mut self, record: &Record<'_>) -> std::result::Result<(), Failure> {
        record.fields().map(drop).ok_or(Failure::Damaged)
    }

    fn merge(&mut self, _: Self) {}
}

fn dump(text: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text).unwrap();
    file
}

fn read(file: &tempfile::NamedTempFile, progress: &Progress) -> Result<Seen> {
    read_on(1, file, progress)
}

fn read_on(threads: usize, file: &tempfile::NamedTempFile, progress: &Progress) -> Result<Seen> {
    let file = DumpFile::open(file.path())?;
    let pool = pool::of(threads)?;
    scan(&file, &pool, progress, || Reader).map(|it| it.seen)
}

#[test]
fn work_grows_like_the_bytes_of_every_hostile_shape() {
    for shape in hostile::SHAPES {
        let work = SIZES.map(|bytes| {
            let progress = Progress::default();
            let _ = read(&dump(&(shape.make)(bytes)), &progress);
            progress.work.load(Ordering::Relaxed)
        });
        let (first, second) = (work[1] - work[0], work[2] - work[1]);
        assert!(
            second <= first * 9 / 4 + 2 * work[0] / 10,
            "{}: {work:?} bytes were looked at",
            shape.name
        );
        assert!(
            work[2] <= 40 * SIZES[2] as u64,
            "{}: {work:?} bytes were looked at",
            shape.name
        );
    }
}

#[test]
fn a_run_stops_inside_a_record() {
    /// What may be looked at after the run was cancelled, in bytes; the records are 24 times as long.
    const AFTERWARDS: u64 = 4 << 10;
    for shape in hostile::SHAPES {
        let file = dump(&(shape.make)(SIZES[2]));
        let checks = {
            let progress = Progress::default();
            let _ = read(&file, &progress);
            progress.checks.load(Ordering::Relaxed)
        };
        assert!(checks >= 20, "{}: {checks} checks", shape.name);
        for cancel_at in (1..checks).step_by(checks as usize / 17 + 1) {
            let progress = Progress::cancelled_at(cancel_at);
            let error = read(&file, &progress).err().map(|error| error.kind());
            assert_eq!(
                error,
                Some(ErrorKind::Cancelled),
                "{} at {cancel_at} of {checks}",
                shape.name
            );
            let afterwards =
                progress.work.load(Ordering::Relaxed) - progress.work_at_cancel.load(Ordering::Relaxed);
            assert!(afterwards <= AFTERWARDS, "{}: {afterwards} bytes", shape.name);
        }
    }
}

#[test]
fn hostile_shapes_are_read_alike_on_one_thread_and_on_three() {
    for shape in hostile::SHAPES {
        let file = dump(&(shape.make)(SIZES[0]));
        let [one, three] = [1, 3].map(|threads| {
            read_on(threads, &file, &Progress::default())
                .map(|seen| (seen.skipped, seen.first_skipped))
                .map_err(|error| error.to_string())
        });
        assert_eq!(one, three, "{}", shape.name);
    }
}
