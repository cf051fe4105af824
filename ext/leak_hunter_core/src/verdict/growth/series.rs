//! The numbers of one level by window.

use super::Level;

/// Where fewer of the entries are objects, their births say little of the collection: numbers and symbols have none.
const MOSTLY_OBJECTS: f64 = 0.5;
/// So many times as many objects stayed as the entries that stayed account for: they hang on something else.
const UNACCOUNTED: f64 = 4.0;
/// Of what stays from a window on average: as much is no chance.
const MUCH: f64 = 0.5;

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
        };
        let all: f64 = level.entries.iter().flatten().map(|it| *it as f64).sum();
        let last = lengths.last().copied().flatten().unwrap_or(0) as f64;
        if let Some(entries) = level.entries.as_ref().filter(|it| it.len() == windows + 1) {
            // a Hash has up to two references an entry
            if last > 0.0 && all >= MOSTLY_OBJECTS * last {
                let by_window = entries.iter().skip(1);
                let entered: Vec<f64> = by_window.map(|it| *it as f64 * last / all).collect();
                let kept: f64 = level.births.iter().map(|it| it.count as f64).sum();
                let objects_an_entry = kept / last;
                let usual = mean(&series.born[..windows - 1]);
                let is_unaccounted = |window: usize| {
                    let accounted = entered[window] * objects_an_entry;
                    series.born[window] > UNACCOUNTED * accounted.max(0.5)
                        && series.born[window] >= MUCH * usual
                };
                // what hangs on entries that are older, or on the newest one: the collection's length does not tell
                let before_last = (0..windows - 1).any(is_unaccounted);
                if is_unaccounted(windows - 1) {
                    series.arrived_inside_last = series.born[windows - 1];
                }
                if before_last {
                    (series.grown, series.grown_last) = (None, None);
                } else {
                    series.entered = Some(entered);
                }
            }
        }
        series
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

pub(super) fn mean(list: &[f64]) -> f64 {
    match list.len() {
        0 => 0.0,
        count => list.iter().sum::<f64>() / count as f64,
    }
}
