//! Whether dumps are of one process, in order, and whether objects moved between them.
//!
//! Dumps taken by LeakHunter say so themselves. Of others it is inferred: classes that the interpreter itself defines
//! are pinned for good, so another address of theirs means another process; other named classes move in a compaction.

use super::Provenance;
use crate::diff::{Identity, Source};
use crate::dump::Classes;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::Generation;
use crate::progress::Progress;

/// Classes that no compaction moves.
const PINNED: [&str; 10] = [
    "BasicObject",
    "Object",
    "Module",
    "Class",
    "Kernel",
    "String",
    "Array",
    "Hash",
    "Integer",
    "Symbol",
];

/// A class that a reload defined anew has another address too, so a few are no sign of a move.
const SHARE_MOVED: f64 = 0.02;

/// Fails when one dump was given twice.
pub(crate) fn check_distinct(files: &[Source], progress: &Progress) -> Result<()> {
    for Pair { one, two } in pairs(files.len()) {
        if files[one].same_as(&files[two], progress)? {
            let which = files[one]
                .path()
                .map_or("in memory".into(), |path| path.display().to_string());
            let message = format!(
                "the {} and the {} dump are the same one ({which}); take {}, with work between them",
                ordinal(one),
                ordinal(two),
                if files.len() == 3 { "three" } else { "others" },
            );
            return Err(Error::new(ErrorKind::SameDump, message));
        }
    }
    Ok(())
}

/// Fails when what the dumps say of themselves does not fit together.
pub(crate) fn check_recorded(files: &[Source]) -> Result<()> {
    let recorded = |index: usize| files[index].recorded();
    for Pair { one, two } in pairs(files.len()) {
        if let (Some(before), Some(after)) = (recorded(one), recorded(two)) {
            if !before.same_process(after) {
                return Err(different_processes(files));
            }
        }
    }
    for Pair { one, two } in pairs(files.len()) {
        if let (Some(before), Some(after)) = (recorded(one), recorded(two)) {
            if before.sequence > after.sequence {
                let detail = format!("#{} then #{}", before.sequence, after.sequence);
                return Err(wrong_order(one, two, &detail, in_order(files).as_deref()));
            }
        }
    }
    Ok(())
}

/// The files in the order in which they were taken, where all of them are files that say so.
fn in_order(files: &[Source]) -> Option<String> {
    let mut taken: Vec<(u64, String)> = files
        .iter()
        .map(|file| Some((file.recorded()?.sequence, file.path()?.display().to_string())))
        .collect::<Option<_>>()?;
    taken.sort();
    let paths: Vec<String> = taken.into_iter().map(|(_, path)| path).collect();
    Some(paths.join(" "))
}

/// Says of which process each is.
fn different_processes(files: &[Source]) -> Error {
    let id = |file: &Source| file.recorded().map(|it| (it.pid, it.host.clone()));
    // a process id was used again, as in containers
    let is_alike = files.windows(2).all(|pair| id(&pair[0]) == id(&pair[1]));
    let describe = |(index, file): (usize, &Source)| match file.recorded() {
        Some(it) => {
            let boot = is_alike.then(|| format!(" (boot {})", it.boot));
            format!(
                "the {} of process {} on {}{}",
                ordinal(index),
                it.pid,
                it.host,
                boot.unwrap_or_default()
            )
        }
        None => format!("the {} of a process that is not recorded", ordinal(index)),
    };
    let described: Vec<String> = files.iter().enumerate().map(describe).collect();
    let message = format!(
        "the dumps are of different processes: {}; take all {} in one process",
        described.join(", "),
        if files.len() == 3 { "three" } else { "of them" },
    );
    Error::new(ErrorKind::DifferentProcesses, message)
}

/// Fails when a mark stands where objects are needed.
pub(crate) fn check_marks(files: &[Source], identity: Identity) -> Result<()> {
    let needed = match identity {
        Identity::Auto => files.last().map(std::slice::from_ref).unwrap_or_default(),
        Identity::Address => files,
    };
    if needed.iter().any(Source::is_mark) {
        let message = match identity {
            Identity::Auto => {
                "a mark has no addresses of objects, so it cannot be the last; give a dump or a heap"
            }
            Identity::Address => "a mark has no addresses to compare; give dumps or heaps",
        };
        return Err(Error::new(ErrorKind::Options, message));
    }
    Ok(())
}

/// Fails when the highest generations run backwards: GC counts only rise.
pub(crate) fn check_generations(generations: &[Option<Generation>]) -> Result<()> {
    for Pair { one, two } in pairs(generations.len()) {
        if let (Some(before), Some(after)) = (generations[one], generations[two]) {
            if before > after {
                return Err(wrong_order(
                    one,
                    two,
                    &format!("GC count {before} then {after}"),
                    None,
                ));
            }
        }
    }
    Ok(())
}

const ORDINALS: [&str; 10] = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
];

/// What a moment is called, by its index.
fn ordinal(index: usize) -> std::borrow::Cow<'static, str> {
    match ORDINALS.get(index) {
        Some(ordinal) => (*ordinal).into(),
        None => format!("{}th", index + 1).into(),
    }
}

/// Two moments, by their indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pair {
    one: usize,
    /// The later one.
    two: usize,
}

/// Each moment with each later one, neighbours first.
fn pairs(moments: usize) -> impl Iterator<Item = Pair> {
    let apart = move |distance| {
        (0..moments - distance).map(move |one| Pair {
            one,
            two: one + distance,
        })
    };
    (1..moments).flat_map(apart)
}

/// `paths` are the files in the right order, where that is known.
fn wrong_order(one: usize, two: usize, detail: &str, paths: Option<&str>) -> Error {
    let message = format!(
        "the {} dump is younger than the {} ({detail}); give them in the order in which they were taken{}",
        ordinal(one),
        ordinal(two),
        paths.map(|paths| format!(": {paths}")).unwrap_or_default()
    );
    Error::new(ErrorKind::WrongOrder, message)
}

/// What the classes of two dumps say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Continuity {
    /// Whether it is one process; `None` when no class that could tell is in both.
    pub(crate) same_process: Option<bool>,
    /// Whether objects moved; `None` when no class that could tell is in both.
    pub(crate) moved: Option<bool>,
}

impl Continuity {
    pub(crate) fn of(before: &Classes, after: &Classes) -> Self {
        let (before, after) = (before.unique_names(), after.unique_names());
        let same = |name: &str| Some(before.get(name)? == after.get(name)?);
        let pinned: Vec<bool> = PINNED.iter().filter_map(|name| same(name)).collect();
        let stayed = pinned.iter().filter(|same| **same).count();
        let others: Vec<bool> = before
            .keys()
            .filter(|name| !PINNED.contains(name))
            .filter_map(|name| same(name))
            .collect();
        let moved = others.iter().filter(|same| !**same).count();
        Self {
            same_process: (!pinned.is_empty()).then(|| stayed * 2 > pinned.len()),
            moved: (!others.is_empty())
                .then_some(moved >= 2 && moved as f64 > others.len() as f64 * SHARE_MOVED),
        }
    }
}

/// What is known of the time between two dumps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move {
    /// Whether objects moved; `None` when that is not known.
    pub(crate) moved: Option<bool>,
    /// How that is known.
    pub(crate) source: Provenance,
    /// Whether the classes say that it is one process.
    pub(crate) same_process: Option<bool>,
}

impl Move {
    pub(crate) const UNKNOWN: Self = Self {
        moved: None,
        source: Provenance::Unknown,
        same_process: None,
    };
}

/// Whether objects moved between two dumps, and how that is known.
pub(crate) fn moved(before: &Source, after: &Source, inferred: Continuity) -> Move {
    let (moved, source) = match (before.recorded(), after.recorded()) {
        (Some(before), Some(after)) => (
            Some(before.compactions != after.compactions),
            Provenance::Recorded,
        ),
        _ => (inferred.moved, Provenance::Inferred),
    };
    Move {
        moved,
        source,
        same_process: inferred.same_process,
    }
}

/// Fails when two dumps that say nothing of themselves cannot be of one process.
pub(crate) fn check_inferred(files: &[Source], one: usize, two: usize, inferred: Continuity) -> Result<()> {
    if inferred.same_process == Some(false) {
        let name = |index: usize| match files[index].path() {
            Some(path) => format!("the {} dump ({})", ordinal(index), path.display()),
            None => format!("the {} dump", ordinal(index)),
        };
        let message = format!(
            "{} and {} are of different processes: Ruby's own classes have other addresses; take all dumps in one \
             process",
            name(one),
            name(two)
        );
        return Err(Error::new(ErrorKind::DifferentProcesses, message));
    }
    Ok(())
}
