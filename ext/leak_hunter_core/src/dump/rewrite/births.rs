//! Where and when objects were allocated, as a tracer knows it.

use crate::ids::{Address, Generation, PlaceId, StackId};

/// What a tracer knows of the objects of one moment. Asked by several threads at once, without Ruby's lock: so it
/// answers from copies that were taken with the dump.
pub trait Births: Sync {
    /// Where and when the object at this address was allocated; `None` when it was not traced.
    fn birth(&self, address: Address) -> Option<Birth>;

    /// The text of a place that [`birth`](Self::birth) named.
    fn place(&self, place: PlaceId) -> PlaceText<'_>;
}

/// Where and when an object was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birth {
    /// Where.
    pub place: PlaceId,
    /// When.
    pub generation: Generation,
}

/// A place that allocates, as raw bytes: Ruby does not promise that they are UTF-8. What is `None` is not written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlaceText<'a> {
    /// The source file.
    pub path: Option<&'a [u8]>,
    /// The line in it; 2⁶⁴ − n for n lines before the first.
    pub line: Option<u64>,
    /// The method.
    pub method: Option<&'a [u8]>,
    /// What the application was doing, in its own words: see `LeakHunter.context`.
    pub context: Option<&'a [u8]>,
    /// The frames below, where they were recorded.
    pub stack: Option<StackId>,
    /// The bytes of the slot, where allocations were sampled by these.
    pub sampled_bytes: Option<u32>,
}

/// No tracer: a record keeps what it says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBirths;

impl Births for NoBirths {
    #[inline]
    fn birth(&self, _: Address) -> Option<Birth> {
        None
    }

    fn place(&self, _: PlaceId) -> PlaceText<'_> {
        PlaceText::default()
    }
}
