//! Cuts one region of a dump file into records.
//!
//! A newline ends a record only when another record's start, or the end of the file, follows: file and class names may
//! contain newlines. Text between records that starts like none of Ruby's (a damaged line, JSON that another program
//! wrote) is handed on line by line. Records are read in chunks; of one longer than [`LONGEST`], the middle is left
//! out, so memory stays bounded whatever a line holds.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr_iter;

use super::budget::{self, Budget};
use super::elide::{self, References};
use super::grammar::Fields;
use super::record::{OBJECT_START, OTHER_STARTS};
use super::text::Text;
use crate::error::Result;
use crate::ids::Address;
use crate::progress::Progress;

/// Bytes per read. Tests take sizes at which every edge of a chunk is met.
const CHUNK: usize = if cfg!(any(test, fuzzing)) { 256 } else { 64 << 10 };
/// Bytes read behind a region's end at a time.
const BEYOND: usize = if cfg!(any(test, fuzzing)) { 64 } else { 16 << 10 };
/// A longer record is shortened.
const LONGEST: usize = if cfg!(any(test, fuzzing)) {
    16 << 10
} else {
    4 << 20
};
/// How far a raw newline may be from the next record's start.
const LONGEST_CONTINUATION: usize = if cfg!(any(test, fuzzing)) {
    4 << 10
} else {
    64 << 10
};
/// Longest record start that must be seen whole to be known.
const LONGEST_START: usize = 16;

/// A piece of the file that should be one record.
#[derive(Debug)]
pub(crate) struct Unit<'a> {
    /// Its text without the line end.
    pub(crate) text: &'a [u8],
    /// Its line in the region, from 0.
    pub(crate) line: u64,
    /// Its offset in the file.
    pub(crate) byte: u64,
    /// Whether the file ends with it, and if so, whether it does so without a line end.
    pub(crate) last: Option<Unended>,
    /// References that stood in the part left out of its text.
    pub(crate) elided: &'a [Address],
}

/// Whether the last line of a file lacks its line end.
pub(crate) type Unended = bool;

/// What a region turned out to be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Region {
    /// Lines that belong to the region's records.
    pub(crate) lines: u64,
}

/// Reads the records that start in `region` of `text`, in bytes, and hands each to `each`; with `collect`, the references of
/// overlong ones too.
pub(crate) fn each_unit(
    text: &mut Text<'_>,
    region: Range<u64>,
    buffer: &mut Vec<u8>,
    collect: bool,
    progress: &Progress,
    mut each: impl FnMut(Unit<'_>) -> Result<()>,
) -> Result<Region> {
    text.enter(&region)?;
    let Range { start, end } = region;
    let mut lines = Lines {
        end,
        source: text,
        progress,
        buffer,
        base: start,
        filled: 0,
        at_end: false,
        line: 0,
        elided: 0,
        collect,
        references: None,
    };
    let Some(first) = lines.find_first(start, end)? else {
        return Ok(Region::default());
    };
    lines.records(first, end, &mut each)?;
    Ok(Region { lines: lines.line })
}

struct Lines<'a, 'b> {
    /// Where the region ends; records that start before it may reach beyond.
    end: u64,
    source: &'a mut Text<'b>,
    progress: &'a Progress,
    buffer: &'a mut Vec<u8>,
    /// Offset in the file of `buffer[0]`.
    base: u64,
    filled: usize,
    /// Nothing follows what is in the buffer.
    at_end: bool,
    /// Line ends seen since the region's first record.
    line: u64,
    /// Bytes left out of the current unit.
    elided: u64,
    collect: bool,
    /// References in what was left out of it.
    references: Option<References>,
}

/// What the search for the end of a unit found.
enum Newline {
    At(usize),
    EndOfFile,
    /// More text than a record with newlines in its names can have.
    TooFar,
}

/// What follows a newline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    Record,
    End,
    Other,
}

impl Lines<'_, '_> {
    /// Index in the buffer of the first record that starts in the region.
    fn find_first(&mut self, start: u64, end: u64) -> Result<Option<usize>> {
        if start == 0 {
            self.refill(0)?;
            return Ok(Some(0));
        }
        // The newline before a record that starts right at `start` belongs to the search.
        self.base = start - 1;
        self.refill(0)?;
        let mut from = 0;
        loop {
            let newline = memchr::memchr(b'\n', &self.buffer[from..self.filled]).map(|index| from + index);
            match newline {
                Some(newline) if self.base + newline as u64 + 1 >= end => return Ok(None),
                Some(newline) if !self.at_end && newline + 1 + LONGEST_START > self.filled => {
                    from = 0;
                    self.refill(newline)?;
                }
                Some(newline) if self.follows(newline + 1) == Follows::Record => {
                    return Ok(Some(newline + 1));
                }
                Some(newline) => from = newline + 1,
                None if self.at_end || self.base + self.filled as u64 >= end => return Ok(None),
                None => {
                    from = 0;
                    self.refill(self.filled)?;
                }
            }
        }
    }

    fn records(
        &mut self,
        first: usize,
        end: u64,
        each: &mut impl FnMut(Unit<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut unit = Open::at(first, self.follows(first) == Follows::Record);
        loop {
            let newline = match self.next_newline(&mut unit)? {
                Newline::At(newline) => newline,
                Newline::TooFar => {
                    self.give_up(&mut unit, each)?;
                    continue;
                }
                Newline::EndOfFile => {
                    if unit.start < self.filled {
                        self.emit(&unit, self.filled, Some(true), each)?;
                    }
                    return Ok(());
                }
            };
            let follows = self.follows(newline + 1);
            let whole = match follows {
                Follows::Record | Follows::End => true,
                Follows::Other => !unit.is_record || self.is_whole(&mut unit, newline),
            };
            if whole {
                self.emit(&unit, newline, (follows == Follows::End).then_some(false), each)?;
                let start = newline + 1;
                let next_is_record = follows == Follows::Record;
                if follows == Follows::End || (next_is_record && self.base + start as u64 >= end) {
                    return Ok(());
                }
                unit = Open::at(start, next_is_record);
            } else if unit
                .inner
                .is_some_and(|inner| newline - inner > LONGEST_CONTINUATION)
            {
                self.give_up(&mut unit, each)?;
            } else {
                unit.inner = unit.inner.or(Some(newline));
                unit.inner_count += 1;
                unit.searched = newline + 1;
            }
        }
    }

    /// Whether the unit is a record if it ends here. What all answers for one unit cost is bounded by its length; where
    /// that is not enough, the unit ends at the next record's start.
    fn is_whole(&self, unit: &mut Open, end: usize) -> bool {
        let text = &self.buffer[unit.start..end];
        if !text.strip_suffix(b"\r").unwrap_or(text).ends_with(b"}") {
            return false;
        }
        let mut budget = Budget::resume(text.len(), unit.spent, self.progress);
        if self.elided > 0 && budget.spend(text.len()).is_none() {
            return false;
        }
        let whole = !budget.is_spent() && Fields::parse_within(&self.text(unit, end), &mut budget).is_some();
        unit.spent = budget::allowed(text.len()) - budget.left();
        whole
    }

    /// No name goes on that long: the unit's first line was damaged. What follows is looked at line by line.
    fn give_up(&mut self, unit: &mut Open, each: &mut impl FnMut(Unit<'_>) -> Result<()>) -> Result<()> {
        let Some(first_newline) = unit.inner else {
            return Ok(());
        };
        let damaged = Open::at(unit.start, true);
        *unit = Open::at(first_newline + 1, false);
        self.emit(&damaged, first_newline, None, each)
    }

    /// The next newline, with enough of what follows it to tell what that is. An overlong unit is shortened at the same
    /// bytes of it however the file was cut into chunks and regions.
    fn next_newline(&mut self, unit: &mut Open) -> Result<Newline> {
        loop {
            let end = self.filled.min(unit.start + LONGEST + 1);
            let newline = memchr::memchr(b'\n', &self.buffer[unit.searched..end]);
            let newline = newline.map(|index| unit.searched + index);
            match newline {
                Some(newline) if self.at_end || newline + 1 + LONGEST_START <= self.filled => {
                    return Ok(Newline::At(newline));
                }
                None if self.at_end && end == self.filled => return Ok(Newline::EndOfFile),
                _ => {}
            }
            unit.searched = newline.unwrap_or(end);
            if unit.searched - unit.start > LONGEST {
                if unit.inner.is_some_and(|inner| inner - unit.start >= elide::HEAD) {
                    return Ok(Newline::TooFar);
                }
                self.elide(unit);
                if unit.searched < self.filled {
                    continue;
                }
            }
            self.refill(unit.start)?;
            unit.rebase();
        }
    }

    fn elide(&mut self, unit: &mut Open) {
        if self.collect {
            self.collect_references(unit);
        }
        let kept = unit.start + elide::middle(&mut self.buffer[unit.start..unit.searched]);
        let removed = unit.searched - kept;
        self.buffer.copy_within(unit.searched..self.filled, kept);
        unit.searched = kept;
        self.filled -= removed;
        // Offsets behind the gap stay right; the one of the unit's start is mended when it is handed on.
        self.base += removed as u64;
        self.elided += removed as u64;
    }

    /// Reads the references in what [`Self::elide`] is about to leave out.
    fn collect_references(&mut self, unit: &Open) {
        let (head, rest) = self.buffer[unit.start..unit.searched].split_at(elide::HEAD);
        if self.elided == 0 {
            self.references = References::of_head(head);
        }
        if let Some(references) = &mut self.references {
            references.read(&rest[..rest.len() - elide::HEAD]);
        }
    }

    /// Moves `keep_from..` to the front and reads on behind it.
    fn refill(&mut self, keep_from: usize) -> Result<()> {
        self.progress.check()?;
        if keep_from > 0 {
            self.buffer.copy_within(keep_from..self.filled, 0);
        }
        self.base += keep_from as u64;
        self.filled -= keep_from;
        let offset = self.base + self.filled as u64;
        // What lies beyond the region is the next one's to read, but for the end of the last record.
        let length = usize::try_from(self.end.saturating_sub(offset))
            .map_or(CHUNK, |left| CHUNK.min(left.saturating_add(BEYOND)));
        if self.buffer.len() < self.filled + length {
            self.buffer.resize(self.filled + length, 0);
        }
        let read = self
            .source
            .read_at(&mut self.buffer[self.filled..self.filled + length], offset)?;
        self.progress.add(self.source.newly_streamed());
        self.progress.count_work(read);
        self.filled += read;
        self.at_end = self.source.ends_at(offset + read as u64, read < length);
        Ok(())
    }

    #[inline]
    fn follows(&self, index: usize) -> Follows {
        let text = &self.buffer[index..self.filled];
        if text.starts_with(OBJECT_START) || OTHER_STARTS.iter().any(|start| text.starts_with(start)) {
            Follows::Record
        } else if text.is_empty() && self.at_end {
            Follows::End
        } else {
            Follows::Other
        }
    }

    /// The unit's text; of an overlong one, its two ends as one record.
    fn text(&self, unit: &Open, end: usize) -> Cow<'_, [u8]> {
        let text = &self.buffer[unit.start..end];
        match self.elided {
            0 => text.into(),
            _ => elide::join(text).map_or(text.into(), Cow::Owned),
        }
    }

    /// Hands on what may be one record over several lines; when it is none, its lines one by one.
    #[inline]
    fn emit(
        &mut self,
        unit: &Open,
        end: usize,
        last: Option<Unended>,
        each: &mut impl FnMut(Unit<'_>) -> Result<()>,
    ) -> Result<()> {
        let byte = self.base + unit.start as u64 - self.elided;
        let line = self.line;
        self.line += unit.inner_count + 1;
        if unit.inner.is_none() && self.elided == 0 {
            return each(Unit {
                text: &self.buffer[unit.start..end],
                line,
                byte,
                last,
                elided: &[],
            });
        }
        let mut references = self.references.take();
        if let Some(references) = &mut references {
            references.read(&self.buffer[(unit.start + elide::HEAD).min(end)..end]);
        }
        let elided = references.as_ref().map_or(&[][..], |it| &it.addresses);
        let text = self.text(unit, end);
        if unit.inner.is_none() || Fields::parse(&text).is_some() {
            each(Unit {
                text: &text,
                line,
                byte,
                last,
                elided,
            })?;
        } else {
            let newlines = memchr_iter(b'\n', &text).chain([text.len()]);
            let mut start = 0;
            for (index, newline) in newlines.enumerate() {
                let piece = &text[start..newline];
                let last = last.filter(|_| newline == text.len());
                each(Unit {
                    text: piece,
                    line: line + index as u64,
                    byte: byte + start as u64,
                    last,
                    elided: &[],
                })?;
                start = newline + 1;
            }
        }
        self.elided = 0;
        Ok(())
    }
}

/// The unit whose end is being looked for.
struct Open {
    /// Its start in the buffer.
    start: usize,
    /// Whether it starts like a record of Ruby's, so that newlines inside it may belong to a name.
    is_record: bool,
    /// Where the search for the next newline goes on.
    searched: usize,
    /// The first newline inside it.
    inner: Option<usize>,
    /// Newlines inside it.
    inner_count: u64,
    /// What it has cost to ask whether it is a whole record, in bytes looked at.
    spent: usize,
}

impl Open {
    fn at(start: usize, is_record: bool) -> Self {
        Self {
            start,
            is_record,
            searched: start,
            inner: None,
            inner_count: 0,
            spent: 0,
        }
    }

    /// The buffer was moved so that the unit's start is its first byte.
    fn rebase(&mut self) {
        self.searched -= self.start;
        self.inner = self.inner.map(|inner| inner - self.start);
        self.start = 0;
    }
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
