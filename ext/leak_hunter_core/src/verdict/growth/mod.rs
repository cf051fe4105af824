//! Whether what a holder keeps grows: an age profile and lengths of collections in, a [`Verdict`] out.
//!
//! With moments g1 < … < gn, each object that is kept at the last moment was born before the first or in one of the
//! windows between them. A leak keeps objects from every window; what was loaded once, from the first only; a full
//! cache, mostly from the last, while its length stays. `docs/verdict.md` has the rules and their reasons.
//!
//! The last window differs from the others: its objects include those that are merely in use at the last moment. So
//! births in it show that something still arrives, and never how much of it stays.
//!
//! ```
//! use leak_hunter_core::verdict::{Births, Because, History, Level, Verdict};
//!
//! let births = |counts: [u64; 3]| counts.map(|count| Births { count, bytes: 40 * count }).to_vec();
//! let subscribers = History::of(Level {
//!     births: births([1_424, 5_891, 5_680]),
//!     lengths: vec![Some(12), Some(72), Some(132)],
//!     entries: Some(vec![12, 60, 60]),
//!     ..Level::default()
//! });
//! assert_eq!(subscribers.judge().verdict, Verdict::Growing);
//!
//! let loaded_code = History::of(Level { births: births([40, 360, 0]), ..Level::default() });
//! assert_eq!(loaded_code.judge().verdict, Verdict::Once);
//!
//! let memory_store = History::of(Level {
//!     births: births([11, 52, 118]),
//!     lengths: vec![Some(10), Some(60), Some(60)],
//!     entries: Some(vec![4, 17, 39]),
//!     ..Level::default()
//! });
//! let judgement = memory_store.judge();
//! assert_eq!((judgement.verdict, judgement.because), (Verdict::Replaced, Because::TurnsOver));
//! ```

mod rules;
mod series;
mod work;

use self::series::Series;
use self::work::Work;

/// Of what stayed in a holder, in percent: a level with less says nothing of the whole.
const RELEVANT: u128 = 10;
/// In percent: an inconclusive level with as much keeps the whole from being called finished.
const DOUBTFUL: u128 = 25;

/// Whether what a holder keeps grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// In every window, alike for alike work.
    Growing,
    /// The moments do not tell.
    Inconclusive,
    /// It gets shorter.
    Draining,
    /// New objects replace older ones: a full cache.
    Replaced,
    /// It grew, and stopped: loaded code, warm-up.
    Once,
}

impl Verdict {
    /// All of them, those first that need attention most.
    pub const ALL: [Self; 5] = [
        Self::Growing,
        Self::Inconclusive,
        Self::Draining,
        Self::Replaced,
        Self::Once,
    ];

    /// The name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Growing => "growing",
            Self::Inconclusive => "inconclusive",
            Self::Draining => "draining",
            Self::Replaced => "replaced",
            Self::Once => "once",
        }
    }
}

/// What a verdict rests on, or what keeps one from being reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Because {
    /// Growing: objects of every window stayed.
    EveryWindow,
    /// Once: growth stopped after the first windows.
    Stopped,
    /// Replaced: objects came, and the collection is no longer than before.
    LengthFlat,
    /// Replaced: the collection gets shorter, too.
    FallsAndRises,
    /// Replaced: it got longer, but what came in earlier windows is gone.
    TurnsOver,
    /// Replaced: the older the window, the less is left of it.
    RecentOnly,
    /// Once: it is code that was loaded, and code is loaded once.
    Loaded,
    /// Replaced: a thread's next value takes its place on the stack.
    LastValue,
    /// Draining: more goes than comes.
    Falls,
    /// Inconclusive: there are fewer than three moments.
    TooFewMoments,
    /// Inconclusive: so few objects may be chance.
    TooFew,
    /// Inconclusive: it grows by less in each window.
    Slowing,
    /// Inconclusive: it grew in the last window only, or mostly.
    OnlyLately,
    /// Inconclusive: it did not grow in the last windows, but for longer before.
    JustStopped,
    /// Inconclusive: the last window had too little work to show growth.
    LittleWork,
    /// Inconclusive: it grows a little, while most of what comes replaces older objects.
    MostlyReplaced,
    /// Inconclusive: it grew in some windows and not in others.
    Irregular,
    /// Inconclusive: a cache looks the same when its length is not known.
    LengthsUnknown,
    /// Inconclusive: it is not known when its objects were born.
    NotTraced,
}

impl Because {
    /// The name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::EveryWindow => "every_window",
            Self::Stopped => "stopped",
            Self::LengthFlat => "length_flat",
            Self::FallsAndRises => "falls_and_rises",
            Self::TurnsOver => "turns_over",
            Self::RecentOnly => "recent_only",
            Self::Loaded => "loaded",
            Self::LastValue => "last_value",
            Self::Falls => "falls",
            Self::TooFewMoments => "too_few_moments",
            Self::TooFew => "too_few",
            Self::Slowing => "slowing",
            Self::OnlyLately => "only_lately",
            Self::JustStopped => "just_stopped",
            Self::LittleWork => "little_work",
            Self::MostlyReplaced => "mostly_replaced",
            Self::Irregular => "irregular",
            Self::LengthsUnknown => "lengths_unknown",
            Self::NotTraced => "not_traced",
        }
    }

    /// Whether one more moment, after as much work, would settle it.
    pub fn another_moment_settles(self) -> bool {
        self.verdict() == Verdict::Inconclusive && self != Self::NotTraced
    }
}

/// A verdict with what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What it rests on.
    pub because: Because,
    /// The level of the history that decided.
    pub level: Option<usize>,
}

/// Objects born in one window, and still kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Births {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The collections at one depth of a holder, taken as one, and what hangs on them and on no collection further down.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Level {
    /// What is kept at the last moment: born before the first moment, then in each window.
    pub births: Vec<Births>,
    /// Entries at each moment; `None` where they are not known. Empty for what is no collection.
    pub lengths: Vec<Option<u64>>,
    /// The entries' own births, as in `births`: references from the collections. `None` where they are not known.
    pub entries: Option<Vec<u64>>,
    /// Where births are known of some objects only, drawn at random: what there is in all.
    pub sample: Option<Sample>,
}

/// What births that are known of some objects only were drawn from. Lengths are known as ever.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// For how many objects each known one stands.
    pub one_in: f64,
    /// All objects that are kept, whenever they were born.
    pub kept: u64,
    /// All references from the collections to objects.
    pub entries: u64,
}

/// What is known of a holder's growth.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The holder's own collection, then those inside it that were there at every moment. One level without lengths for
    /// a holder that is no collection.
    pub levels: Vec<Level>,
    /// Garbage collections in each window, the measure of work; `None` where they are not known.
    pub work: Vec<Option<u64>>,
    /// Kept objects whose birth was not traced.
    pub untimed: Births,
}

impl History {
    /// The history of one level, of windows with unknown work.
    pub fn of(level: Level) -> Self {
        Self {
            levels: vec![level],
            ..Self::default()
        }
    }

    /// How many windows there are.
    fn windows(&self) -> usize {
        let moments = self.levels.iter().map(|level| level.births.len()).max();
        moments.unwrap_or(0).saturating_sub(1)
    }

    /// Births by window, of all levels.
    pub fn births(&self) -> Vec<Births> {
        let mut sums = vec![Births::default(); self.windows() + 1];
        for births in self.levels.iter().map(|level| &level.births) {
            for (sum, births) in sums.iter_mut().zip(births) {
                sum.count = sum.count.saturating_add(births.count);
                sum.bytes = sum.bytes.saturating_add(births.bytes);
            }
        }
        sums
    }

    /// Bytes that it grew by: what was born since the first moment and is kept.
    pub fn grown_bytes(&self) -> u64 {
        let births = self.births();
        births
            .iter()
            .skip(1)
            .fold(0, |sum, births| sum.saturating_add(births.bytes))
    }

    /// Whether it grows, by the level that says so, or else by the one that matters most.
    pub fn judge(&self) -> Judgement {
        self.judge_as(1)
    }

    /// Whether holders that are reported as one grow: `self` has their sums, `each` is each by itself. What each of them
    /// did once, in different windows, looks in the sums as if it went on, so some of them must grow, or all must be too
    /// little to judge alone and enough together.
    pub fn judge_together(&self, each: &[Self]) -> Judgement {
        let together = self.judge_as(each.len());
        if each.len() < 2 {
            return together;
        }
        let births: Vec<Vec<Births>> = each.iter().map(Self::births).collect();
        let weights = weights(births.iter().map(Vec::as_slice));
        let all: u128 = weights.iter().sum();
        let judged: Vec<Judgement> = each.iter().map(Self::judge).collect();
        let growing: Vec<_> = judged
            .iter()
            .zip(weights)
            .filter(|(judgement, _)| judgement.verdict == Verdict::Growing)
            .collect();
        let weight: u128 = growing.iter().map(|(_, weight)| weight).sum();
        let heaviest = growing.into_iter().max_by_key(|(_, weight)| *weight);
        match heaviest {
            Some((judgement, _)) if weight > 0 && weight * 100 >= all * RELEVANT => *judgement,
            _ if together.verdict != Verdict::Growing => together,
            _ if judged.iter().all(|it| it.because == Because::TooFew) => together,
            _ => Judgement {
                verdict: Verdict::Inconclusive,
                because: Because::Irregular,
                ..together
            },
        }
    }

    /// The judgement, where the numbers are sums over so many holders.
    fn judge_as(&self, alike: usize) -> Judgement {
        let windows = self.windows();
        let inconclusive = |because| Judgement {
            verdict: Verdict::Inconclusive,
            because,
            level: None,
        };
        if windows < 2 {
            return inconclusive(Because::TooFewMoments);
        }
        let work = Work::of(&self.work, windows);
        let weights = weights(self.levels.iter().map(|level| level.births.as_slice()));
        let all: u128 = weights.iter().sum();
        let judged = self
            .levels
            .iter()
            .zip(weights)
            .enumerate()
            .filter_map(|(index, (level, weight))| {
                if weight * 100 < all * RELEVANT || weight == 0 {
                    return None;
                }
                let because = rules::judge(&Series::of(level, windows), &work, alike);
                let judgement = Judgement {
                    verdict: because.verdict(),
                    because,
                    level: Some(index),
                };
                let doubtful = weight * 100 >= all * DOUBTFUL && because != Because::TooFew;
                let rank = match judgement.verdict {
                    Verdict::Growing => 2,
                    Verdict::Inconclusive if doubtful => 1,
                    _ => 0,
                };
                Some(((rank, weight, std::cmp::Reverse(index)), judgement))
            });
        let strongest = judged
            .max_by_key(|(rank, _)| *rank)
            .map(|(_, judgement)| judgement);
        let timed: u64 = self
            .levels
            .iter()
            .flat_map(|level| &level.births)
            .fold(0, |sum, it| sum.saturating_add(it.count));
        match strongest {
            // the lengths alone may still say that it grows
            Some(judgement) if self.untimed.count <= timed || judgement.verdict == Verdict::Growing => {
                judgement
            }
            _ if self.untimed.count > 0 => inconclusive(Because::NotTraced),
            Some(judgement) => judgement,
            None => inconclusive(Because::TooFew),
        }
    }
}

/// How much of what stayed each of `all` has, by its births: objects of all windows but the last, or of the last if there
/// are no others. Where nothing is known of births, all count alike.
fn weights<'a>(all: impl Iterator<Item = &'a [Births]> + Clone) -> Vec<u128> {
    let weights = |of: fn(&[Births]) -> &[Births]| -> Vec<u128> {
        let sum = |births: &[Births]| of(births).iter().map(|it| u128::from(it.count)).sum();
        all.clone().map(sum).collect()
    };
    let stayed = weights(|births| births.get(1..births.len().saturating_sub(1)).unwrap_or_default());
    let young = weights(|births| births.get(1..).unwrap_or_default());
    let count = stayed.len();
    [stayed, young]
        .into_iter()
        .find(|weights| weights.iter().any(|weight| *weight > 0))
        .unwrap_or_else(|| vec![1; count])
}

impl Because {
    /// The verdict that it is a reason for.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::EveryWindow => Verdict::Growing,
            Self::Stopped | Self::Loaded => Verdict::Once,
            Self::LengthFlat | Self::FallsAndRises | Self::TurnsOver | Self::RecentOnly | Self::LastValue => {
                Verdict::Replaced
            }
            Self::Falls => Verdict::Draining,
            Self::TooFewMoments
            | Self::TooFew
            | Self::Slowing
            | Self::OnlyLately
            | Self::JustStopped
            | Self::LittleWork
            | Self::MostlyReplaced
            | Self::Irregular
            | Self::LengthsUnknown
            | Self::NotTraced => Verdict::Inconclusive,
        }
    }
}
