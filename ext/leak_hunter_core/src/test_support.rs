//! Writes records as Ruby does, for tests.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::dump::Fields;
use crate::ids::{Address, Generation, StackId};

/// The members of a record that a test cares for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) address: u64,
    pub(crate) kind: &'static str,
    pub(crate) class: Option<u64>,
    pub(crate) superclass: Option<u64>,
    pub(crate) singleton: bool,
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) struct_name: Option<Vec<u8>>,
    pub(crate) imemo_type: Option<&'static str>,
    pub(crate) value: Option<String>,
    pub(crate) bytesize: u64,
    pub(crate) references: Vec<u64>,
    pub(crate) file: Option<Vec<u8>>,
    pub(crate) line: Option<u64>,
    pub(crate) method: Option<String>,
    pub(crate) generation: Option<u64>,
    pub(crate) context: Option<String>,
    pub(crate) stack: Option<u32>,
    pub(crate) sampled_bytes: Option<u32>,
    pub(crate) memsize: u64,
    pub(crate) flags: bool,
}

impl Line {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!(
            "{{\"address\":\"{:#x}\", \"type\":\"{}\"",
            self.address, self.kind
        )
        .into_bytes();
        let mut put = |piece: &[u8]| text.extend_from_slice(piece);
        if let Some(class) = self.class {
            put(format!(", \"class\":\"{class:#x}\"").as_bytes());
        }
        if let Some(superclass) = self.superclass {
            put(format!(", \"superclass\":\"{superclass:#x}\"").as_bytes());
        }
        for (key, raw) in [("name", &self.name), ("struct", &self.struct_name)] {
            if let Some(raw) = raw {
                put(format!(", \"{key}\":\"").as_bytes());
                put(raw);
                put(b"\"");
            }
        }
        if self.singleton {
            put(b", \"singleton\":true");
        }
        if let Some(imemo_type) = self.imemo_type {
            put(format!(", \"imemo_type\":\"{imemo_type}\"").as_bytes());
        }
        if self.kind == "STRING" {
            put(format!(", \"bytesize\":{}", self.bytesize).as_bytes());
            if let Some(value) = &self.value {
                put(format!(", \"value\":{}", serde_json::to_string(value).expect("JSON")).as_bytes());
            }
        }
        if !self.references.is_empty() {
            let list: Vec<_> = self
                .references
                .iter()
                .map(|address| format!("\"{address:#x}\""))
                .collect();
            put(format!(", \"references\":[{}]", list.join(", ")).as_bytes());
        }
        if let Some(file) = &self.file {
            put(b", \"file\":\"");
            put(file);
            put(b"\"");
        }
        if let Some(line) = self.line {
            put(format!(", \"line\":{line}").as_bytes());
        }
        if let Some(method) = &self.method {
            put(format!(", \"method\":{}", serde_json::to_string(method).expect("JSON")).as_bytes());
        }
        if let Some(generation) = self.generation {
            put(format!(", \"generation\":{generation}").as_bytes());
        }
        if let Some(context) = &self.context {
            put(format!(", \"context\":{}", serde_json::to_string(context).expect("JSON")).as_bytes());
        }
        if let Some(stack) = self.stack {
            put(format!(", \"stack\":{stack}").as_bytes());
        }
        if let Some(bytes) = self.sampled_bytes {
            put(format!(", \"sampled_bytes\":{bytes}").as_bytes());
        }
        if self.memsize > 0 {
            put(format!(", \"memsize\":{}", self.memsize).as_bytes());
        }
        if self.flags {
            put(b", \"flags\":{\"wb_protected\":true, \"age\":3}");
        }
        put(b"}");
        text
    }

    /// What was read; members that no analysis reads are as in `written`.
    pub(crate) fn of(fields: &Fields<'_>, written: &Self) -> Self {
        let own = |bytes: &std::borrow::Cow<'_, [u8]>| bytes.to_vec();
        Self {
            address: fields.address.get(),
            class: fields.class.map(Address::get),
            superclass: fields.superclass.map(Address::get),
            singleton: fields.singleton,
            name: fields.name.as_ref().map(own),
            struct_name: fields.struct_name.as_ref().map(own),
            bytesize: fields.bytesize,
            file: fields.file.as_ref().map(own),
            line: fields.line,
            method: fields
                .method
                .as_ref()
                .map(|text| String::from_utf8_lossy(text).into_owned()),
            generation: fields.generation.map(Generation::get),
            context: fields
                .context
                .as_ref()
                .map(|text| String::from_utf8_lossy(text).into_owned()),
            stack: fields.stack.map(StackId::get),
            sampled_bytes: fields.sampled_bytes,
            memsize: fields.memsize,
            ..written.clone()
        }
    }
}

/// Bytes that hurt: the writer's own punctuation, newlines, invalid UTF-8. No text that reads as whole members, which
/// no reader could tell from them.
pub(crate) fn raw() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        4 => "[a-z/._-]{1,6}".prop_map(String::into_bytes),
        1 => Just(b"\"".to_vec()),
        1 => Just(b"\", ".to_vec()),
        1 => Just(b"\\".to_vec()),
        1 => Just(b"\n".to_vec()),
        1 => Just(b"\n{".to_vec()),
        1 => Just(b"}".to_vec()),
        1 => Just(b"\", \"line\":".to_vec()),
        1 => Just(b"\", \"memsize\":4}".to_vec()),
        1 => Just(vec![0xff, 0xfe]),
        1 => Just("ü→".as_bytes().to_vec()),
    ];
    vec(pieces, 0..6).prop_map(|pieces| pieces.concat())
}

/// A class name: backslashes in one are escapes or not by version, so none here.
pub(crate) fn class_name() -> impl Strategy<Value = Vec<u8>> {
    raw().prop_map(|bytes| bytes.into_iter().filter(|byte| *byte != b'\\').collect())
}

fn site() -> impl Strategy<Value = (Option<Vec<u8>>, Option<u64>, Option<String>, Option<u64>)> {
    let line = option::weighted(0.9, prop_oneof![0..200u64, Just(18_446_744_073_709_551_613)]);
    let traced = (raw(), line, option::of(".{0,8}"), 0..50u64)
        .prop_map(|(file, line, method, generation)| (Some(file), line, method, Some(generation)));
    prop_oneof![3 => traced, 1 => Just((None, None, None, None))]
}

/// A context, a stack, and the bytes by which it was sampled: mostly none.
pub(crate) fn origin() -> impl Strategy<Value = (Option<String>, Option<u32>, Option<u32>)> {
    let context = prop_oneof![
        2 => "[A-Z]{1,4} /[a-z/:]{0,6}",
        1 => ".{0,8}",
        1 => Just("a\", \"generation\":3".to_owned()),
        1 => Just(", \"memsize\":4}".to_owned()),
    ];
    (
        option::weighted(0.4, context),
        option::weighted(0.2, prop_oneof![0..200u32, Just(u32::MAX - 1)]),
        option::weighted(0.2, 1..1000u32),
    )
}

/// Any record.
pub(crate) fn any_line() -> impl Strategy<Value = Line> {
    let address = (1..1u64 << 44).prop_map(|number| number * 8);
    let references = vec((1..1u64 << 44).prop_map(|number| number * 8), 0..4);
    let shape = prop_oneof![
        Just(Line {
            kind: "OBJECT",
            ..Line::default()
        }),
        ".{0,12}".prop_map(|value| Line {
            kind: "STRING",
            bytesize: value.len() as u64,
            value: Some(value),
            ..Line::default()
        }),
        (class_name(), any::<bool>()).prop_map(|(name, singleton)| Line {
            kind: "CLASS",
            name: Some(name),
            singleton,
            superclass: Some(8),
            ..Line::default()
        }),
        raw().prop_map(|name| Line {
            kind: "DATA",
            struct_name: Some(name),
            ..Line::default()
        }),
        Just(Line {
            kind: "IMEMO",
            imemo_type: Some("iseq"),
            ..Line::default()
        }),
    ];
    (
        shape,
        address,
        option::of(Just(0x7f00_0000_0010)),
        references,
        site(),
        origin(),
        0..5000u64,
        any::<bool>(),
    )
        .prop_map(
            |(
                shape,
                address,
                class,
                references,
                (file, line, method, generation),
                origin,
                memsize,
                flags,
            )| Line {
                address,
                class,
                references,
                file,
                line,
                method,
                generation,
                context: generation.and(origin.0),
                stack: generation.and(origin.1),
                sampled_bytes: generation.and(origin.2),
                memsize,
                flags,
                ..shape
            },
        )
}
