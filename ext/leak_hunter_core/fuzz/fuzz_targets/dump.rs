//! One file: read on one thread and on three, it holds the same.
#![no_main]

use std::sync::OnceLock;

use leak_hunter_core::dump::{Failure, Pass, Record, Scanned, scan};
use leak_hunter_core::{DumpFile, Progress};
use libfuzzer_sys::fuzz_target;
use rayon::{ThreadPool, ThreadPoolBuilder};

struct Sum(u64, u64);

impl Pass for Sum {
    fn visit(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        self.0 += 1;
        self.1 = self
            .1
            .wrapping_add(record.address.get().wrapping_mul(31).wrapping_add(record.memsize));
        record.fields().map(drop).ok_or(Failure::Damaged)
    }

    fn merge(&mut self, other: Self) {
        self.0 += other.0;
        self.1 = self.1.wrapping_add(other.1);
    }
}

fn pools() -> &'static [ThreadPool; 2] {
    static POOLS: OnceLock<[ThreadPool; 2]> = OnceLock::new();
    POOLS.get_or_init(|| [1, 3].map(|threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap()))
}

fuzz_target!(|text: &[u8]| {
    let path = std::env::temp_dir().join(format!("leak_hunter-fuzz-{}.json", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let answers = pools().each_ref().map(|pool| {
        let file = DumpFile::open(&path)?;
        let Scanned { pass: sum, seen } = scan(&file, pool, &Progress::default(), || Sum(0, 0))?;
        Ok::<_, leak_hunter_core::Error>(((sum.0, sum.1), seen.skipped, seen.first_skipped))
    });
    match answers {
        [Ok(one), Ok(three)] => assert_eq!(one, three),
        [Err(one), Err(three)] => assert_eq!(one.to_string(), three.to_string()),
        [one, three] => panic!("one thread says {one:?}, three say {three:?}"),
    }
});
