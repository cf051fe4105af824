//! A heap from a dump: one pass that numbers the objects, and one that reads them.

use std::path::Path;

use rayon::ThreadPool;

use super::Heap;
use super::tables::{Filler, Found, Tables};
use crate::address_index::AddressIndex;
use crate::address_set::AddressSet;
use crate::dump::{Damaged, DumpFile, Fields, Record, Visitor, scan};
use crate::error::{Error, ErrorKind, Result};
use crate::pool;
use crate::progress::Progress;

impl Heap {
    /// Reads the heap of a dump. `threads`: `None` leaves one core to the application.
    pub fn load(path: &Path, threads: Option<usize>, progress: &Progress) -> Result<Self> {
        let file = DumpFile::open_and_name_line(path, progress)?;
        progress.set_total(file.bytes() * 2);
        let mut pool = pool::of(pool::threads(threads))?;
        let (parts, _) = scan(&file, &pool, progress, Numbering::default)?;
        let mut parts = parts.into_iter();
        let Numbering {
            mut addresses,
            mut repeated,
        } = parts.next().unwrap_or_default();
        for part in parts {
            progress.check()?;
            repeated += part.repeated + addresses.merge(part.addresses);
        }
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
        let (parts, _) = scan(file, pool, progress, || Reader {
            filler: tables.filler(),
            error: None,
        })?;
        let found = parts
            .into_iter()
            .map(Reader::finish)
            .collect::<Result<Vec<Found>>>()?;
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

impl Visitor for Numbering {
    #[inline]
    fn visit(&mut self, record: &Record<'_>) -> std::result::Result<(), Damaged> {
        if is_object(record.kind) && !self.addresses.insert(record.address) {
            self.repeated += 1;
        }
        Ok(())
    }
}

fn is_object(kind: &[u8]) -> bool {
    kind != b"SHAPE" && kind != b"NONE"
}

/// The second pass.
#[derive(Debug)]
struct Reader<'a> {
    filler: Filler<'a>,
    error: Option<Error>,
}

impl Reader<'_> {
    fn finish(self) -> Result<Found> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.filler.finish()),
        }
    }
}

impl Visitor for Reader<'_> {
    const REFERENCES: bool = true;

    fn visit(&mut self, record: &Record<'_>) -> std::result::Result<(), Damaged> {
        let fields = record.fields().ok_or(Damaged)?;
        match record.kind {
            b"SHAPE" => self.filler.found.names.add_shape(&fields),
            b"NONE" => {}
            _ => {
                let references = fields.references().chain(record.elided.iter().copied());
                if let Err(error) = self.filler.object(&fields, references) {
                    self.error = Some(error);
                }
            }
        }
        Ok(())
    }

    fn root(&mut self, text: &[u8], elided: &[u64]) {
        let Some(fields) = Fields::parse(text) else { return };
        let Some(category) = &fields.root else { return };
        self.filler
            .root(category, fields.references().chain(elided.iter().copied()));
    }

    fn name(&mut self, text: &[u8]) {
        self.filler.found.names.read(text);
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
