//! Reads the source of a Ruby program, all of it at once, and finds what can leak: collections that live as long as the
//! process, get longer, and from which nothing in the program removes; and calls that leak by being made more than once.
//! The source is parsed with Ruby's own parser, and nothing of it runs.
//!
//! ```text
//! files ──► parser ──► tree ──► facts of each file ──► the program ──► rules ──► findings
//!           parallel, a file at a time                  which variable, method, class is meant
//! ```

#![forbid(unsafe_code)]

mod erb;
mod facts;
mod finding;
mod lower;
mod program;
mod reach;
mod rule;
mod rules;
mod source;
mod suppress;
mod tree;
mod walk;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use leak_hunter_core::{Error, ErrorKind, Progress, Result};
use rayon::prelude::*;

pub use finding::{Finding, Location};
pub use rule::{Reach, Rule, Severity};
pub use source::LARGEST;

use facts::{Facts, Place};
use rules::Raw;
use suppress::Suppressions;
use walk::Role;

/// What the parser takes for deep nesting: it goes down ten thousand levels before it gives up.
const STACK: usize = 256 << 20;

/// How a scan is done.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// None leaves one core free.
    pub threads: Option<usize>,
    /// Files in this folder are named relative to it.
    pub root: Option<PathBuf>,
}

/// Why a part of the program was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gap {
    /// The file, or folder, cannot be read.
    Unreadable,
    /// The file has more than [`LARGEST`] bytes.
    TooLarge,
    /// It is no Ruby from this line on, or in part: what was understood was looked at.
    Broken,
    /// Expressions are nested deeper than is looked at.
    TooDeep,
    /// There are more files than are read.
    TooMany,
}

impl Gap {
    /// As in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::Broken => "broken",
            Self::TooDeep => "too_deep",
            Self::TooMany => "too_many",
        }
    }
}

/// Something that was not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Why.
    pub gap: Gap,
    /// Which file.
    pub path: PathBuf,
    /// Where it begins, counted from 1.
    pub line: Option<u32>,
}

/// The result.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// By path and line.
    pub findings: Vec<Finding>,
    /// Findings that comments switched off.
    pub suppressed: usize,
    /// Files that were looked at.
    pub files: usize,
    /// Their lines.
    pub lines: u64,
    /// What was not looked at.
    pub notes: Vec<Note>,
}

/// A file in memory.
#[derive(Clone, Debug)]
pub struct Text {
    /// As it is named in results.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What one file gave.
#[derive(Default)]
struct Parsed {
    facts: Facts,
    /// Where lines end.
    ends: Vec<u32>,
    text: Vec<u8>,
    suppressions: Suppressions,
    notes: Vec<Note>,
    read: bool,
}

/// Scans the Ruby files in folders, and files.
pub fn scan(paths: &[PathBuf], options: &Options, progress: &Progress) -> Result<Scan> {
    let sources = source::list(paths, options.root.as_deref(), progress)?;
    progress.set_total(sources.files.iter().map(|file| file.size).sum());
    let shown: Vec<PathBuf> = sources.files.iter().map(|file| file.shown.clone()).collect();
    let parsed = parse_all(&sources.files, options, progress, |index, file| {
        let mut parsed = match source::read(&file.path) {
            Ok(Some(text)) => parse(text, index, &file.shown, source::role(&file.within)),
            Ok(None) => gap(Gap::TooLarge, &file.shown),
            Err(_) => gap(Gap::Unreadable, &file.shown),
        };
        parsed.text = Vec::new();
        progress.add(file.size);
        parsed
    })?;
    let mut scan = judge(parsed, &shown, progress)?;
    for path in sources.unreadable {
        scan.notes.push(Note {
            gap: Gap::Unreadable,
            path,
            line: None,
        });
    }
    if sources.too_many {
        scan.notes.push(Note {
            gap: Gap::TooMany,
            path: PathBuf::new(),
            line: None,
        });
    }
    Ok(scan)
}

/// Scans files that are in memory.
pub fn scan_texts(texts: &[Text], options: &Options, progress: &Progress) -> Result<Scan> {
    progress.set_total(texts.iter().map(|text| text.bytes.len() as u64).sum());
    let shown: Vec<PathBuf> = texts.iter().map(|text| text.path.clone()).collect();
    let parsed = parse_all(texts, options, progress, |index, text| {
        progress.add(text.bytes.len() as u64);
        if text.bytes.len() as u64 > LARGEST {
            return gap(Gap::TooLarge, &text.path);
        }
        parse(text.bytes.clone(), index, &text.path, source::role(&text.path))
    })?;
    judge(parsed, &shown, progress)
}

fn gap(gap: Gap, path: &Path) -> Parsed {
    let note = Note {
        gap,
        path: path.to_path_buf(),
        line: None,
    };
    Parsed {
        notes: vec![note],
        ..Parsed::default()
    }
}

fn parse_all<T: Sync>(
    files: &[T],
    options: &Options,
    progress: &Progress,
    work: impl Fn(u32, &T) -> Parsed + Sync + Send,
) -> Result<Vec<Parsed>> {
    let threads = leak_hunter_core::pool::threads(options.threads);
    let pool = leak_hunter_core::pool::with_stack(threads, STACK)?;
    pool.install(|| {
        files
            .par_iter()
            .enumerate()
            .with_max_len(8)
            .map(|(index, file)| {
                progress.check()?;
                let index =
                    u32::try_from(index).map_err(|_| Error::new(ErrorKind::Internal, "too many files"))?;
                Ok(work(index, file))
            })
            .collect()
    })
}

/// For each operand of `a || b || …` the parser looks at all before it.
const OPERATORS: usize = 20_000;

fn parse(text: Vec<u8>, index: u32, path: &Path, role: Role) -> Parsed {
    let operators = |what: &[u8]| memchr::memmem::find_iter(&text, what).take(OPERATORS).count();
    let all: [&[u8]; 4] = [b"|| ", b"&&", b" or ", b" and "];
    let tight =
        memchr::memmem::find_iter(&text, b"||").filter(|at| !matches!(text.get(at + 2), Some(b'=' | b' ')));
    if all.into_iter().map(operators).sum::<usize>() + tight.take(OPERATORS).count() >= OPERATORS {
        return gap(Gap::TooDeep, path);
    }
    let text = if role.template { erb::ruby_of(&text) } else { text };
    let mut parsed = Parsed {
        ends: text
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
            .map(|(at, _)| u32::try_from(at).unwrap_or(u32::MAX))
            .collect(),
        read: true,
        ..Parsed::default()
    };
    let note = |gap, line| Note {
        gap,
        path: path.to_path_buf(),
        line,
    };
    {
        let result = ruby_prism::parse(&text);
        // a layout yields outside of methods
        let broken =
            |place: &ruby_prism::Location<'_>| !(role.template && place.as_slice().starts_with(b"yield"));
        let places = result.errors().map(|it| it.location()).filter(broken);
        let first = places.map(|place| place.start_offset()).min();
        if let Some(at) = first {
            let line = line_of(&parsed.ends, u32::try_from(at).unwrap_or(u32::MAX));
            parsed.notes.push(note(Gap::Broken, Some(line)));
        }
        for comment in result.comments() {
            let at = comment.location().start_offset();
            let line = line_of(&parsed.ends, u32::try_from(at).unwrap_or(u32::MAX));
            let start = text
                .get(..at)
                .and_then(|before| before.iter().rposition(|byte| *byte == b'\n'))
                .map_or(0, |it| it + 1);
            let alone = text
                .get(start..at)
                .is_some_and(|before| before.iter().all(u8::is_ascii_whitespace));
            parsed.suppressions.add(comment.text(), line, alone);
        }
        let lowered = lower::lower(&result.node());
        if lowered.too_deep {
            parsed.notes.push(note(Gap::TooDeep, None));
        }
        parsed.facts = walk::walk(&lowered.tree, index, role);
    }
    parsed.text = text;
    parsed
}

/// Counted from 1.
fn line_of(ends: &[u32], at: u32) -> u32 {
    let before = ends.partition_point(|end| *end < at);
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

fn judge(parsed: Vec<Parsed>, shown: &[PathBuf], progress: &Progress) -> Result<Scan> {
    let mut scan = Scan::default();
    let mut facts = Facts::default();
    let mut files = Vec::with_capacity(parsed.len());
    for mut file in parsed {
        scan.notes.append(&mut file.notes);
        scan.files += usize::from(file.read);
        scan.lines += file.ends.len() as u64;
        facts.append(std::mem::take(&mut file.facts));
        files.push(file);
    }
    progress.check()?;
    let program = program::Program::new(&facts);
    progress.check()?;
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut raw = rules::findings(&program);
    raw.sort_by_key(|it| (it.place, it.rule));
    for raw in raw {
        let location = locate(raw.place, &files, shown);
        let off = files
            .get(raw.place.file as usize)
            .is_some_and(|file| file.suppressions.covers(raw.rule, location.line));
        if off {
            scan.suppressed += 1;
            continue;
        }
        let finding = finish(raw, location, &files, shown, &mut seen);
        scan.findings.push(finding);
    }
    Ok(scan)
}

fn locate(place: Place, files: &[Parsed], shown: &[PathBuf]) -> Location {
    let index = place.file as usize;
    let ends = files
        .get(index)
        .map(|file| file.ends.as_slice())
        .unwrap_or_default();
    let line = line_of(ends, place.at);
    let start = (line as usize)
        .checked_sub(2)
        .and_then(|before| ends.get(before))
        .map_or(0, |end| end + 1);
    Location {
        path: shown.get(index).cloned().unwrap_or_default(),
        line,
        column: place.at.saturating_sub(start).saturating_add(1),
    }
}

fn finish(
    raw: Raw,
    location: Location,
    files: &[Parsed],
    shown: &[PathBuf],
    seen: &mut HashMap<String, u32>,
) -> Finding {
    let path = location.path.to_string_lossy().replace('\\', "/");
    let what = match (&raw.variable, &raw.method) {
        (Some(variable), _) => variable.clone(),
        (None, method) => format!("{} {}", method.as_deref().unwrap_or_default(), raw.message),
    };
    let mut print = finding::fingerprint(&[raw.rule.name(), &what, &path]);
    let times = seen.entry(print.clone()).or_default();
    *times += 1;
    if *times > 1 {
        print = finding::fingerprint(&[raw.rule.name(), &what, &path, &times.to_string()]);
    }
    Finding {
        rule: raw.rule,
        severity: raw.severity,
        reach: raw.reach,
        message: raw.message,
        variable: raw.variable,
        also: raw.also,
        method: raw.method,
        grows: raw
            .grows
            .iter()
            .map(|place| locate(*place, files, shown))
            .collect(),
        emptied_by: raw.emptied_by,
        fingerprint: print,
        location,
    }
}
