//! One in so many: which ones are remembered, and what they say of all.

use serde::Deserialize;

/// What is counted until the next allocation is remembered.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Allocations, each as probable as another.
    #[default]
    Allocations,
    /// The bytes of their slots: what is larger is the more probable.
    Bytes,
}

impl By {
    const ALL: [Self; 2] = [Self::Allocations, Self::Bytes];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allocations => "allocations",
            Self::Bytes => "bytes",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// The bytes of the smallest slots: of objects of which nobody says how large theirs are.
pub const SMALLEST_SLOT: u32 = 40;

/// What a moment says of how its objects were sampled.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct Sampled {
    /// What is meant by that.
    #[serde(default)]
    pub by: By,
    /// One in so many was remembered of those that were reported.
    pub every: u64,
    /// Objects that were allocated.
    pub allocations: u64,
    /// Those of them that were reported: all, without a budget.
    pub reported: u64,
    /// Objects that were remembered and given up, since nobody could tell whether they were still there.
    #[serde(default)]
    pub lost: u64,
}

impl Sampled {
    /// For how many allocations one that was remembered stands. `bytes` are those of its slot, where they count.
    pub fn one_in(&self, bytes: Option<u32>) -> f64 {
        let share = match self.reported {
            0 => 1.0,
            reported => (self.allocations as f64 / reported as f64).max(1.0),
        };
        let every = self.every.max(1) as f64;
        share
            * match self.by {
                By::Allocations => every,
                By::Bytes => {
                    let bytes = bytes.unwrap_or(SMALLEST_SLOT).max(1);
                    // the inverse of the probability that one of its bytes is chosen
                    (-(f64::from(bytes) * (-every.recip()).ln_1p()).exp_m1()).recip()
                }
            }
    }
}

/// How many objects are known, and what they stand for. Each may stand for as many as it likes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Known {
    sampled: u64,
    count: f64,
    squares: f64,
}

impl Known {
    /// So many more, each of which stands for `one_in`.
    pub fn add(&mut self, sampled: u64, one_in: f64) {
        let one_in = one_in.max(1.0);
        self.sampled += sampled;
        self.count += sampled as f64 * one_in;
        self.squares += sampled as f64 * one_in * one_in;
    }

    /// More of them.
    pub fn merge(&mut self, other: Self) {
        self.sampled += other.sampled;
        self.count += other.count;
        self.squares += other.squares;
    }

    /// So many of them, which are as the others.
    pub fn part(&self, sampled: u64) -> Self {
        let share = self.share(sampled);
        Self {
            sampled,
            count: self.count * share,
            squares: self.squares * share,
        }
    }

    /// Which share of them so many are.
    pub fn share(&self, sampled: u64) -> f64 {
        match self.sampled {
            0 => 0.0,
            all => sampled as f64 / all as f64,
        }
    }

    /// For how many one stands, on the average.
    pub fn one_in(&self) -> Option<f64> {
        (self.sampled > 0).then(|| self.count / self.sampled as f64)
    }
}

/// How many allocations pass until the next one is remembered. Each one is remembered with the same probability, whatever
/// was remembered before it: so no program's period can fall in with it, and the estimate of a number has no bias.
#[derive(Clone, Debug)]
pub struct Gaps {
    random: u64,
    /// The logarithm of the probability that one is not remembered; 0 where all are.
    log: f64,
}

impl Gaps {
    /// One in `every`. With the same seed it draws the same.
    pub fn new(every: u32, seed: u64) -> Self {
        let log = match every {
            0 | 1 => 0.0,
            _ => (-1.0 / f64::from(every)).ln_1p(),
        };
        Self { random: seed, log }
    }

    /// From one that is remembered to the next, at least 1.
    pub fn draw(&mut self) -> u32 {
        if self.log == 0.0 {
            return 1;
        }
        // above 0 and not above 1, in steps of 2⁻⁵³
        let uniform = ((splitmix64(&mut self.random) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        // a cast of what is too large is the largest
        ((uniform.ln() / self.log) as u32).saturating_add(1)
    }
}

/// The next random number: Steele, Lea and Flood's SplitMix64. Not for secrets.
pub const fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// How many objects there are where one in so many is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Objects that are known.
    pub sampled: u64,
    /// Objects in all.
    pub count: u64,
    /// With a probability of 95 %, there are not fewer …
    pub lowest: u64,
    /// … and not more.
    pub highest: u64,
}

/// Of the normal distribution: 95 % are not farther from the middle.
const DEVIATIONS: f64 = 1.96;

impl Estimate {
    /// How many there are where these are known.
    pub fn of(known: &Known) -> Self {
        let Known {
            sampled,
            count: all,
            squares,
        } = *known;
        if sampled == 0 {
            return Self::default();
        }
        // They say as much as so many that stand for as many each, which is all of them where all do.
        let known = all * all / squares;
        let one_in = all / known;
        // Poisson's, by Wilson and Hilferty; all of it where all are known
        let spread = ((squares - all).max(0.0) / squares).sqrt();
        let bound = |count: f64, deviations: f64| match count {
            0.0 => 0.0,
            _ => count * (1.0 - (9.0 * count).recip() + deviations / (3.0 * count.sqrt())).powi(3),
        };
        let lowest = known - (known - bound(known, -DEVIATIONS).max(0.0)) * spread;
        let highest = known + (bound(known + 1.0, DEVIATIONS) - known) * spread;
        Self {
            sampled,
            count: all.round() as u64,
            lowest: ((lowest * one_in).floor() as u64).max(sampled),
            highest: (highest * one_in).ceil() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Standard deviations. Of the numbers here, 300 and more, each is farther off less than once in 10⁹ times.
    const NEVER: f64 = 7.2;

    /// Numbers of those that are remembered of so many, counted from 0.
    fn remembered(every: u32, seed: u64, all: u64) -> Vec<u64> {
        let mut gaps = Gaps::new(every, seed);
        let mut numbers = Vec::new();
        let mut next = u64::from(gaps.draw());
        while next <= all {
            numbers.push(next - 1);
            next += u64::from(gaps.draw());
        }
        numbers
    }

    /// `sampled` are known; each stands for `one_in`.
    fn estimate(sampled: u64, one_in: f64) -> Estimate {
        let mut known = Known::default();
        known.add(sampled, one_in);
        Estimate::of(&known)
    }

    #[test]
    fn one_that_is_remembered_stands_for_what_was_not_reported_too() {
        let sampled = |allocations, reported| Sampled {
            by: By::Allocations,
            every: 64,
            allocations,
            reported,
            lost: 0,
        };
        for (allocations, reported, one_in) in [
            (0, 0, 64.0),
            (1000, 1000, 64.0),
            (1000, 100, 640.0),
            (99, 100, 64.0),
        ] {
            assert_eq!(sampled(allocations, reported).one_in(None), one_in);
        }
    }

    #[test]
    fn all_are_remembered_where_one_in_one_is() {
        assert_eq!(remembered(1, 7, 1000).len(), 1000);
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        assert_eq!(remembered(64, 3, 100_000), remembered(64, 3, 100_000));
        assert_ne!(remembered(64, 3, 100_000), remembered(64, 4, 100_000));
    }

    /// The probability that this fails with another seed is below 10⁻⁹ each.
    #[test]
    fn one_in_so_many_is_remembered_at_every_place_of_every_period() {
        for every in [2, 64, 1000] {
            let all = u64::from(every) * 40_000;
            for period in [1, 2, 7, 63, 64, 65, 128] {
                let mut places = vec![0_u32; period];
                for number in remembered(every, period as u64, all) {
                    places[(number % period as u64) as usize] += 1;
                }
                let expected = 40_000.0 / period as f64;
                let deviation = (expected * (1.0 - 1.0 / f64::from(every))).sqrt();
                for (place, count) in places.iter().enumerate() {
                    let off = (f64::from(*count) - expected).abs();
                    // a normal distribution is only near the truth, so half a deviation more, and one
                    assert!(
                        off <= (NEVER + 0.5) * deviation + 1.0,
                        "every {every}, place {place} of {period}: {count}, not {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_estimate_of_all_is_what_is_known() {
        let estimate = estimate(48, 1.0);
        let known = Estimate {
            sampled: 48,
            count: 48,
            lowest: 48,
            highest: 48,
        };
        assert_eq!(estimate, known);
    }

    #[test]
    fn an_estimate_has_the_middle_and_the_bounds_of_poisson() {
        let many = estimate(48, 64.0);
        assert_eq!(many.count, 3072);
        // of 48, by the tables: 35.39 and 63.64
        let near = |bound: u64, table: f64| (bound as f64 / 64.0 - table).abs() < 0.5;
        assert!(near(many.lowest, 35.39), "{many:?}");
        assert!(near(many.highest, 63.64), "{many:?}");
        // of one: 0.025 and 5.57; one object there is at least
        let one = estimate(1, 64.0);
        assert_eq!(one.count, 64);
        assert!((1..=8).contains(&one.lowest), "{one:?}");
        assert!(near(one.highest, 5.57), "{one:?}");
    }

    #[test]
    fn bounds_are_in_order_and_hold_the_estimate_whatever_is_known() {
        for sampled in [0, 1, 2, 3, 10, 1_000, 1_000_000_000] {
            for one_in in [0.0, 1.0, 1.5, 64.0, 1e9] {
                let it = estimate(sampled, one_in);
                assert!(it.lowest <= it.count && it.count <= it.highest, "{it:?}");
                assert!(it.lowest >= sampled, "{it:?}");
            }
        }
    }

    /// 19 of 20 intervals hold the truth. That fewer than 9 of 10 do, of 2000, is less probable than 10⁻⁹.
    #[test]
    fn the_interval_holds_the_truth_as_often_as_it_says() {
        let (all, every) = (3_000_u64, 64);
        let holds = (0..2_000).filter(|seed| {
            let sampled = remembered(every, *seed * 7_919 + 1, all).len() as u64;
            let it = estimate(sampled, f64::from(every));
            (it.lowest..=it.highest).contains(&all)
        });
        let held = holds.count();
        assert!(held > 1_800, "{held} of 2000");
    }

    /// Slots of two sizes, one after the other, whose bytes are counted: what is remembered stands for as many of each as
    /// there are. The probability that this fails with another seed is below 10⁻⁹.
    #[test]
    fn by_bytes_what_is_larger_is_remembered_more_often_and_stands_for_less() {
        for every in [64, 4096] {
            let all = 400_000_u64;
            let sampled = Sampled {
                by: By::Bytes,
                every,
                allocations: 1,
                reported: 1,
                lost: 0,
            };
            let mut gaps = Gaps::new(every as u32, 7);
            let mut left = i64::from(gaps.draw());
            let mut known = [Known::default(), Known::default()];
            for _ in 0..all {
                for (size, known) in [40_u32, 320].into_iter().zip(&mut known) {
                    left -= i64::from(size);
                    if left <= 0 {
                        known.add(1, sampled.one_in(Some(size)));
                        left = i64::from(gaps.draw());
                    }
                }
            }
            let [small, large] = known;
            assert!(large.sampled > small.sampled);
            for known in [small, large] {
                let deviation = (known.squares - known.count).sqrt();
                let off = (known.count - all as f64).abs();
                assert!(off <= NEVER * deviation, "every {every}: {known:?}");
                let it = Estimate::of(&known);
                assert!(it.lowest <= it.count && it.count <= it.highest, "{it:?}");
            }
        }
    }

    /// 19 of 20 intervals hold the truth, of numbers of which some stand for much more than others, too.
    #[test]
    fn an_interval_of_what_differs_holds_the_truth_as_often_as_it_says() {
        let (few, many) = (500_u64, 20_000_u64);
        let holds = (0..2_000).filter(|seed| {
            let mut known = Known::default();
            known.add(remembered(8, *seed * 7_919 + 1, few).len() as u64, 8.0);
            known.add(remembered(128, *seed * 104_729 + 5, many).len() as u64, 128.0);
            let it = Estimate::of(&known);
            (it.lowest..=it.highest).contains(&(few + many))
        });
        let held = holds.count();
        assert!(held > 1_800, "{held} of 2000");
    }
}
