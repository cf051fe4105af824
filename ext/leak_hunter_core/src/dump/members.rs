//! The members of a record as ObjectSpace punctuates them: `"key":value`, `", "` between two.

use std::borrow::Cow;

use memchr::memchr;

/// `"key":value…` → key, value…
pub(super) fn split_key(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = rest.strip_prefix(b"\"")?;
    let end = text.iter().position(|byte| !matches!(byte, b'a'..=b'z' | b'_'))?;
    Some((&text[..end], text[end..].strip_prefix(b"\":")?))
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
pub(super) fn value_length(value: &[u8]) -> Option<usize> {
    match value.first()? {
        b'"' => string_end(value),
        b'[' => array_end(value),
        b'{' => flags_end(value),
        _ => {
            let end = value.iter().position(|byte| *byte == b',').unwrap_or(value.len());
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
    let end = memchr(b'}', value)?;
    let mut rest = &value[1..end];
    while !rest.is_empty() {
        let (_, flag) = split_key(rest)?;
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
    let end = memchr(b']', value)?;
    memchr(b':', &value[1..end]).is_none().then_some(end + 1)
}

pub(super) fn address(value: &[u8]) -> Option<u64> {
    hex(value.strip_prefix(b"\"0x")?.strip_suffix(b"\"")?)
}

/// The addresses in `["0x…", "0x…"]`.
pub(crate) fn addresses_in(array: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let mut rest = array;
    std::iter::from_fn(move || {
        loop {
            let start = memchr(b'"', rest)?;
            let inside = &rest[start + 1..];
            let end = memchr(b'"', inside)?;
            rest = &inside[end + 1..];
            if let Some(address) = inside[..end].strip_prefix(b"0x").and_then(hex) {
                return Some(address);
            }
        }
    })
}

pub(crate) fn hex(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    digits
        .iter()
        .try_fold(0u64, |sum, byte| Some(sum << 4 | u64::from(hex_digit(*byte)?)))
}

#[inline]
pub(crate) fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// A decimal number; one too large for 64 bits is pinned to the largest (Ruby prints none, an extension could).
pub(super) fn number(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(value.iter().fold(0u64, |sum, byte| {
        sum.saturating_mul(10).saturating_add(u64::from(byte - b'0'))
    }))
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
