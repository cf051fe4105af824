//! The pieces of a record's text.

use crate::dump::grammar::RAW_LIMIT;
use crate::ids::Address;

/// Text of a dump, in the making.
#[derive(Debug, Default)]
pub(super) struct TextBuffer(pub(super) Vec<u8>);

const HEX: &[u8; 16] = b"0123456789abcdef";

impl TextBuffer {
    #[inline]
    pub(super) fn put(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
    }

    #[inline]
    pub(super) fn number(&mut self, number: u64) {
        self.put(itoa::Buffer::new().format(number).as_bytes());
    }

    /// `"0x7f…"`
    #[inline]
    pub(super) fn address(&mut self, address: Address) {
        let mut number = address.get();
        let mut digits = [0; 16];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = HEX[number as usize & 15];
            number >>= 4;
            if number == 0 {
                break;
            }
        }
        self.put(b"\"0x");
        self.put(&digits[start..]);
        self.put(b"\"");
    }

    /// `["0x…", "0x…"]`
    pub(super) fn addresses(&mut self, addresses: &[Address]) {
        self.put(b"[");
        for (index, address) in addresses.iter().enumerate() {
            if index > 0 {
                self.put(b", ");
            }
            self.address(*address);
        }
        self.put(b"]");
    }

    #[inline]
    pub(super) fn flag(&mut self, member: &[u8], is_set: bool) {
        if is_set {
            self.put(member);
        }
    }

    /// A JSON string with the escapes that Ruby writes. Bytes that are no UTF-8 stay as they are.
    pub(super) fn json(&mut self, text: &[u8]) {
        self.put(b"\"");
        for byte in text {
            match byte {
                b'\\' => self.put(b"\\\\"),
                b'"' => self.put(b"\\\""),
                0x08 => self.put(b"\\b"),
                b'\t' => self.put(b"\\t"),
                0x0c => self.put(b"\\f"),
                b'\n' => self.put(b"\\n"),
                b'\r' => self.put(b"\\r"),
                0..0x20 | 0x7f => {
                    self.put(b"\\u00");
                    self.put(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
                }
                _ => self.0.push(*byte),
            }
        }
        self.put(b"\"");
    }

    /// A string without escapes, as Ruby writes files of source code. It raises for one that is longer than the limit here.
    pub(super) fn raw(&mut self, text: &[u8]) {
        self.put(b"\"");
        self.put(&text[..text.len().min(RAW_LIMIT / 2)]);
        self.put(b"\"");
    }
}
