//! What the diff keeps of a dump: who lived where, and how it is known.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::lengths::Lengths;
use crate::address_set::{AddressMap, AddressSet};
use crate::dump::{Classes, Damaged, Failure, Internal, NameLine, Pass, Record, Type};
use crate::heap::Names;
use crate::ids::{Address, Generation};

/// Hashes that must agree between the passes of one run.
pub(crate) const HASHER: FixedState = FixedState::with_seed(0x6c65616b);

/// Objects with fewer bytes are not asked whether they are tables of tracing or of LeakHunter, which takes reading the
/// whole record.
const SMALLEST_TABLE: u64 = 1 << 10;

/// Totals of a dump.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    /// Records of objects.
    pub(crate) records: u64,
    /// Their bytes.
    pub(crate) memsize: u64,
    /// Those of allocation tracing's tables.
    pub(crate) tracing: u64,
    /// Those of heaps and marks that LeakHunter had in memory.
    pub(crate) own: u64,
    /// Records with a generation.
    pub(crate) traced: u64,
    /// Records of free slots, in a full dump.
    pub(crate) free_slots: u64,
    /// Records whose address another record has.
    pub(crate) duplicates: u64,
    /// The highest generation, or that in which the dump was taken, which no object's is above.
    pub(crate) generation: Option<Generation>,
}

impl Totals {
    pub(crate) fn count(&mut self, record: &Record<'_>) {
        if record.type_ == Type::Data && record.memsize >= SMALLEST_TABLE {
            self.count_table(record);
        }
        self.count_object(record.memsize, record.generation);
    }

    /// Counts an object of this size and birth.
    #[inline]
    pub(super) fn count_object(&mut self, memsize: u64, generation: Option<Generation>) {
        self.records += 1;
        self.memsize = self.memsize.saturating_add(memsize);
        if let Some(generation) = generation {
            self.traced += 1;
            self.generation = self.generation.max(Some(generation));
        }
    }

    #[cold]
    fn count_table(&mut self, record: &Record<'_>) {
        let fields = record.fields();
        let label = fields.as_ref().and_then(|it| it.struct_name.as_deref());
        self.count_internal(Internal::of(record.type_, label), record.memsize);
    }

    /// Adds an object to the tables of tracing or of LeakHunter, if it is one of them.
    pub(super) fn count_internal(&mut self, internal: Internal, memsize: u64) {
        let total = match internal {
            _ if memsize < SMALLEST_TABLE => return,
            Internal::Tracing => &mut self.tracing,
            Internal::OwnHeap => &mut self.own,
            _ => return,
        };
        *total = total.saturating_add(memsize);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.records += other.records;
        self.memsize = self.memsize.saturating_add(other.memsize);
        self.tracing = self.tracing.saturating_add(other.tracing);
        self.own = self.own.saturating_add(other.own);
        self.traced += other.traced;
        self.free_slots += other.free_slots;
        self.duplicates += other.duplicates;
        self.generation = self.generation.max(other.generation);
    }
}

/// What kind of object an untraced record was: 8 bits of its type, 56 of its class or label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guard(u64);

impl Guard {
    const LOW: u64 = (1 << 56) - 1;

    pub(crate) fn of(record: &Record<'_>) -> Result<Self, Damaged> {
        let label = |text: Option<&[u8]>| HASHER.hash_one(text);
        let quick = match record.type_ {
            Type::Imemo => record
                .quick_imemo_type()
                .map(|imemo_type| label(Some(imemo_type))),
            _ => record.quick_class().map(Address::get),
        };
        let low = match quick {
            Some(low) => low,
            None => {
                let fields = record.fields().ok_or(Damaged)?;
                let of_label = || label(fields.imemo_type.as_deref().or(fields.struct_name.as_deref()));
                fields.class_of_object().map_or_else(of_label, Address::get)
            }
        };
        Ok(Self::new(record.kind, low))
    }

    /// Of an object that has no label, neither an IMEMO nor DATA. `kind`: its type, as a dump has it.
    pub(super) fn of_class(kind: &[u8], class: Option<Address>) -> Self {
        let none: Option<&[u8]> = None;
        Self::new(kind, class.map_or_else(|| HASHER.hash_one(none), Address::get))
    }

    fn new(kind: &[u8], low: u64) -> Self {
        Self(HASHER.hash_one(kind) << 56 | low & Self::LOW)
    }

    pub(super) fn raw(self) -> u64 {
        self.0
    }

    pub(crate) fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The class address, or a number that is none.
    pub(crate) fn class(self) -> Address {
        Address::new(self.0 & Self::LOW)
    }

    pub(crate) fn same_type(self, other: Self) -> bool {
        self.0 >> 56 == other.0 >> 56
    }
}

/// What the diff remembers of each dump but the last.
#[derive(Debug, Default)]
pub(crate) struct Census {
    /// Who lived where is not known.
    pub(crate) is_mark: bool,
    pub(crate) totals: Totals,
    /// All objects.
    pub(crate) addresses: AddressSet,
    /// Objects of the generation in [`Totals`]: generation alone does not tell whether they were there yet.
    pub(crate) newest: AddressSet,
    /// Untraced objects and what kind they were.
    pub(crate) untraced: AddressMap,
    pub(crate) classes: Classes,
    /// Where holders are asked for.
    pub(crate) lengths: Option<Lengths>,
    /// Where objects move, and holders are asked for.
    pub(crate) names: Option<Names>,
}

/// Counts the record. `true` if it is of an object that was not counted before.
pub(crate) fn admit(record: &Record<'_>, totals: &mut Totals, addresses: &mut AddressSet) -> bool {
    if record.type_ == Type::Shape {
        return false;
    }
    if record.type_ == Type::None {
        totals.free_slots += 1;
        return false;
    }
    if !addresses.insert(record.address) {
        totals.duplicates += 1;
        return false;
    }
    true
}

impl Census {
    /// `lengths` of collections are noted down, too, and `names`.
    pub(crate) fn new(lengths: bool, names: bool) -> Self {
        Self {
            lengths: lengths.then(Lengths::default),
            names: names.then(Names::default),
            ..Self::default()
        }
    }

    /// Makes look-ups quick once everything is in.
    pub(crate) fn seal(&mut self) {
        self.untraced.seal();
        if let Some(lengths) = &mut self.lengths {
            lengths.seal();
        }
    }

    /// Says in which generation the dump was taken: what is older was there, whatever is the newest in it.
    pub(crate) fn taken_in(&mut self, generation: Generation) {
        if self.totals.generation.is_some_and(|highest| highest < generation) {
            self.totals.generation = Some(generation);
            self.newest = AddressSet::default();
        }
    }

    /// Whether there was a traced object.
    pub(crate) fn was_traced(&self, address: Address) -> bool {
        self.addresses.contains(address) && self.untraced.get(address).is_none()
    }

    fn note_newest(&mut self, generation: Generation, address: Address) {
        if Some(generation) > self.totals.generation {
            self.newest = AddressSet::default();
        }
        if Some(generation) >= self.totals.generation {
            self.newest.insert(address);
        }
    }
}

impl Pass for Census {
    #[inline]
    fn visit(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        if !admit(record, &mut self.totals, &mut self.addresses) {
            return Ok(());
        }
        if record.type_.is_class() {
            self.classes.add(&record.fields().ok_or(Damaged)?);
        }
        match record.generation {
            None => self.untraced.insert(record.address, Guard::of(record)?.0),
            Some(generation) => self.note_newest(generation, record.address),
        }
        if let Some(lengths) = &mut self.lengths {
            lengths.note(record);
        }
        self.totals.count(record);
        Ok(())
    }

    fn name(&mut self, line: NameLine) {
        if let Some(names) = &mut self.names {
            names.add_line(line);
        }
    }

    fn merge(&mut self, mut other: Self) {
        if let (Some(names), Some(others)) = (&mut self.names, other.names.take()) {
            names.merge(others);
        }
        if self.totals.generation < other.totals.generation {
            std::mem::swap(&mut self.newest, &mut other.newest);
        } else if self.totals.generation == other.totals.generation {
            self.newest.merge(other.newest);
        }
        self.totals.merge(&other.totals);
        self.totals.duplicates += self.addresses.merge(other.addresses);
        self.untraced.merge(other.untraced);
        if let (Some(lengths), Some(others)) = (&mut self.lengths, other.lengths) {
            lengths.merge(others);
        }
        self.classes.merge(other.classes);
    }
}
