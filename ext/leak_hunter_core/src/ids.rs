//! Numbers that mean different things are different types, each as large as the bare number: none can stand where
//! another is meant.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::ops::{Index, IndexMut};

use serde::Deserialize;

/// Where an object is in memory: the address of its slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Address(u64);

/// An address, or none. No object is at address 0, so this takes no more memory than an [`Address`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct OptionalAddress(Option<NonZeroU64>);

/// A GC count, above all the one at which an object was allocated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[repr(transparent)]
#[serde(transparent)]
pub struct Generation(u64);

impl Address {
    /// The address with this number.
    #[inline]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The address as a number.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::LowerHex for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl OptionalAddress {
    /// No address.
    pub const NONE: Self = Self(None);

    /// The address, if there is one.
    #[inline]
    pub fn get(self) -> Option<Address> {
        self.0.map(|number| Address(number.get()))
    }

    /// Whether there is none.
    #[inline]
    pub const fn is_none(self) -> bool {
        self.0.is_none()
    }

    /// The address as a number; 0 where there is none.
    #[inline]
    pub(crate) fn number(self) -> u64 {
        self.0.map_or(0, NonZeroU64::get)
    }
}

impl From<Address> for OptionalAddress {
    #[inline]
    fn from(address: Address) -> Self {
        Self(NonZeroU64::new(address.0))
    }
}

impl From<Option<Address>> for OptionalAddress {
    #[inline]
    fn from(address: Option<Address>) -> Self {
        address.map_or(Self::NONE, Self::from)
    }
}

impl Generation {
    /// The generation at this GC count.
    #[inline]
    pub const fn new(count: u64) -> Self {
        Self(count)
    }

    /// The GC count.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The number of a row in a table of its own.
macro_rules! row {
    ($(#[$documentation:meta])* $visibility:vis struct $name:ident) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(transparent)]
        $visibility struct $name(u32);

        impl $name {
            /// The one in this row.
            #[inline]
            pub const fn new(row: u32) -> Self {
                Self(row)
            }

            /// Its row.
            #[inline]
            pub const fn get(self) -> u32 {
                self.0
            }

            /// Its row, as an index.
            #[inline]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        const _: () = assert!(size_of::<$name>() == 4);
    };
}

/// The number of a row in a table of its own. 0 is left out, so that an `Option` takes no more memory.
macro_rules! optional_row {
    ($(#[$documentation:meta])* $visibility:vis struct $name:ident) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(transparent)]
        $visibility struct $name(NonZeroU32);

        impl $name {
            /// The one in this row.
            #[inline]
            pub const fn new(row: u32) -> Self {
                Self(NonZeroU32::MIN.saturating_add(row))
            }

            /// Its row.
            #[inline]
            pub const fn get(self) -> u32 {
                self.0.get() - 1
            }

            /// Its row, as an index.
            #[inline]
            pub const fn index(self) -> usize {
                self.get() as usize
            }
        }

        const _: () = assert!(size_of::<Option<$name>>() == 4);
    };
}

row! {
    /// An object of a heap: its row in the tables of that heap.
    pub struct ObjectId
}

row! {
    /// A node of a graph: an object, or behind those a category of roots, or the top. An object has the same number as
    /// both.
    pub struct NodeId
}

row! {
    /// The number of a [`Kind`](crate::heap::Kind): its row in the table that comes with it.
    pub struct KindId
}

row! {
    /// The number of a birth, which is a kind and a generation.
    pub(crate) struct BirthId
}

row! {
    /// The number of a place that a tracer has seen objects allocated at: a path, line and method, with a context and
    /// a stack where those were asked for.
    pub struct PlaceId
}

optional_row! {
    /// The number of a stack that a tracer has recorded.
    pub struct StackId
}

optional_row! {
    /// The number of an allocation site: its row in the table that comes with it.
    pub struct SiteId
}

optional_row! {
    /// The number of a text of the kinds of a heap.
    pub(crate) struct TextId
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<(Address, OptionalAddress, Generation)>();
    is_shared::<(
        ObjectId,
        NodeId,
        KindId,
        BirthId,
        SiteId,
        TextId,
        PlaceId,
        StackId,
    )>();
    assert!(size_of::<Address>() == 8);
    assert!(size_of::<OptionalAddress>() == 8);
    assert!(size_of::<Generation>() == 8);
};

impl ObjectId {
    /// In a table, what stands for no object: a heap has fewer.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

impl NodeId {
    /// In a table, what stands for no node: a graph has fewer.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

impl BirthId {
    /// In the table of objects, what stands for an object without a record so far.
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// The birth in this row of a part of a table that begins with `self`.
    #[inline]
    pub(crate) const fn plus(self, row: u32) -> Self {
        Self(self.0.wrapping_add(row))
    }
}

impl From<ObjectId> for NodeId {
    #[inline]
    fn from(object: ObjectId) -> Self {
        Self(object.0)
    }
}

/// Columns with a row for each are indexed by the number itself.
macro_rules! indexes {
    ($id:ident: $($columns:ty),*) => {
        $(
            impl<T> Index<$id> for $columns {
                type Output = T;

                #[inline]
                fn index(&self, id: $id) -> &T {
                    &self[id.index()]
                }
            }

            impl<T> IndexMut<$id> for $columns {
                #[inline]
                fn index_mut(&mut self, id: $id) -> &mut T {
                    &mut self[id.index()]
                }
            }
        )*
    };
}

indexes!(ObjectId: [T], Vec<T>);
indexes!(NodeId: [T], Vec<T>);
