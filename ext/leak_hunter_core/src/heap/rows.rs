//! The objects of a dump, read once, before they have numbers.
//!
//! Objects are numbered by address, so what a record refers to can be written by number only when every address is known.
//! Until then a record is a row of a few bytes: differences of addresses instead of numbers, the rest as the tables have
//! it. About 8 bytes an object and 4 a reference, which go when the tables are filled from them.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::{BroadcastContext, ThreadPool};

use super::Heap;
use super::ivar_tables::AddressedIvarRecord;
use super::local_kinds::{LocalKinds, first_births, merge};
use super::tables::{Filler, PartialHeap, Tables};
use super::varint::{self, append, take};
use crate::address_index::AddressIndex;
use crate::dump::{Classes, DumpHeader, Fields, HeapFields, NameLine, Record, StackLine};
use crate::error::Result;
use crate::ids::{Address, BirthId};
use crate::lock::Mutex;
use crate::progress::Progress;

/// Bytes after which a block of rows is full.
const BLOCK: usize = if cfg!(test) { 64 } else { 256 << 10 };

/// The rows that one thread reads.
#[derive(Debug)]
pub(crate) struct Rows {
    kinds: LocalKinds,
    blocks: Vec<Vec<u8>>,
    open: Vec<u8>,
    /// The address of the last row of the open block.
    last: Address,
    references: Vec<Address>,
    found: PartialHeap,
    ivar_records: Vec<AddressedIvarRecord>,
}

/// A full block, until a thread takes its rows.
struct Block {
    /// Index of the thread that read them.
    part: usize,
    bytes: Mutex<Vec<u8>>,
}

impl Heap {
    /// The heap of the rows that threads have read. Of rows with one address the first counts, if one thread has read
    /// them and `pool` has one.
    pub(crate) fn of_rows(
        parts: Vec<Rows>,
        index: AddressIndex,
        classes: Classes,
        recorded: Option<DumpHeader>,
        pool: &ThreadPool,
        progress: &Progress,
    ) -> Result<Self> {
        let mut kinds = Vec::new();
        let mut blocks = Vec::new();
        let mut ivar_records = Vec::new();
        let mut all = Vec::new();
        for (number, mut part) in parts.into_iter().enumerate() {
            part.close();
            kinds.push(part.kinds);
            blocks.extend(part.blocks.into_iter().map(|bytes| Block {
                part: number,
                bytes: Mutex::new(bytes),
            }));
            ivar_records.append(&mut part.ivar_records);
            all.push(part.found);
        }
        let births = first_births(&kinds);
        let tables = Tables::new(index);
        if let Some(first) = all.first_mut() {
            first.classes = classes;
            let numbered = ivar_records
                .iter()
                .filter_map(|record| Some(record.numbered(tables.number(record.address)?)));
            first.ivar_records.extend(numbered);
        }
        // One thread takes them in the order of the file, as it must where records share an address.
        let next = AtomicUsize::new(0);
        let fill_blocks = |_: BroadcastContext<'_>| -> Result<PartialHeap> {
            let mut filler = tables.filler();
            let mut references = Vec::new();
            while let Some(block) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
                progress.check()?;
                let bytes = std::mem::take(&mut *block.bytes.lock());
                fill(&tables, &mut filler, births[block.part], &bytes, &mut references)?;
            }
            Ok(filler.finish())
        };
        // Rows have the numbers of births already, so one thread merges the kinds meanwhile.
        let merged = || {
            let mut kinds = merge(kinds);
            kinds.number_classes(|address| tables.number(address));
            kinds
        };
        let (kinds, filled) = pool.join(merged, || pool.broadcast(fill_blocks));
        for found in filled {
            all.push(found?);
        }
        progress.check()?;
        tables.into_heap_of(kinds, all, recorded, progress)
    }
}

impl Rows {
    /// For a thread that reads about so many bytes of a dump.
    pub(crate) fn of_bytes(bytes: u64) -> Self {
        Self {
            kinds: LocalKinds::of_bytes(bytes),
            blocks: Vec::new(),
            open: Vec::new(),
            last: Address::default(),
            references: Vec::new(),
            found: PartialHeap::default(),
            ivar_records: Vec::new(),
        }
    }

    /// Adds an object, with the references that were read. Classes and modules are not noted down as such.
    fn object(&mut self, fields: &HeapFields<'_>) {
        self.ivar_records.extend(AddressedIvarRecord::of(fields));
        self.found.code.add(fields);
        let row = &mut self.open;
        append(row, difference(self.last, fields.address));
        append(row, u64::from(self.kinds.birth(fields).get()));
        append(row, fields.memsize);
        append(row, fields.length.unwrap_or(0));
        append(row, self.references.len() as u64);
        let mut at = fields.address;
        for address in &self.references {
            append(row, difference(at, *address));
            at = *address;
        }
        self.last = fields.address;
        if row.len() >= BLOCK {
            self.close();
        }
    }

    /// Adds the object of a record, if that can be read quickly.
    #[inline]
    pub(crate) fn quick_record(&mut self, record: &Record<'_>) -> bool {
        // not handed from one to the other: they are many words
        let mut fields = HeapFields::of_ends(record);
        let is_read = record.elided.is_empty() && fields.read(record, &mut self.references).is_some();
        if is_read {
            self.object(&fields);
        }
        is_read
    }

    /// Adds the object of a record.
    pub(crate) fn record(&mut self, record: &Record<'_>, fields: &Fields<'_>) {
        self.references.clear();
        self.references.extend(fields.references());
        self.references.extend_from_slice(record.elided);
        self.object(&HeapFields::from(fields));
    }

    /// Adds a record of roots, and the references that were left out of its text.
    pub(crate) fn root(&mut self, root: &Fields<'_>, elided: &[Address]) {
        if let Some(category) = &root.root {
            let references = root.references().chain(elided.iter().copied());
            self.found.root(category, references);
        }
    }

    pub(crate) fn name(&mut self, name: NameLine) {
        self.found.names.add_line(name);
    }

    pub(crate) fn stack(&mut self, stack: StackLine) {
        self.found.stacks.add(stack);
    }

    pub(crate) fn shape(&mut self, fields: &Fields<'_>) {
        self.found.names.add_shape(fields);
    }

    fn close(&mut self) {
        let mut full = std::mem::take(&mut self.open);
        varint::pad(&mut full);
        // the next is as long, or nearly so
        self.open.reserve(full.len());
        self.blocks.push(full);
        self.last = Address::default();
    }
}

/// Fills the tables from a block of rows.
fn fill(
    tables: &Tables,
    filler: &mut Filler<'_>,
    births: BirthId,
    block: &[u8],
    references: &mut Vec<Address>,
) -> Result<()> {
    let mut rest = block;
    let mut address = Address::default();
    while rest.len() > varint::PADDING {
        address = apart(address, take(&mut rest));
        let birth = births.plus(take(&mut rest) as u32);
        let memsize = take(&mut rest);
        let length = take(&mut rest);
        let count = take(&mut rest);
        references.clear();
        let mut at = address;
        for _ in 0..count {
            at = apart(at, take(&mut rest));
            references.push(at);
        }
        if let Some(number) = tables.number(address) {
            filler.row(number, birth, memsize, length, references)?;
        }
    }
    Ok(())
}

/// How far it is from one address to another, small for neighbours. Most addresses are multiples of 8.
fn difference(from: Address, to: Address) -> u64 {
    let (from, to) = (from.get().rotate_right(3), to.get().rotate_right(3));
    let difference = to.wrapping_sub(from) as i64;
    (difference << 1 ^ difference >> 63) as u64
}

/// The address so far from another.
fn apart(from: Address, difference: u64) -> Address {
    let difference = (difference >> 1) as i64 ^ -((difference & 1) as i64);
    let from = from.get().rotate_right(3);
    Address::new(from.wrapping_add_signed(difference).rotate_left(3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn addresses_come_back(from in any::<u64>(), to in any::<u64>(), near in 0..1000u64) {
            for to in [to, from.wrapping_add(near), from.wrapping_sub(near), 0, u64::MAX] {
                let (from, to) = (Address::new(from), Address::new(to));
                let mut bytes = Vec::new();
                append(&mut bytes, difference(from, to));
                varint::pad(&mut bytes);
                prop_assert_eq!(apart(from, take(&mut bytes.as_slice())), to);
            }
        }
    }
}
