//! The grammar of one record, as `ObjectSpace.dump_all` writes it.
//!
//! A record looks like JSON and is not: the members `file`, `name`, `real_class_name` and `struct` are raw bytes in
//! which quotes, backslashes, newlines and invalid UTF-8 may stand (`docs/heap_dump_format.md`). So members are walked
//! by the writer's fixed punctuation (`, "` between members, `":` before a value), and where a raw value could end in
//! several places, the first one after which the whole rest of the record still fits is taken.
//!
//! A record that does not fit this grammar but is well-formed JSON (a dump that went through `jq`, say) is read by
//! serde_json instead.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

use super::budget::Budget;
use super::json;
use super::members::{
    Member, Next, address, addresses_in, next_member, number, split_key, text, value_length,
};
use super::object_type::Type;
use super::record::{ends_a_context, stack_id};
use crate::code_path;
use crate::ids::{Address, Generation, StackId};

/// Longest raw value ObjectSpace can write: it raises above one buffer of 4 KiB.
pub(super) const RAW_LIMIT: usize = 8 << 10;

/// What one step of the walk costs besides the bytes it looks at, in bytes.
const STEP: usize = 16;

/// What analyses want to know of a record. Byte strings are as they stand in the dump, escapes decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    /// `address`; 0 when there is none (ROOT and DUMP records).
    pub address: Address,
    /// `type`
    pub kind: Cow<'a, [u8]>,
    /// `class`: address of the class, or of what Ruby keeps in its place (see [`Fields::class_of_object`]); of a callcache
    /// from Ruby 3.3 on its `receiver_class`
    pub class: Option<Address>,
    /// `superclass`
    pub superclass: Option<Address>,
    /// `singleton`
    pub singleton: bool,
    /// `name` of a class or module
    pub name: Option<Cow<'a, [u8]>>,
    /// `struct` of DATA
    pub struct_name: Option<Cow<'a, [u8]>>,
    /// `imemo_type`
    pub imemo_type: Option<Cow<'a, [u8]>>,
    /// `value` of a STRING that is the path of code ([`code_path`])
    pub code_path: Option<Cow<'a, [u8]>>,
    /// `bytesize`
    pub bytesize: u64,
    /// `length` of an ARRAY, `size` of a HASH
    pub length: Option<u64>,
    /// `shape_id` of an object, `id` of a SHAPE
    pub shape_id: Option<u64>,
    /// `parent_id` of a SHAPE
    pub parent_id: Option<u64>,
    /// `edge_name` of a SHAPE: the instance variable it adds
    pub edge_name: Option<Cow<'a, [u8]>>,
    /// `root` of a ROOT record: its category
    pub root: Option<Cow<'a, [u8]>>,
    /// The text of `references`, `["0x…", …]`; read it with [`Fields::references`]
    pub references: Cow<'a, [u8]>,
    /// `file` of the allocation site
    pub file: Option<Cow<'a, [u8]>>,
    /// `line` of the allocation site; negative lines are printed as unsigned by Ruby and kept so
    pub line: Option<u64>,
    /// `method` of the allocation site
    pub method: Option<Cow<'a, [u8]>>,
    /// `generation`: GC count at birth
    pub generation: Option<Generation>,
    /// `context`: what the application was doing, in its own words
    pub context: Option<Cow<'a, [u8]>>,
    /// `stack`: through which frames it was allocated
    pub stack: Option<StackId>,
    /// `sampled_bytes`: the bytes of its slot, where allocations were sampled by these
    pub sampled_bytes: Option<u32>,
    /// `memsize`, in bytes
    pub memsize: u64,
}

impl<'a> Fields<'a> {
    /// Ruby's internal type, which `kind` names.
    pub(crate) fn type_(&self) -> Type {
        Type::of(&self.kind)
    }

    /// Reads one whole record without its line end. `None` when it is no record.
    pub fn parse(record: &'a [u8]) -> Option<Self> {
        Self::parse_within(record, &mut Budget::of(record.len()))
    }

    /// The same, as far as the budget goes.
    pub(crate) fn parse_within(record: &'a [u8], budget: &mut Budget<'_>) -> Option<Self> {
        let record = record.strip_suffix(b"\r").unwrap_or(record);
        walk_record(record, budget).or_else(|| json::parse(record, budget))
    }

    /// The addresses that the object refers to, without its class.
    pub fn references(&self) -> impl Iterator<Item = Address> + '_ {
        addresses_in(&self.references)
    }

    /// What a DATA or IMEMO is: its `struct` or `imemo_type`.
    pub(crate) fn label(&self) -> Option<&Cow<'a, [u8]>> {
        self.imemo_type.as_ref().or(self.struct_name.as_ref())
    }

    /// Appends to a key the texts by which objects of one kind and one site are known: each with its length, so that no
    /// two run into each other. What only a tracer knows comes last, where it knows it.
    pub(crate) fn append_texts(&self, key: &mut Vec<u8>) {
        for text in [
            Some(&self.kind),
            self.label(),
            self.file.as_ref(),
            self.method.as_ref(),
        ] {
            let length = text.map_or(u32::MAX, |text| text.len() as u32);
            key.extend_from_slice(&length.to_le_bytes());
            key.extend_from_slice(text.map_or(&[], |text| text.as_ref()));
        }
        if self.context.is_some() || self.stack.is_some() || self.sampled_bytes.is_some() {
            let stack = self.stack.map_or(u32::MAX, StackId::get);
            key.extend_from_slice(&stack.to_le_bytes());
            key.extend_from_slice(&self.sampled_bytes.unwrap_or(0).to_le_bytes());
            key.push(u8::from(self.context.is_some()));
            key.extend_from_slice(self.context.as_deref().unwrap_or_default());
        }
    }

    /// The same, on its own.
    pub fn into_owned(self) -> Fields<'static> {
        let own = |bytes: Cow<'_, [u8]>| Cow::Owned(bytes.into_owned());
        Fields {
            kind: own(self.kind),
            name: self.name.map(own),
            struct_name: self.struct_name.map(own),
            imemo_type: self.imemo_type.map(own),
            file: self.file.map(own),
            method: self.method.map(own),
            context: self.context.map(own),
            edge_name: self.edge_name.map(own),
            root: self.root.map(own),
            code_path: self.code_path.map(own),
            references: own(self.references),
            ..self
        }
    }

    /// The address of the object's class. IMEMO records carry something else in that member on Ruby 3.1 (a malloc
    /// pointer, say) and on 4.0 (the owner of a `fields` table).
    pub fn class_of_object(&self) -> Option<Address> {
        if self.kind.as_ref() == b"IMEMO" {
            None
        } else {
            self.class
        }
    }
}

fn walk_record<'a>(record: &'a [u8], budget: &mut Budget<'_>) -> Option<Fields<'a>> {
    let inner = record.strip_prefix(b"{")?.strip_suffix(b"}")?;
    walk(inner, Fields::default, budget)
}

/// Reads the members of a record whose ends are known already: `middle` is what stands between those.
pub(crate) fn parse_middle<'a>(middle: &'a [u8], ends: impl Fn() -> Fields<'a>) -> Option<Fields<'a>> {
    match next_member(middle) {
        Next::Member(members) => walk(members, ends, &mut Budget::of(middle.len())),
        Next::End => Some(ends()),
        Next::Broken => None,
    }
}

/// Walks members, to add to what is `known`.
#[inline]
fn walk<'a>(
    members: &'a [u8],
    known: impl Fn() -> Fields<'a>,
    budget: &mut Budget<'_>,
) -> Option<Fields<'a>> {
    let mut walker = Walker {
        fields: known(),
        budget,
        described: false,
        quick: true,
    };
    if walker.members(members) {
        return Some(walker.fields);
    }
    if walker.quick {
        return None;
    }
    walker.fields = known();
    walker.described = false;
    walker.members(members).then_some(walker.fields)
}

/// Length of the start of a record up to the last member that is whole, for a record cut off somewhere.
pub(crate) fn whole_members(text: &[u8]) -> Option<usize> {
    let inner = text.strip_prefix(b"{")?;
    let mut rest = inner;
    let mut whole = None;
    while let Some(Member { key, value }) = split_key(rest) {
        // A raw value's end is certain only at its closing quote before another member.
        let length = if is_raw(key) {
            memchr::memmem::find(value, b"\", \"").map(|it| it + 1)
        } else {
            value_length(value)
        };
        let Some(length) = length.filter(|length| *length < value.len()) else {
            break;
        };
        whole = Some(1 + inner.len() - value.len() + length);
        let Next::Member(next) = next_member(&value[length..]) else {
            break;
        };
        rest = next;
    }
    whole
}

struct Walker<'a, 'b, 'p> {
    fields: Fields<'a>,
    budget: &'b mut Budget<'p>,
    /// A record has at most one of `name`, `real_class_name` and `struct`, and nothing raw after `file`.
    described: bool,
    /// A raw value ends at its first quote, as nearly all do, so that nothing need be put aside for another try. Turns
    /// false when that is found to be wrong; the walk starts anew then.
    quick: bool,
}

impl<'a> Walker<'a, '_, '_> {
    /// Walks `"key":value, "key":value…` to the end of the record.
    fn members(&mut self, mut rest: &'a [u8]) -> bool {
        loop {
            let Some(Member { key, value }) = split_key(rest) else {
                return false;
            };
            if is_raw(key) {
                return self.raw(key, value);
            }
            let length = value_length(value);
            if self
                .budget
                .spend(key.len() + length.unwrap_or(0) + STEP)
                .is_none()
            {
                return false;
            }
            let Some(length) = length else {
                return false;
            };
            if !take(key, &value[..length], &mut self.fields) {
                return false;
            }
            rest = match next_member(&value[length..]) {
                Next::End => return true,
                Next::Member(rest) => rest,
                Next::Broken => return false,
            };
        }
    }

    /// Tries every quote of a raw value as its end.
    fn raw(&mut self, key: &'a [u8], value: &'a [u8]) -> bool {
        if self.fields.file.is_some() || (self.described && key != b"file") {
            return false;
        }
        let Some(text) = value.strip_prefix(b"\"") else {
            return false;
        };
        if self.quick {
            let end = memchr(b'"', &text[..text.len().min(RAW_LIMIT)]);
            let fits = end.is_some_and(|end| self.ends_at(end, key, text));
            self.quick &= fits;
            return fits;
        }
        let before = (self.fields.clone(), self.described);
        let mut looked_at = 0;
        for end in memchr_iter(b'"', &text[..text.len().min(RAW_LIMIT)]) {
            if self.budget.spend(end - looked_at + 1).is_none() {
                return false;
            }
            looked_at = end;
            // a quote that ends a context is at the end of the record, not of a name
            if matches!(next_member(&text[end + 1..]), Next::Broken) || ends_a_context(&text[..=end]) {
                continue;
            }
            if self.ends_at(end, key, text) {
                return true;
            }
            (self.fields, self.described) = before.clone();
        }
        false
    }

    /// Whether a raw value may end here: all that follows fits then.
    #[inline]
    fn ends_at(&mut self, end: usize, key: &'a [u8], text: &'a [u8]) -> bool {
        match next_member(&text[end + 1..]) {
            Next::Broken => false,
            Next::End => {
                self.describe(key, &text[..end]);
                true
            }
            // What follows an allocation's file is fixed; so text inside the file does not pass as members.
            Next::Member(rest) => {
                self.describe(key, &text[..end]);
                (key != b"file" || follows_file(rest)) && self.members(rest)
            }
        }
    }

    fn describe(&mut self, key: &[u8], text: &'a [u8]) {
        match key {
            b"file" => self.fields.file = Some(text.into()),
            b"struct" => self.fields.struct_name = Some(text.into()),
            b"name" => self.fields.name = Some(class_name(text)),
            _ => {}
        }
        self.described = true;
    }
}

/// Class names are escaped by newer Rubies and raw in older ones. A name with a backslash is taken as raw if it is not
/// a valid escape.
fn class_name(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\\', text).is_some() {
        json::unescape(text).unwrap_or(Cow::Borrowed(text))
    } else {
        text.into()
    }
}

/// The path of code that a JSON string is, as it stands in the dump.
#[inline]
pub(super) fn code_path_in(value: &[u8]) -> Option<&[u8]> {
    code_path::of_text(value.strip_prefix(b"\"")?.strip_suffix(b"\"")?)
}

fn is_raw(key: &[u8]) -> bool {
    matches!(key, b"file" | b"name" | b"real_class_name" | b"struct")
}

fn follows_file(rest: &[u8]) -> bool {
    [&b"\"line\":"[..], b"\"method\":", b"\"generation\":"]
        .iter()
        .any(|key| rest.starts_with(key))
}

/// Stores a member that has a use; `false` when its value cannot be what the key says.
fn take<'a>(key: &[u8], value: &'a [u8], fields: &mut Fields<'a>) -> bool {
    match key {
        // Two lines run into one can look like this.
        b"address" if fields.address != Address::default() => false,
        b"type" if !fields.kind.is_empty() => false,
        b"address" => address(value).map(|it| fields.address = it).is_some(),
        b"type" => text(value).map(|it| fields.kind = it).is_some(),
        b"class" => address(value).map(|it| fields.class = Some(it)).is_some(),
        b"receiver_class" => address(value).map(|it| fields.class = Some(it)).is_some(),
        b"value" => {
            fields.code_path = code_path_in(value).map(Cow::Borrowed);
            true
        }
        b"superclass" => address(value).map(|it| fields.superclass = Some(it)).is_some(),
        b"singleton" => {
            fields.singleton = value == b"true";
            true
        }
        b"imemo_type" => text(value).map(|it| fields.imemo_type = Some(it)).is_some(),
        b"edge_name" => text(value).map(|it| fields.edge_name = Some(it)).is_some(),
        b"root" => text(value).map(|it| fields.root = Some(it)).is_some(),
        b"references" => {
            fields.references = value.into();
            true
        }
        b"length" | b"size" => number(value).map(|it| fields.length = Some(it)).is_some(),
        b"shape_id" | b"id" => number(value).map(|it| fields.shape_id = Some(it)).is_some(),
        b"parent_id" => number(value).map(|it| fields.parent_id = Some(it)).is_some(),
        b"method" => text(value).map(|it| fields.method = Some(it)).is_some(),
        b"bytesize" => number(value).map(|it| fields.bytesize = it).is_some(),
        b"line" => number(value).map(|it| fields.line = Some(it)).is_some(),
        b"generation" => number(value)
            .map(|it| fields.generation = Some(Generation::new(it)))
            .is_some(),
        b"memsize" => number(value).map(|it| fields.memsize = it).is_some(),
        b"context" => text(value).map(|it| fields.context = Some(it)).is_some(),
        b"stack" => number(value)
            .and_then(stack_id)
            .map(|it| fields.stack = Some(it))
            .is_some(),
        b"sampled_bytes" => number(value)
            .and_then(|it| u32::try_from(it).ok())
            .map(|it| fields.sampled_bytes = Some(it))
            .is_some(),
        _ => true,
    }
}

#[cfg(test)]
#[path = "grammar_tests.rs"]
mod tests;
