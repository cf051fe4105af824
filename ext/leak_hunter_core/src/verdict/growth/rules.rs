//! The rules, with their thresholds. `docs/verdict.md` gives the reasons; both change together.

use super::series::{Series, mean};
use super::work::Work;
use super::{Because, Verdict};

/// Of what came: a collection that changed its length by less did not change it.
const NOISE: f64 = 0.1;
/// Of what came: a collection that got longer by less keeps little of it.
const KEPT: f64 = 0.25;
/// Of the growth: falls by less are nothing.
const SMALL_FALL: f64 = 0.1;
/// Of the growth: a collection that falls by as much is one from which entries are removed.
const LARGE_FALL: f64 = 0.25;
/// Of the growth in the windows before: those that still have objects from there.
const ACCOUNTED: f64 = 0.5;
/// Of what alike work made before: less is what stopped.
const STOPPED: f64 = 0.05;
/// Of what came in windows before: as much means that something still comes.
const STILL_COMES: f64 = 0.1;
/// Growth in later windows compared with earlier ones: from here on it is alike.
const LEAST_ALIKE: f64 = 0.5;
/// Up to here it is.
const MOST_ALIKE: f64 = 8.0;
/// The same where lengths are not known: caches have more of the last window, so less is taken for alike.
const MOST_ALIKE_BY_BIRTHS: f64 = 2.0;
/// By how much the rest of a cache's windows rises from one to the next.
const RISING: f64 = 1.5;
/// By how much growth falls from window to window where it slows down.
const FALLING: f64 = 0.75;
/// With a mean of so many objects, none at all is hardly chance (e^-4 = 0.02).
const EXPECTED: f64 = 4.0;
/// Fewer objects than this, over all windows, may be chance.
const FEW: f64 = 6.0;
/// The same where lengths are not known: locals, buffers and the like come and stay for a while.
const FEW_BY_BIRTHS: f64 = 20.0;
/// Objects of the last window below this may be merely in use.
const MANY: f64 = 20.0;
/// Few that came in each of as many windows are no chance.
const MANY_WINDOWS: usize = 4;
/// Of the windows: in as many it must have grown.
const MOST_WINDOWS: f64 = 2.0 / 3.0;

/// The judgement of one level, of as many holders taken together.
pub(super) fn judge(series: &Series, work: &Work, alike: usize) -> Because {
    let because = match (&series.grown, series.grown_last) {
        (Some(grown), _) => by_lengths(series, grown, work, alike),
        // of the lengths, the last two suffice to show that it does not grow any more
        (None, Some(last)) if is_flat(last, series.entered_last()) => match by_births(series, work, alike) {
            Because::EveryWindow => Because::LengthFlat,
            other => other,
        },
        (None, _) => by_births(series, work, alike),
    };
    let grows_inside = series.arrived_inside_last >= MANY * alike as f64;
    match because.verdict() {
        Verdict::Growing if is_maybe_flat(series) => Because::MostlyReplaced,
        Verdict::Once | Verdict::Replaced | Verdict::Draining
            if series.may_grow_inside && by_births(series, work, alike) == Because::EveryWindow =>
        {
            Because::LengthsUnknown
        }
        Verdict::Once | Verdict::Replaced | Verdict::Draining if grows_inside => Because::LengthsUnknown,
        Verdict::Inconclusive if grows_inside && because == Because::TooFew => Because::LengthsUnknown,
        _ => because,
    }
}

/// Whether it got longer by less than is noise if as many entries came as may have come.
fn is_maybe_flat(series: &Series) -> bool {
    let (Some(grown), Some(most)) = (&series.grown, series.entered_at_most) else {
        return false;
    };
    is_flat(mean(grown), most)
}

/// How a collection's length changed in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It keeps much of what came.
    Up,
    /// It keeps little of what came.
    Little,
    Flat,
    Down,
}

fn is_flat(change: f64, came: f64) -> bool {
    change.abs() <= (NOISE * came).max(0.5)
}

fn by_lengths(series: &Series, grown: &[f64], work: &Work, alike: usize) -> Because {
    let limits = BY_LENGTHS.of(alike);
    let steps = steps(series, grown);
    let last = grown.last().copied().unwrap_or(0.0);
    let sum_of = |wanted: fn(Step) -> bool| -> f64 {
        let chosen = grown.iter().zip(&steps).filter(|(_, step)| wanted(**step));
        chosen.map(|(change, _)| change.abs()).sum()
    };
    let up = sum_of(|step| matches!(step, Step::Up | Step::Little));
    let down = sum_of(|step| step == Step::Down);
    let falls_last = steps.last() == Some(&Step::Down);
    if down > SMALL_FALL * up {
        return match () {
            () if falls_last && series.arrived_last() < -last => Because::Falls,
            () if falls_last || down >= LARGE_FALL * up => Because::FallsAndRises,
            () if limits.is_few(grown) => Because::TooFew,
            () => Because::Irregular,
        };
    }
    if !is_accounted(series, grown) {
        return Because::TurnsOver;
    }
    let stopped = match series.replaced_last(last) {
        replaced if replaced > 0.0 && replaced >= STILL_COMES * series.stayed() => Because::LengthFlat,
        _ => Because::Stopped,
    };
    if up == 0.0 {
        return stopped;
    }
    let changes: Vec<f64> = grown
        .iter()
        .zip(&steps)
        .map(|(change, step)| match step {
            Step::Up | Step::Little => *change,
            Step::Flat | Step::Down => 0.0,
        })
        .collect();
    match trend(&changes, work, &limits) {
        Trend::Stopped => stopped,
        Trend::Alike if steps.contains(&Step::Little) => Because::MostlyReplaced,
        Trend::Alike => Because::EveryWindow,
        Trend::Rising => Because::OnlyLately,
        Trend::Doubt(because) => because,
    }
}

fn by_births(series: &Series, work: &Work, alike: usize) -> Because {
    let born = series.born.as_slice();
    match trend(born, work, &BY_BIRTHS.of(alike)) {
        Trend::Stopped => Because::Stopped,
        Trend::Alike => Because::EveryWindow,
        Trend::Rising if born.len() > 2 && born.windows(2).all(|pair| pair[1] >= RISING * pair[0]) => {
            Because::RecentOnly
        }
        Trend::Rising => Because::LengthsUnknown,
        Trend::Doubt(because) => because,
    }
}

/// Each change, compared with what came in its window. What came in the last one is partly in use only, so that counts
/// as no more than what stayed from the others. Where that is not known, only what did not change is flat.
fn steps(series: &Series, grown: &[f64]) -> Vec<Step> {
    let last = grown.len() - 1;
    let came = |window: usize| match &series.entered {
        _ if window == last => series.entered_last(),
        None => 0.0,
        Some(entered) => entered[window],
    };
    let step = |(window, change): (usize, &f64)| match came(window) {
        came if is_flat(*change, came) => Step::Flat,
        _ if *change < 0.0 => Step::Down,
        came if *change < KEPT * came => Step::Little,
        _ => Step::Up,
    };
    grown.iter().enumerate().map(step).collect()
}

/// Whether what the collection got longer by, in the windows before the last, is still there.
fn is_accounted(series: &Series, grown: &[f64]) -> bool {
    let before_last = grown.len() - 1;
    let longer: f64 = grown[..before_last].iter().map(|change| change.max(0.0)).sum();
    let there: f64 = match (series.there_at_most, &series.entered) {
        (Some(most), _) => most,
        (None, Some(entered)) => entered[..before_last].iter().sum(),
        (None, None) => return true,
    };
    there >= ACCOUNTED * longer
}

/// What depends on whether lengths are known, and on how many holders are taken together.
struct Limits {
    most_alike: f64,
    few: f64,
    /// From each of many windows as many show growth, however few they are.
    from_each: f64,
    /// So many windows may have nothing in one of them: of fewer, what was last done, and what before that, is left.
    with_gaps: usize,
}

const BY_LENGTHS: Limits = Limits {
    most_alike: MOST_ALIKE,
    few: FEW,
    from_each: 1.0,
    with_gaps: 0,
};

const BY_BIRTHS: Limits = Limits {
    most_alike: MOST_ALIKE_BY_BIRTHS,
    few: FEW_BY_BIRTHS,
    from_each: 1.0,
    with_gaps: MANY_WINDOWS,
};

impl Limits {
    /// What may be chance in one holder may be in each.
    fn of(self, alike: usize) -> Self {
        let holders = alike.max(1) as f64;
        Self {
            few: self.few * holders,
            from_each: self.from_each * holders,
            ..self
        }
    }

    fn is_few(&self, grown: &[f64]) -> bool {
        let is_of_every_window = grown.iter().all(|change| *change >= self.from_each);
        let all: f64 = grown.iter().map(|change| change.max(0.0)).sum();
        all < self.few && !(grown.len() >= MANY_WINDOWS && is_of_every_window)
    }
}

/// What a row of windows shows.
enum Trend {
    /// Growth in every window, alike for alike work.
    Alike,
    /// Growth in the first windows only.
    Stopped,
    /// Much more growth in later windows.
    Rising,
    Doubt(Because),
}

/// `grown` has a number for each window, at least two, none below zero.
fn trend(grown: &[f64], work: &Work, limits: &Limits) -> Trend {
    let uniform = Work::alike(grown.len());
    // Work is measured roughly. What holds either way is taken for alike, and what holds both ways for stopped.
    let both = [uniform.by_window(), work.by_window()];
    let is_few = limits.is_few(grown);
    match stopped(grown, both) {
        Some(Trend::Doubt(_)) if is_few => return Trend::Doubt(Because::TooFew),
        Some(trend) => return trend,
        None => {}
    }
    let paces = both.map(|work| Pace::of(grown, work));
    let windows = grown.len();
    let rate = grown.iter().sum::<f64>() / windows as f64;
    let grew_well = both.iter().any(|work| {
        let well = grown
            .iter()
            .zip(*work)
            .filter(|(change, work)| **change >= KEPT * rate * **work);
        well.count() as f64 >= MOST_WINDOWS * windows as f64
    });
    let is_gap = |(window, change): (usize, &f64)| {
        both.iter().all(|work| {
            let expected = rate * work[window];
            expected >= EXPECTED && *change <= STOPPED * expected
        })
    };
    let has_gap = windows < limits.with_gaps && grown.iter().enumerate().any(is_gap);
    match () {
        () if is_few => Trend::Doubt(Because::TooFew),
        () if paces.iter().all(|pace| pace.ratio() > limits.most_alike) => Trend::Rising,
        () if paces.iter().all(Pace::slows) => Trend::Doubt(Because::Slowing),
        () if !grew_well || has_gap || grown.last() == Some(&0.0) => Trend::Doubt(Because::Irregular),
        () => Trend::Alike,
    }
}

/// Growth in the earlier half of the windows and in the later, for alike work.
#[derive(Debug)]
struct Pace {
    earlier: f64,
    later: f64,
    /// By how much the later half could be off by chance: a count's deviation is its root.
    chance: f64,
    /// It falls in each window.
    falls: bool,
}

impl Pace {
    fn of(grown: &[f64], work: &[f64]) -> Self {
        let rates: Vec<f64> = grown
            .iter()
            .zip(work)
            .map(|(change, work)| change / work)
            .collect();
        let (earlier, later) = rates.split_at(rates.len().div_ceil(2));
        let count = mean(later);
        Self {
            earlier: mean(earlier),
            later: count,
            chance: ((count + 1.0) / later.len() as f64).sqrt(),
            falls: rates.len() > 2 && rates.windows(2).all(|pair| pair[1] <= FALLING * pair[0]),
        }
    }

    fn ratio(&self) -> f64 {
        match self.earlier > 0.0 {
            true => self.later / self.earlier,
            false => f64::INFINITY,
        }
    }

    fn slows(&self) -> bool {
        let most = if self.falls { FALLING } else { LEAST_ALIKE };
        self.later + self.chance < most * self.earlier
    }
}

/// Whether growth stopped, and whether as long ago as it had lasted.
fn stopped(grown: &[f64], both: [&[f64]; 2]) -> Option<Trend> {
    let windows = grown.len();
    let expected = |work: &[f64], head: usize| {
        let rate = grown[..head].iter().sum::<f64>() / work[..head].iter().sum::<f64>();
        rate * work[head..].iter().sum::<f64>()
    };
    let is_tail = |head: usize| {
        let seen: f64 = grown[head..].iter().sum();
        grown[head - 1] > 0.0 && seen <= STOPPED * expected(both[0], head)
    };
    let head = (1..windows).find(|head| is_tail(*head))?;
    let seen: f64 = grown[head..].iter().sum();
    let [alike, by_work] = both.map(|work| expected(work, head));
    Some(match () {
        () if alike < EXPECTED => Trend::Doubt(Because::TooFew),
        () if by_work < EXPECTED || seen > STOPPED * by_work => Trend::Doubt(Because::LittleWork),
        () if head > windows - head => Trend::Doubt(Because::JustStopped),
        () => Trend::Stopped,
    })
}
