//! The members of a record as ObjectSpace punctuates them: `"key":value`, `", "` between two.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use crate::ids::Address;

/// `"key":value…`
pub(super) struct Member<'a> {
    pub(super) key: &'a [u8],
    /// The value, and what follows it.
    pub(super) value: &'a [u8],
}

/// What a text begins with, and what follows it.
pub(super) struct Parsed<'a, T> {
    pub(super) value: T,
    pub(super) rest: &'a [u8],
}

/// The member that `rest` begins with.
pub(super) fn split_key(rest: &[u8]) -> Option<Member<'_>> {
    let text = rest.strip_prefix(b"\"")?;
    let end = text.iter().position(|byte| !matches!(byte, b'a'..=b'z' | b'_'))?;
    Some(Member {
        key: &text[..end],
        value: text[end..].strip_prefix(b"\":")?,
    })
}

pub(super) enum Next<'a> {
    End,
    Member(&'a [u8]),
    Broken,
}

pub(super) fn next_member(rest: &[u8]) -> Next<'_> {
    if rest.is_empty() {
        return Next::End;
    }
    // The one place where Ruby leaves out the space: `,"edge_name":` in SHAPE records.
    match rest.strip_prefix(b", ").or_else(|| rest.strip_prefix(b",")) {
        Some(rest) => Next::Member(rest),
        None => Next::Broken,
    }
}

/// Length of the JSON value at the start of `value`.
///
/// The search for a value's end stops where another member's value could start, so searches from different members
/// look at different text: all values of a record together take linear time.
pub(super) fn value_length(value: &[u8]) -> Option<usize> {
    match value.first()? {
        b'"' => string_end(value),
        b'[' => array_end(value),
        b'{' => flags_end(value),
        _ => {
            let scalar = |byte: &u8| matches!(byte, b'-' | b'a'..=b'z' | b'0'..=b'9');
            let end = value.iter().take_while(|byte| scalar(byte)).count();
            let scalar = &value[..end];
            let number = scalar.strip_prefix(b"-").unwrap_or(scalar);
            let known = matches!(scalar, b"true" | b"false" | b"null");
            (known || (!number.is_empty() && number.iter().all(u8::is_ascii_digit))).then_some(end)
        }
    }
}

/// Index after the closing quote of the JSON string that starts at 0.
pub(super) fn string_end(value: &[u8]) -> Option<usize> {
    let mut from = 1;
    loop {
        let quote = from + memchr(b'"', &value[from..])?;
        let backslashes = value[from..quote]
            .iter()
            .rev()
            .take_while(|byte| **byte == b'\\')
            .count();
        if backslashes % 2 == 0 {
            return Some(quote + 1);
        }
        from = quote + 1;
    }
}

/// Index after the `}` of the object that only `flags` is: words and numbers by name.
pub(super) fn flags_end(value: &[u8]) -> Option<usize> {
    let end = 1 + memchr2(b'}', b'{', &value[1..])?;
    let mut rest = match value[end] {
        b'}' => &value[1..end],
        _ => return None,
    };
    while !rest.is_empty() {
        let flag = split_key(rest)?.value;
        if matches!(flag.first(), Some(b'"' | b'[' | b'{')) {
            return None;
        }
        match next_member(&flag[value_length(flag)?..]) {
            Next::End => break,
            Next::Member(next) => rest = next,
            Next::Broken => return None,
        }
    }
    Some(end + 1)
}

/// Index after the `]` of an array of addresses. Members cannot hide in it: they have a colon.
pub(super) fn array_end(value: &[u8]) -> Option<usize> {
    let end = memchr2(b']', b':', value)?;
    (value[end] == b']').then_some(end + 1)
}

pub(super) fn address(value: &[u8]) -> Option<Address> {
    hex(value.strip_prefix(b"\"0x")?.strip_suffix(b"\"")?).map(Address::new)
}

/// Reads the addresses in `["0x…", "0x…"]` and tells what follows. `None` of anything but what Ruby writes.
#[inline]
pub(super) fn plain_addresses<'a>(array: &'a [u8], addresses: &mut Vec<Address>) -> Option<&'a [u8]> {
    addresses.clear();
    let mut rest = array.strip_prefix(b"[")?;
    loop {
        let digits = rest.strip_prefix(b"\"0x")?;
        let Hex {
            number: address,
            length,
        } = leading_hex(digits)?;
        addresses.push(Address::new(address));
        rest = match &digits[length..] {
            [b'"', b',', b' ', next @ ..] => next,
            [b'"', b']', after @ ..] => return Some(after),
            _ => return None,
        };
    }
}

/// The addresses in `["0x…", "0x…"]`.
pub(crate) fn addresses_in(array: &[u8]) -> Addresses<'_> {
    Addresses { rest: array }
}

/// Reads addresses one after the other; what stands between them may be anything.
#[derive(Clone, Debug)]
pub(crate) struct Addresses<'a> {
    rest: &'a [u8],
}

impl Iterator for Addresses<'_> {
    type Item = Address;

    #[inline]
    fn next(&mut self) -> Option<Address> {
        // as Ruby writes them
        let separator = if self.rest.first() == Some(&b'[') { 1 } else { 2 };
        if let Some(Some(digits)) = self.rest.get(separator..).map(|it| it.strip_prefix(b"\"0x")) {
            if let Some(Hex {
                number: address,
                length,
            }) = leading_hex(digits)
            {
                if digits.get(length) == Some(&b'"') {
                    self.rest = &digits[length + 1..];
                    return Some(Address::new(address));
                }
            }
        }
        self.next_anywhere()
    }
}

impl Addresses<'_> {
    #[cold]
    fn next_anywhere(&mut self) -> Option<Address> {
        loop {
            let start = memchr(b'"', self.rest)?;
            let inside = &self.rest[start + 1..];
            let end = memchr(b'"', inside)?;
            self.rest = &inside[end + 1..];
            if let Some(address) = inside[..end].strip_prefix(b"0x").and_then(hex) {
                return Some(Address::new(address));
            }
        }
    }
}

pub(crate) fn hex(digits: &[u8]) -> Option<u64> {
    leading_hex(digits)
        .filter(|hex| hex.length == digits.len())
        .map(|hex| hex.number)
}

/// A hexadecimal number.
#[derive(Debug, PartialEq)]
pub(crate) struct Hex {
    pub(crate) number: u64,
    /// How many digits it has: 1 to 16.
    pub(crate) length: usize,
}

/// The hexadecimal number that `text` starts with.
#[inline]
pub(crate) fn leading_hex(text: &[u8]) -> Option<Hex> {
    let (mut number, mut length) = match text.first_chunk().and_then(|chunk| eight_digits(*chunk)) {
        // most addresses have twelve
        Some(number) => match text[8..].first_chunk().and_then(|chunk| four_digits(*chunk)) {
            Some(low) => (number << 16 | low, 12),
            None => (number, 8),
        },
        None => (0, 0),
    };
    while let Some(digit) = text.get(length).map(|byte| DIGITS[usize::from(*byte)]) {
        if digit > 15 || length == 16 {
            break;
        }
        number = number << 4 | u64::from(digit);
        length += 1;
    }
    (length > 0).then_some(Hex { number, length })
}

/// Eight hexadecimal digits at once, each a byte of one word.
#[inline]
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let values = digits(u64::from_be_bytes(text))?;
    let pairs = (values | (values >> 4)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | (pairs >> 8)) & 0x0000_ffff_0000_ffff;
    Some((fours | (fours >> 16)) & 0xffff_ffff)
}

/// Four of them.
#[inline]
fn four_digits(text: [u8; 4]) -> Option<u64> {
    let word = u64::from(u32::from_be_bytes(text));
    // zeros before them are digits, too
    let values = digits(word | 0x3030_3030 << 32)?;
    let pairs = (values | (values >> 4)) & 0x00ff_00ff;
    Some((pairs | (pairs >> 8)) & 0xffff)
}

/// What each byte of a word is worth as a hexadecimal digit, if all are digits.
#[inline]
fn digits(word: u64) -> Option<u64> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // letters differ from digits by this bit
    let letters = (word >> 6) & EACH;
    let values = (word & (EACH * 15)) + letters * 9;
    let same = values + EACH * u64::from(b'0') + letters * u64::from(b'a' - b'0' - 10) == word;
    // a letter is worth ten to fifteen, a digit less
    let in_range = values & (EACH * 16) == 0 && (values + EACH * 6) & (EACH * 16) == letters * 16;
    (same && in_range).then_some(values)
}

/// What each byte is worth as a hexadecimal digit: addresses have most of a dump's bytes.
const DIGITS: [u8; 256] = {
    let mut digits = [u8::MAX; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
};

/// A decimal number; one too large for 64 bits is pinned to the largest (Ruby prints none, an extension could).
pub(super) fn number(value: &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for byte in value {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.saturating_mul(10).saturating_add(u64::from(digit));
    }
    (!value.is_empty()).then_some(number)
}

/// The content of a JSON string.
pub(super) fn text(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let content = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr(b'\\', content).is_none() {
        Some(content.into())
    } else {
        super::json::unescape(content)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn an_address_is_read_as_the_plain_way_reads_it(
            text in proptest::collection::vec(
                prop_oneof![40 => proptest::sample::select(&b"0123456789abcdef"[..]), 1 => any::<u8>()],
                0..20,
            ),
        ) {
            let digits: Vec<u8> = text
                .iter()
                .copied()
                .take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                .take(16)
                .collect();
            let plain = u64::from_str_radix(&String::from_utf8_lossy(&digits), 16);
            prop_assert_eq!(leading_hex(&text), plain.ok().map(|number| Hex { number, length: digits.len() }));
        }
    }

    #[test]
    fn of_all_bytes_only_digits_are_digits() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let mut text = *b"09afcd12";
                text[place] = byte;
                let digits = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                assert_eq!(eight_digits(text).is_some(), digits, "{text:?}");
                let four = [text[0], text[1], text[2], text[3]];
                assert_eq!(four_digits(four).is_some(), digits || place > 3, "{four:?}");
            }
        }
    }
}
