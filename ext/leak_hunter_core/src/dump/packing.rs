//! Text on its way to a file: compressed piece by piece, so that several cores can write and read it.

use std::io::Write;

use flate2::write::GzEncoder;
use zstd::bulk::Compressor;

use super::compression::Compression;
use super::seek_table::{self, Entry};

/// Text of a frame, in bytes.
pub(crate) const FRAME: usize = if cfg!(any(test, fuzzing)) {
    2 << 10
} else {
    4 << 20
};
/// zstd's quickest packs heap dumps no worse than the ones after it.
const ZSTD_LEVEL: i32 = 1;

/// Some text as it stands in the file.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) entries: Vec<Entry>,
}

/// Packs a text, in frames of [`FRAME`] bytes at most.
pub(crate) fn pack(text: Vec<u8>, compression: Compression) -> std::io::Result<Packed> {
    match compression {
        Compression::None => Ok(Packed {
            bytes: text,
            entries: Vec::new(),
        }),
        Compression::Zstd => zstd(&text),
        Compression::Gzip => {
            let mut member = GzEncoder::new(Vec::new(), flate2::Compression::fast());
            member.write_all(&text)?;
            Ok(Packed {
                bytes: member.finish()?,
                entries: Vec::new(),
            })
        }
    }
}

fn zstd(text: &[u8]) -> std::io::Result<Packed> {
    let mut compressor = Compressor::new(ZSTD_LEVEL)?;
    compressor.include_checksum(true)?;
    let mut packed = Packed::default();
    for piece in text.chunks(FRAME) {
        let frame = compressor.compress(piece)?;
        packed.entries.push(Entry {
            packed: frame.len() as u32,
            text: piece.len() as u32,
        });
        packed.bytes.extend_from_slice(&frame);
    }
    Ok(packed)
}

/// What stands at the end of a file with these frames.
pub(crate) fn ending(compression: Compression, entries: &[Entry]) -> Vec<u8> {
    match compression {
        Compression::Zstd => seek_table::write(entries),
        _ => Vec::new(),
    }
}
