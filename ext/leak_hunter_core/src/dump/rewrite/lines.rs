//! The text of some records, with contents left out and births put in.

use memchr::memchr;

use super::births::{Birth, Births};
use super::values::{Content, Values};
use crate::dump::members::{self, Hex, Member};
use crate::dump::record::{OBJECT_START, Tail};
use crate::ids::Address;

/// A record with contents that is not understood: whether all of them would be left out is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotUnderstood {
    /// Its first byte.
    pub(super) byte: usize,
}

const TYPE: &[u8] = b"\", \"type\":\"";
/// What has an address and is no object.
const NO_OBJECTS: [&[u8]; 2] = [b"SHAPE", b"NONE"];

/// Writes whole lines to `out`.
pub(super) fn rewrite<B: Births + ?Sized>(
    text: &[u8],
    values: &Values,
    births: Option<&B>,
    out: &mut Vec<u8>,
) -> Result<(), NotUnderstood> {
    if *values == Values::All && births.is_none() {
        out.extend_from_slice(text);
        return Ok(());
    }
    // what was written of the text so far
    let mut written = 0;
    let mut start = 0;
    while start < text.len() {
        let end = memchr(b'\n', &text[start..]).map_or(text.len(), |newline| start + newline);
        if let Some(record) = Start::of(&text[start..end]) {
            let line = &text[start..end];
            let content = Content::of_type(record.kind).filter(|_| *values != Values::All);
            if let Some(content) = content {
                let value = value_in(line, record.body).map_err(|()| NotUnderstood { byte: start })?;
                if let Some(Found { member, value }) = value {
                    out.extend_from_slice(&text[written..start + member]);
                    let length = members::string_end(value).unwrap_or(value.len());
                    values.write(content, &value[..length], out);
                    written = end - value.len() + length;
                }
            }
            if let Some(births) = births.filter(|_| !NO_OBJECTS.contains(&record.kind)) {
                let tail = Tail::of(&line[record.body..]).filter(|tail| tail.generation.is_none());
                if let Some((tail, birth)) = tail.zip(births.birth(record.address)) {
                    let before = start + record.body + tail.start;
                    if before >= written {
                        out.extend_from_slice(&text[written..before]);
                        written = before;
                        write_birth(births, birth, out);
                    }
                }
            }
        }
        start = end + 1;
    }
    out.extend_from_slice(&text[written..]);
    Ok(())
}

/// How the record of an object starts.
struct Start<'a> {
    address: Address,
    kind: &'a [u8],
    /// Where the members after its type begin.
    body: usize,
}

impl<'a> Start<'a> {
    #[inline]
    fn of(line: &'a [u8]) -> Option<Self> {
        let digits = line.strip_prefix(OBJECT_START)?;
        let Hex { number, length } = members::leading_hex(digits)?;
        let rest = digits[length..].strip_prefix(TYPE)?;
        let kind = &rest[..rest.iter().take(16).position(|byte| *byte == b'"')?];
        Some(Self {
            address: Address::new(number),
            kind,
            body: line.len() - rest.len() + kind.len() + 1,
        })
    }
}

/// The member `value` of a record.
struct Found<'a> {
    /// Where it begins, with the comma.
    member: usize,
    /// Its value, and what follows.
    value: &'a [u8],
}

/// Walks the members of a record up to its value. Nothing that Ruby writes raw stands before it.
#[inline]
fn value_in(line: &[u8], body: usize) -> Result<Option<Found<'_>>, ()> {
    let mut rest = &line[body..];
    loop {
        if rest == b"}" || rest.is_empty() {
            return Ok(None);
        }
        let start = line.len() - rest.len();
        let Member { key, value } = rest.strip_prefix(b", ").and_then(members::split_key).ok_or(())?;
        match key {
            b"value" if value.first() == Some(&b'"') && members::string_end(value).is_some() => {
                return Ok(Some(Found { member: start, value }));
            }
            b"value" => return Err(()),
            // raw, and followed by nothing but where and when
            b"file" => return Ok(None),
            _ => rest = &value[members::value_length(value).ok_or(())?..],
        }
    }
}

/// Writes where and when an object was allocated, in the order of `ObjectSpace.dump_all`; after it what that does not
/// have.
fn write_birth<B: Births + ?Sized>(births: &B, birth: Birth, out: &mut Vec<u8>) {
    let place = births.place(birth.place);
    let mut number = itoa::Buffer::new();
    if let Some(path) = place.path {
        // as Ruby writes it: raw
        out.extend_from_slice(b", \"file\":\"");
        out.extend_from_slice(path);
        out.push(b'"');
    }
    if let Some(line) = place.line {
        out.extend_from_slice(b", \"line\":");
        out.extend_from_slice(number.format(line).as_bytes());
    }
    if let Some(method) = place.method {
        out.extend_from_slice(b", \"method\":\"");
        escape(method, out);
        out.push(b'"');
    }
    out.extend_from_slice(b", \"generation\":");
    out.extend_from_slice(number.format(birth.generation.get()).as_bytes());
    if let Some(context) = place.context {
        out.extend_from_slice(b", \"context\":\"");
        escape(context, out);
        out.push(b'"');
    }
    if let Some(stack) = place.stack {
        out.extend_from_slice(b", \"stack\":");
        out.extend_from_slice(number.format(stack.get()).as_bytes());
    }
    if let Some(bytes) = place.sampled_bytes {
        out.extend_from_slice(b", \"sampled_bytes\":");
        out.extend_from_slice(number.format(bytes).as_bytes());
    }
}

/// The inside of a JSON string; what is no UTF-8 stays as it is, as in Ruby's own.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0..=0x1f | 0x7f => {
                out.extend_from_slice(b"\\u00");
                out.extend([byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]));
            }
            _ => out.push(*byte),
        }
    }
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
