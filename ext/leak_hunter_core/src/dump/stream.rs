//! The text of a compressed file from its beginning on: what has no table of frames can be read in no other way.

use std::io::{self, BufReader, ErrorKind as Io, Read};

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder;

use super::compression::Compression;
use super::file::DumpFile;
use crate::error::{Error, ErrorKind, Result};

/// Bytes of the file that are read at once.
const CHUNK: usize = 128 << 10;
/// What a decoder may keep of the text before, as a power of 2: as much as zstd's own tools allow.
const LARGEST_WINDOW: u32 = 27;
/// A dump takes no less room than a thousandth of its text: 10 to 30 times less is usual.
const LARGEST_RATIO: u64 = 1_000;
/// So much text is no matter, however small the file is.
const SMALL_TEXT: u64 = if cfg!(any(test, fuzzing)) {
    1 << 20
} else {
    64 << 20
};

/// Text that is unpacked piece by piece.
pub(crate) struct Stream<'a> {
    file: &'a DumpFile,
    decoder: Unpacker<'a>,
    /// Offset in the text of what comes next.
    position: u64,
    /// The same where it began, in the file and in the text.
    origin: u64,
    text_origin: u64,
}

enum Unpacker<'a> {
    Gzip(Box<MultiGzDecoder<BufReader<Raw<'a>>>>),
    Zstd(Box<Decoder<'static, BufReader<Raw<'a>>>>),
}

/// The bytes of a file as it is.
struct Raw<'a> {
    file: &'a DumpFile,
    position: u64,
}

impl Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.raw_read(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl<'a> Stream<'a> {
    /// The whole text of a file.
    pub(crate) fn of(file: &'a DumpFile, compression: Compression) -> Result<Self> {
        Self::new(file, compression, 0, 0)
    }

    /// The text of zstd frames from the one at `origin` in the file on, which begins at `text_origin` in the text.
    pub(crate) fn of_frames(file: &'a DumpFile, origin: u64, text_origin: u64) -> Result<Self> {
        Self::new(file, Compression::Zstd, origin, text_origin)
    }

    fn new(file: &'a DumpFile, compression: Compression, origin: u64, text_origin: u64) -> Result<Self> {
        let raw = BufReader::with_capacity(
            CHUNK,
            Raw {
                file,
                position: origin,
            },
        );
        let decoder = match compression {
            Compression::Gzip => Unpacker::Gzip(Box::new(MultiGzDecoder::new(raw))),
            _ => {
                let zstd = Decoder::with_buffer(raw).and_then(|mut decoder| {
                    decoder.window_log_max(LARGEST_WINDOW)?;
                    Ok(decoder)
                });
                Unpacker::Zstd(Box::new(zstd.map_err(|error| file.unreadable(&error))?))
            }
        };
        Ok(Self {
            file,
            decoder,
            position: text_origin,
            origin,
            text_origin,
        })
    }

    /// Offset in the text of what comes next.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Offset in the file of what is read next.
    pub(crate) fn raw_position(&self) -> u64 {
        match &self.decoder {
            Unpacker::Gzip(decoder) => decoder.get_ref().get_ref().position,
            Unpacker::Zstd(decoder) => decoder.get_ref().get_ref().position,
        }
    }

    /// Fills `buffer` with what comes next; fewer bytes only where the text ends.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let rest = &mut buffer[filled..];
            let read = match &mut self.decoder {
                Unpacker::Gzip(decoder) => decoder.read(rest),
                Unpacker::Zstd(decoder) => decoder.read(rest),
            };
            match read {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == Io::Interrupted => {}
                Err(error) => return Err(self.explain(&error)),
            }
        }
        self.position += filled as u64;
        let raw = self.raw_position();
        check_ratio(self.file, raw - self.origin, self.position - self.text_origin)?;
        Ok(filled)
    }

    /// Unpacks and forgets what stands before `offset`.
    pub(crate) fn skip_to(&mut self, offset: u64) -> Result<()> {
        let mut buffer = vec![0; CHUNK];
        while self.position < offset {
            let length = (offset - self.position).min(CHUNK as u64) as usize;
            if self.read(&mut buffer[..length])? == 0 {
                break;
            }
        }
        Ok(())
    }

    fn explain(&self, error: &io::Error) -> Error {
        let at = self.raw_position().min(self.file.bytes());
        let text = error.to_string();
        if error.kind() == Io::UnexpectedEof {
            let message = "is cut short: its compressed data has no end; copy or take it again";
            return self.file.truncated(message).at(None, self.file.bytes());
        }
        let message = if text.contains("too much memory") {
            "was compressed with a window of more than 128 MiB; decompress it first (unzstd --long=31)".into()
        } else {
            format!("cannot be unpacked ({text}); copy it again, or take another dump")
        };
        Error::of_file(ErrorKind::Unreadable, self.file.path(), message).at(None, at)
    }
}

/// Fails where so many bytes of a file have no end of text.
pub(crate) fn check_ratio(file: &DumpFile, packed: u64, text: u64) -> Result<()> {
    if text <= packed.saturating_mul(LARGEST_RATIO).max(SMALL_TEXT) {
        return Ok(());
    }
    let message = format!(
        "unpacks to more than {LARGEST_RATIO} times its size, which no heap dump does; decompress it first if it is one"
    );
    Err(Error::of_file(ErrorKind::Unreadable, file.path(), message).at(None, 0))
}
