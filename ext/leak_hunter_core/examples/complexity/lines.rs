//! Reads hostile dumps as a scan and as a diff do.

use std::error::Error;

use leak_hunter_core::dump::{Failure, Pass, Record, scan};
use leak_hunter_core::{DumpFile, ErrorKind, Options, Progress, diff};
use rayon::ThreadPoolBuilder;

use crate::Folder;

struct Reader;

impl Pass for Reader {
    const REFERENCES: bool = true;

    fn visit(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        record.fields().map(drop).ok_or(Failure::Damaged)
    }

    fn merge(&mut self, _: Self) {}
}

/// The diff of longer texts takes minutes under valgrind, and adds nothing to their scan.
const LONGEST_DIFF: usize = 1 << 20;

/// Scans the text alone, then compares it as one of three dumps, on one thread. That a hostile text is refused is fine.
pub(crate) fn run(text: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new()?;
    let progress = Progress::default();
    let paths = ["1.json", "2.json", "3.json"].map(|name| {
        let last = format!(
            "{{\"address\":\"0x7f{}\", \"type\":\"OBJECT\", \"memsize\":40}}\n",
            &name[..1]
        );
        folder.write(name, &[text, last.as_bytes()].concat())
    });
    let [first, second, third] = paths;
    let paths = [first?, second?, third?];
    let pool = ThreadPoolBuilder::new().num_threads(1).build()?;
    scan(&DumpFile::open(&paths[0])?, &pool, &progress, || Reader)?;
    if text.len() > LONGEST_DIFF {
        return Ok(());
    }
    let options = Options {
        threads: Some(1),
        holders: true,
        ..Options::default()
    };
    match diff(&paths, &options, &progress) {
        Err(error) if error.kind() == ErrorKind::Internal => Err(error.into()),
        _ => Ok(()),
    }
}
