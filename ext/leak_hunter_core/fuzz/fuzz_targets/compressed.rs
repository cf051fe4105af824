//! A compressed file, whole or damaged: read on one thread and on three, it holds the same, or fails with the same
//! error. The first byte says what the rest is: the body of a zstd or gzip file, or a text that is packed into frames,
//! of which one byte is changed.
#![no_main]

use std::sync::OnceLock;

use leak_hunter_core::dump::rewrite::{NoBirths, Values, Writing};
use leak_hunter_core::dump::{Compression, Failure, Pass, Record, Scanned, scan};
use leak_hunter_core::{DumpFile, Progress};
use libfuzzer_sys::fuzz_target;
use rayon::{ThreadPool, ThreadPoolBuilder};

struct Sum(u64);

impl Pass for Sum {
    fn visit(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        self.0 = self
            .0
            .wrapping_add(record.address.get().wrapping_mul(31).wrapping_add(record.memsize));
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

fn pools() -> &'static [ThreadPool; 2] {
    static POOLS: OnceLock<[ThreadPool; 2]> = OnceLock::new();
    POOLS.get_or_init(|| [1, 3].map(|threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap()))
}

/// As LeakHunter writes it: frames, with a table of them at the end.
fn packed(text: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let writing = Writing {
        first_line: b"",
        text,
        ending: b"",
        values: Values::All,
        compression: Compression::Zstd,
    };
    let [one, _] = pools();
    writing
        .write(None::<&NoBirths>, &mut file, one, &Progress::default())
        .unwrap();
    file
}

/// Changes the byte of which the first two say where it is, to the third.
fn damage(file: &mut [u8], how: [u8; 3]) {
    let at = usize::from(u16::from_le_bytes([how[0], how[1]]));
    if let Some(byte) = file.get_mut(at) {
        *byte = how[2];
    }
}

fn file_of(bytes: &[u8]) -> Option<Vec<u8>> {
    let (kind, rest) = bytes.split_first()?;
    Some(match kind % 4 {
        0 => [b"\x28\xB5\x2F\xFD", rest].concat(),
        1 => [b"\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03", rest].concat(),
        2 => packed(rest),
        _ => {
            let (how, text) = rest.split_first_chunk::<3>()?;
            let mut file = packed(text);
            damage(&mut file, *how);
            file
        }
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some(file) = file_of(bytes) else { return };
    let path = std::env::temp_dir().join(format!("leak_hunter-fuzz-{}.json.zst", std::process::id()));
    std::fs::write(&path, file).unwrap();
    let answers = pools().each_ref().map(|pool| {
        let file = DumpFile::open(&path)?;
        let Scanned { pass: sum, seen } = scan(&file, pool, &Progress::default(), || Sum(0))?;
        Ok::<_, leak_hunter_core::Error>((sum.0, seen.skipped, seen.first_skipped))
    });
    match answers {
        [Ok(one), Ok(three)] => assert_eq!(one, three),
        [Err(_), Err(_)] => {}
        [one, three] => panic!("one thread says {one:?}, three say {three:?}"),
    }
});
