//! serde_json where the text really is JSON.

use std::borrow::Cow;

use serde::Deserialize;

use super::budget::Budget;
use super::grammar::Fields;
use super::record::stack_id;
use crate::ids::{Address, Generation};

#[derive(Deserialize)]
struct Object {
    address: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    class: Option<String>,
    superclass: Option<String>,
    #[serde(default)]
    singleton: bool,
    name: Option<String>,
    #[serde(rename = "struct")]
    struct_name: Option<String>,
    imemo_type: Option<String>,
    #[serde(default)]
    bytesize: u64,
    file: Option<String>,
    line: Option<u64>,
    method: Option<String>,
    generation: Option<u64>,
    context: Option<String>,
    stack: Option<u64>,
    sampled_bytes: Option<u32>,
    #[serde(default)]
    memsize: u64,
    length: Option<u64>,
    size: Option<u64>,
    shape_id: Option<u64>,
    id: Option<u64>,
    parent_id: Option<u64>,
    edge_name: Option<String>,
    root: Option<String>,
    #[serde(default)]
    references: Vec<String>,
}

pub(super) fn parse<'a>(record: &[u8], budget: &mut Budget<'_>) -> Option<Fields<'a>> {
    if budget.is_spent() || !record.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let object: Result<Object, _> = serde_json::from_slice(record);
    // A failed parse has looked at the text up to the error; how far that is in a later line is not known.
    let looked_at = match &object {
        Err(error) if error.line() == 1 => error.column(),
        _ => record.len(),
    };
    // What the last look costs is granted, so that one look is always possible.
    let _ = budget.spend(looked_at);
    let object = object.ok()?;
    let bytes = |text: String| Cow::Owned(text.into_bytes());
    Some(Fields {
        address: optional_address(object.address)?.unwrap_or_default(),
        kind: bytes(object.kind),
        class: optional_address(object.class)?,
        superclass: optional_address(object.superclass)?,
        singleton: object.singleton,
        name: object.name.map(bytes),
        struct_name: object.struct_name.map(bytes),
        imemo_type: object.imemo_type.map(bytes),
        code_path: None, // Ruby itself writes no such records of Strings
        bytesize: object.bytesize,
        file: object.file.map(bytes),
        line: object.line,
        method: object.method.map(bytes),
        generation: object.generation.map(Generation::new),
        context: object.context.map(bytes),
        stack: match object.stack {
            Some(number) => Some(stack_id(number)?),
            None => None,
        },
        sampled_bytes: object.sampled_bytes,
        memsize: object.memsize,
        length: object.length.or(object.size),
        shape_id: object.shape_id.or(object.id),
        parent_id: object.parent_id,
        edge_name: object.edge_name.map(bytes),
        root: object.root.map(bytes),
        references: match object.references.is_empty() {
            true => Cow::default(),
            false => bytes(format!("[\"{}\"]", object.references.join("\", \""))),
        },
    })
}

/// A member that is there and no address spoils the record.
fn optional_address(text: Option<String>) -> Option<Option<Address>> {
    match text {
        Some(text) => {
            let number = super::members::hex(text.strip_prefix("0x")?.as_bytes())?;
            Some(Some(Address::new(number)))
        }
        None => Some(None),
    }
}

/// Decodes the escapes of a JSON string's content. Ruby leaves bytes from 0x80 on as they are, valid UTF-8 or not.
pub(super) fn unescape(content: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut out = Vec::with_capacity(content.len());
    for piece in content.utf8_chunks() {
        let mut quoted = String::with_capacity(piece.valid().len() + 2);
        quoted.push('"');
        quoted.push_str(piece.valid());
        quoted.push('"');
        out.extend_from_slice(serde_json::from_str::<String>(&quoted).ok()?.as_bytes());
        out.extend_from_slice(piece.invalid());
    }
    Some(Cow::Owned(out))
}
