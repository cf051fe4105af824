//! Simulated collections: entries come and go as some program would have it, and at the moments what a dump shows of
//! them is written down. Seeded, so that each run has the same ones.

mod random;

use leak_hunter_core::verdict::{Births, History, Level, Verdict};
pub use random::Random;

/// A program that keeps things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// Leaks: some entries for each piece of work.
    Steady,
    /// Leaks, and the work of the windows differs much.
    Bursty,
    /// Leaks four to fifteen entries a window.
    Slow,
    /// Leaks beside entries that are in use and go.
    AmongOthers,
    /// Leaks, after a warm-up that kept up to as much again.
    AfterWarmUp,
    /// A memo keyed by what is ever less often new.
    Logarithmic,
    /// Filled in the first window.
    WarmUp,
    /// A memo of a limited number of keys, most of which are in after the first window.
    Saturating,
    /// Emptied whenever it is full.
    Sawtooth,
    /// Entries that live for a while, more of them at some times than at others.
    Periodic,
    /// Entries that live for a while.
    Expiring,
    /// A full cache.
    Lru,
    /// A cache that gets full in the first window.
    FillingLru,
    /// A queue from which more is taken than put in.
    Draining,
}

impl Program {
    pub const ALL: [Self; 14] = [
        Self::Steady,
        Self::Bursty,
        Self::Slow,
        Self::AmongOthers,
        Self::AfterWarmUp,
        Self::Logarithmic,
        Self::WarmUp,
        Self::Saturating,
        Self::Sawtooth,
        Self::Periodic,
        Self::Expiring,
        Self::Lru,
        Self::FillingLru,
        Self::Draining,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady leak",
            Self::Bursty => "bursty leak",
            Self::Slow => "slow leak",
            Self::AmongOthers => "leak among others",
            Self::AfterWarmUp => "leak after warm-up",
            Self::Logarithmic => "logarithmic",
            Self::WarmUp => "warm-up",
            Self::Saturating => "saturating",
            Self::Sawtooth => "sawtooth",
            Self::Periodic => "periodic",
            Self::Expiring => "expiring entries",
            Self::Lru => "full LRU cache",
            Self::FillingLru => "cache that gets full",
            Self::Draining => "draining queue",
        }
    }

    /// What a verdict on it is worth.
    pub fn answer(self, verdict: Verdict) -> Answer {
        match (self, verdict) {
            (Self::Logarithmic, Verdict::Growing | Verdict::Inconclusive) => Answer::Found,
            (leak, Verdict::Growing) if leak < Self::Logarithmic => Answer::Found,
            (leak, Verdict::Inconclusive) if leak < Self::Logarithmic => Answer::Undecided,
            (leak, _) if leak <= Self::Logarithmic => Answer::Denied,
            (_, Verdict::Growing) => Answer::FalseAlarm,
            _ => Answer::Cleared,
        }
    }
}

/// What a verdict is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A leak, found. What grows ever more slowly may be called inconclusive, too.
    Found,
    /// A leak, called inconclusive.
    Undecided,
    /// A leak that is said not to grow.
    Denied,
    /// No leak, and said to grow.
    FalseAlarm,
    /// No leak, and not said to grow.
    Cleared,
}

/// How many answers of each kind there are.
#[derive(Debug, Default)]
pub struct Score {
    pub found: u64,
    pub undecided: u64,
    pub denied: u64,
    pub false_alarms: u64,
}

impl Score {
    pub fn count(&mut self, answer: Answer) {
        match answer {
            Answer::Found => self.found += 1,
            Answer::Undecided => self.undecided += 1,
            Answer::Denied => self.denied += 1,
            Answer::FalseAlarm => self.false_alarms += 1,
            Answer::Cleared => {}
        }
    }

    /// Of what is said to grow, what leaks.
    pub fn precision(&self) -> f64 {
        share(self.found, self.false_alarms)
    }

    /// Of what leaks, what is said to grow.
    pub fn recall(&self) -> f64 {
        share(self.found, self.undecided + self.denied)
    }
}

fn share(part: u64, rest: u64) -> f64 {
    part as f64 / (part + rest).max(1) as f64
}

/// Steps of time in a window.
const STEPS: usize = 24;
/// Windows before the first moment.
const BEFORE: usize = 3;

struct Entry {
    /// 0 before the first moment.
    window: usize,
    step: usize,
    /// When it goes by itself.
    expires: Option<usize>,
}

struct Store {
    entries: Vec<Entry>,
    step: usize,
    window: usize,
}

impl Store {
    fn add(&mut self, count: usize, lives: impl Fn() -> Option<usize>) {
        for _ in 0..count {
            let expires = lives().map(|steps| self.step + steps);
            self.entries.push(Entry {
                window: self.window,
                step: self.step,
                expires,
            });
        }
    }
}

/// What the moments are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Dumps or heaps, which have the lengths of collections.
    Dumps,
    /// Marks and a heap, which have none.
    Marks,
}

/// What `moments` moments show of a run of the program.
pub fn simulate(program: Program, moments: usize, taken: Taken, seed: u64) -> History {
    let mut random = Random::new(
        seed.wrapping_mul(0x1_0001)
            .wrapping_add(program as u64 * 64 + moments as u64),
    );
    let windows = moments - 1;
    let spread = match program {
        Program::Bursty => 0.7,
        _ => random.between(0.0, 0.15),
    };
    let work: Vec<f64> = (0..windows + BEFORE)
        .map(|_| (spread * random.normal()).exp())
        .collect();
    let mut run = Run::of(program, random.clone());
    let mut store = Store {
        entries: Vec::new(),
        step: 0,
        window: 0,
    };
    let mut lengths = Vec::new();
    for (window, work) in work.iter().enumerate() {
        store.window = (window + 1).saturating_sub(BEFORE);
        for _ in 0..STEPS {
            store.step += 1;
            let now = store.step;
            store
                .entries
                .retain(|entry| entry.expires.is_none_or(|expires| expires > now));
            run.step(&mut store, work / STEPS as f64);
        }
        if window + 1 >= BEFORE {
            lengths.push(Some(store.entries.len() as u64));
        }
    }
    if taken == Taken::Marks {
        let earlier = moments - 1;
        lengths[..earlier].fill(None);
    }
    history(&store, lengths, &work[BEFORE..], &mut random)
}

/// Births and GC counts, as far as they are known.
fn history(store: &Store, lengths: Vec<Option<u64>>, work: &[f64], random: &mut Random) -> History {
    let moments = lengths.len();
    let mut entries = vec![0u64; moments];
    for entry in &store.entries {
        entries[entry.window] += 1;
    }
    // objects that hang on an entry
    let objects = 1 + random.below(12) as u64;
    let births = entries.iter().map(|count| Births {
        count: count * objects,
        bytes: count * objects * 64,
    });
    let collections = random.scale(4.0, 60.0);
    let known = random.chance(0.8);
    let level = Level {
        births: births.collect(),
        entries: random.chance(0.85).then_some(entries),
        lengths,
        sample: None,
    };
    History {
        levels: vec![level],
        work: (0..moments - 1)
            .map(|window| known.then_some((work[window] * collections) as u64 + 3))
            .collect(),
        ..History::default()
    }
}

/// A run of a program, with its numbers.
struct Run {
    program: Program,
    random: Random,
    /// Entries a window.
    rate: f64,
    /// Entries that it has at most, keys that there are, or how many there are when it starts.
    size: usize,
    /// Steps that an entry lives.
    life: usize,
    /// Steps of a period.
    period: f64,
    phase: f64,
    /// Of keys or distinct things met so far.
    met: f64,
}

impl Run {
    fn of(program: Program, mut random: Random) -> Self {
        let rate = match program {
            Program::Slow => random.scale(4.0, 15.0),
            _ => random.scale(15.0, 150.0),
        };
        let size = match program {
            Program::Saturating => rate / random.between(3.5, 8.0),
            Program::Sawtooth => rate * random.between(0.3, 2.5),
            Program::Lru => rate * random.between(0.2, 2.5),
            Program::FillingLru => rate * random.between(3.1, 3.9),
            Program::Draining => rate * random.between(4.0, 8.0),
            _ => 0.0,
        };
        let life = STEPS as f64 * random.between(0.2, 1.5);
        let period = STEPS as f64 * random.between(0.5, 3.0);
        Self {
            program,
            rate,
            size: size as usize + 1,
            life: life as usize + 1,
            period,
            phase: random.unit(),
            met: rate * random.between(0.5, 3.0),
            random,
        }
    }

    /// One step, with so much of a window's work.
    fn step(&mut self, store: &mut Store, work: f64) {
        let made = self.random.poisson(self.rate * work);
        let life = self.life;
        match self.program {
            Program::Steady | Program::Bursty | Program::Slow => store.add(made, || None),
            Program::AmongOthers => {
                store.add(made, || None);
                let in_use = self.random.poisson(self.rate * work);
                store.add(in_use, || Some(life / 3 + 1));
            }
            Program::AfterWarmUp => {
                let more = if store.window == 1 { 1.0 + self.phase } else { 1.0 };
                let made = self.random.poisson(self.rate * work * more);
                store.add(made, || None);
            }
            Program::Logarithmic => {
                // the more was met, the less often is something new
                for _ in 0..made {
                    let new = self.rate / (self.rate + self.met);
                    if self.random.chance(new) {
                        store.add(1, || None);
                    }
                    self.met += 1.0;
                }
            }
            Program::WarmUp => {
                let stray = self.random.chance(0.02);
                match store.window {
                    0 => store.add(made / 4, || None),
                    1 => store.add(made, || None),
                    _ => store.add(usize::from(stray), || None),
                }
            }
            Program::Saturating => {
                // nobody asks before the first moment
                for _ in 0..if store.window > 0 { made } else { 0 } {
                    let new = 1.0 - store.entries.len() as f64 / self.size as f64;
                    if self.random.chance(new) {
                        store.add(1, || None);
                    }
                }
            }
            Program::Sawtooth => {
                store.add(made, || None);
                if store.entries.len() > self.size {
                    store.entries.clear();
                }
            }
            Program::Periodic => {
                let turn = (store.step as f64 / self.period + self.phase) * std::f64::consts::TAU;
                let made = self.random.poisson(self.rate * work * (1.0 + turn.sin()));
                store.add(made, || Some(life));
            }
            Program::Expiring => store.add(made, || Some(life)),
            Program::Lru | Program::FillingLru => {
                store.add(made, || None);
                let over = store.entries.len().saturating_sub(self.size);
                // some are used again, and stay longer
                for _ in 0..over {
                    let old = self.random.below(store.entries.len() / 3 + 1);
                    store.entries.remove(old);
                }
            }
            Program::Draining => {
                if store.step == 1 {
                    store.add(self.size, || None);
                }
                store.add(made / 4, || None);
                let taken = made.min(store.entries.len());
                store.entries.drain(..taken);
            }
        }
        debug_assert!(store.entries.iter().all(|entry| entry.step <= store.step));
    }
}
