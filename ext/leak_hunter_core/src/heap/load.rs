//! A heap from a dump: one pass that numbers the objects, and one that reads them.

use std::path::Path;

use rayon::ThreadPool;

use super::Heap;
use super::tables::{Filler, PartialHeap, Tables};
use crate::address_index::AddressIndex;
use crate::address_set::AddressSet;
use crate::dump::{DumpFile, Failure, Fields, NameLine, Pass, Record, scan};
use crate::error::{Error, ErrorKind, Result};
use crate::pool;
use crate::progress::Progress;

impl Heap {
    /// Reads the heap of a dump. `threads`: `None` leaves one core to the application.
    pub fn load(path: &Path, threads: Option<usize>, progress: &Progress) -> Result<Self> {
        let file = DumpFile::open_and_name_line(path, progress)?;
        progress.set_total(file.bytes() * 2);
        let mut pool = pool::of(pool::threads(threads))?;
        let (Numbering { addresses, repeated }, _) = scan(&file, &pool, progress, Numbering::default)?;
        if repeated > 0 {
            // Of records that share an address the first counts.
            pool = pool::of(1)?;
        }
        Self::read(&file, &pool, addresses, progress)
    }

    /// Reads the objects with these addresses.
    pub(crate) fn read(
        file: &DumpFile,
        pool: &ThreadPool,
        addresses: AddressSet,
        progress: &Progress,
    ) -> Result<Self> {
        let index = AddressIndex::new(addresses).ok_or_else(|| {
            Error::of_file(
                ErrorKind::TooLarge,
                file.path(),
                "has more objects than can be numbered (2^31)",
            )
        })?;
        let tables = Tables::new(index);
        let (reader, _) = scan(file, pool, progress, || Reader {
            filler: tables.filler(),
            others: Vec::new(),
        })?;
        let found = reader.finish();
        progress.check()?;
        tables.into_heap(found, file.recorded().cloned(), progress)
    }
}

/// The first pass.
#[derive(Debug, Default)]
struct Numbering {
    addresses: AddressSet,
    repeated: u64,
}

impl Pass for Numbering {
    #[inline]
    fn visit(&mut self, record: &Record<'_>) -> std::result::Result<(), Failure> {
        if is_object(record.kind) && !self.addresses.insert(record.address) {
            self.repeated += 1;
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.repeated += other.repeated + self.addresses.merge(other.addresses);
    }
}

fn is_object(kind: &[u8]) -> bool {
    kind != b"SHAPE" && kind != b"NONE"
}

/// The second pass.
#[derive(Debug)]
struct Reader<'a> {
    filler: Filler<'a>,
    /// What other threads have found.
    others: Vec<PartialHeap>,
}

impl Reader<'_> {
    fn finish(self) -> Vec<PartialHeap> {
        let mut found = self.others;
        found.push(self.filler.finish());
        found
    }
}

impl Pass for Reader<'_> {
    const REFERENCES: bool = true;

    fn visit(&mut self, record: &Record<'_>) -> std::result::Result<(), Failure> {
        let fields = record.fields().ok_or(Failure::Damaged)?;
        match record.kind {
            b"SHAPE" => self.filler.found.names.add_shape(&fields),
            b"NONE" => {}
            _ => {
                let references = fields.references().chain(record.elided.iter().copied());
                self.filler.object(&fields, references)?;
            }
        }
        Ok(())
    }

    fn root(&mut self, root: &Fields<'_>, elided: &[u64]) {
        if let Some(category) = &root.root {
            self.filler
                .root(category, root.references().chain(elided.iter().copied()));
        }
    }

    fn name(&mut self, name: NameLine) {
        self.filler.found.names.add_line(name);
    }

    fn merge(&mut self, other: Self) {
        self.others.extend(other.finish());
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
