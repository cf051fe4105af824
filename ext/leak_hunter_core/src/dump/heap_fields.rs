//! What the tables of a heap take from a record, and the quick way to read it.
//!
//! Nearly all records have members of a few known keys, no raw text but the file of their allocation and the name of a
//! struct, and in those no quote. They are read here member by member, their references straight to numbers. Whatever else stands in a record is
//! left to the whole grammar, so that both always tell the same.

use memchr::memchr;

use super::grammar::{Fields, RAW_LIMIT, code_path_in};
use super::members::{self, Hex, Parsed};
use super::object_type::Type;
use super::record::Record;
use crate::ids::{Address, Generation, StackId};

/// What the tables of a heap take from a record, without its references.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeapFields<'a> {
    pub(crate) address: Address,
    pub(crate) type_: Type,
    /// `type`, as the record has it
    pub(crate) kind: &'a [u8],
    /// `class`, as the record has it
    class: Option<Address>,
    pub(crate) shape_id: Option<u64>,
    /// `length` or `size`
    pub(crate) length: Option<u64>,
    pub(crate) imemo_type: Option<&'a [u8]>,
    /// `value`, of a STRING that is the path of code
    pub(crate) code_path: Option<&'a [u8]>,
    /// `struct`
    struct_name: Option<&'a [u8]>,
    pub(crate) file: Option<&'a [u8]>,
    pub(crate) line: Option<u64>,
    pub(crate) method: Option<&'a [u8]>,
    pub(crate) generation: Option<Generation>,
    pub(crate) context: Option<&'a [u8]>,
    pub(crate) stack: Option<StackId>,
    pub(crate) sampled_bytes: Option<u32>,
    pub(crate) memsize: u64,
}

impl<'a> From<&'a Fields<'_>> for HeapFields<'a> {
    fn from(fields: &'a Fields<'_>) -> Self {
        Self {
            address: fields.address,
            type_: fields.type_(),
            kind: &fields.kind,
            class: fields.class,
            shape_id: fields.shape_id,
            length: fields.length,
            imemo_type: fields.imemo_type.as_deref(),
            code_path: fields.code_path.as_deref(),
            struct_name: fields.struct_name.as_deref(),
            file: fields.file.as_deref(),
            line: fields.line,
            method: fields.method.as_deref(),
            generation: fields.generation,
            context: fields.context.as_deref(),
            stack: fields.stack,
            sampled_bytes: fields.sampled_bytes,
            memsize: fields.memsize,
        }
    }
}

impl<'a> HeapFields<'a> {
    /// See [`Fields::class_of_object`].
    pub(crate) fn class_of_object(&self) -> Option<Address> {
        self.class.filter(|_| self.type_ != Type::Imemo)
    }

    /// The object whose instance variables an IMEMO of the type `fields` has.
    pub(crate) fn owner_of_ivars(&self) -> Option<Address> {
        self.class.filter(|_| self.imemo_type == Some(b"fields"))
    }

    /// What an entry of methods or an inline cache refers to in the place of a class: the class that has the method, or
    /// of which the cache is, or the value of a constant.
    pub(crate) fn link(&self) -> Option<Address> {
        let is_linked = matches!(self.imemo_type, Some(b"ment" | b"callcache" | b"constcache"));
        self.class.filter(|_| is_linked)
    }

    /// What a DATA or IMEMO is: its `struct` or `imemo_type`.
    pub(crate) fn label(&self) -> Option<&'a [u8]> {
        self.imemo_type.or(self.struct_name)
    }

    /// What the ends of a record say.
    #[inline]
    pub(crate) fn of_ends(record: &Record<'a>) -> Self {
        Self {
            address: record.address,
            type_: record.type_,
            kind: record.kind,
            generation: record.generation,
            context: record.origin.context,
            stack: record.origin.stack,
            sampled_bytes: record.origin.sampled_bytes,
            memsize: record.memsize,
            ..Self::default()
        }
    }

    /// Adds what stands between the ends, and reads the references. `None` where [`Record::fields`] is to be asked.
    #[inline]
    pub(crate) fn read(&mut self, record: &Record<'a>, references: &mut Vec<Address>) -> Option<()> {
        references.clear();
        self.middle(record.middle()?, references)
    }

    /// Reads what stands between the ends of a record; `None` where that is anything unusual.
    #[inline]
    fn middle(&mut self, middle: &'a [u8], references: &mut Vec<Address>) -> Option<()> {
        let mut rest = middle;
        while let Some(member) = rest.strip_prefix(b", \"") {
            rest = match member.first_chunk()? {
                b"clas" => self.class(member.strip_prefix(b"class\":\"0x")?)?,
                b"rece" => self.class(member.strip_prefix(b"receiver_class\":\"0x")?)?,
                b"call" => string(member.strip_prefix(b"called_id\":")?)?,
                b"embe" => member.strip_prefix(b"embedded\":true")?,
                b"froz" => member.strip_prefix(b"frozen\":true")?,
                b"refe" => members::plain_addresses(member.strip_prefix(b"references\":")?, references)?,
                b"file" => return self.site(member.strip_prefix(b"file\":\"")?),
                b"leng" => self.length(member.strip_prefix(b"length\":")?)?,
                b"size" => self.length(member.strip_prefix(b"size\":")?)?,
                b"shap" => {
                    let Parsed { value: shape, rest } = number(member.strip_prefix(b"shape_id\":")?)?;
                    self.shape_id = Some(shape);
                    rest
                }
                b"imem" => {
                    let Parsed {
                        value: imemo_type,
                        rest,
                    } = text(member.strip_prefix(b"imemo_type\":\"")?)?;
                    self.imemo_type = Some(imemo_type);
                    rest
                }
                b"byte" => number(member.strip_prefix(b"bytesize\":")?)?.rest,
                b"slot" => number(member.strip_prefix(b"slot_size\":")?)?.rest,
                b"ivar" => number(member.strip_prefix(b"ivars\":")?)?.rest,
                b"capa" => number(member.strip_prefix(b"capacity\":")?)?.rest,
                b"valu" => {
                    let value = member.strip_prefix(b"value\":")?;
                    let rest = string(value)?;
                    self.code_path = code_path_in(&value[..value.len() - rest.len()]);
                    rest
                }
                b"dige" => string(member.strip_prefix(b"digest\":")?)?,
                b"enco" => string(member.strip_prefix(b"encoding\":")?)?,
                b"code" => string(member.strip_prefix(b"coderange\":")?)?,
                b"stru" => self.struct_name(member.strip_prefix(b"struct\":\"")?)?,
                b"fstr" => member.strip_prefix(b"fstring\":true")?,
                b"shar" => member.strip_prefix(b"shared\":true")?,
                b"chil" => member.strip_prefix(b"chilled\":true")?,
                _ => return None,
            };
        }
        rest.is_empty().then_some(())
    }

    #[inline]
    fn class(&mut self, digits: &'a [u8]) -> Option<&'a [u8]> {
        let Hex { number, length } = members::leading_hex(digits)?;
        self.class = Some(Address::new(number));
        digits[length..].strip_prefix(b"\"")
    }

    /// Raw, as the file is; what fits only if it goes on behind a quote is left to the grammar.
    #[inline]
    fn struct_name(&mut self, text_of_name: &'a [u8]) -> Option<&'a [u8]> {
        let end = memchr(b'"', &text_of_name[..text_of_name.len().min(RAW_LIMIT)])?;
        let is_first = self.struct_name.replace(&text_of_name[..end]).is_none();
        is_first.then_some(&text_of_name[end + 1..])
    }

    #[inline]
    fn length(&mut self, value: &'a [u8]) -> Option<&'a [u8]> {
        let length = number(value)?;
        self.length = Some(length.value);
        Some(length.rest)
    }

    /// The allocation site, which is the last of what stands in the middle.
    #[inline]
    fn site(&mut self, text_of_file: &'a [u8]) -> Option<()> {
        let end = memchr(b'"', &text_of_file[..text_of_file.len().min(RAW_LIMIT)])?;
        self.file = Some(&text_of_file[..end]);
        let mut rest = &text_of_file[end + 1..];
        if let Some(line) = rest.strip_prefix(b", \"line\":") {
            let line = number(line)?;
            self.line = Some(line.value);
            rest = line.rest;
        }
        if let Some(method) = rest.strip_prefix(b", \"method\":\"") {
            let method = text(method)?;
            self.method = Some(method.value);
            rest = method.rest;
        }
        rest.is_empty().then_some(())
    }
}

/// A number that is not too long to fit, and what follows it.
#[inline]
fn number(text: &[u8]) -> Option<Parsed<'_, u64>> {
    let mut number = 0u64;
    let mut length = 0;
    while let Some(digit) = text
        .get(length)
        .map(|byte| byte.wrapping_sub(b'0'))
        .filter(|it| *it < 10)
    {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        length += 1;
    }
    (1..20).contains(&length).then(|| Parsed {
        value: number,
        rest: &text[length..],
    })
}

/// The text up to the next quote, without any escape in it, and what follows.
#[inline]
fn text(text: &[u8]) -> Option<Parsed<'_, &[u8]>> {
    let end = text.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    let (value, rest) = text.split_at(end);
    Some(Parsed {
        value,
        rest: rest.strip_prefix(b"\"")?,
    })
}

/// What follows a JSON string.
#[inline]
fn string(value: &[u8]) -> Option<&[u8]> {
    (value.first() == Some(&b'"')).then_some(())?;
    Some(&value[members::string_end(value)?..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_support::{Line, any_line};

    /// What both ways say, where the quick one says anything.
    fn check(line: &[u8]) -> Result<bool, TestCaseError> {
        let Some(record) = Record::quick(line) else {
            return Ok(false);
        };
        let mut references = vec![Address::new(7)];
        let mut quick = HeapFields::of_ends(&record);
        if quick.read(&record, &mut references).is_none() {
            return Ok(false);
        }
        let fields = record.fields();
        prop_assert!(fields.is_some(), "{}", String::from_utf8_lossy(line));
        let fields = fields.unwrap_or_default();
        prop_assert_eq!(quick, HeapFields::from(&fields));
        prop_assert_eq!(references, fields.references().collect::<Vec<_>>());
        Ok(true)
    }

    /// Whether a record has only what the quick way reads.
    fn is_plain(line: &Line) -> bool {
        let has = |text: Option<&[u8]>, byte: u8| text.is_some_and(|text| text.contains(&byte));
        matches!(line.kind, "OBJECT" | "STRING" | "IMEMO" | "DATA")
            && !has(line.struct_name.as_deref(), b'"')
            && !has(line.file.as_deref(), b'"')
            && line.line.is_none_or(|line| line < 1000)
            && !line
                .method
                .as_ref()
                .is_some_and(|method| serde_json::to_string(method).is_ok_and(|it| it.contains('\\')))
            && !line
                .context
                .as_ref()
                .is_some_and(|context| serde_json::to_string(context).is_ok_and(|it| it.contains('\\')))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_record_is_read_as_the_grammar_reads_it(line in any_line()) {
            let was_read = check(&line.to_bytes())?;
            if is_plain(&line) && Record::quick(&line.to_bytes()).is_some() {
                prop_assert!(was_read, "{}", String::from_utf8_lossy(&line.to_bytes()));
            }
        }

        #[test]
        fn what_is_damaged_is_left_to_the_grammar(
            line in any_line(),
            damage in proptest::collection::vec((any::<prop::sample::Index>(), prop_oneof![
                any::<u8>(),
                proptest::sample::select(&b"\"\\,:[]{} 0x"[..]),
            ]), 1..4),
        ) {
            let mut text = line.to_bytes();
            for (index, byte) in damage {
                let index = index.index(text.len());
                text[index] = byte;
            }
            check(&text)?;
        }
    }

    #[test]
    fn most_records_of_real_dumps_are_read_quickly() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dumps");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|it| it != "ndjson") {
                continue;
            }
            let text = std::fs::read(&path).unwrap();
            let lines = text.split(|byte| *byte == b'\n');
            let lines = lines.filter(|line| line.starts_with(b"{\"address\""));
            let read: Vec<bool> = lines.map(|line| check(line).unwrap()).collect();
            let quick = read.iter().filter(|quick| **quick).count();
            assert!(
                quick * 2 > read.len(),
                "{}: {quick} of {}",
                path.display(),
                read.len()
            );
        }
    }
}
