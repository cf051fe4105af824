//! Keeps the two ends of a record that is too long to hold, such as a string value of a gigabyte.
//!
//! Everything the diff reads stands before the long members (`value`, `references`) or after them, so the record that is
//! put together from both ends says the same of them. The references that were left out are kept as numbers for whom
//! wants them.

use memchr::memmem;

use super::budget::Budget;
use super::grammar::{self, Fields};
use super::members;
use super::record::Tail;
use crate::ids::Address;

/// Bytes kept from the start of a record.
pub(crate) const HEAD: usize = if cfg!(any(test, fuzzing)) {
    4 << 10
} else {
    64 << 10
};
/// Bytes kept from its end.
const TAIL: usize = HEAD;

/// Moves the last bytes of `text` behind its first ones and returns the length of both.
pub(crate) fn middle(text: &mut [u8]) -> usize {
    let length = text.len();
    if length <= HEAD + TAIL {
        return length;
    }
    text.copy_within(length - TAIL.., HEAD);
    HEAD + TAIL
}

/// Collects the references of a record whose middle is left out: they are what a heap's graph needs of it.
#[derive(Debug, Default)]
pub(crate) struct References {
    pub(crate) addresses: Vec<Address>,
    /// What was read of an address that goes on in the next piece.
    partial: Option<Vec<u8>>,
    ended: bool,
}

impl References {
    /// Starts with the first [`HEAD`] bytes of a record, when those end inside its references.
    pub(crate) fn of_head(head: &[u8]) -> Option<Self> {
        let open = b", \"references\":[";
        let whole = grammar::whole_members(head)?;
        let first = head[whole..].strip_prefix(open)?;
        let mut references = Self::default();
        references.read(first);
        Some(references)
    }

    /// Takes the next piece of the record's text.
    pub(crate) fn read(&mut self, piece: &[u8]) {
        if self.ended {
            return;
        }
        for byte in piece {
            match (*byte, &mut self.partial) {
                (b'"', Some(digits)) => {
                    let address = digits.strip_prefix(b"0x").and_then(members::hex);
                    self.addresses.extend(address.map(Address::new));
                    self.partial = None;
                }
                (b'"', None) => self.partial = Some(Vec::with_capacity(18)),
                (b']', None) => {
                    self.ended = true;
                    return;
                }
                // longer than any address: the record is damaged, and memory stays bounded
                (byte, Some(digits)) if digits.len() < 24 => digits.push(byte),
                _ => {}
            }
        }
    }
}

/// A record made of the whole members of the first [`HEAD`] bytes and those at the end of the rest. `None` when the
/// ends do not look like a record's.
pub(crate) fn join(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let (head, rest) = text.split_at_checked(HEAD)?;
    let tail = Tail::of(rest)?;
    let mut record = head[..grammar::whole_members(head)?].to_vec();
    let length = record.len();
    let mut budget = Budget::of(HEAD + rest.len());
    // The site stands before the generation; the nearest start after which everything fits is it.
    for start in memmem::rfind_iter(&rest[..tail.start], b", \"file\":\"") {
        record.truncate(length);
        record.extend_from_slice(&rest[start..]);
        budget.spend(rest.len() - start)?;
        if Fields::parse_within(&record, &mut budget).is_some() {
            return Some(record);
        }
    }
    record.truncate(length);
    record.extend_from_slice(&rest[tail.start..]);
    Some(record)
}
