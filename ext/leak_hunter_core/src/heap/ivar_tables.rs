//! Where Ruby 4 keeps the variables of objects that are no plain `OBJECT`s.
//!
//! Since Ruby 4.0 the class variables and instance variables of classes and modules, and the instance variables of what
//! is written in C (Hash, String, DATA …), are in a record of their own, an IMEMO of the type `fields`. Ruby 4.1 does the
//! same with wide objects. In the heap it is `owner → fields → value`; in Ruby code, and up to Ruby 3.4, it is
//! `owner → value`. So the values are moved to the owner here, and all Rubies have the same edges, paths and retained
//! sizes. The record stays, as an object that its owner refers to, with its own bytes. It refers back to its owner, as in Ruby.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::edges::{Edges, NOWHERE, ReferenceList};
use super::{Heap, ObjectRow, Root, Type};
use crate::dump::{Fields, HeapFields};
use crate::error::Result;
use crate::ids::{Address, BirthId, ObjectId};
use crate::progress::Progress;

/// Owners between two looks at whether to go on.
const CHECK_EVERY: usize = 1 << 12;

/// A `fields` record as it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct IvarRecord {
    number: ObjectId,
    owner: Address,
    shape: u64,
}

impl IvarRecord {
    pub(super) fn new(number: ObjectId, owner: Address, shape: u64) -> Self {
        Self { number, owner, shape }
    }

    /// Of the object with this number, if it is one.
    #[inline]
    pub(super) fn of(number: ObjectId, fields: &Fields<'_>) -> Option<Self> {
        Some(AddressedIvarRecord::of(&fields.into())?.numbered(number))
    }
}

/// The same before objects have numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct AddressedIvarRecord {
    pub(super) address: Address,
    owner: Address,
    shape: u64,
}

impl AddressedIvarRecord {
    #[inline]
    pub(super) fn of(fields: &HeapFields<'_>) -> Option<Self> {
        Some(Self {
            address: fields.address,
            owner: fields.owner_of_ivars()?,
            shape: fields.shape_id.unwrap_or(0),
        })
    }

    pub(super) fn numbered(self, number: ObjectId) -> IvarRecord {
        IvarRecord::new(number, self.owner, self.shape)
    }
}

/// The variables of one owner that were in one record.
#[derive(Clone, Copy, Debug)]
struct IvarTable {
    owner: ObjectId,
    record: ObjectId,
    shape: u64,
    /// How many references of the owner are values of this table: they are the last ones, one table after the other.
    count: u32,
}

/// All of them, in ascending order of owners.
#[derive(Debug, Default)]
pub(super) struct IvarTables(Vec<IvarTable>);

/// What a reference of an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot<'a> {
    /// The value of a variable, with its name where the dump has it: `@cache`, `@@cache`.
    Variable(Option<&'a str>),
    /// The record in which Ruby keeps the variables.
    Table,
    /// Anything else: an element, a superclass.
    Other,
}

/// The references of all objects and roots.
pub(super) struct References<'a> {
    pub(super) rows: &'a mut [ObjectRow],
    pub(super) edges: &'a mut Edges,
    pub(super) roots: &'a mut [Root],
}

/// The owner of a record, and the shape that names its values.
#[derive(Clone, Copy, Debug)]
struct OwnerAndShape {
    owner: ObjectId,
    shape: u64,
}

/// Owners and shapes, by record.
type Records = HashMap<ObjectId, OwnerAndShape, RandomState>;

/// The tables of all owners, and what these refer to with their values.
struct Contraction {
    tables: Vec<IvarTable>,
    lists: Vec<ReferenceList>,
}

impl IvarTables {
    /// Moves the values of `records` to their owners. `is_internal`: whether what was born so is the VM's own.
    pub(super) fn contract(
        records: &[IvarRecord],
        number: impl Fn(Address) -> Option<ObjectId>,
        is_internal: impl Fn(BirthId) -> bool,
        references: References<'_>,
        progress: &Progress,
    ) -> Result<Self> {
        if records.is_empty() {
            return Ok(Self::default());
        }
        let records: Records = records
            .iter()
            .filter_map(|record| {
                let owner = number(record.owner)?;
                let shape = record.shape;
                Some((record.number, OwnerAndShape { owner, shape }))
            })
            .collect();
        let References { rows, edges, roots } = references;
        let Contraction { tables, mut lists } = tables(&records, rows, edges, progress)?;
        let owners: HashMap<ObjectId, ObjectId, RandomState> =
            tables.iter().map(|table| (table.record, table.owner)).collect();
        for (record, OwnerAndShape { owner, .. }) in &records {
            match owners.contains_key(record) {
                true => rows[*record].place = NOWHERE,
                // An owner that has another one by now: it is still referred to, as in Ruby.
                false => {
                    let list = edges.at(rows[*record].place, *record);
                    lists.push(ReferenceList {
                        object: *record,
                        references: list.chain([*owner]).collect(),
                    });
                }
            }
        }
        // Besides the owner, only stacks and buffers of the VM refer to a record: that is as if to its owner.
        let other_owner = |object: ObjectId, number: ObjectId| {
            let owner = owners.get(&number).copied();
            owner.filter(|owner| *owner != object)
        };
        let mut changed: HashSet<ObjectId, RandomState> = HashSet::default();
        for ReferenceList { object, references } in &mut lists {
            changed.insert(*object);
            for number in references {
                *number = other_owner(*object, *number).unwrap_or(*number);
            }
        }
        for object in (0..rows.len() as u32).map(ObjectId::new) {
            if object.index() % CHECK_EVERY == 0 {
                progress.check()?;
            }
            if !is_internal(rows[object].birth) || changed.contains(&object) {
                continue;
            }
            let list = edges.at(rows[object].place, object);
            if list.clone().any(|it| other_owner(object, it).is_some()) {
                let references = list.map(|it| other_owner(object, it).unwrap_or(it)).collect();
                lists.push(ReferenceList { object, references });
            }
        }
        for root in roots {
            for number in &mut root.references {
                *number = owners.get(number).copied().unwrap_or(*number);
            }
        }
        edges.rewrite(&lists, |object, place| rows[object].place = place)?;
        Ok(Self(tables))
    }

    fn of(&self, owner: ObjectId) -> &[IvarTable] {
        let start = self.0.partition_point(|table| table.owner < owner);
        let length = self.0[start..].partition_point(|table| table.owner == owner);
        &self.0[start..start + length]
    }

    pub(super) fn memory(&self) -> usize {
        self.0.len() * size_of::<IvarTable>()
    }
}

fn tables(records: &Records, rows: &[ObjectRow], edges: &Edges, progress: &Progress) -> Result<Contraction> {
    let mut owners: Vec<ObjectId> = records.values().map(|it| it.owner).collect();
    owners.sort_unstable();
    owners.dedup();
    // Ruby has no record that is the owner of another one
    owners.retain(|owner| !records.contains_key(owner));
    let mut tables = Vec::new();
    let mut lists = Vec::new();
    let mut done: HashSet<ObjectId, RandomState> = HashSet::default();
    for (index, owner) in owners.into_iter().enumerate() {
        if index % CHECK_EVERY == 0 {
            progress.check()?;
        }
        let mut list: Vec<ObjectId> = edges.at(rows[owner].place, owner).collect();
        let own = list.len();
        for index in 0..own {
            let record = list[index];
            let Some(OwnerAndShape { shape, .. }) = records.get(&record).filter(|it| it.owner == owner)
            else {
                continue;
            };
            if done.insert(record) {
                let values = edges.at(rows[record].place, record);
                tables.push(IvarTable {
                    owner,
                    record,
                    shape: *shape,
                    count: values.len() as u32,
                });
                list.extend(values);
            }
        }
        if list.len() > own {
            lists.push(ReferenceList {
                object: owner,
                references: list,
            });
        }
    }
    Ok(Contraction { tables, lists })
}

impl Heap {
    /// What each reference of an object is; nothing where all are other than variables.
    pub(crate) fn slots(&self, object: ObjectId) -> Vec<Slot<'_>> {
        let Some(kind) = self.kind(object) else {
            return Vec::new();
        };
        let tables = self.ivar_tables.of(object);
        let references = self.list(object);
        let plain = kind.type_ == Type::Object;
        if references.len() == 0 || tables.is_empty() && !plain {
            return Vec::new();
        }
        let values: usize = tables.iter().map(|table| table.count as usize).sum();
        let own = references.len() - values;
        let records: HashSet<ObjectId, RandomState> = tables.iter().map(|table| table.record).collect();
        let is_table = |number: &ObjectId| records.contains(number);
        let own_count = references.clone().take(own).filter(|it| !is_table(it)).count();
        let mut names = self.variables(kind.shape, own_count);
        let mut slots: Vec<Slot<'_>> = references
            .take(own)
            .map(|number| match plain {
                _ if is_table(&number) => Slot::Table,
                true => names.next().unwrap_or(Slot::Other),
                false => Slot::Other,
            })
            .collect();
        for table in tables {
            slots.extend(self.variables(table.shape, table.count as usize));
        }
        slots
    }

    /// Immediate values have no reference, so only where there is one for each name it is known which is which.
    fn variables(&self, shape: u64, count: usize) -> impl Iterator<Item = Slot<'_>> {
        let names = self.names.of_shape(shape).filter(|names| names.len() == count);
        (0..count).map(move |index| match &names {
            None => Slot::Variable(None),
            Some(names) if names[index].starts_with('@') => Slot::Variable(Some(names[index])),
            // of Ruby's own
            Some(_) => Slot::Other,
        })
    }
}

#[cfg(test)]
#[path = "ivar_tables_tests.rs"]
mod tests;
