//! The tables of a heap while threads fill them side by side.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use foldhash::fast::RandomState;

use super::code::AddressedCode;
use super::edges::{BlockStore, NOWHERE, Writer};
use super::ivar_tables::{IvarRecord, IvarTables, References};
use super::kinds::{Interner, KindTable, Kinds, NONE};
use super::names::Names;
use super::{Heap, ObjectLength, ObjectRow, Root, Stacks};
use crate::address_index::AddressIndex;
use crate::dump::{Classes, DumpHeader, Fields, lossy};
use crate::error::Result;
use crate::ids::{Address, BirthId, ObjectId};
use crate::progress::Progress;

/// Tables with a place for each object, to be filled through [`Filler`]s.
#[derive(Debug)]
pub(crate) struct Tables {
    index: AddressIndex,
    rows: Vec<AtomicRow>,
    memsizes: Vec<AtomicU32>,
    store: BlockStore,
    kinds: KindTable,
    dangling: AtomicU64,
}

/// An [`ObjectRow`] while the tables are filled.
#[derive(Debug)]
struct AtomicRow {
    birth: AtomicU32,
    place: AtomicU32,
}

impl AtomicRow {
    fn new() -> Self {
        Self {
            birth: AtomicU32::new(BirthId::NONE.get()),
            place: AtomicU32::new(NOWHERE),
        }
    }

    fn settle(self) -> ObjectRow {
        ObjectRow {
            birth: BirthId::new(self.birth.into_inner()),
            place: self.place.into_inner(),
        }
    }
}

fn column(length: u32) -> Vec<AtomicU32> {
    (0..length).map(|_| AtomicU32::new(NONE)).collect()
}

fn settle(column: Vec<AtomicU32>) -> Vec<u32> {
    column.into_iter().map(AtomicU32::into_inner).collect()
}

/// What a thread has found besides the columns.
#[derive(Debug, Default)]
pub(crate) struct PartialHeap {
    pub(crate) classes: Classes,
    pub(crate) names: Names,
    pub(super) ivar_records: Vec<IvarRecord>,
    pub(super) code: AddressedCode,
    pub(crate) stacks: Stacks,
    roots: Vec<AddressedRoot>,
    lengths: Vec<ObjectLength>,
    large: HashMap<ObjectId, u64, RandomState>,
    reference_count: u64,
}

/// A category of roots before its objects have numbers.
#[derive(Debug)]
pub(super) struct AddressedRoot {
    pub(super) category: String,
    pub(super) addresses: Vec<Address>,
}

impl PartialHeap {
    pub(super) fn root(&mut self, category: &[u8], references: impl Iterator<Item = Address>) {
        let category = lossy(category).into_owned();
        self.roots.push(AddressedRoot {
            category,
            addresses: references.collect(),
        });
    }

    fn merge(&mut self, other: Self) {
        self.classes.merge(other.classes);
        self.names.merge(other.names);
        self.ivar_records.extend(other.ivar_records);
        self.code.merge(other.code);
        self.stacks.merge(other.stacks);
        self.roots.extend(other.roots);
        self.lengths.extend(other.lengths);
        self.large.extend(other.large);
        self.reference_count += other.reference_count;
    }
}

impl Tables {
    pub(crate) fn new(index: AddressIndex) -> Self {
        let length = index.len();
        Self {
            index,
            rows: (0..length).map(|_| AtomicRow::new()).collect(),
            memsizes: column(length),
            store: BlockStore::default(),
            kinds: KindTable::default(),
            dangling: AtomicU64::new(0),
        }
    }

    /// How many objects there is a place for.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The number of an object.
    #[inline]
    pub(super) fn number(&self, address: Address) -> Option<ObjectId> {
        self.index.number(address)
    }

    pub(crate) fn filler(&self) -> Filler<'_> {
        Filler {
            tables: self,
            interner: Interner::new(&self.kinds),
            writer: Some(Writer::new(&self.store)),
            found: PartialHeap::default(),
            list: Vec::new(),
        }
    }

    /// The heap, once every object is in.
    pub(crate) fn into_heap(
        mut self,
        parts: Vec<PartialHeap>,
        recorded: Option<DumpHeader>,
        progress: &Progress,
    ) -> Result<Heap> {
        let mut kinds = std::mem::take(&mut self.kinds).into_kinds();
        kinds.number_classes(|address| self.index.number(address));
        self.into_heap_of(kinds, parts, recorded, progress)
    }

    /// The same, where the kinds come from elsewhere, with the numbers of classes.
    pub(super) fn into_heap_of(
        self,
        kinds: Kinds,
        parts: Vec<PartialHeap>,
        recorded: Option<DumpHeader>,
        progress: &Progress,
    ) -> Result<Heap> {
        // the first one has the most, and takes over the others
        let mut parts = parts.into_iter();
        let mut found = parts.next().unwrap_or_default();
        for part in parts {
            found.merge(part);
        }
        let mut dangling = self.dangling.into_inner();
        let mut roots: Vec<Root> = Vec::new();
        let mut places: HashMap<String, usize, RandomState> = HashMap::default();
        for AddressedRoot { category, addresses } in found.roots {
            let mut numbers: Vec<ObjectId> = addresses
                .iter()
                .filter_map(|address| self.index.number(*address))
                .collect();
            dangling += (addresses.len() - numbers.len()) as u64;
            let place = *places.entry(category).or_insert_with_key(|category| {
                roots.push(Root {
                    category: category.clone(),
                    references: Vec::new(),
                });
                roots.len() - 1
            });
            roots[place].references.append(&mut numbers);
        }
        let mut rows: Vec<ObjectRow> = self.rows.into_iter().map(AtomicRow::settle).collect();
        let mut edges = self.store.into_edges();
        let ivar_tables = IvarTables::contract(
            &found.ivar_records,
            |address| self.index.number(address),
            |birth| kinds.type_of_birth(birth).is_internal(),
            References {
                rows: &mut rows,
                edges: &mut edges,
                roots: &mut roots,
            },
            progress,
        )?;
        let reference_count = match found.ivar_records.is_empty() {
            true => found.reference_count,
            // values have moved, and owners have come
            false => (0u32..)
                .map(ObjectId::new)
                .zip(&rows)
                .map(|(object, row)| edges.at(row.place, object).len() as u64)
                .sum(),
        };
        for root in &mut roots {
            root.references.sort_unstable();
            root.references.dedup();
        }
        roots.sort_by(|one, two| one.category.cmp(&two.category));
        // a stable sort makes use of what is sorted already: each page is
        found.lengths.sort_by_key(|it| it.object);
        let code = found.code.numbered(|address| self.index.number(address));
        Ok(Heap {
            index: self.index,
            rows,
            memsizes: settle(self.memsizes),
            large: found.large,
            edges,
            ivar_tables,
            kinds,
            classes: found.classes,
            names: found.names,
            code,
            roots,
            lengths: found.lengths,
            stacks: found.stacks,
            reference_count,
            dangling,
            recorded,
        })
    }
}

/// One thread's way to fill the tables.
#[derive(Debug)]
pub(crate) struct Filler<'a> {
    tables: &'a Tables,
    interner: Interner<'a>,
    writer: Option<Writer<'a>>,
    pub(crate) found: PartialHeap,
    list: Vec<ObjectId>,
}

impl Filler<'_> {
    /// Adds an object. One whose address the index does not have, or that is there already, is left out.
    pub(crate) fn object(
        &mut self,
        fields: &Fields<'_>,
        references: impl Iterator<Item = Address>,
    ) -> Result<()> {
        let tables = self.tables;
        let Some(number) = tables.index.number(fields.address) else {
            return Ok(());
        };
        let birth = self.interner.birth(fields);
        let length = fields.length.unwrap_or(0);
        if !self.place(number, birth, fields.memsize, length) {
            return Ok(());
        }
        if fields.type_().is_class() {
            self.found.classes.add(fields);
        }
        self.found.ivar_records.extend(IvarRecord::of(number, fields));
        self.found.code.add(&fields.into());
        self.references(number, references)
    }

    /// The number of what objects have in common, for [`Self::row`].
    pub(crate) fn birth(&mut self, fields: &Fields<'_>) -> BirthId {
        self.interner.birth(fields)
    }

    /// Adds an object of which the rest is known by number.
    pub(crate) fn row(
        &mut self,
        number: ObjectId,
        birth: BirthId,
        memsize: u64,
        length: u64,
        references: &[Address],
    ) -> Result<()> {
        if self.place(number, birth, memsize, length) {
            self.references(number, references.iter().copied())?;
        }
        Ok(())
    }

    /// `false` when the object is there already.
    fn place(&mut self, number: ObjectId, birth: BirthId, memsize: u64, length: u64) -> bool {
        let tables = self.tables;
        let place = number.index();
        let (free, birth) = (BirthId::NONE.get(), birth.get());
        let done =
            tables.rows[place]
                .birth
                .compare_exchange(free, birth, Ordering::Relaxed, Ordering::Relaxed);
        if done.is_err() {
            return false;
        }
        let small = u32::try_from(memsize).unwrap_or(NONE);
        tables.memsizes[place].store(small, Ordering::Relaxed);
        if small == NONE {
            self.found.large.insert(number, memsize);
        }
        if length > 0 {
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            self.found.lengths.push(ObjectLength {
                object: number,
                length,
            });
        }
        true
    }

    fn references(&mut self, number: ObjectId, references: impl Iterator<Item = Address>) -> Result<()> {
        self.list.clear();
        let mut dangling = 0;
        for address in references {
            match self.tables.index.number(address) {
                Some(number) => self.list.push(number),
                None => dangling += 1,
            }
        }
        if dangling > 0 {
            self.tables.dangling.fetch_add(dangling, Ordering::Relaxed);
        }
        self.found.reference_count += self.list.len() as u64;
        let place = match &mut self.writer {
            Some(writer) => writer.write(number, &self.list)?,
            None => NOWHERE,
        };
        self.tables.rows[number].place.store(place, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn root(&mut self, category: &[u8], references: impl Iterator<Item = Address>) {
        self.found.root(category, references);
    }

    /// Hands in what is unfinished.
    pub(crate) fn finish(mut self) -> PartialHeap {
        self.writer = None;
        self.found
    }
}
