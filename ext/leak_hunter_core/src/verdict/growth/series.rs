//! The numbers of one level by window.

use super::{Level, Sample};

/// Where fewer of the entries are objects, their births say little of the collection: numbers and symbols have none.
const MOSTLY_OBJECTS: f64 = 0.5;
/// So many times as many objects stayed as the entries that stayed account for: they hang on something else.
const UNACCOUNTED: f64 = 4.0;
/// Of what stays from a window on average: as much is no chance.
const MUCH: f64 = 0.5;
/// Of entries that came: if as many of them are known, they tell how many came.
const ENOUGH: f64 = 16.0;
/// Of objects an entry: with more, it is likely that they came one by one.
const MANY_OBJECTS: f64 = 16.0;

/// A level's numbers, for each window.
#[derive(Debug)]
pub(super) struct Series {
    /// Objects born in it and still there.
    pub(super) born: Vec<f64>,
    /// By how much the collection got longer or shorter, where all lengths are known.
    pub(super) grown: Option<Vec<f64>>,
    /// The same of the last window, where that is known.
    pub(super) grown_last: Option<f64>,
    /// Entries born in it and still there, in units of the length.
    pub(super) entered: Option<Vec<f64>>,
    /// Objects of the last window, where as much came as in those before, but not by new entries; else 0. Something inside
    /// the entries may grow.
    pub(super) arrived_inside_last: f64,
    /// Of a sample: what came may hang on entries of which none is known.
    pub(super) may_grow_inside: bool,
    /// Of a sample: so many of the entries that came in windows before the last may be there.
    pub(super) there_at_most: Option<f64>,
    /// Of a sample that is too small for `entered`: so many may have come in a window, on average.
    pub(super) entered_at_most: Option<f64>,
}

impl Series {
    pub(super) fn of(level: &Level, windows: usize) -> Self {
        let mut born: Vec<f64> = level.births.iter().skip(1).map(|it| it.count as f64).collect();
        born.resize(windows, 0.0);
        let lengths = match level.lengths.len() == windows + 1 {
            true => level.lengths.as_slice(),
            false => &[],
        };
        let grown_in = |pair: &[Option<u64>]| Some(pair[1]? as f64 - pair[0]? as f64);
        let grown: Vec<Option<f64>> = lengths.windows(2).map(grown_in).collect();
        let mut series = Self {
            born,
            grown_last: grown.last().copied().flatten(),
            grown: grown
                .into_iter()
                .collect::<Option<Vec<f64>>>()
                .filter(|it| !it.is_empty()),
            entered: None,
            arrived_inside_last: 0.0,
            may_grow_inside: false,
            there_at_most: None,
            entered_at_most: None,
        };
        match &level.sample {
            None => series.read_entries(level, windows),
            Some(sample) => series.read_sample(level, sample, windows),
        }
        series
    }

    fn read_entries(&mut self, level: &Level, windows: usize) {
        let all: f64 = level.entries.iter().flatten().map(|it| *it as f64).sum();
        let last = last_length(level);
        // a Hash has up to two references an entry
        let is_counted =
            |it: &&Vec<u64>| it.len() == windows + 1 && last > 0.0 && all >= MOSTLY_OBJECTS * last;
        let Some(entries) = level.entries.as_ref().filter(is_counted) else {
            return;
        };
        let by_window = entries.iter().skip(1);
        let entered: Vec<f64> = by_window.map(|it| *it as f64 * last / all).collect();
        let kept: f64 = level.births.iter().map(|it| it.count as f64).sum();
        let objects_an_entry = kept / last;
        let accounted = |window: usize| UNACCOUNTED * (entered[window] * objects_an_entry).max(0.5);
        if !self.comes_inside(accounted) {
            self.entered = Some(entered);
        }
    }

    /// The same of entries of which only some are known.
    fn read_sample(&mut self, level: &Level, sample: &Sample, windows: usize) {
        let all = sample.entries as f64;
        let last = last_length(level);
        let is_counted =
            |it: &&Vec<u64>| it.len() == windows + 1 && last > 0.0 && all >= MOSTLY_OBJECTS * last;
        let Some(entries) = level.entries.as_ref().filter(is_counted) else {
            return;
        };
        let one_in = sample.one_in.max(1.0) * last / all;
        let known: Vec<f64> = entries.iter().skip(1).map(|it| *it as f64).collect();
        let most: Vec<f64> = known
            .iter()
            .map(|known| (at_most(*known) * one_in).min(last))
            .collect();
        let objects_an_entry = sample.kept as f64 / last;
        let objects =
            |entries: f64| UNACCOUNTED * (entries * objects_an_entry).max(0.5) / sample.one_in.max(1.0);
        // where new entries may be many and happen not to be among those that are known, they may account for all
        self.may_grow_inside = objects_an_entry > MANY_OBJECTS
            && (0..windows - 1).any(|window| self.is_more(window, objects(known[window] * one_in)));
        if self.comes_inside(|window| objects(most[window])) {
            return;
        }
        let young: f64 = known.iter().sum();
        let before_last: f64 = known[..windows - 1].iter().sum();
        self.there_at_most = Some(at_most(before_last) * one_in);
        match young >= ENOUGH {
            true => {
                let estimated = young * one_in;
                let scale = if estimated > last { last / estimated } else { 1.0 };
                self.entered = Some(known.iter().map(|known| known * one_in * scale).collect());
            }
            false => self.entered_at_most = Some(mean(&most)),
        }
    }

    /// Whether objects of a window are more than these, and much of what stays from one.
    fn is_more(&self, window: usize, accounted: f64) -> bool {
        let usual = mean(&self.born[..self.born.len() - 1]);
        self.born[window] > accounted && self.born[window] >= MUCH * usual
    }

    /// What hangs on entries that are older, or on the newest one: the collection's length does not tell. `accounted`:
    /// objects that may have come with the entries of a window.
    fn comes_inside(&mut self, accounted: impl Fn(usize) -> f64) -> bool {
        let last = self.born.len() - 1;
        if self.is_more(last, accounted(last)) {
            self.arrived_inside_last = self.born[last];
        }
        let before_last = (0..last).any(|window| self.is_more(window, accounted(window)));
        if before_last {
            (self.grown, self.grown_last) = (None, None);
        }
        before_last
    }

    /// Entries, or else objects, that were born in the last window.
    pub(super) fn arrived_last(&self) -> f64 {
        let list = self.entered.as_ref().unwrap_or(&self.born);
        list.last().copied().unwrap_or(0.0)
    }

    /// Of those, what took the place of something else: the collection got longer by `grown`.
    pub(super) fn replaced_last(&self, grown: f64) -> f64 {
        match &self.entered {
            Some(_) => self.arrived_last() - grown.max(0.0),
            None if grown > 0.5 => 0.0,
            None => self.arrived_last(),
        }
    }

    /// Entries that came in the last window, no more than stayed from the others on average; 0 where that is not known.
    pub(super) fn entered_last(&self) -> f64 {
        self.entered
            .as_ref()
            .map_or(0.0, |_| self.arrived_last().min(self.stayed()))
    }

    /// Entries, or else objects, that stayed from a window but the last, on average.
    pub(super) fn stayed(&self) -> f64 {
        let list = self.entered.as_ref().unwrap_or(&self.born);
        mean(&list[..list.len().saturating_sub(1)])
    }
}

/// Of the last moment, as far as it is known.
fn last_length(level: &Level) -> f64 {
    level.lengths.last().copied().flatten().unwrap_or(0) as f64
}

/// Where so many of a sample are found, that many are hardly the mean or more (98 %).
fn at_most(found: f64) -> f64 {
    found + 2.0 * found.sqrt() + 4.0
}

pub(super) fn mean(list: &[f64]) -> f64 {
    match list.len() {
        0 => 0.0,
        count => list.iter().sum::<f64>() / count as f64,
    }
}
