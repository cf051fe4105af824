//! What `ObjectSpace.dump_all` has written, on its way to a file: contents are left out, births are put in, and it is
//! compressed, by several threads.

mod births;
mod lines;
mod values;

use std::io::Write;
use std::ops::Range;

use memchr::{memchr, memrchr};
use rayon::ThreadPool;
use rayon::prelude::*;

use super::compression::Compression;
use super::packing::{self, FRAME, Packed};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;

pub use births::{Birth, Births, NoBirths, PlaceText};
pub use values::{DigestKey, PREFIX, Values};

/// Pieces that are in work at once, for each thread.
const AHEAD: usize = 2;

/// A dump that is to be written.
#[derive(Clone, Copy, Debug)]
pub struct Writing<'a> {
    /// LeakHunter's first line.
    pub first_line: &'a [u8],
    /// The text of `ObjectSpace.dump_all`.
    pub text: &'a [u8],
    /// Names and LeakHunter's last line.
    pub ending: &'a [u8],
    /// What is written of contents.
    pub values: Values,
    /// How it is compressed.
    pub compression: Compression,
}

/// A part of what is written.
#[derive(Clone, Debug)]
enum Piece {
    /// As it is.
    Own(Vec<u8>),
    /// Lines of the text.
    Lines(Range<usize>),
}

impl Writing<'_> {
    /// Writes the file, on every thread of `pool`, and says how many bytes it has. `births`: `None` where the text has
    /// them.
    ///
    /// # Errors
    /// Of the kind `Unwritable` when the file cannot be written, or `NotADump` when the text has a record with contents
    /// that is not understood; when the run is cancelled.
    pub fn write<B: Births + ?Sized>(
        &self,
        births: Option<&B>,
        sink: &mut impl Write,
        pool: &ThreadPool,
        progress: &Progress,
    ) -> Result<u64> {
        progress.set_total((self.first_line.len() + self.text.len() + self.ending.len()) as u64);
        let pieces = self.pieces();
        let mut entries = Vec::new();
        let mut bytes = 0;
        let mut put = |piece: &[u8]| {
            bytes += piece.len() as u64;
            sink.write_all(piece).map_err(unwritable)
        };
        for some in pieces.chunks(pool.current_num_threads() * AHEAD) {
            let packed = pool.install(|| {
                let packed = some.par_iter().map(|piece| self.pack(piece, births, progress));
                packed.collect::<Result<Vec<_>>>()
            })?;
            for packed in packed {
                progress.check()?;
                put(&packed.bytes)?;
                entries.extend(packed.entries);
            }
        }
        put(&packing::ending(self.compression, &entries))?;
        sink.flush().map_err(unwritable)?;
        Ok(bytes)
    }

    fn pack<B: Births + ?Sized>(
        &self,
        piece: &Piece,
        births: Option<&B>,
        progress: &Progress,
    ) -> Result<Packed> {
        progress.check()?;
        let (text, length) = match piece {
            Piece::Own(text) => (text.clone(), text.len()),
            Piece::Lines(range) => {
                let lines = &self.text[range.clone()];
                let mut text = Vec::with_capacity(lines.len() + lines.len() / 8);
                lines::rewrite(lines, &self.values, births, &mut text)
                    .map_err(|it| self.not_understood(range.start + it.byte))?;
                (text, lines.len())
            }
        };
        progress.check()?;
        let packed = packing::pack(text, self.compression).map_err(unwritable)?;
        progress.add(length as u64);
        Ok(packed)
    }

    /// What is written, in its order, cut where lines end.
    fn pieces(&self) -> Vec<Piece> {
        let mut pieces = vec![Piece::Own(self.first_line.to_vec())];
        let mut start = 0;
        while start < self.text.len() {
            let near = self.text.len().min(start + FRAME);
            let end = match memrchr(b'\n', &self.text[start..near]) {
                Some(newline) if near < self.text.len() => start + newline + 1,
                None if near < self.text.len() => {
                    memchr(b'\n', &self.text[near..]).map_or(self.text.len(), |newline| near + newline + 1)
                }
                _ => near,
            };
            pieces.push(Piece::Lines(start..end));
            start = end;
        }
        pieces.push(Piece::Own(self.ending.to_vec()));
        pieces
    }

    fn not_understood(&self, byte: usize) -> Error {
        let line = 1 + memchr::memchr_iter(b'\n', &self.text[..byte]).count();
        let message = format!(
            "line {line} of ObjectSpace.dump_all has contents in a form that is not known, so they cannot be left out; \
             values: :all writes them"
        );
        Error::new(ErrorKind::NotADump, message)
    }
}

fn unwritable(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unwritable, format!("cannot write: {error}"))
}

#[cfg(test)]
mod tests;
