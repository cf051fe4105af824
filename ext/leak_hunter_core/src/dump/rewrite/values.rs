//! What becomes of contents: the values of Strings, Symbols and Floats.

use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use crate::code_path;

/// Characters that [`Values::Prefix`] leaves of each String and Symbol.
pub const PREFIX: usize = 16;

/// What is written of contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Nothing. Paths of Ruby code stay: they say which code an object is of.
    None,
    /// A keyed hash of each String and Symbol, so that equal ones are known as equal: of this key alone.
    LengthAndDigest(DigestKey),
    /// The first [`PREFIX`] characters of each String and Symbol.
    Prefix,
    /// Everything: the file is a secret.
    All,
}

/// The key of digests. Whoever has it can try guesses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DigestKey([u8; 16]);

impl DigestKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for DigestKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("DigestKey")
    }
}

/// Types whose records have contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    String,
    Symbol,
    Float,
}

impl Content {
    /// Of records of this type; `None` of all others.
    pub(super) fn of_type(kind: &[u8]) -> Option<Self> {
        match kind {
            b"STRING" => Some(Self::String),
            b"SYMBOL" => Some(Self::Symbol),
            b"FLOAT" => Some(Self::Float),
            _ => None,
        }
    }
}

impl Values {
    /// Writes what takes the place of `, "value":…` in a record.
    pub(super) fn write(&self, content: Content, value: &[u8], out: &mut Vec<u8>) {
        let text = value
            .strip_prefix(b"\"")
            .and_then(|text| text.strip_suffix(b"\""))
            .unwrap_or_default();
        let is_code = content == Content::String && code_path::of_text(text).is_some();
        match self {
            Self::All => member(b"value", text, out),
            _ if is_code => member(b"value", text, out),
            _ if content == Content::Float => {}
            Self::None => {}
            Self::Prefix => member(b"value", first(text, PREFIX), out),
            Self::LengthAndDigest(key) => {
                let mut hasher = SipHasher24::new_with_key(&key.0);
                hasher.write(text);
                member(b"digest", format!("{:016x}", hasher.finish()).as_bytes(), out);
            }
        }
    }
}

/// `, "key":"text"`
fn member(key: &[u8], text: &[u8], out: &mut Vec<u8>) {
    for piece in [b", \"", key, b"\":\"", text, b"\""] {
        out.extend_from_slice(piece);
    }
}

/// So many characters of the inside of a JSON string, of which an escape is one.
fn first(text: &[u8], characters: usize) -> &[u8] {
    let mut end = 0;
    for _ in 0..characters {
        end += match text.get(end..) {
            Some([b'\\', b'u', ..]) => 6,
            Some([b'\\', ..]) => 2,
            Some([_, ..]) => 1,
            _ => break,
        };
    }
    text.get(..end).unwrap_or(text)
}
