//! The references of all objects, two or three bytes each: most lead to a neighbour in the heap.
//!
//! An object's list is its length and then the differences from one object's number to the next, the first from its own,
//! as variable-length integers. Lists stand in blocks, which threads fill side by side.

use super::varint::{self, append, take};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::ObjectId;
use crate::lock::Mutex;

/// Bytes per block. A place is a block and an offset in one `u32`, so no list may start behind this.
const BLOCK: usize = 1 << OFFSET_BITS;
const OFFSET_BITS: u32 = 16;
const BLOCKS: usize = 1 << (32 - OFFSET_BITS);

/// Where an object's list is.
pub(crate) type Place = u32;
/// The object refers to nothing.
pub(crate) const NOWHERE: Place = u32::MAX;

/// An object and what it refers to.
#[derive(Debug)]
pub(crate) struct ReferenceList {
    pub(crate) object: ObjectId,
    pub(crate) references: Vec<ObjectId>,
}

/// All lists.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    blocks: Vec<Box<[u8]>>,
}

impl Edges {
    /// The list at a place; `own` is the number of the object that it is of.
    #[inline]
    pub(crate) fn at(&self, place: Place, own: ObjectId) -> List<'_> {
        if place == NOWHERE {
            return List::empty();
        }
        let block = &self.blocks[(place >> OFFSET_BITS) as usize];
        let mut bytes = &block[place as usize & (BLOCK - 1)..];
        let left = take(&mut bytes) as u32;
        List {
            bytes,
            left,
            last: own.get(),
        }
    }

    /// Goes on with the list at a place.
    #[inline]
    pub(crate) fn resume(&self, place: Place, pause: Pause) -> List<'_> {
        if place == NOWHERE || pause.left == 0 {
            return List::empty();
        }
        let block = &self.blocks[(place >> OFFSET_BITS) as usize];
        List {
            bytes: &block[block.len() - pause.unread as usize..],
            left: pause.left,
            last: pause.last.get(),
        }
    }

    /// Writes the lists of some objects anew; `placed` takes where.
    pub(crate) fn rewrite(
        &mut self,
        lists: &[ReferenceList],
        mut placed: impl FnMut(ObjectId, Place),
    ) -> Result<()> {
        let store = BlockStore(Mutex::new(std::mem::take(&mut self.blocks)));
        let mut writer = Writer::new(&store);
        for ReferenceList { object, references } in lists {
            placed(*object, writer.write(*object, references)?);
        }
        drop(writer);
        *self = store.into_edges();
        Ok(())
    }

    pub(crate) fn memory(&self) -> usize {
        self.blocks.iter().map(|block| block.len() + 16).sum()
    }
}

/// The numbers of the objects that one object refers to, as they stand in it: repeated ones are repeated.
#[derive(Clone, Debug)]
pub(crate) struct List<'a> {
    bytes: &'a [u8],
    left: u32,
    last: u32,
}

impl List<'_> {
    pub(crate) fn empty() -> Self {
        Self {
            bytes: &[],
            left: 0,
            last: 0,
        }
    }

    /// Where the reading stands, to go on from later.
    #[inline]
    pub(crate) fn pause(&self) -> Pause {
        Pause {
            unread: self.bytes.len() as u32,
            left: self.left,
            last: ObjectId::new(self.last),
        }
    }
}

impl Iterator for List<'_> {
    type Item = ObjectId;

    #[inline]
    fn next(&mut self) -> Option<ObjectId> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let number = take(&mut self.bytes) as u32;
        let difference = (number >> 1) as i32 ^ -((number & 1) as i32);
        self.last = self.last.wrapping_add_signed(difference);
        Some(ObjectId::new(self.last))
    }

    /// Quicker than one by one: graphs are walked by it.
    #[inline]
    fn fold<B, F: FnMut(B, ObjectId) -> B>(mut self, init: B, mut f: F) -> B {
        let mut sum = init;
        for _ in 0..self.left {
            let number = take(&mut self.bytes) as u32;
            let difference = (number >> 1) as i32 ^ -((number & 1) as i32);
            self.last = self.last.wrapping_add_signed(difference);
            sum = f(sum, ObjectId::new(self.last));
        }
        sum
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for List<'_> {}

/// Where the reading of a list stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pause {
    /// Bytes of the block behind it.
    pub(crate) unread: u32,
    pub(crate) left: u32,
    pub(crate) last: ObjectId,
}

/// Blocks that threads take and hand in.
#[derive(Debug, Default)]
pub(crate) struct BlockStore(Mutex<Vec<Box<[u8]>>>);

impl BlockStore {
    pub(crate) fn into_edges(self) -> Edges {
        Edges {
            blocks: self.0.into_inner(),
        }
    }

    fn take(&self) -> Result<u32> {
        let mut blocks = self.0.lock();
        if blocks.len() >= BLOCKS - 1 {
            let message = "the heap has more references than can be held (4 GiB of them)";
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        blocks.push(Box::default());
        Ok(blocks.len() as u32 - 1)
    }
}

/// Writes lists into blocks, which it hands to a [`BlockStore`].
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    store: &'a BlockStore,
    /// The block that is being filled.
    number: Option<u32>,
    bytes: Vec<u8>,
    list: Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(store: &'a BlockStore) -> Self {
        Self {
            store,
            number: None,
            bytes: Vec::new(),
            list: Vec::new(),
        }
    }

    /// Adds the list of the object with the number `own`.
    pub(crate) fn write(&mut self, own: ObjectId, references: &[ObjectId]) -> Result<Place> {
        if references.is_empty() {
            return Ok(NOWHERE);
        }
        self.list.clear();
        append(&mut self.list, references.len() as u64);
        let mut last = own.get();
        for number in references {
            let difference = number.get().wrapping_sub(last) as i32;
            append(
                &mut self.list,
                u64::from((difference << 1 ^ difference >> 31) as u32),
            );
            last = number.get();
        }
        if self.bytes.len() + self.list.len() > BLOCK {
            self.hand_in();
        }
        let number = match self.number {
            Some(number) => number,
            None => *self.number.insert(self.store.take()?),
        };
        if self.bytes.capacity() == 0 {
            self.bytes
                .reserve_exact(BLOCK.max(self.list.len()) + varint::PADDING);
        }
        let place = number << OFFSET_BITS | self.bytes.len() as u32;
        self.bytes.extend_from_slice(&self.list);
        Ok(place)
    }

    fn hand_in(&mut self) {
        if let Some(number) = self.number.take() {
            varint::pad(&mut self.bytes);
            self.store.0.lock()[number as usize] = std::mem::take(&mut self.bytes).into();
        }
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.hand_in();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object() -> impl Strategy<Value = ObjectId> {
        (0..1u32 << 31).prop_map(ObjectId::new)
    }

    proptest! {
        #[test]
        fn references_come_back_as_they_went_in(
            lists in proptest::collection::vec(
                (object(), proptest::collection::vec(object(), 0..40)), 0..200),
            long in 0..40_000u32,
        ) {
            let store = BlockStore::default();
            let mut writer = Writer::new(&store);
            let mut lists = lists;
            lists.push((ObjectId::new(7), (0..long).map(|number| ObjectId::new(number * 50_000)).collect()));
            let places: Vec<_> = lists
                .iter()
                .map(|(own, list)| writer.write(*own, list).unwrap())
                .collect();
            drop(writer);
            let edges = store.into_edges();
            for ((own, list), place) in lists.iter().zip(places) {
                prop_assert_eq!(&edges.at(place, *own).collect::<Vec<_>>(), list);
            }
        }
    }
}
