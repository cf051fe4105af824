//! Dumps whose lines are awkward to read: nearly records, over and over.

use std::error::Error;

use leak_hunter_core::dump::{Damaged, Record, Visitor, scan};
use leak_hunter_core::{DumpFile, ErrorKind, Options, Progress, diff};
use rayon::ThreadPoolBuilder;

use crate::{Folder, Shape};

const SIZES: [usize; 3] = [128 << 10, 256 << 10, 512 << 10];
/// A record beyond what the reader holds at once (4 MiB).
const LONG: [usize; 3] = [5 << 20, 10 << 20, 20 << 20];

/// A record as Ruby writes it, cut in two where the hostile part goes.
const START: &[u8] = br#"{"address":"0x7f0000000010", "type":"STRING""#;
const END: &[u8] = br#", "file":"a.rb", "line":7, "method":"m", "generation":5, "memsize":40, "flags":{"wb_protected":true}}"#;

macro_rules! shapes {
    ($($name:literal, $sizes:expr, $make:expr;)*) => {
        &[$(Shape { name: $name, sizes: $sizes, make: $make }),*]
    };
}

pub(crate) const SHAPES: &[Shape] = shapes! {
    "plain", SIZES, |bytes| whole_lines(bytes, br#", "value":"abc""#);
    "class_references", SIZES, |bytes| one_line(bytes, br#"{"address":"0x8", "type":"CLASS", "name":"x", "references":["#);
    "long_references", LONG, |bytes| inside(bytes, br#", "references":["0x10""#, br#", "0x18""#, b"]");
};

/// `piece` repeated until so many bytes are full.
fn repeat(bytes: usize, piece: &[u8]) -> Vec<u8> {
    piece
        .iter()
        .copied()
        .cycle()
        .take(bytes / piece.len() * piece.len())
        .collect()
}

/// One line of nothing but `piece`, and an ordinary record after it.
fn one_line(bytes: usize, piece: &[u8]) -> Vec<u8> {
    [&repeat(bytes, piece)[..], b"\n", START, END, b"\n"].concat()
}

/// One record with a repeated piece in the middle.
fn inside(bytes: usize, before: &[u8], piece: &[u8], after: &[u8]) -> Vec<u8> {
    [
        START,
        before,
        &repeat(bytes, piece),
        after,
        END,
        b"\n",
        START,
        END,
        b"\n",
    ]
    .concat()
}

/// Records on lines of their own.
fn whole_lines(bytes: usize, middle: &[u8]) -> Vec<u8> {
    repeat(bytes, &[START, middle, END, b"\n"].concat())
}

struct Reader;

impl Visitor for Reader {
    const REFERENCES: bool = true;

    fn visit(&mut self, record: &Record<'_>) -> Result<(), Damaged> {
        record.fields().map(drop).ok_or(Damaged)
    }
}

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
