//! Where an export goes: in pieces, looking between them whether to go on.

use std::io::{self, Write};

use super::printable::printable;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;

const PIECE: usize = 1 << 16;

pub(crate) struct Out<'a, W> {
    sink: W,
    buffer: Vec<u8>,
    progress: &'a Progress,
}

impl<'a, W: Write> Out<'a, W> {
    pub(crate) fn new(sink: W, progress: &'a Progress) -> Self {
        Self {
            sink,
            buffer: Vec::with_capacity(PIECE + 1024),
            progress,
        }
    }

    pub(crate) fn text(&mut self, text: &str) -> Result<()> {
        self.buffer.extend_from_slice(text.as_bytes());
        self.pass_on(PIECE)
    }

    pub(crate) fn number(&mut self, number: u64) -> Result<()> {
        let mut digits = itoa::Buffer::new();
        self.text(digits.format(number))
    }

    /// Numbers between commas.
    pub(crate) fn numbers(&mut self, numbers: impl IntoIterator<Item = u64>) -> Result<()> {
        for (index, number) in numbers.into_iter().enumerate() {
            if index > 0 {
                self.buffer.push(b',');
            }
            self.number(number)?;
        }
        Ok(())
    }

    /// A JSON string of [`printable`] text that is safe inside HTML too: no name of a class can end the script it
    /// stands in.
    pub(crate) fn json(&mut self, text: &str) -> Result<()> {
        self.buffer.push(b'"');
        for char in printable(text).chars() {
            match char {
                '"' => self.buffer.extend_from_slice(b"\\\""),
                '\\' => self.buffer.extend_from_slice(b"\\\\"),
                '<' | '>' | '&' => {
                    let escaped = format!("\\u{:04x}", u32::from(char));
                    self.buffer.extend_from_slice(escaped.as_bytes());
                }
                _ => {
                    let mut bytes = [0; 4];
                    self.buffer
                        .extend_from_slice(char.encode_utf8(&mut bytes).as_bytes());
                }
            }
        }
        self.buffer.push(b'"');
        self.pass_on(PIECE)
    }

    /// Strings as a JSON array.
    pub(crate) fn strings<'s>(&mut self, strings: impl IntoIterator<Item = &'s str>) -> Result<()> {
        self.text("[")?;
        for (index, string) in strings.into_iter().enumerate() {
            self.text(if index > 0 { ",\n" } else { "" })?;
            self.json(string)?;
        }
        self.text("]")
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        self.pass_on(0)?;
        self.sink.flush().map_err(unwritable)
    }

    fn pass_on(&mut self, at_least: usize) -> Result<()> {
        if self.buffer.len() < at_least {
            return Ok(());
        }
        self.progress.check()?;
        self.sink.write_all(&self.buffer).map_err(unwritable)?;
        self.buffer.clear();
        Ok(())
    }
}

fn unwritable(error: io::Error) -> Error {
    Error::new(ErrorKind::Unwritable, format!("cannot write: {error}"))
}
