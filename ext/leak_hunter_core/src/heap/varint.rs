//! Integers in as few bytes as they need, as rows and lists of references have them: tables of millions of small numbers.
//!
//! A byte has seven bits of the number. The first byte tells how many there are by the zeros that it ends with, so that
//! one is read without a branch for each: the processor cannot foresee how long the next is. Eight zeros stand before a
//! number of 57 bits or more, which has eight bytes.

use std::iter::repeat_n;

/// Bytes behind the last integer of a block, so that all are read alike.
pub(super) const PADDING: usize = 8;

/// Appends an integer.
#[inline]
pub(super) fn append(bytes: &mut Vec<u8>, number: u64) {
    let start = bytes.len();
    let bits = u64::BITS - (number | 1).leading_zeros();
    let length = bits.div_ceil(7);
    if length <= 8 {
        let word = (number << 1 | 1) << (length - 1);
        // eight at once and back again is quicker than as many as there are
        bytes.extend_from_slice(&word.to_le_bytes());
        bytes.truncate(start + length as usize);
    } else {
        bytes.push(0);
        bytes.extend_from_slice(&number.to_le_bytes());
    }
}

/// Appends what has to stand behind the last integer.
pub(super) fn pad(bytes: &mut Vec<u8>) {
    bytes.extend(repeat_n(0, PADDING));
}

/// Takes an integer from the front. Of bytes that [`append`] did not write, anything.
#[inline]
pub(super) fn take(bytes: &mut &[u8]) -> u64 {
    let Some(first) = bytes.first_chunk() else {
        *bytes = &[];
        return 0;
    };
    let word = u64::from_le_bytes(*first);
    let length = word.trailing_zeros() + 1;
    if length > 8 {
        return take_long(bytes);
    }
    *bytes = &bytes[length as usize..];
    word << (u64::BITS - 8 * length) >> (u64::BITS - 7 * length)
}

#[cold]
fn take_long(bytes: &mut &[u8]) -> u64 {
    let rest = &bytes[1..];
    let Some((number, rest)) = rest.split_first_chunk() else {
        *bytes = &[];
        return 0;
    };
    *bytes = rest;
    u64::from_le_bytes(*number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn integers_come_back(numbers in proptest::collection::vec((any::<u64>(), 0..64u32), 0..50)) {
            let mut bytes = Vec::new();
            let numbers: Vec<u64> = numbers.into_iter().map(|(number, shift)| number >> shift).collect();
            for number in &numbers {
                let start = bytes.len();
                append(&mut bytes, *number);
                let bits = (u64::BITS - number.leading_zeros()) as usize;
                prop_assert_eq!(bytes.len() - start, if bits > 56 { 9 } else { bits.max(1).div_ceil(7) });
            }
            pad(&mut bytes);
            let mut rest = bytes.as_slice();
            for number in numbers {
                prop_assert_eq!(take(&mut rest), number);
            }
            prop_assert_eq!(rest.len(), PADDING);
        }

        #[test]
        fn other_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let before = rest.len();
                take(&mut rest);
                prop_assert!(rest.len() < before);
            }
        }
    }
}
