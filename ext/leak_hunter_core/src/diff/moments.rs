//! What the moments of a diff say of the objects of the last one: when they were born, and how long they were.

use super::census::{Census, Guard};
use super::input::Source;
use super::named::Named;
use crate::dump::DumpHeader;
use crate::heap::{Birth, Heap, Kind};
use crate::holders::Past;
use crate::ids::ObjectId;
use crate::sampling::Sampled;

/// The moments before the last.
pub(super) struct Moments<'a> {
    files: &'a [Source],
    censuses: &'a [Census],
    /// The last moment.
    heap: &'a Heap,
    /// By moment: whether objects moved from there to the last, so that an address may be another object's.
    moved: Vec<bool>,
    /// By number of the birth.
    windows: Vec<Window>,
    /// Where objects moved, what is known by name.
    named: Named,
    /// Where only some objects of the last moment are known: of how many.
    sampled: Option<Sampled>,
}

/// When objects of one kind and generation were born.
#[derive(Clone, Copy, Debug)]
enum Window {
    Known(usize),
    /// In the generation of this moment: those that were there then were born before it.
    Boundary(usize),
    Unknown,
}

impl<'a> Moments<'a> {
    /// `moved` tells whether objects moved after each moment but the last. What was allocated in files that begin with one
    /// of `own_paths` is taken for old: it is no growth of the application's.
    pub(super) fn new(
        files: &'a [Source],
        censuses: &'a [Census],
        heap: &'a Heap,
        moved: &[Option<bool>],
        own_paths: &[String],
    ) -> Self {
        let moved_since = |index: usize| match (files[index].recorded(), heap.recorded()) {
            (Some(then), Some(now)) => then.compactions != now.compactions,
            _ => moved[index..].contains(&Some(true)),
        };
        let is_own = |kind: &Kind| {
            let file = heap.site_of_kind(kind).and_then(|site| site.file);
            file.is_some_and(|file| own_paths.iter().any(|own| file.starts_with(own)))
        };
        let own: Vec<bool> = heap.all_kinds().iter().map(is_own).collect();
        let untraced = match is_traced_all_along(files) {
            true => Window::Known(0),
            false => Window::Unknown,
        };
        let newest = |moment: usize| censuses[moment].totals.generation;
        let window = |birth: &Birth| match birth.generation.get() {
            _ if own.get(birth.kind.index()) == Some(&true) => Window::Known(0),
            None => untraced,
            born => match (0..censuses.len()).find(|moment| born <= newest(*moment)) {
                None => Window::Known(censuses.len()),
                Some(moment) if born == newest(moment) => Window::Boundary(moment),
                Some(moment) => Window::Known(moment),
            },
        };
        let moved: Vec<bool> = (0..censuses.len()).map(moved_since).collect();
        let named = match moved.contains(&true) {
            true => Named::new(files, censuses, heap),
            false => Named::default(),
        };
        Self {
            moved,
            named,
            sampled: heap.recorded().and_then(DumpHeader::sampled),
            windows: heap.all_births().iter().map(window).collect(),
            files,
            censuses,
            heap,
        }
    }

    /// Whether objects moved since any of the moments, so that births may be lost.
    pub(super) fn any_moved(&self) -> bool {
        self.moved.contains(&true)
    }

    /// Whether an object whose address had a record of its generation at every moment is the one that was there: a traced
    /// one is, and of others type and class must be the same.
    pub(super) fn is_same_all_along(&self, object: ObjectId) -> bool {
        if self.heap.generation(object).is_some() {
            return true;
        }
        let address = self.heap.address(object);
        // since the objects moved, it was not found at its address, but by its name
        if self.any_moved()
            && (0..self.moved.len()).all(|moment| self.named.length(moment, address).is_some())
        {
            return true;
        }
        let class = self.heap.kind(object).and_then(|kind| kind.class.get());
        let guard_then = |(file, census): (&Source, &Census)| match file {
            Source::Mark(mark) => mark.heap.as_ref()?.guard(address),
            _ => census.untraced.get(address).map(Guard::from_raw),
        };
        let mut guards = self.files.iter().zip(self.censuses).map(guard_then);
        let Some(first) = guards.next().flatten() else {
            return false;
        };
        class.is_none_or(|class| first.class() == class) && guards.all(|guard| guard == Some(first))
    }

    /// The window of an object of the highest generation of a moment.
    fn at_boundary(&self, moment: usize, object: ObjectId) -> usize {
        let address = self.heap.address(object);
        let was_there = |moment: usize| {
            let census = &self.censuses[moment];
            census.is_mark || self.moved[moment] || census.newest.contains(address)
        };
        let born = self.censuses[moment].totals.generation;
        let is_older = |moment: usize| self.censuses[moment].totals.generation != born || was_there(moment);
        let found = (moment..self.censuses.len()).find(|moment| is_older(*moment));
        found.unwrap_or(self.censuses.len())
    }
}

/// Whether all that was made was traced from the first moment to the last, and nothing of it was lost in a move.
pub(super) fn is_traced_all_along(files: &[Source]) -> bool {
    let Some(headers) = files.iter().map(Source::recorded).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let (Some(first), Some(last)) = (headers.first(), headers.last()) else {
        return false;
    };
    let since = first.tracing_since;
    since.is_some()
        && headers
            .iter()
            .all(|header| header.tracing_since == since && header.sampled().is_none())
        && (first.compactions == last.compactions || !last.moves_spoil_tracing())
}

impl Past for Moments<'_> {
    fn moments(&self) -> usize {
        self.censuses.len()
    }

    fn window(&self, object: ObjectId) -> Option<usize> {
        match *self.windows.get(self.heap.birth_number(object).index())? {
            Window::Known(window) => Some(window),
            Window::Boundary(moment) => Some(self.at_boundary(moment, object)),
            Window::Unknown => None,
        }
    }

    fn one_in(&self, known: Option<ObjectId>) -> Option<f64> {
        let sampled = self.sampled.as_ref()?;
        let kind = known.and_then(|object| self.heap.kind(object));
        Some(sampled.one_in(kind.and_then(Kind::sampled_bytes)))
    }

    fn length(&self, moment: usize, collection: ObjectId) -> Option<u64> {
        let address = self.heap.address(collection);
        if self.moved[moment] {
            return self.named.length(moment, address);
        }
        let born = self.heap.generation(collection);
        match &self.files[moment] {
            Source::Mark(mark) => mark.heap.as_ref()?.length(address, born),
            Source::File(_) => self.censuses[moment].lengths.as_ref()?.of(address, born),
            Source::Heap(heap) => {
                let object = heap
                    .find(address)
                    .filter(|object| heap.generation(*object) == born)?;
                heap.length(object)
                    .or_else(|| heap.bytesize(object))
                    .map(u64::from)
            }
        }
    }

    fn work(&self) -> Vec<Option<u64>> {
        let counts: Vec<Option<u64>> = self
            .files
            .iter()
            .map(|file| file.recorded().map(|header| header.generation.get()))
            .collect();
        let between = |pair: &[Option<u64>]| pair[1]?.checked_sub(pair[0]?);
        counts.windows(2).map(between).collect()
    }
}
