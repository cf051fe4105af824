//! What many objects have in common, numbered. It is compared by the addresses of its texts; these are read after the walk.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use foldhash::fast::RandomState;
use leak_hunter_core::ids::{Address, OptionalAddress};

/// Values that are remembered: the next one is mostly among them.
const CACHE: usize = 256;

/// A value with a cheap hash.
pub(super) trait Mix: Copy + Default + Eq + Hash {
    /// The hash.
    fn mix(&self) -> u64;
}

/// What an object is. A field is 0 where there is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// Ruby's number of the type; no object has 0.
    pub(super) kind: u64,
    pub(super) class: OptionalAddress,
    /// Of DATA: which name of a struct. Of an IMEMO: the number of its type.
    pub(super) label: u64,
}

impl Mix for Kind {
    #[inline]
    fn mix(&self) -> u64 {
        self.class.get().map_or(0, Address::get) ^ self.label.rotate_left(29) ^ self.kind
    }
}

/// When and where an object was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Site {
    pub(super) path: u64,
    pub(super) line: u64,
    /// A Symbol.
    pub(super) method: u64,
    /// One more than the GC count: never 0.
    pub(super) generation: u64,
    /// Of [`crate::context`]; 0 for none.
    pub(super) context: u32,
    /// Of [`crate::trace`]; 0 for none.
    pub(super) stack: u32,
    /// The bytes of the slot, where allocations are sampled by these; else 0.
    pub(super) sampled_bytes: u32,
}

impl Mix for Site {
    #[inline]
    fn mix(&self) -> u64 {
        let origin =
            u64::from(self.context) << 13 ^ u64::from(self.stack) << 27 ^ u64::from(self.sampled_bytes) << 52;
        self.path ^ self.method.rotate_left(41) ^ self.line << 7 ^ self.generation << 48 ^ origin
    }
}

/// What LeakHunter's own tracer has of an object: the number of its place, and above it the generation. Never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Birth(pub(super) u64);

impl Mix for Birth {
    #[inline]
    fn mix(&self) -> u64 {
        self.0 ^ self.0 >> 21
    }
}

pub(super) struct Interned<T> {
    pub(super) all: Vec<T>,
    numbers: HashMap<T, u32, RandomState>,
    cache: [Cached<T>; CACHE],
}

#[derive(Clone, Copy)]
struct Cached<T> {
    value: T,
    number: u32,
}

impl<T: Mix> Interned<T> {
    pub(super) fn new() -> Self {
        Self::with_room_for(1 << 14)
    }

    pub(super) fn with_room_for(values: usize) -> Self {
        Self {
            all: Vec::with_capacity(values),
            numbers: HashMap::with_capacity_and_hasher(values, RandomState::default()),
            // the default is never asked for
            cache: [Cached {
                value: T::default(),
                number: 0,
            }; CACHE],
        }
    }

    /// The number of a value.
    #[inline]
    pub(super) fn number(&mut self, value: T) -> u32 {
        let place = value.mix().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
        let cached = &mut self.cache[place as usize % CACHE];
        if cached.value == value {
            return cached.number;
        }
        let known = self.all.len() as u32;
        let number = match self.numbers.entry(value) {
            Entry::Occupied(place) => *place.get(),
            Entry::Vacant(place) => {
                self.all.push(value);
                *place.insert(known)
            }
        };
        *cached = Cached { value, number };
        number
    }
}
