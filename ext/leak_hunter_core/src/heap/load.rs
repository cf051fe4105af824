//! A heap from a dump, which is read once.

use std::path::Path;

use rayon::ThreadPool;

use super::Heap;
use super::rows::Rows;
use crate::address_index::AddressIndex;
use crate::address_set::AddressSet;
use crate::dump::{Classes, DumpFile, Failure, Fields, NameLine, Pass, Record, StackLine, Type, scan};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::Address;
use crate::pool;
use crate::progress::Progress;

impl Heap {
    /// Reads the heap of a dump. `threads`: `None` leaves one core to the application.
    pub fn load(path: &Path, threads: Option<usize>, progress: &Progress) -> Result<Self> {
        let file = DumpFile::open_and_name_line(path, progress)?;
        progress.set_total(file.bytes());
        let mut pool = pool::of(pool::threads(threads))?;
        let reader =
            |pool: &ThreadPool| scan(&file, pool, progress, || Reader::of(&file, pool)).map(|it| it.pass);
        let mut read = reader(&pool)?;
        if read.repeated > 0 {
            // Of records that share an address the first counts.
            if pool.current_num_threads() > 1 {
                pool = pool::of(1)?;
                progress.add_total(file.bytes());
                read = reader(&pool)?;
            }
        }
        read.into_heap(&file, &pool, progress)
    }
}

/// Numbers for the addresses of a dump.
pub(crate) fn index_of(addresses: AddressSet, file: &DumpFile) -> Result<AddressIndex> {
    AddressIndex::new(addresses).ok_or_else(|| {
        Error::of_file(
            ErrorKind::TooLarge,
            file.path(),
            "has more objects than can be numbered (2^31)",
        )
    })
}

/// The pass over a dump.
#[derive(Debug)]
struct Reader {
    addresses: AddressSet,
    repeated: u64,
    classes: Classes,
    rows: Rows,
    /// Those of other threads.
    others: Vec<Rows>,
}

impl Reader {
    /// For one of the threads that read a dump.
    fn of(file: &DumpFile, pool: &ThreadPool) -> Self {
        Self {
            addresses: AddressSet::default(),
            repeated: 0,
            classes: Classes::default(),
            rows: Rows::of_bytes(file.text_estimate() / pool.current_num_threads() as u64),
            others: Vec::new(),
        }
    }

    fn into_heap(self, file: &DumpFile, pool: &ThreadPool, progress: &Progress) -> Result<Heap> {
        let index = index_of(self.addresses, file)?;
        let recorded = file.recorded().cloned();
        let rows = [self.rows].into_iter().chain(self.others).collect();
        Heap::of_rows(rows, index, self.classes, recorded, pool, progress)
    }
}

impl Pass for Reader {
    const REFERENCES: bool = true;

    fn visit(&mut self, record: &Record<'_>) -> std::result::Result<(), Failure> {
        match record.type_ {
            Type::None => return Ok(()),
            Type::Shape => {
                self.rows.shape(&record.fields().ok_or(Failure::Damaged)?);
                return Ok(());
            }
            _ => {}
        }
        let new = self.addresses.insert(record.address);
        self.repeated += u64::from(!new);
        let is_class = record.type_.is_class();
        if !is_class && self.rows.quick_record(record) {
            return Ok(());
        }
        // a damaged one has its number, and nothing else is known of it
        let fields = record.fields().ok_or(Failure::Damaged)?;
        if new && is_class {
            self.classes.add(&fields);
        }
        self.rows.record(record, &fields);
        Ok(())
    }

    fn root(&mut self, root: &Fields<'_>, elided: &[Address]) {
        self.rows.root(root, elided);
    }

    fn name(&mut self, name: NameLine) {
        self.rows.name(name);
    }

    fn stack(&mut self, stack: StackLine) {
        self.rows.stack(stack);
    }

    fn merge(&mut self, other: Self) {
        self.repeated += other.repeated + self.addresses.merge(other.addresses);
        self.classes.merge(other.classes);
        self.others.push(other.rows);
        self.others.extend(other.others);
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
