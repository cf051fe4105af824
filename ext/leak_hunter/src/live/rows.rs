//! What the walk notes down of each object, and what becomes of it when the process goes on.

use std::collections::HashMap;

use leak_hunter_core::heap::{CodeLink, CodePath, Columns, FieldsOwner, Row, TracedObject};
use leak_hunter_core::ids::{Address, KindId, OptionalAddress};

use super::interned::{Interned, Kind};
use super::mapped::Mapped;

/// One object. Its kind gets a number only after the walk: looking it up takes longer than writing it down.
#[derive(Clone, Copy, Default)]
pub(super) struct Slot {
    pub(super) address: Address,
    pub(super) class: OptionalAddress,
    /// Ruby's number of the type.
    pub(super) kind: u8,
    /// Of an IMEMO: the number of its type. Of DATA: which of [`Slots::labels`] is the name of its struct.
    pub(super) label: u16,
    /// `u32::MAX`: among the large ones.
    pub(super) memsize: u32,
    pub(super) references: u32,
    pub(super) length: u32,
}

/// An object whose size does not fit into its slot.
pub(super) struct LargeObject {
    pub(super) address: Address,
    pub(super) memsize: u64,
}

/// All objects.
#[derive(Default)]
pub(super) struct Slots {
    pub(super) all: Mapped<Slot>,
    pub(super) large: Vec<LargeObject>,
    /// References of all, in their order.
    pub(super) references: Vec<Address>,
    /// Addresses of the names of DATA's structs, each once; 0 for none.
    pub(super) labels: Vec<u64>,
    /// IMEMO `fields` and the objects whose variables they hold.
    pub(super) fields_owners: Vec<FieldsOwner>,
    pub(super) code_paths: Vec<CodePath>,
    pub(super) code_links: Vec<CodeLink>,
}

/// Objects, and what kinds of them there are.
pub(super) struct Rows {
    pub(super) columns: Columns,
    pub(super) kinds: Vec<Kind>,
}

impl Slots {
    /// Numbers the kinds.
    pub(super) fn into_rows(self, sites: &[TracedObject]) -> Rows {
        let mut kinds = Interned::new();
        let rows = self.all.iter().map(|slot| row(slot, &mut kinds)).collect();
        let columns = Columns {
            rows,
            large: self.large(),
            references: self.references,
            sites: sites.to_vec(),
            fields_owners: self.fields_owners,
            code_paths: self.code_paths,
            code_links: self.code_links,
        };
        Rows {
            columns,
            kinds: kinds.all,
        }
    }

    /// Sizes that do not fit into the slots.
    pub(super) fn large(&self) -> HashMap<Address, u64> {
        self.large.iter().map(|it| (it.address, it.memsize)).collect()
    }
}

/// An object, with the number of its kind.
#[inline]
pub(super) fn row(slot: &Slot, kinds: &mut Interned<Kind>) -> Row {
    Row {
        address: slot.address,
        kind: KindId::new(kinds.number(kind_of(slot))),
        memsize: slot.memsize,
        references: slot.references,
        length: slot.length,
    }
}

fn kind_of(slot: &Slot) -> Kind {
    Kind {
        kind: slot.kind.into(),
        class: slot.class,
        label: slot.label.into(),
    }
}
