//! The fast view of a record: what the diff needs of each of millions, read at its fixed place.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::grammar::{self, Fields};
use super::members::{self, Hex, Parsed};
use super::object_type::Type;
use crate::ids::{Address, Generation, StackId};

/// How every record of an object starts.
pub(crate) const OBJECT_START: &[u8] = b"{\"address\":\"0x";
/// How a record of GC roots starts.
pub(crate) const ROOT_START: &[u8] = b"{\"type\":\"ROOT\"";
/// How LeakHunter's own first and last line start.
pub(crate) const DUMP_START: &[u8] = b"{\"type\":\"DUMP";
/// How a line starts in which LeakHunter names what a constant or variable holds.
pub(crate) const NAME_START: &[u8] = b"{\"type\":\"NAME\"";
/// How a line starts that has the frames of a stack.
pub(crate) const STACK_START: &[u8] = b"{\"type\":\"STACK\"";
/// How everything starts that describes no object.
pub(crate) const OTHER_STARTS: [&[u8]; 4] = [ROOT_START, DUMP_START, NAME_START, STACK_START];

const TYPE: &[u8] = b"\", \"type\":\"";
// Making a searcher costs more than a search in a record.
static IMEMO_TYPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(", \"imemo_type\":\""));
static GENERATION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"generation\":"));
static MEMSIZE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"memsize\":"));

/// See [`crate::fork`].
pub(crate) fn initialize() {
    for searcher in [&IMEMO_TYPE, &GENERATION, &MEMSIZE] {
        LazyLock::force(searcher);
    }
}

const LONGEST_TYPE: usize = 16;
const LONGEST_FLAGS: usize = 256;
const LONGEST_CONTEXT: usize = 1 << 10;

/// One object's record.
#[derive(Debug)]
pub struct Record<'a> {
    /// The record's text, without its line end.
    pub line: &'a [u8],
    /// `address`
    pub address: Address,
    /// `type`
    pub type_: Type,
    /// `type` as it stands in the dump
    pub kind: &'a [u8],
    /// `generation`: GC count at birth; `None` for untraced objects
    pub generation: Option<Generation>,
    /// `memsize`, in bytes
    pub memsize: u64,
    /// What a tracer adds to `generation`.
    pub(super) origin: Origin<'a>,
    /// References that are not in `line`, since its middle was left out.
    pub(crate) elided: &'a [Address],
    /// Where the members after `type` start, when the record was read by the fast path.
    body: Option<usize>,
    /// Where those at the end start then.
    tail: usize,
    /// All members, of an object that does not come from a dump's text.
    parsed: Option<&'a Fields<'a>>,
}

impl<'a> Record<'a> {
    /// Reads the ends of a canonical record: address and type at the front, generation, memsize and flags at the back.
    /// What lies between is not looked at. `None` when the ends are not as Ruby writes them.
    #[inline]
    pub fn quick(line: &'a [u8]) -> Option<Self> {
        Self::ends(line).filter(Self::ends_are_whole)
    }

    /// As [`Self::quick`], in constant time: whether [`Self::ends_are_whole`] is for the caller to ask.
    #[inline]
    pub(super) fn ends(line: &'a [u8]) -> Option<Self> {
        let QuickAddress { address, after } = quick_address(line)?;
        let rest = line[after..].strip_prefix(TYPE)?;
        let mut length = 0;
        while rest.get(length).is_some_and(u8::is_ascii_uppercase) {
            length += 1;
        }
        if length == 0 || rest.get(length) != Some(&b'"') {
            return None;
        }
        let kind = &rest[..length];
        let body = after + TYPE.len() + length + 1;
        let tail = Tail::of(&line[body..])?;
        Some(Self {
            line,
            address,
            type_: Type::of(kind),
            kind,
            generation: tail.generation,
            memsize: tail.memsize,
            origin: tail.origin,
            elided: &[],
            body: Some(body),
            tail: body + tail.start,
            parsed: None,
        })
    }

    /// Whether none of the members at its end stands before another that this code does not know. Linear in its length.
    #[inline]
    pub(super) fn ends_are_whole(&self) -> bool {
        let middle = self.middle().unwrap_or_default();
        !(self.generation.is_none() && GENERATION.find(middle).is_some()
            || self.memsize == 0 && MEMSIZE.find(middle).is_some())
    }

    /// The view of a record that only [`Fields::parse`] could read.
    pub(crate) fn of_fields(line: &'a [u8], fields: &'a Fields<'_>) -> Self {
        Self {
            line,
            address: fields.address,
            type_: fields.type_(),
            kind: fields.kind.as_ref(),
            generation: fields.generation,
            memsize: fields.memsize,
            origin: Origin::default(),
            elided: &[],
            body: None,
            tail: 0,
            parsed: None,
        }
    }

    /// The view of an object that is in no file.
    pub(crate) fn parsed(fields: &'a Fields<'a>) -> Self {
        Self {
            parsed: Some(fields),
            ..Self::of_fields(b"", fields)
        }
    }

    pub(crate) fn with_elided<'b>(self, elided: &'b [Address]) -> Record<'b>
    where
        'a: 'b,
    {
        Record { elided, ..self }
    }

    /// The same with all members, so that they are not read again.
    pub(crate) fn with_fields<'b>(&self, fields: &'b Fields<'b>) -> Record<'b>
    where
        'a: 'b,
    {
        Record {
            parsed: Some(fields),
            ..*self
        }
    }

    /// Whether the start of another record can be in it: its ends are known to hold none.
    #[inline]
    pub(crate) fn may_hold_another(&self) -> bool {
        self.body
            .is_none_or(|body| memchr::memchr(b'{', &self.line[body..self.tail]).is_some())
    }

    /// What stands between its ends, when it was read by the fast path.
    #[inline]
    pub(super) fn middle(&self) -> Option<&'a [u8]> {
        Some(&self.line[self.body?..self.tail])
    }

    /// Every member. `None` when the record's middle is damaged.
    pub fn fields(&self) -> Option<Fields<'a>> {
        match (self.parsed, self.body) {
            (Some(fields), _) => Some(fields.clone()),
            (None, Some(body)) => {
                let ends = || Fields {
                    address: self.address,
                    kind: self.kind.into(),
                    generation: self.generation,
                    context: self.origin.context.map(Into::into),
                    stack: self.origin.stack,
                    sampled_bytes: self.origin.sampled_bytes,
                    memsize: self.memsize,
                    ..Fields::default()
                };
                grammar::parse_middle(&self.line[body..self.tail], ends).or_else(|| Fields::parse(self.line))
            }
            (None, None) => Fields::parse(self.line),
        }
    }

    /// `imemo_type` without a full parse: it stands before anything raw.
    pub(crate) fn quick_imemo_type(&self) -> Option<&'a [u8]> {
        let body = &self.line[self.body?..];
        let start = IMEMO_TYPE.find(&body[..body.len().min(LONGEST_FLAGS)])? + IMEMO_TYPE.needle().len();
        let length = body[start..]
            .iter()
            .take(LONGEST_TYPE)
            .position(|byte| *byte == b'"')?;
        Some(&body[start..start + length])
    }

    /// The class address without a full parse, where it stands at its place.
    #[inline]
    pub(crate) fn quick_class(&self) -> Option<Address> {
        Some(self.class_and_rest()?.value)
    }

    /// Elements of an Array or Hash without a full parse, where they stand at their place.
    #[inline]
    pub(crate) fn quick_length(&self) -> Option<u64> {
        let rest = match self.class_and_rest() {
            Some(class) => class.rest,
            // one of the VM's own
            None => &self.line[self.body?..],
        };
        let rest = rest.strip_prefix(b", \"frozen\":true").unwrap_or(rest);
        let value = rest
            .strip_prefix(b", \"length\":")
            .or_else(|| rest.strip_prefix(b", \"size\":"))?;
        let digits = value
            .iter()
            .take(20)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        match value.get(digits) {
            Some(b',' | b'}') => members::number(&value[..digits]),
            _ => None,
        }
    }

    /// The class address, and what follows it.
    #[inline]
    fn class_and_rest(&self) -> Option<Parsed<'a, Address>> {
        let mut rest = &self.line[self.body?..];
        for key in [&b", \"shape_id\":"[..], b", \"slot_size\":"] {
            if let Some(value) = rest.strip_prefix(key) {
                let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
                rest = &value[digits..];
            }
        }
        let value = rest.strip_prefix(b", \"class\":\"0x")?;
        let end = value.iter().take(17).position(|byte| *byte == b'"')?;
        Some(Parsed {
            value: Address::new(members::hex(&value[..end])?),
            rest: &value[end + 1..],
        })
    }
}

/// The address that a record begins with.
struct QuickAddress {
    address: Address,
    /// Index of what follows its digits.
    after: usize,
}

#[inline]
fn quick_address(line: &[u8]) -> Option<QuickAddress> {
    let Hex { number, length } = members::leading_hex(line.strip_prefix(OBJECT_START)?)?;
    let after = OBJECT_START.len() + length;
    let address = Address::new(number);
    (line.get(after) == Some(&b'"')).then_some(QuickAddress { address, after })
}

/// The members at the end of a record. They are read backwards: whatever stands in a raw member before them cannot
/// be taken for them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tail<'a> {
    pub(crate) generation: Option<Generation>,
    pub(crate) memsize: u64,
    pub(crate) origin: Origin<'a>,
    /// Length of what stands before these members.
    pub(crate) start: usize,
}

impl<'a> Tail<'a> {
    #[inline]
    pub(crate) fn of(body: &'a [u8]) -> Option<Self> {
        let mut rest = body.strip_suffix(b"}")?;
        if let Some(flags) = rest.strip_suffix(b"}") {
            let window = flags.len().saturating_sub(LONGEST_FLAGS);
            let open = window + memchr::memrchr(b'{', &flags[window..])?;
            rest = flags[..open].strip_suffix(b", \"flags\":")?;
        }
        let mut memsize = 0;
        if let Some(LastMember { number, before }) = member_before(rest, b", \"memsize\":") {
            memsize = number;
            rest = before;
        }
        let mut generation = None;
        let mut origin = Origin::default();
        let mut last = member_before(rest, b", \"generation\":");
        if last.is_none() {
            if let Some((found, before)) = Origin::last_of(rest) {
                origin = found;
                last = Some(before);
            }
        }
        if let Some(LastMember { number, before }) = last {
            generation = Some(Generation::new(number));
            rest = before;
        }
        // A record ends a value here: a string, an address list, a number or a word.
        match rest.last() {
            None | Some(b'"' | b']' | b'e' | b'0'..=b'9') => Some(Self {
                generation,
                memsize,
                origin,
                start: rest.len(),
            }),
            Some(_) => None,
        }
    }
}

/// Through what an object was allocated, as a tracer knows it: members that follow `generation`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    /// `context`
    pub(crate) context: Option<&'a [u8]>,
    /// `stack`
    pub(crate) stack: Option<StackId>,
    /// `sampled_bytes`
    pub(crate) sampled_bytes: Option<u32>,
}

impl<'a> Origin<'a> {
    /// These members at the end of a text, and the `generation` before them. `None` where that is not there, or the
    /// context has an escape in it.
    #[inline]
    fn last_of(text: &'a [u8]) -> Option<(Self, LastMember<'a>)> {
        let mut origin = Self::default();
        let mut rest = text;
        if let Some(LastMember { number, before }) = member_before(rest, b", \"sampled_bytes\":") {
            origin.sampled_bytes = Some(u32::try_from(number).ok()?);
            rest = before;
        }
        if let Some(LastMember { number, before }) = member_before(rest, b", \"stack\":") {
            origin.stack = Some(stack_id(number)?);
            rest = before;
        }
        if let Some(inside) = rest.strip_suffix(b"\"") {
            let window = inside.len().saturating_sub(LONGEST_CONTEXT);
            let quote = window + memchr::memrchr(b'"', &inside[window..])?;
            let context = &inside[quote + 1..];
            rest = inside[..quote].strip_suffix(b", \"context\":")?;
            if memchr::memchr(b'\\', context).is_some() {
                return None;
            }
            origin.context = Some(context);
        }
        let generation = member_before(rest, b", \"generation\":")?;
        (rest.len() < text.len()).then_some((origin, generation))
    }
}

/// Whether a text ends with a `context` after a `generation`.
pub(super) fn ends_a_context(text: &[u8]) -> bool {
    Origin::last_of(text).is_some_and(|(origin, _)| origin.context.is_some())
}

/// The stack of this number, if a table can have so many.
pub(super) fn stack_id(number: u64) -> Option<StackId> {
    let number = u32::try_from(number).ok().filter(|number| *number < u32::MAX)?;
    Some(StackId::new(number))
}

/// A number at the end of a text.
struct LastMember<'a> {
    number: u64,
    /// What stands before it and its key.
    before: &'a [u8],
}

#[inline]
fn member_before<'a>(text: &'a [u8], key: &[u8]) -> Option<LastMember<'a>> {
    let mut start = text.len();
    let mut number = 0u64;
    let mut weight = 1u64;
    while let Some(digit) = text[..start].last().map(|byte| byte.wrapping_sub(b'0')) {
        if digit > 9 {
            break;
        }
        start -= 1;
        number = number.wrapping_add(weight.wrapping_mul(u64::from(digit)));
        weight = weight.wrapping_mul(10);
    }
    let before = text[..start].strip_suffix(key)?;
    let number = match text.len() - start {
        1..20 => number,
        _ => members::number(&text[start..])?,
    };
    Some(LastMember { number, before })
}
