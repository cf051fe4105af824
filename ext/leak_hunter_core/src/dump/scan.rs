//! One pass over a dump on several threads.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use memchr::memmem::Finder;
use rayon::ThreadPool;

use super::budget::Budget;
use super::file::{DumpFile, Form};
use super::frames::Region;
use super::grammar::Fields;
use super::lines::{self, Unit};
use super::name_line::NameLine;
use super::record::{NAME_START, OBJECT_START, OTHER_STARTS, ROOT_START, Record, STACK_START};
use super::stack_line::StackLine;
use super::text::Text;
use crate::error::{Error, Result};
use crate::ids::Address;
use crate::progress::Progress;

/// How many skipped lines are reported one by one.
const TOLD: usize = 5;
const SMALLEST_REGION: u64 = if cfg!(any(test, fuzzing)) { 500 } else { 1 << 20 };
const LARGEST_REGION: u64 = 16 << 20;
/// Bytes of one line between two looks at whether to go on.
const BETWEEN_CHECKS: u64 = if cfg!(any(test, fuzzing)) {
    1 << 10
} else {
    64 << 10
};

/// One pass over the objects of a dump or heap, as one thread makes it: it sees a share of them, in no set order, each
/// once. At the end the parts of all threads are merged.
pub trait Pass: Send + Sized {
    /// Whether the references of records too long to hold are wanted, which takes memory for each.
    const REFERENCES: bool = false;

    /// Takes the record of an object.
    ///
    /// # Errors
    /// [`Failure::Damaged`] when more of the record was needed than could be read: it is counted, and the pass goes on.
    /// [`Failure::Failed`] ends the pass.
    fn visit(&mut self, record: &Record<'_>) -> std::result::Result<(), Failure>;

    /// Takes a record of GC roots, and the references left out of it.
    fn root(&mut self, _root: &Fields<'_>, _elided: &[Address]) {}

    /// Takes a name that LeakHunter wrote into the dump.
    fn name(&mut self, _name: NameLine) {}

    /// Takes a stack through which objects were allocated.
    fn stack(&mut self, _stack: StackLine) {}

    /// Takes over what another thread has found.
    fn merge(&mut self, other: Self);
}

/// Why a record could not be visited.
#[derive(Debug)]
pub enum Failure {
    /// Its ends are valid, its middle is not.
    Damaged,
    /// The pass cannot go on.
    Failed(Error),
}

/// A record whose ends are valid and whose middle is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged;

impl From<Damaged> for Failure {
    fn from(_: Damaged) -> Self {
        Self::Damaged
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A piece of text in a dump that is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Line, from 1.
    pub line: u64,
    /// Offset in the text, in bytes from 0: in the file, when that is not compressed.
    pub byte: u64,
    /// Why.
    pub reason: SkipReason,
}

/// Why a piece of text was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// Another record starts before it ends.
    CutOff,
    /// Its ends are valid, its middle is not.
    DamagedMiddle,
    /// It starts like a record.
    NotWhole,
    /// It does not even start like one.
    NotARecord,
}

impl SkipReason {
    /// The name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::CutOff => "cut off in the middle",
            Self::DamagedMiddle => "damaged in the middle",
            Self::NotWhole => "not a whole record",
            Self::NotARecord => "not a record",
        }
    }
}

/// What a pass saw besides the records.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Lines that are no record.
    pub skipped: u64,
    /// The first few of them.
    pub first_skipped: Vec<Skipped>,
}

/// A pass that has seen every record.
#[derive(Debug)]
pub struct Scanned<P> {
    /// What it found.
    pub pass: P,
    /// What the file was like.
    pub seen: Seen,
}

/// Reads all of `file` in one pass, on every thread of `pool`.
///
/// # Errors
/// When the file cannot be read, is cut short, changed, or has no record; when the run is cancelled; what the pass returns.
pub fn scan<P: Pass>(
    file: &DumpFile,
    pool: &ThreadPool,
    progress: &Progress,
    new_pass: impl Fn() -> P + Sync,
) -> Result<Scanned<P>> {
    let regions = regions(file, pool.current_num_threads() as u64);
    let next = AtomicUsize::new(0);
    let parts = pool
        .broadcast(|_| -> Result<Part<P>> {
            let mut pass = new_pass();
            let mut stats = Vec::new();
            let mut buffer = Vec::new();
            let start = Finder::new(OBJECT_START);
            let mut text = Text::of(file)?;
            while let Some(Claim { index, region }) = claim(&next, &regions) {
                let mut reader = RegionReader {
                    pass: &mut pass,
                    stats: RegionStats {
                        index,
                        ..RegionStats::default()
                    },
                    start: &start,
                    progress,
                };
                let Region { text: bytes, packed } = region;
                let end = lines::each_unit(&mut text, bytes, &mut buffer, P::REFERENCES, progress, |unit| {
                    reader.unit(&unit)
                })?;
                // A budget that ended early since the run was cancelled looks like damage.
                progress.check()?;
                reader.stats.lines = end.lines;
                stats.push(reader.stats);
                progress.add(packed);
                text.check_end()?;
            }
            Ok(Part { pass, stats })
        })
        .into_iter()
        .collect::<Result<Vec<Part<P>>>>();
    // A file that changed explains any other trouble with it.
    file.check_unchanged()?;
    let mut parts = parts?.into_iter();
    let Part { mut pass, mut stats } = parts.next().unwrap_or_else(|| Part {
        pass: new_pass(),
        stats: Vec::new(),
    });
    for part in parts {
        progress.check()?;
        pass.merge(part.pass);
        stats.extend(part.stats);
    }
    stats.sort_unstable_by_key(|stats| stats.index);
    Ok(Scanned {
        pass,
        seen: finish(file, stats)?,
    })
}

/// What one thread has made of its regions.
struct Part<P> {
    pass: P,
    stats: Vec<RegionStats>,
}

/// A region that a thread has taken.
struct Claim {
    index: usize,
    region: Region,
}

/// The next region that no thread has taken yet.
fn claim(next: &AtomicUsize, regions: &[Region]) -> Option<Claim> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    regions.get(index).cloned().map(|region| Claim { index, region })
}

fn regions(file: &DumpFile, threads: u64) -> Vec<Region> {
    let size = |bytes: u64| (bytes / (threads * 8)).clamp(SMALLEST_REGION, LARGEST_REGION);
    let region = |text: Range<u64>| Region {
        packed: text.end - text.start,
        text,
    };
    match file.form() {
        Form::Plain => {
            let (bytes, size) = (file.bytes(), size(file.bytes()));
            (0..bytes.div_ceil(size))
                .map(|index| region(index * size..((index + 1) * size).min(bytes)))
                .collect()
        }
        Form::Frames(frames) => frames.regions(size(frames.text_bytes())),
        // one thread reads it, and counts what it takes of the file
        Form::Stream(_) => vec![Region {
            text: 0..u64::MAX,
            packed: 0,
        }],
    }
}

/// What one region held besides records.
#[derive(Clone, Debug, Default)]
struct RegionStats {
    /// Which region of the file it is.
    index: usize,
    lines: u64,
    records: u64,
    skipped: u64,
    /// Lines relative to the region.
    first_skipped: Vec<Skipped>,
    truncated: Option<CutShort>,
}

/// Where a file ends in the middle of a record.
#[derive(Clone, Copy, Debug)]
struct CutShort {
    /// Relative to the region.
    line: u64,
    byte: u64,
}

struct RegionReader<'a, P> {
    pass: &'a mut P,
    stats: RegionStats,
    start: &'a Finder<'static>,
    progress: &'a Progress,
}

impl<P: Pass> RegionReader<'_, P> {
    #[inline]
    fn unit(&mut self, unit: &Unit<'_>) -> Result<()> {
        let mut text = unit.text.strip_suffix(b"\r").unwrap_or(unit.text);
        let mut byte = unit.byte;
        let mut budget = Budget::stoppable(text.len(), self.progress);
        let mut next_check = byte + BETWEEN_CHECKS;
        // Where lines ran into each other, each piece that starts like a record is looked at on its own.
        loop {
            let record = Record::ends(text);
            let another = match &record {
                Some(record) if !record.may_hold_another() => None,
                _ => self
                    .start
                    .find(text.get(1..).unwrap_or_default())
                    .map(|index| index + 1),
            };
            let Some(another) = another else {
                match record {
                    Some(record) if record.ends_are_whole() => self.visit(record, unit, byte)?,
                    // The last piece is always read, whatever those before it have cost.
                    _ if self.slow(unit, text, byte, &mut Budget::of(text.len()))? => {}
                    _ => self.skip_or_truncated(unit, text, byte),
                }
                return Ok(());
            };
            if !budget.is_spent() && self.slow(unit, text, byte, &mut budget)? {
                return Ok(());
            }
            self.skip(unit, byte, SkipReason::CutOff);
            text = &text[another..];
            byte += another as u64;
            if byte >= next_check {
                self.progress.count_work(BETWEEN_CHECKS as usize);
                self.progress.check()?;
                next_check = byte + BETWEEN_CHECKS;
            }
        }
    }

    #[inline]
    fn visit(&mut self, record: Record<'_>, unit: &Unit<'_>, byte: u64) -> Result<()> {
        self.stats.records += 1;
        match self.pass.visit(&record.with_elided(unit.elided)) {
            Ok(()) => {}
            Err(Failure::Damaged) => self.skip(unit, byte, SkipReason::DamagedMiddle),
            Err(Failure::Failed(error)) => return Err(error),
        }
        Ok(())
    }

    /// Everything but a record that the fast path can read; `false` when it is none at all.
    #[cold]
    fn slow(&mut self, unit: &Unit<'_>, text: &[u8], byte: u64, budget: &mut Budget<'_>) -> Result<bool> {
        if text.trim_ascii_start().is_empty() {
            return Ok(true);
        }
        if let Some(start) = OTHER_STARTS.iter().find(|start| text.starts_with(start)) {
            let whole = text.ends_with(b"}");
            self.stats.records += u64::from(whole);
            match *start {
                ROOT_START if whole => {
                    if let Some(root) = Fields::parse_within(text, budget) {
                        self.pass.root(&root, unit.elided);
                    }
                }
                NAME_START if whole => {
                    if let Some(name) = NameLine::parse(text) {
                        self.pass.name(name);
                    }
                }
                STACK_START if whole => {
                    if let Some(stack) = StackLine::parse(text) {
                        self.pass.stack(stack);
                    }
                }
                _ => {}
            }
            return Ok(whole);
        }
        let Some(fields) = Fields::parse_within(text, budget) else {
            return Ok(false);
        };
        // Without an address it describes no object: not of ObjectSpace, and no harm. It does not make a dump either.
        if fields.address != Address::default() {
            self.visit(Record::of_fields(text, &fields), unit, byte)?;
        }
        Ok(true)
    }

    fn skip_or_truncated(&mut self, unit: &Unit<'_>, text: &[u8], byte: u64) {
        let cut = unit.last.is_some_and(|unended| unended || !text.ends_with(b"}"));
        if cut
            && OTHER_STARTS
                .iter()
                .chain([&OBJECT_START])
                .any(|start| text.starts_with(start) || start.starts_with(text))
        {
            let line = unit.line;
            self.stats.truncated = Some(CutShort { line, byte });
        }
        self.skip(
            unit,
            byte,
            if text.starts_with(b"{") {
                SkipReason::NotWhole
            } else {
                SkipReason::NotARecord
            },
        );
    }

    fn skip(&mut self, unit: &Unit<'_>, byte: u64, reason: SkipReason) {
        self.stats.skipped += 1;
        if self.stats.first_skipped.len() < TOLD {
            self.stats.first_skipped.push(Skipped {
                line: unit.line,
                byte,
                reason,
            });
        }
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;

/// Adds up the regions: lines are counted from the start of the file.
fn finish(file: &DumpFile, regions: Vec<RegionStats>) -> Result<Seen> {
    let mut seen = Seen::default();
    let mut lines_before = 0;
    let mut records = 0;
    for region in regions {
        if let Some(CutShort { line, byte }) = region.truncated {
            let message = "is cut short in the middle of a record; copy or take it again";
            return Err(file.truncated(message).at(Some(lines_before + line + 1), byte));
        }
        for skipped in region.first_skipped {
            if seen.first_skipped.len() < TOLD {
                seen.first_skipped.push(Skipped {
                    line: lines_before + skipped.line + 1,
                    ..skipped
                });
            }
        }
        seen.skipped += region.skipped;
        records += region.records;
        lines_before += region.lines;
    }
    if records == 0 {
        let (line, byte) = seen.first_skipped.first().map_or((1, 0), |it| (it.line, it.byte));
        return Err(file
            .not_a_dump("is not a heap dump: no line is a record of ObjectSpace.dump_all")
            .at(Some(line), byte));
    }
    Ok(seen)
}
