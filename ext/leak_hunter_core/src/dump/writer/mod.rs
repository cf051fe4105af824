//! Writes the heap of a walk as `ObjectSpace.dump_all` writes it: the same members in the same order, but no contents. What
//! is left out is in `docs/heap_dump_format.md`.
//!
//! Records are written by all threads, some thousand at a time, and reach the file in the order of the walk. No more text
//! is held than two rounds of them.

mod detail;
mod record;
#[cfg(test)]
mod tests;
mod text;

use std::io::{self, Write};

use rayon::prelude::*;

pub use self::detail::{CodeRange, Content, Detail, Details, Text, Variables};
use self::record::{Known, Object};
use self::text::TextBuffer;
use super::compression::Compression;
use super::packing::{self, Packed};
use super::seek_table::Entry;
use super::{Classes, lossy};
use crate::address_index::AddressIndex;
use crate::address_set::AddressSet;
use crate::error::{Error, ErrorKind, Result};
use crate::heap::{Columns, Dictionary, Row};
use crate::ids::{Address, SiteId};
use crate::pool;
use crate::progress::Progress;

/// Rows that one thread writes at a time: about 2 MB of text.
const CHUNK: usize = 1 << 13;
/// Bytes of text for each of them, at first.
const RECORD: usize = 256;

/// A category of roots.
#[derive(Clone, Copy, Debug)]
pub struct RootLine<'a> {
    /// As Ruby calls it
    pub category: &'a [u8],
    /// The objects it leads to
    pub objects: &'a [Address],
}

/// A whole dump.
pub struct DumpText<'a> {
    /// LeakHunter's first line.
    pub first_lines: &'a [u8],
    /// By category.
    pub roots: Vec<RootLine<'a>>,
    /// Records of the shapes, as Ruby writes them.
    pub shapes: &'a [u8],
    /// All objects.
    pub columns: &'a Columns,
    /// What many of them have in common.
    pub dictionary: Dictionary<'a>,
    /// The rest of what is written of them.
    pub details: &'a dyn Details,
    /// LeakHunter's lines at the end.
    pub last_lines: &'a [u8],
    /// How the file is compressed.
    pub compression: Compression,
}

/// A failure to write, which keeps what the system said.
#[derive(Debug)]
pub enum WriteFailure {
    /// The file cannot be written.
    File(io::Error),
    /// Anything else.
    Other(Error),
}

impl From<io::Error> for WriteFailure {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<Error> for WriteFailure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// Rows that are next to each other, with their references.
struct Chunk<'a> {
    /// Number of the first row
    first: usize,
    rows: &'a [Row],
    references: &'a [Address],
}

impl DumpText<'_> {
    /// Writes it. `threads`: `None` leaves one core to the application.
    ///
    /// # Errors
    ///
    /// The file cannot be written, there is no thread, or the run was cancelled.
    pub fn write(
        &self,
        file: &mut (impl Write + Send),
        threads: Option<usize>,
        progress: &Progress,
    ) -> std::result::Result<(), WriteFailure> {
        let threads = pool::threads(threads);
        let pool = pool::of(threads)?;
        let sites = self.sites(progress)?;
        let known = self.known();
        let mut file = Packing {
            file,
            compression: self.compression,
            entries: Vec::new(),
        };
        file.put(&file.pack([self.first_lines, &self.root_lines(), self.shapes].concat())?)?;
        let chunks = chunks(self.columns);
        let mut written = Vec::new();
        for round in chunks.chunks(threads * 2) {
            progress.check()?;
            let compression = self.compression;
            let made = || -> io::Result<Vec<Packed>> {
                round
                    .par_iter()
                    .map(|chunk| packing::pack(sites.text(chunk, &known, progress).0, compression))
                    .collect()
            };
            let (made, passed) = pool.join(made, || file.put_all(&written));
            passed?;
            written = made?;
        }
        progress.check()?;
        file.put_all(&written)?;
        file.put(&file.pack(self.last_lines.to_vec())?)?;
        file.end()?;
        Ok(())
    }

    fn known(&self) -> Known<'_> {
        let mut classes = Classes::default();
        for class in self.dictionary.classes {
            classes.add(class);
        }
        let rows = self.dictionary.classes.iter().enumerate();
        Known {
            dictionary: self.dictionary,
            details: self.details,
            class_rows: rows.map(|(row, class)| (class.address, row)).collect(),
            classes,
            code_paths: self
                .columns
                .code_paths
                .iter()
                .map(|it| (it.string, it.path.as_ref()))
                .collect(),
            large: &self.columns.large,
        }
    }

    fn root_lines(&self) -> Vec<u8> {
        let mut out = TextBuffer::default();
        for root in &self.roots {
            out.put(b"{\"type\":\"ROOT\", \"root\":");
            out.json(lossy(root.category).as_bytes());
            out.put(b", \"references\":");
            out.addresses(root.objects);
            out.put(b"}\n");
        }
        out.0
    }

    fn sites(&self, progress: &Progress) -> Result<Sites> {
        let mut set = AddressSet::default();
        for row in &self.columns.rows {
            set.insert(row.address);
        }
        let index = AddressIndex::new(set).ok_or_else(|| {
            Error::new(
                ErrorKind::TooLarge,
                "the heap has more objects than can be numbered (2^31)",
            )
        })?;
        progress.check()?;
        let mut of_objects = vec![None; index.len() as usize];
        for traced in &self.columns.sites {
            if let Some(number) = index.number(traced.address) {
                of_objects[number] = Some(traced.site);
            }
        }
        Ok(Sites { index, of_objects })
    }
}

/// Allocation sites by object.
struct Sites {
    index: AddressIndex,
    of_objects: Vec<Option<SiteId>>,
}

impl Sites {
    fn text(&self, chunk: &Chunk<'_>, known: &Known<'_>, progress: &Progress) -> TextBuffer {
        let mut out = TextBuffer(Vec::with_capacity(chunk.rows.len() * RECORD));
        let mut references = chunk.references;
        for (index, row) in chunk.rows.iter().enumerate() {
            // what is missing then is never used
            if index % 1024 == 0 && progress.check().is_err() {
                break;
            }
            let (own, rest) = references
                .split_at_checked(row.references as usize)
                .unwrap_or_default();
            references = rest;
            let object = Object {
                row,
                number: chunk.first + index,
                references: own,
                site: self.of(row.address),
            };
            known.write(&object, &mut out);
        }
        out
    }

    fn of(&self, address: Address) -> Option<SiteId> {
        self.of_objects[self.index.number(address)?]
    }
}

fn chunks(columns: &Columns) -> Vec<Chunk<'_>> {
    let mut references = columns.references.as_slice();
    let mut first = 0;
    let mut all = Vec::new();
    for rows in columns.rows.chunks(CHUNK) {
        let length = rows.iter().map(|row| row.references as usize).sum();
        let (own, rest) = references.split_at_checked(length).unwrap_or_default();
        references = rest;
        all.push(Chunk {
            first,
            rows,
            references: own,
        });
        first += rows.len();
    }
    all
}

/// The file, and where its frames are.
struct Packing<'a, F> {
    file: &'a mut F,
    compression: Compression,
    entries: Vec<Entry>,
}

impl<F: Write> Packing<'_, F> {
    fn pack(&self, text: Vec<u8>) -> io::Result<Packed> {
        packing::pack(text, self.compression)
    }

    fn put(&mut self, packed: &Packed) -> io::Result<()> {
        self.entries.extend_from_slice(&packed.entries);
        self.file.write_all(&packed.bytes)
    }

    fn put_all(&mut self, all: &[Packed]) -> io::Result<()> {
        all.iter().try_for_each(|packed| self.put(packed))
    }

    fn end(self) -> io::Result<()> {
        self.file
            .write_all(&packing::ending(self.compression, &self.entries))?;
        self.file.flush()
    }
}
