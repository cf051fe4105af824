//! What grew without new objects: a String that is appended to, an Array of numbers. Its length at every moment tells.

use std::cmp::Reverse;

use super::lengths::{LARGE, Lengths};
use super::moments::Moments;
use crate::dump::Type;
use crate::error::Result;
use crate::graph::{EdgeNames, Graph, Length, Level, NodeId, PathFinder, Ticks};
use crate::heap::Heap;
use crate::holders::{Past, PathStep};
use crate::ids::{Address, ObjectId};
use crate::progress::Progress;
use crate::verdict::{self, Births, History, Judgement, Verdict};

/// Entries by which a collection must have grown, to be reported.
const ENTRIES: u32 = 64;
/// So many are reported.
const MOST: usize = 100;

/// What lengths count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Of an Array or a Hash.
    Entries,
    /// Of a String.
    Bytes,
}

impl Unit {
    /// The name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Entries => "entries",
            Self::Bytes => "bytes",
        }
    }
}

/// An object that was there at every moment and got longer, but not by objects.
#[derive(Clone, Debug)]
pub struct GrownInPlace {
    /// Its address.
    pub address: Address,
    /// Its class, or that of the object that people know it by.
    pub class: Option<String>,
    /// Ruby's internal type.
    pub type_name: String,
    /// What its length counts.
    pub unit: Unit,
    /// Its length at each moment.
    pub lengths: Vec<Option<u64>>,
    /// Objects moved, so that it was compared by its name; new objects may be what it grew by.
    pub by_name: bool,
    /// Its bytes at the last moment.
    pub memsize: u64,
    /// Whether it still grows.
    pub judgement: Judgement,
    /// From the roots to it.
    pub path: Vec<PathStep>,
    /// Index in `path` of the object that people know it by: the Set around its Hash, or itself.
    pub position: usize,
}

struct Candidate {
    object: ObjectId,
    unit: Unit,
    lengths: Vec<Option<u64>>,
    judgement: Judgement,
}

impl Candidate {
    fn growth(&self) -> u64 {
        growth(&self.lengths)
    }

    /// Bytes, about: an entry takes a word at least.
    fn bytes(&self) -> u64 {
        match self.unit {
            Unit::Entries => self.growth().saturating_mul(8),
            Unit::Bytes => self.growth(),
        }
    }
}

fn growth(lengths: &[Option<u64>]) -> u64 {
    let first = lengths.first().copied().flatten();
    let last = lengths.last().copied().flatten();
    last.zip(first)
        .map_or(0, |(last, first)| last.saturating_sub(first))
}

/// What grew in place, most bytes first. `strings` has the bytes of large Strings of the last moment, where that is a dump.
pub(super) fn grown_in_place(
    graph: &Graph,
    parents: &[NodeId],
    moments: &Moments<'_>,
    strings: Option<&Lengths>,
    progress: &Progress,
) -> Result<Vec<GrownInPlace>> {
    let heap = graph.heap();
    let units = heap.by_birth(|kind| unit_of(heap.all_kinds()[kind.index()].type_));
    let unit = |object: ObjectId| units.get(heap.birth_number(object).index()).copied().flatten();
    let mut ticks = Ticks::new(progress);
    let mut candidates = Vec::new();
    for object in heap.long_objects(ENTRIES) {
        ticks.tick()?;
        if unit(object) == Some(Unit::Entries) {
            candidates.extend(candidate(graph, moments, strings, object, Unit::Entries));
        }
    }
    for object in heap.objects() {
        ticks.tick()?;
        if heap.memsize(object) >= LARGE && unit(object) == Some(Unit::Bytes) {
            candidates.extend(candidate(graph, moments, strings, object, Unit::Bytes));
        }
    }
    candidates.sort_by_key(|it| (it.judgement.verdict, Reverse(it.bytes()), it.object));
    candidates.truncate(MOST);
    let mut finder = PathFinder::new(graph, parents, progress);
    let paths = candidates
        .iter()
        .map(|it| finder.find(it.object.into(), None, Length::FULL))
        .collect::<Result<Vec<_>>>()?;
    let all: Vec<_> = paths.iter().map(Vec::as_slice).collect();
    let names = EdgeNames::of(graph, &all, progress)?;
    let grown = candidates.into_iter().zip(&paths).map(|(it, path)| {
        let path: Vec<PathStep> = names
            .steps(path)
            .iter()
            .map(|step| PathStep::of(graph, step))
            .collect();
        let position = position(&path);
        GrownInPlace {
            address: heap.address(it.object),
            class: path.get(position).and_then(|step| step.class.clone()),
            type_name: heap.type_name(it.object).into(),
            unit: it.unit,
            by_name: moments.any_moved(),
            memsize: heap.memsize(it.object),
            judgement: it.judgement,
            lengths: it.lengths,
            path,
            position,
        }
    });
    Ok(grown.collect())
}

fn position(path: &[PathStep]) -> usize {
    let last = path.len().saturating_sub(1);
    let before = last.saturating_sub(1);
    let is_set = |step: &PathStep| step.class.as_deref() == Some("Set") && step.type_name == "OBJECT";
    match path.get(before).is_some_and(is_set) {
        true if path[last].type_name == "HASH" => before,
        _ => last,
    }
}

fn unit_of(type_: Type) -> Option<Unit> {
    match type_ {
        Type::Array | Type::Hash => Some(Unit::Entries),
        Type::String => Some(Unit::Bytes),
        _ => None,
    }
}

/// The object, if it was there all along, got longer by much, and still does, as far as is known.
fn candidate(
    graph: &Graph,
    moments: &Moments<'_>,
    strings: Option<&Lengths>,
    object: ObjectId,
    unit: Unit,
) -> Option<Candidate> {
    let heap = graph.heap();
    let (now, least) = match unit {
        Unit::Entries => (heap.length(object).map(u64::from)?, u64::from(ENTRIES)),
        Unit::Bytes => (bytes_of(heap, strings, object)?, LARGE),
    };
    if now < least || moments.window(object).is_some_and(|window| window > 0) {
        return None;
    }
    let earlier = (0..moments.moments()).map(|moment| moments.length(moment, object));
    let lengths: Vec<Option<u64>> = earlier.chain([Some(now)]).collect();
    let grown = growth(&lengths);
    if grown < least || lengths.contains(&None) || !moments.is_same_all_along(object) {
        return None;
    }
    if graph.level(object) == Level::Unreachable {
        return None;
    }
    // what has come with new objects has a holder
    let last = moments.moments();
    let is_young = |entry: &ObjectId| {
        let window = moments.window(*entry);
        match moments.any_moved() {
            false => window.is_none_or(|window| window > 0),
            // what moved has lost its birth and so has no holder, nor has what came in the last window
            true => window.is_some_and(|window| window > 0 && window < last),
        }
    };
    let by_objects = heap.references(object).filter(is_young).count() as u64;
    if unit == Unit::Entries && by_objects.saturating_mul(2) >= grown {
        return None;
    }
    let level = verdict::Level {
        births: vec![Births::default(); lengths.len()],
        lengths: lengths.clone(),
        ..verdict::Level::default()
    };
    let history = History {
        levels: vec![level],
        work: moments.work(),
        ..History::default()
    };
    let judgement = history.judge();
    matches!(judgement.verdict, Verdict::Growing | Verdict::Inconclusive).then_some(Candidate {
        object,
        unit,
        lengths,
        judgement,
    })
}

fn bytes_of(heap: &Heap, strings: Option<&Lengths>, object: ObjectId) -> Option<u64> {
    match heap.bytesize(object) {
        Some(bytes) => Some(bytes.into()),
        None => strings?.of(heap.address(object), heap.generation(object)),
    }
}
