//! How long the collections and the large Strings of a dump were, noted down while it is read for other reasons: which
//! of them will be asked for is known only in the end. About 10 bytes a collection.

use crate::address_set::AddressMap;
use crate::dump::{Record, Type};
use crate::ids::{Address, Generation};

/// Smaller Strings are not noted down.
pub(super) const LARGE: u64 = 4096;

/// Lengths of Arrays and Hashes, and bytes of large Strings, with the generations by which they are known to be the same.
#[derive(Debug, Default)]
pub(crate) struct Lengths(AddressMap);

impl Lengths {
    /// Notes a record down if it is one of a collection or of a large String. Of a damaged one nothing is known.
    #[inline]
    pub(crate) fn note(&mut self, record: &Record<'_>) {
        if !matches!(record.type_, Type::Array | Type::Hash) {
            return self.note_string(record);
        }
        let length = match record.quick_length() {
            Some(length) => length,
            None => match record.fields() {
                // an empty Array of Ruby 3.1 has none
                Some(fields) => fields.length.unwrap_or(0),
                None => return,
            },
        };
        self.insert(record.address, record.generation, length);
    }

    /// Notes a record down if it is one of a large String.
    #[inline]
    pub(crate) fn note_string(&mut self, record: &Record<'_>) {
        if record.type_ == Type::String && record.memsize >= LARGE {
            if let Some(fields) = record.fields() {
                self.insert(record.address, record.generation, fields.bytesize);
            }
        }
    }

    /// Notes down an object with a length, if it is a collection or a large String.
    #[inline]
    pub(super) fn note_object(&mut self, object: &Measured) -> bool {
        let counts = match object.type_ {
            Type::Array | Type::Hash => true,
            Type::String => object.memsize >= LARGE,
            _ => false,
        };
        if counts {
            self.insert(object.address, object.generation, object.length);
        }
        counts
    }

    fn insert(&mut self, address: Address, generation: Option<Generation>, length: u64) {
        self.0.insert(address, entry(generation) << 32 | small(length));
    }

    /// Bytes it takes.
    pub(super) fn memory(&self) -> usize {
        self.0.memory()
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    /// Makes look-ups quick once everything is in.
    pub(crate) fn seal(&mut self) {
        self.0.seal();
    }

    /// The length of whatever collection was at an address.
    pub(crate) fn at(&self, address: Address) -> Option<u64> {
        Some(self.0.get(address)? & u64::from(u32::MAX))
    }

    /// The length of the collection of that generation at an address.
    pub(crate) fn of(&self, address: Address, generation: Option<Generation>) -> Option<u64> {
        let value = self.0.get(address)?;
        (value >> 32 == entry(generation)).then_some(value & u64::from(u32::MAX))
    }
}

/// An object, and how long it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) address: Address,
    pub(super) type_: Type,
    pub(super) generation: Option<Generation>,
    /// Elements of an Array or Hash, bytes of a String.
    pub(super) length: u64,
    pub(super) memsize: u64,
}

fn small(number: u64) -> u64 {
    number.min(u64::from(u32::MAX))
}

fn entry(generation: Option<Generation>) -> u64 {
    generation.map_or(0, |generation| small(generation.get().saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_length_is_that_of_the_whole_record(
            hash in any::<bool>(),
            class in option::of(1..1u64 << 40),
            numbers in option::of(0..1000u64),
            frozen in any::<bool>(),
            length in option::of(prop_oneof![0..100u64, any::<u64>()]),
            rest in prop_oneof![Just(""), Just(", \"embedded\":true"), Just(", \"references\":[\"0x10\", \"0x18\"]")],
            generation in option::of(prop_oneof![0..100u64, any::<u64>()]),
        ) {
            let (kind, key) = if hash { ("HASH", "size") } else { ("ARRAY", "length") };
            let mut text = format!("{{\"address\":\"0x7f0000000010\", \"type\":\"{kind}\"");
            if let Some(number) = numbers {
                text += &format!(", \"shape_id\":{number}, \"slot_size\":{number}");
            }
            if let Some(class) = class {
                text += &format!(", \"class\":\"{class:#x}\"");
            }
            text += if frozen { ", \"frozen\":true" } else { "" };
            if let Some(length) = length {
                text += &format!(", \"{key}\":{length}");
            }
            text += rest;
            if let Some(generation) = generation {
                text += &format!(", \"generation\":{generation}");
            }
            text += ", \"memsize\":40, \"flags\":{\"wb_protected\":true}}";
            let mut lengths = Lengths::default();
            lengths.note(&Record::quick(text.as_bytes()).unwrap());
            lengths.seal();
            let [array, none] = [0x7f00_0000_0010, 0x7f00_0000_0018].map(Address::new);
            let other = match generation {
                Some(1) => None,
                _ => Some(Generation::new(1)),
            };
            let generation = generation.map(Generation::new);
            let expected = length.unwrap_or(0).min(u64::from(u32::MAX));
            prop_assert_eq!(lengths.of(array, generation), Some(expected));
            prop_assert_eq!(lengths.of(none, generation), None);
            prop_assert_eq!(lengths.of(array, other), None);
        }
    }
}
