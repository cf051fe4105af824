//! The text of a dump, as one thread reads it: whatever the file is compressed with, offsets are those of the text.

use std::ops::Range;

use super::file::{DumpFile, Form};
use super::frames::FramesText;
use super::stream::Stream;
use crate::error::Result;

/// The end of a text that is kept for its last line.
const ENDING: usize = 64 << 10;

/// The text of a dump.
pub(crate) struct Text<'a> {
    file: &'a DumpFile,
    how: How<'a>,
    /// Bytes of a stream's file that were asked for.
    counted: u64,
}

enum How<'a> {
    Plain,
    Frames(FramesText<'a>),
    Stream { stream: Stream<'a>, ending: Vec<u8> },
}

impl<'a> Text<'a> {
    pub(crate) fn of(file: &'a DumpFile) -> Result<Self> {
        let how = match file.form() {
            Form::Plain => How::Plain,
            Form::Frames(frames) => How::Frames(FramesText::new(file, frames)),
            Form::Stream(compression) => How::Stream {
                stream: Stream::of(file, *compression)?,
                ending: Vec::new(),
            },
        };
        Ok(Self {
            file,
            how,
            counted: 0,
        })
    }

    /// Prepares for reading a region of it.
    pub(crate) fn enter(&mut self, region: &Range<u64>) -> Result<()> {
        match &mut self.how {
            How::Frames(frames) => frames.enter(region),
            _ => Ok(()),
        }
    }

    /// Fills `buffer` from `offset` on; fewer bytes only where the text ends. A stream is read in order.
    pub(crate) fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        match &mut self.how {
            How::Plain => self.file.raw_at(buffer, offset),
            How::Frames(frames) => frames.read_at(buffer, offset),
            How::Stream { stream, ending } => {
                stream.skip_to(offset)?;
                let read = stream.read(buffer)?;
                keep_ending(ending, &buffer[..read]);
                Ok(read)
            }
        }
    }

    /// The same, for a look at a few places: no more is unpacked than is read.
    pub(crate) fn range(&mut self, offset: u64, length: usize) -> Result<Vec<u8>> {
        self.enter(&(0..0))?;
        let mut buffer = vec![0; length];
        let read = self.read_at(&mut buffer, offset)?;
        buffer.truncate(read);
        Ok(buffer)
    }

    /// Whether nothing follows `offset`, up to where it was read; of a stream, that is known when less than asked for was
    /// read.
    pub(crate) fn ends_at(&self, offset: u64, read_less: bool) -> bool {
        self.file.text_bytes().map_or(read_less, |bytes| offset >= bytes)
    }

    /// Bytes of the file that a stream has taken since this was asked last; 0 when it is none.
    pub(crate) fn newly_streamed(&mut self) -> u64 {
        let How::Stream { stream, .. } = &self.how else {
            return 0;
        };
        let before = std::mem::replace(&mut self.counted, stream.raw_position());
        self.counted - before
    }

    /// Looks at the last line of a stream, when it was read to its end.
    pub(crate) fn check_end(&self) -> Result<()> {
        match &self.how {
            How::Stream { stream, ending } => self.file.end_of_stream(ending, stream.position()),
            _ => Ok(()),
        }
    }
}

fn keep_ending(ending: &mut Vec<u8>, read: &[u8]) {
    ending.extend_from_slice(read);
    if ending.len() > 2 * ENDING {
        ending.drain(..ending.len() - ENDING);
    }
}
