//! What is written is what is read, for every compression and number of threads.

use std::io;

use proptest::prelude::*;

use super::*;
use crate::dump::{DumpFile, Failure, Pass, Record, scan};
use crate::pool;

fn write(text: &[u8], values: Values, compression: Compression, threads: usize) -> Result<Vec<u8>> {
    let writing = Writing {
        first_line: b"{\"type\":\"DUMP\", \"id\":\"1\"}\n",
        text,
        ending: b"{\"type\":\"DUMP_END\", \"id\":\"1\"}\n",
        values,
        compression,
    };
    let mut file = Vec::new();
    let bytes = writing.write(
        None::<&NoBirths>,
        &mut file,
        &pool::of(threads)?,
        &Progress::default(),
    )?;
    assert_eq!(bytes, file.len() as u64);
    Ok(file)
}

fn unpacked(file: &[u8], compression: Compression) -> Vec<u8> {
    let mut text = Vec::new();
    match compression {
        Compression::None => text.extend_from_slice(file),
        Compression::Zstd => text = zstd::stream::decode_all(file).unwrap(),
        Compression::Gzip => {
            io::copy(&mut flate2::bufread::MultiGzDecoder::new(file), &mut text).unwrap();
        }
    }
    text
}

#[derive(Default)]
struct Addresses(Vec<u64>);

impl Pass for Addresses {
    fn visit(&mut self, record: &Record<'_>) -> std::result::Result<(), Failure> {
        self.0.push(record.address.get());
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn with_all_values_the_text_is_the_same(lengths in prop::collection::vec(0usize..9_000, 1..12)) {
        let lines = lengths.iter().enumerate().map(|(index, length)| {
            let value = "x".repeat(*length);
            format!("{{\"address\":\"{:#x}\", \"type\":\"STRING\", \"value\":\"{value}\", \"memsize\":40}}\n", 40 + index * 40)
        });
        let text = lines.collect::<String>().into_bytes();
        let whole = [b"{\"type\":\"DUMP\", \"id\":\"1\"}\n", &text[..], b"{\"type\":\"DUMP_END\", \"id\":\"1\"}\n"].concat();
        for compression in [Compression::None, Compression::Zstd, Compression::Gzip] {
            for threads in [1, 3] {
                let file = write(&text, Values::All, compression, threads).unwrap();
                prop_assert_eq!(&unpacked(&file, compression), &whole);
                let dropped = unpacked(&write(&text, Values::None, compression, threads).unwrap(), compression);
                prop_assert!(!dropped.windows(5).any(|it| it == b"xxxxx"));
                let path = tempfile::NamedTempFile::new().unwrap();
                std::fs::write(path.path(), &file).unwrap();
                let dump = DumpFile::open(path.path()).unwrap();
                prop_assert_eq!(dump.compression(), compression);
                let read = scan(&dump, &pool::of(2).unwrap(), &Progress::default(), Addresses::default).unwrap();
                let mut addresses = read.pass.0;
                addresses.sort_unstable();
                prop_assert_eq!(addresses, (0..lengths.len()).map(|it| 40 + it as u64 * 40).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn a_full_disk_and_contents_that_are_not_understood_are_errors() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let writing = Writing {
        first_line: b"\n",
        text: b"{\"address\":\"0x28\", \"type\":\"OBJECT\"}\n{\"address\":\"0x50\", \"type\":\"STRING\", \"value\":1}\n",
        ending: b"\n",
        values: Values::All,
        compression: Compression::Zstd,
    };
    let to = |writing: Writing<'_>, sink: &mut dyn Write| {
        let mut sink = sink;
        let pool = pool::of(1).unwrap();
        writing
            .write(None::<&NoBirths>, &mut sink, &pool, &Progress::default())
            .unwrap_err()
    };
    assert_eq!(to(writing, &mut Full).kind(), ErrorKind::Unwritable);
    let none = Writing {
        values: Values::None,
        ..writing
    };
    let error = to(none, &mut io::sink());
    assert_eq!(error.kind(), ErrorKind::NotADump);
    assert!(
        error.to_string().starts_with("line 2 of ObjectSpace.dump_all"),
        "{error}"
    );
}

#[test]
fn a_cancelled_run_writes_no_more() {
    let progress = Progress::default();
    progress.cancel();
    let writing = Writing {
        first_line: b"\n",
        text: b"",
        ending: b"\n",
        values: Values::None,
        compression: Compression::Zstd,
    };
    let mut file = Vec::new();
    let error = writing
        .write(None::<&NoBirths>, &mut file, &pool::of(1).unwrap(), &progress)
        .unwrap_err();
    assert_eq!((error.kind(), file.len()), (ErrorKind::Cancelled, 0));
}
