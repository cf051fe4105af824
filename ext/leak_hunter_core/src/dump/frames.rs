//! The frames of a zstd file with a table of them, and reading its text at any place.

use std::ops::Range;
use std::sync::atomic::{AtomicU16, Ordering};

use zstd::bulk::Decompressor;

use super::file::DumpFile;
use super::seek_table::{Entry, FOOTER, Footer};
use super::stream::{self, Stream};
use crate::error::{Error, ErrorKind, Result};

/// Text of a frame that is unpacked as a whole, in bytes. A file with a longer one is read as a stream.
const LARGEST_FRAME: u32 = 32 << 20;
/// The last byte of a frame is not known yet.
const UNKNOWN: u16 = u16::MAX;
const LESS_TEXT: &str = "a frame has less text than the table of frames says";

/// All frames of a file that have text.
#[derive(Debug)]
pub(crate) struct Frames {
    frames: Vec<Frame>,
    /// Bytes of text.
    text: u64,
    /// Of each frame, once it is known: whoever reads the next one asks how it ended.
    last_bytes: Vec<AtomicU16>,
}

#[derive(Clone, Debug)]
struct Frame {
    /// Its place in the text.
    text: Range<u64>,
    /// Its place in the file.
    packed: Range<u64>,
}

impl Frames {
    /// Those of a file. `None` when it has no table, or not a table of all that is in it.
    pub(crate) fn of(file: &DumpFile) -> Result<Option<Self>> {
        let ending = file.raw_range(file.bytes().saturating_sub(FOOTER as u64), FOOTER)?;
        let table = Footer::parse(&ending)
            .filter(|footer| footer.bytes() <= file.bytes())
            .and_then(|footer| Some((footer, usize::try_from(footer.bytes()).ok()?)));
        let Some((footer, length)) = table else {
            return Ok(None);
        };
        let start = file.bytes() - footer.bytes();
        let table = file.raw_range(start, length)?;
        let Some(entries) = footer.entries(&table) else {
            return Ok(None);
        };
        let Some(frames) = Self::of_entries(&entries, start) else {
            return Ok(None);
        };
        stream::check_ratio(file, file.bytes(), frames.text)?;
        Ok(Some(frames))
    }

    /// `None` when they are not just what stands before the table, or too long.
    fn of_entries(entries: &[Entry], table: u64) -> Option<Self> {
        let mut frames = Vec::with_capacity(entries.len());
        let (mut at, mut text) = (0, 0);
        for entry in entries {
            if entry.text > LARGEST_FRAME || entry.packed > 2 * LARGEST_FRAME {
                return None;
            }
            let (packed_end, text_end) = (at + u64::from(entry.packed), text + u64::from(entry.text));
            if entry.text > 0 {
                frames.push(Frame {
                    text: text..text_end,
                    packed: at..packed_end,
                });
            }
            (at, text) = (packed_end, text_end);
        }
        (at == table && text > 0).then(|| Self {
            last_bytes: frames.iter().map(|_| AtomicU16::new(UNKNOWN)).collect(),
            frames,
            text,
        })
    }

    /// Bytes of text.
    pub(crate) fn text_bytes(&self) -> u64 {
        self.text
    }

    /// The text in regions of about `size` bytes that end where frames do, each with its bytes in the file.
    pub(crate) fn regions(&self, size: u64) -> Vec<Region> {
        let mut regions: Vec<Region> = Vec::new();
        for frame in &self.frames {
            let packed = frame.packed.end - frame.packed.start;
            match regions.last_mut() {
                Some(region) if frame.text.end - region.text.start <= size => {
                    region.text.end = frame.text.end;
                    region.packed += packed;
                }
                _ => regions.push(Region {
                    text: frame.text.clone(),
                    packed,
                }),
            }
        }
        regions
    }

    /// The frame that has this byte of the text.
    fn at(&self, offset: u64) -> Option<usize> {
        let index = self.frames.partition_point(|frame| frame.text.end <= offset);
        (index < self.frames.len()).then_some(index)
    }

    fn last_byte(&self, frame: usize) -> Option<u8> {
        u8::try_from(self.last_bytes.get(frame)?.load(Ordering::Relaxed)).ok()
    }

    fn keep_last_byte(&self, frame: usize, byte: u8) {
        if let Some(known) = self.last_bytes.get(frame) {
            known.store(u16::from(byte), Ordering::Relaxed);
        }
    }
}

/// Some frames that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    /// Their place in the text.
    pub(crate) text: Range<u64>,
    /// Their bytes in the file.
    pub(crate) packed: u64,
}

/// The text of frames, as one thread reads it: a region from its start on, and a little of what follows it.
pub(crate) struct FramesText<'a> {
    file: &'a DumpFile,
    frames: &'a Frames,
    decompressor: Option<Decompressor<'static>>,
    packed: Vec<u8>,
    /// The frame that is unpacked, and its text.
    current: Option<usize>,
    text: Vec<u8>,
    /// Where the region ends that is read.
    end: u64,
    /// What follows it is another thread's to read: of its first frame only the beginning is unpacked.
    beyond: Option<Stream<'a>>,
}

impl<'a> FramesText<'a> {
    pub(crate) fn new(file: &'a DumpFile, frames: &'a Frames) -> Self {
        Self {
            file,
            frames,
            decompressor: None,
            packed: Vec::new(),
            current: None,
            text: Vec::new(),
            end: frames.text,
            beyond: None,
        }
    }

    /// Prepares for reading a region: unpacks its first frame, while another thread may still be at the one before.
    pub(crate) fn enter(&mut self, region: &Range<u64>) -> Result<()> {
        self.end = region.end;
        match self.frames.at(region.start) {
            Some(frame) if !region.is_empty() => self.unpack(frame),
            _ => Ok(()),
        }
    }

    /// Fills `buffer` from `offset` on; fewer bytes only where the text ends.
    pub(crate) fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let read = self.read_some(&mut buffer[filled..], offset + filled as u64)?;
            if read == 0 {
                break;
            }
            filled += read;
        }
        Ok(filled)
    }

    fn read_some(&mut self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        let Some(index) = self.frames.at(offset) else {
            return Ok(0);
        };
        let Frame { text, .. } = &self.frames.frames[index];
        if offset >= self.end {
            return self.read_beyond(buffer, offset, index);
        }
        if offset + 1 == text.end && self.current != Some(index) {
            buffer[0] = self.last_byte(index)?;
            return Ok(1);
        }
        self.unpack(index)?;
        let rest = usize::try_from(offset - text.start).map_or(&[][..], |from| &self.text[from..]);
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    /// The last byte of a frame, whose text is another thread's to read.
    fn last_byte(&self, index: usize) -> Result<u8> {
        if let Some(last) = self.frames.last_byte(index) {
            return Ok(last);
        }
        let last = self.frames.frames[index].text.end.saturating_sub(1);
        let mut byte = [0];
        let read = self.stream(index, last)?.read(&mut byte)?;
        if read == 0 {
            return Err(self.damaged(index, LESS_TEXT));
        }
        self.frames.keep_last_byte(index, byte[0]);
        Ok(byte[0])
    }

    /// The text from a place in a frame on.
    fn stream(&self, index: usize, offset: u64) -> Result<Stream<'a>> {
        let Frame { text, packed } = &self.frames.frames[index];
        let mut stream = Stream::of_frames(self.file, packed.start, text.start)?;
        stream.skip_to(offset)?;
        Ok(stream)
    }

    fn damaged(&self, index: usize, why: &str) -> Error {
        let message = format!("cannot be unpacked ({why}); copy it again, or take another dump");
        let place = self.frames.frames[index].packed.start;
        Error::of_file(ErrorKind::Unreadable, self.file.path(), message).at(None, place)
    }

    fn read_beyond(&mut self, buffer: &mut [u8], offset: u64, index: usize) -> Result<usize> {
        let stream = match self.beyond.take().filter(|stream| stream.position() == offset) {
            Some(stream) => stream,
            None => self.stream(index, offset)?,
        };
        let stream = self.beyond.insert(stream);
        stream.read(buffer)
    }

    /// Makes a frame the current one.
    fn unpack(&mut self, index: usize) -> Result<()> {
        if self.current == Some(index) {
            return Ok(());
        }
        self.current = None;
        let Frame { text, packed } = &self.frames.frames[index];
        let length = |range: &Range<u64>| (range.end - range.start) as usize;
        self.packed.resize(length(packed), 0);
        self.file.raw_at(&mut self.packed, packed.start)?;
        self.text.resize(length(text), 0);
        let unpacked = match &mut self.decompressor {
            Some(decompressor) => decompressor,
            none => none.insert(Decompressor::new().map_err(|error| self.file.unreadable(&error))?),
        }
        .decompress_to_buffer(&self.packed, self.text.as_mut_slice())
        .map_err(|error| self.damaged(index, &error.to_string()))?;
        match self.text.last() {
            Some(last) if unpacked == self.text.len() => self.frames.keep_last_byte(index, *last),
            _ => return Err(self.damaged(index, LESS_TEXT)),
        }
        self.current = Some(index);
        Ok(())
    }
}
