//! Numbers that mean different things are different types, each as large as the bare number: none can stand where
//! another is meant.

use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};

/// An object of a heap: its row in the tables of that heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct ObjectId(u32);

/// A node of a graph: an object, or behind those a category of roots, or the top. An object has the same number as both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct NodeId(u32);

/// The number of a [`Kind`](crate::heap::Kind): its row in the table that comes with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct KindId(u32);

/// The number of an allocation site: its row in the table that comes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct SiteId(NonZeroU32);

/// The number of a text of the kinds of a heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub(crate) struct TextId(NonZeroU32);

/// The number of a birth, which is a kind and a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub(crate) struct BirthId(u32);

const _: () = {
    assert!(size_of::<ObjectId>() == 4);
    assert!(size_of::<NodeId>() == 4);
    assert!(size_of::<KindId>() == 4);
    assert!(size_of::<Option<SiteId>>() == 4);
    assert!(size_of::<Option<TextId>>() == 4);
    assert!(size_of::<BirthId>() == 4);
};

impl ObjectId {
    /// In a table, what stands for no object: a heap has fewer.
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// The object in this row.
    #[inline]
    pub const fn new(row: u32) -> Self {
        Self(row)
    }

    /// The row of this object.
    #[inline]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The row of this object.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl NodeId {
    /// In a table, what stands for no node: a graph has fewer.
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// The node in this row.
    #[inline]
    pub const fn new(row: u32) -> Self {
        Self(row)
    }

    /// The row of this node.
    #[inline]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The row of this node.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl From<ObjectId> for NodeId {
    #[inline]
    fn from(object: ObjectId) -> Self {
        Self(object.0)
    }
}

macro_rules! columns_by {
    ($id:ident) => {
        impl<T> Index<$id> for [T] {
            type Output = T;

            #[inline]
            fn index(&self, id: $id) -> &T {
                &self[id.index()]
            }
        }

        impl<T> IndexMut<$id> for [T] {
            #[inline]
            fn index_mut(&mut self, id: $id) -> &mut T {
                &mut self[id.index()]
            }
        }

        impl<T> Index<$id> for Vec<T> {
            type Output = T;

            #[inline]
            fn index(&self, id: $id) -> &T {
                &self[id.index()]
            }
        }

        impl<T> IndexMut<$id> for Vec<T> {
            #[inline]
            fn index_mut(&mut self, id: $id) -> &mut T {
                &mut self[id.index()]
            }
        }
    };
}

columns_by!(ObjectId);
columns_by!(NodeId);

impl KindId {
    /// The kind in this row.
    #[inline]
    pub const fn new(row: u32) -> Self {
        Self(row)
    }

    /// The row of this kind.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl SiteId {
    /// The site in this row.
    #[inline]
    pub const fn new(row: u32) -> Self {
        Self(one_more(row))
    }

    /// The row of this site.
    #[inline]
    pub const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl TextId {
    /// The text in this row.
    #[inline]
    pub(crate) const fn new(row: u32) -> Self {
        Self(one_more(row))
    }

    /// The row of this text.
    #[inline]
    pub(crate) const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl BirthId {
    /// In the table of objects, what stands for an object that no record has told of yet.
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// The birth in this row.
    #[inline]
    pub(crate) const fn new(row: u32) -> Self {
        Self(row)
    }

    /// The row of this birth.
    #[inline]
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    /// The number as a table keeps it.
    #[inline]
    pub(crate) const fn get(self) -> u32 {
        self.0
    }

    /// The birth in this row of a part of a table that begins with `self`.
    #[inline]
    pub(crate) const fn plus(self, row: u32) -> Self {
        Self(self.0.wrapping_add(row))
    }
}

/// Zero is left for what is not there, so that an `Option` takes no room.
#[inline]
const fn one_more(row: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(row)
}
