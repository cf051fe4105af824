//! Verdicts on simulated histories, and what holds for all.

mod histories;

use histories::{Program, Random, Score, Taken, simulate};
use leak_hunter_core::verdict::{Because, Births, History, Level, Sample, Verdict};
use proptest::option;
use proptest::prelude::*;

/// Histories of each program and number of moments.
const RUNS: u64 = 60;

fn births(counts: &[u64]) -> Vec<Births> {
    let of = |count: &u64| Births {
        count: *count,
        bytes: count * 40,
    };
    counts.iter().map(of).collect()
}

fn lengths(lengths: &[u64]) -> Vec<Option<u64>> {
    lengths.iter().map(|length| Some(*length)).collect()
}

fn verdict(level: Level) -> Verdict {
    History::of(level).judge().verdict
}

fn by_births(counts: &[u64]) -> Verdict {
    verdict(Level {
        births: births(counts),
        ..Level::default()
    })
}

fn judged(counts: &[u64], of: &[u64], entries: &[u64]) -> Verdict {
    verdict(Level {
        births: births(counts),
        lengths: lengths(of),
        entries: Some(entries.to_vec()),
        ..Level::default()
    })
}

#[test]
fn profiles_measured_in_a_rails_application() {
    assert_eq!(
        judged(&[1_424, 5_891, 5_680], &[12, 72, 132], &[12, 60, 60]),
        Verdict::Growing
    );
    assert_eq!(
        judged(&[381, 1_904, 1_876], &[12, 72, 132], &[12, 60, 60]),
        Verdict::Growing
    );
    assert_eq!(
        judged(&[48, 239, 229], &[12, 72, 132], &[12, 60, 60]),
        Verdict::Growing
    );
    assert_eq!(
        by_births(&[48, 239, 229]),
        Verdict::Growing,
        "a thread has no length"
    );
    assert_eq!(
        judged(&[11, 52, 118], &[10, 60, 60], &[4, 17, 39]),
        Verdict::Replaced
    );
    assert_eq!(
        judged(&[0, 0, 5, 35], &[60, 60, 60, 60], &[0, 0, 8, 52]),
        Verdict::Replaced
    );
    assert_eq!(by_births(&[0, 360, 0, 0]), Verdict::Once);
    assert_eq!(by_births(&[0, 60, 60, 60]), Verdict::Growing);
}

#[test]
fn shapes_of_the_contracts() {
    // a full LRU of 1,000, a seventh replaced a window
    assert_eq!(
        judged(&[7350, 1220, 1430], &[1000; 3], &[735, 122, 143]),
        Verdict::Replaced
    );
    // plateau, sawtooth
    assert_eq!(judged(&[0, 200, 0], &[0, 200, 200], &[0, 200, 0]), Verdict::Once);
    assert_eq!(
        judged(&[0, 50, 400], &[700, 100, 500], &[0, 50, 450]),
        Verdict::Replaced
    );
    assert_eq!(
        judged(&[600, 10, 5], &[1000, 800, 615], &[600, 10, 5]),
        Verdict::Draining
    );
    // objects that hang on entries as old as ever
    assert_eq!(judged(&[10, 60, 60], &[5; 3], &[5, 0, 0]), Verdict::Growing);
    // lists that came with their keys in the first window, and grow since
    assert_eq!(
        judged(&[2, 310, 300, 300], &[0, 5, 5, 5], &[1, 10, 0, 0]),
        Verdict::Growing
    );
    assert_eq!(
        judged(&[2, 310, 300], &[0, 5, 5], &[1, 10, 0]),
        Verdict::Inconclusive
    );
    // a list in a collection that always has its newest node only
    assert_eq!(
        judged(&[10, 60, 60, 60], &[1; 4], &[0, 0, 0, 1]),
        Verdict::Growing
    );
}

#[test]
fn the_level_that_grows_is_the_one_named() {
    let users = Level {
        births: births(&[900, 2, 2]),
        lengths: lengths(&[60; 3]),
        entries: Some(vec![60, 0, 0]),
        ..Level::default()
    };
    let their_events = Level {
        births: births(&[60, 60, 60]),
        lengths: lengths(&[60, 120, 180]),
        entries: Some(vec![60, 60, 60]),
        ..Level::default()
    };
    let history = History {
        levels: vec![users.clone(), their_events.clone()],
        ..History::default()
    };
    let judgement = history.judge();
    assert_eq!((judgement.verdict, judgement.level), (Verdict::Growing, Some(1)));
    // a counter that grows beside a cache does not make the cache a leak
    let cache = Level {
        births: births(&[7350, 1220, 1430]),
        lengths: lengths(&[1000; 3]),
        entries: Some(vec![735, 122, 143]),
        ..Level::default()
    };
    let history = History {
        levels: vec![cache, their_events],
        ..History::default()
    };
    assert_eq!(history.judge().verdict, Verdict::Replaced);
}

#[test]
fn what_cannot_be_known_is_said() {
    let because = |history: &History| history.judge().because;
    let level = |counts: &[u64]| Level {
        births: births(counts),
        ..Level::default()
    };
    assert_eq!(because(&History::default()), Because::TooFewMoments);
    assert_eq!(because(&History::of(level(&[4, 5]))), Because::TooFewMoments);
    assert_eq!(because(&History::of(level(&[4, 1, 1]))), Because::TooFew);
    assert_eq!(because(&History::of(level(&[4, 1, 0]))), Because::TooFew);
    assert_eq!(because(&History::of(level(&[4, 100, 30]))), Because::Slowing);
    assert_eq!(because(&History::of(level(&[0, 5, 35]))), Because::LengthsUnknown);
    let idle_at_last = History {
        work: vec![Some(200), Some(3)],
        ..History::of(level(&[0, 40, 0]))
    };
    assert_eq!(because(&idle_at_last), Because::LittleWork);
    let untraced = History {
        untimed: Births { count: 500, bytes: 0 },
        ..History::of(level(&[0, 40, 0]))
    };
    assert_eq!(because(&untraced), Because::NotTraced);
    assert!(Because::Slowing.another_moment_settles() && !Because::NotTraced.another_moment_settles());
}

/// Of one level without lengths.
fn profile(counts: &[u64]) -> History {
    History::of(Level {
        births: births(counts),
        ..Level::default()
    })
}

/// The sums of histories of one level without lengths.
fn sum(each: &[History]) -> History {
    let mut sums = vec![0; each[0].births().len()];
    for history in each {
        for (sum, births) in sums.iter_mut().zip(history.births()) {
            *sum += births.count;
        }
    }
    profile(&sums)
}

#[test]
fn what_several_did_once_is_not_what_one_does_all_the_time() {
    let judge = |each: &[History]| sum(each).judge_together(each);
    // stacks of two workers that wait, with their last jobs
    let stacks = [profile(&[5, 2, 18, 0]), profile(&[7, 0, 0, 18])];
    assert_eq!(sum(&stacks).judge().verdict, Verdict::Growing);
    assert_eq!(judge(&stacks).because, Because::TooFew);
    let by_turns = [profile(&[5, 101, 0, 101]), profile(&[7, 0, 101, 0])];
    assert_eq!(judge(&by_turns).because, Because::Irregular);
    let large_jobs = judge(&[profile(&[5, 500, 0]), profile(&[7, 0, 500])]);
    assert_eq!(large_jobs.because, Because::Irregular);
    // two leaks, two halves of one leak, and one leak in a hundred holders
    assert_eq!(
        judge(&[profile(&[0, 50, 50]), profile(&[0, 50, 50])]).verdict,
        Verdict::Growing
    );
    let one = [profile(&[0, 300, 0]), profile(&[0, 90, 90])];
    assert_eq!(judge(&one).verdict, Verdict::Growing);
    let thinly = vec![profile(&[0, 1, 1, 1, 1]); 100];
    assert_eq!(judge(&thinly).verdict, Verdict::Growing);
    // statement caches of two connections, each filled when it was first used
    let filled = |counts: [u64; 3], of: [u64; 3]| {
        History::of(Level {
            births: births(&counts),
            lengths: lengths(&of),
            entries: Some(counts.to_vec()),
            ..Level::default()
        })
    };
    let each = [filled([0, 30, 0], [0, 30, 30]), filled([0, 0, 30], [0, 0, 30])];
    let both = filled([0, 30, 30], [0, 30, 60]);
    assert_eq!(both.judge().verdict, Verdict::Growing);
    assert_eq!(both.judge_together(&each).because, Because::Irregular);
}

#[test]
fn few_are_said_to_be_few() {
    let because = |counts: &[u64]| profile(counts).judge().because;
    assert_eq!(because(&[0, 7, 10]), Because::TooFew, "they rise, by chance");
    assert_eq!(because(&[0, 1, 18]), Because::TooFew);
    let idle_at_last = History {
        work: vec![Some(200), Some(3)],
        ..profile(&[0, 4, 0])
    };
    assert_eq!(idle_at_last.judge().because, Because::TooFew);
    assert_eq!(because(&[0, 0, 0]), Because::TooFew, "nothing at all");
}

#[test]
fn what_comes_inside_older_entries_is_neither_denied_nor_called_few() {
    // what it got longer by in the first window is gone or no object, and then 200 come inside what is there
    let history = |counts: &[u64], of: &[u64], entries: &[u64]| {
        History::of(Level {
            births: births(counts),
            lengths: lengths(of),
            entries: Some(entries.to_vec()),
            ..Level::default()
        })
    };
    let turned_over = history(&[90, 6, 200], &[21, 27, 27], &[20, 1, 1]);
    assert_eq!(turned_over.judge().because, Because::LengthsUnknown);
    let few = history(&[90, 6, 200], &[21, 23, 23], &[21, 2, 0]);
    assert_eq!(few.judge().because, Because::LengthsUnknown);
    let shorter = history(&[90, 6, 200], &[40, 30, 20], &[20, 0, 0]);
    assert_eq!(shorter.judge().because, Because::LengthsUnknown);
}

#[test]
fn names_are_the_results_vocabulary() {
    let names = Verdict::ALL.map(Verdict::name);
    assert_eq!(names, ["growing", "inconclusive", "draining", "replaced", "once"]);
    let mut programs = Program::ALL.map(Program::name);
    programs.sort_unstable();
    assert!(programs.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn simulated_leaks_are_found_and_nothing_else() {
    let mut score = Score::default();
    for program in Program::ALL {
        for moments in 3..=6 {
            for seed in 0..RUNS {
                let judgement = simulate(program, moments, Taken::Dumps, seed).judge();
                score.count(program.answer(judgement.verdict));
            }
        }
    }
    assert!(score.precision() >= 0.97 && score.recall() >= 0.97, "{score:?}");
    // a leak that is said not to grow is worse than one that is left open
    assert!(score.denied * 200 <= score.found, "{score:?}");
}

/// The history as it is when one object in so many is known.
fn sampled(history: &History, one_in: u64, seed: u64) -> History {
    let mut random = Random::new(seed);
    let mut of = |count: u64| (0..count).filter(|_| random.chance(1.0 / one_in as f64)).count() as u64;
    let mut level = |level: &Level| {
        let births: Vec<u64> = level.births.iter().map(|births| births.count).collect();
        let entries = level.entries.as_ref();
        // a dump has all references; of some kinds of entries none is an object
        let all = entries.map_or(0, |entries| entries.iter().sum());
        Level {
            births: self::births(&births.iter().map(|count| of(*count)).collect::<Vec<_>>()),
            lengths: level.lengths.clone(),
            entries: entries.map(|entries| entries.iter().map(|count| of(*count)).collect()),
            sample: Some(Sample {
                one_in: one_in as f64,
                kept: births.iter().sum(),
                entries: all,
            }),
        }
    };
    History {
        levels: history.levels.iter().map(&mut level).collect(),
        work: history.work.clone(),
        ..History::default()
    }
}

#[test]
fn samples_of_simulated_histories_are_judged_as_well() {
    for one_in in [2, 8, 32, 128] {
        let mut score = Score::default();
        for program in Program::ALL {
            for moments in 3..=6 {
                for seed in 0..RUNS {
                    let history = simulate(program, moments, Taken::Dumps, seed);
                    let judgement = sampled(&history, one_in, seed).judge();
                    score.count(program.answer(judgement.verdict));
                }
            }
        }
        let is_good = score.precision() >= 0.97 && score.recall() >= 0.95;
        assert!(is_good, "one in {one_in}: {score:?}");
        assert!(score.denied * 200 <= score.found, "one in {one_in}: {score:?}");
    }
}

fn of_sample(counts: &[u64], of: &[u64], entries: &[u64], objects_an_entry: u64) -> Because {
    let last = of.last().copied().unwrap_or(0);
    let level = Level {
        births: births(counts),
        lengths: lengths(of),
        entries: Some(entries.to_vec()),
        sample: Some(Sample {
            one_in: 64.0,
            kept: last * objects_an_entry,
            entries: last,
        }),
    };
    History::of(level).judge().because
}

#[test]
fn of_a_sample_nothing_is_denied_or_called_growing_that_it_cannot_tell() {
    // ten lists that get longer inside, of which the heads are new: or ten large things that are replaced
    let inside = of_sample(&[80, 75, 82], &[10; 3], &[0; 3], 1500);
    assert_eq!(inside, Because::LengthsUnknown);
    // a cache of small things is much likelier
    assert_eq!(
        of_sample(&[2, 8, 9], &[500; 3], &[1, 3, 4], 3),
        Because::LengthFlat
    );
    // a full cache that gets a little longer each time, of which many entries are known, or few
    let cache = |entries: &[u64], of: &[u64]| {
        of_sample(
            &entries.iter().map(|it| it * 2).collect::<Vec<_>>(),
            of,
            entries,
            2,
        )
    };
    assert_eq!(cache(&[16, 31, 33], &[5000, 5020, 5050]), Because::LengthFlat);
    assert_eq!(cache(&[1, 3, 4], &[500, 504, 509]), Because::MostlyReplaced);
    // one that gets a lot longer, of which none are known yet
    assert_eq!(cache(&[0, 0, 1], &[0, 60, 120]), Because::EveryWindow);
    // what it got longer by is gone
    assert_eq!(cache(&[0, 0, 30], &[1000, 2000, 2000]), Because::TurnsOver);
}

/// Any history at all, of three to seven moments.
fn histories() -> impl Strategy<Value = History> {
    let number = prop_oneof![0..5u64, 0..500u64, any::<u64>()];
    let level = move |moments: usize| {
        let number = number.clone();
        let row = move || proptest::collection::vec(number.clone(), moments);
        let known = proptest::collection::vec(option::weighted(0.9, 0..2000u64), moments);
        (row(), row(), known, option::of(row())).prop_map(|(counts, bytes, lengths, entries)| Level {
            births: counts
                .into_iter()
                .zip(bytes)
                .map(|(count, bytes)| Births { count, bytes })
                .collect(),
            lengths,
            entries,
            sample: None,
        })
    };
    (3..8usize).prop_flat_map(move |moments| {
        let levels = proptest::collection::vec(level(moments), 0..4);
        let work = proptest::collection::vec(option::weighted(0.8, any::<u64>()), 0..moments);
        (levels, work, 0..100u64).prop_map(|(levels, work, untimed)| History {
            levels,
            work,
            untimed: Births {
                count: untimed,
                bytes: 0,
            },
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// No numbers make it panic, and the reason belongs to the verdict.
    #[test]
    fn any_history_has_a_verdict(history in histories()) {
        let judgement = history.judge();
        prop_assert_eq!(judgement.because.verdict(), judgement.verdict);
        prop_assert_eq!(history.judge(), judgement);
        prop_assert!(judgement.level.is_none_or(|level| level < history.levels.len()));
    }

    /// A collection of objects that are all replaced in time, and that is as long as ever, does not grow.
    #[test]
    fn a_flat_length_does_not_grow(
        counts in proptest::collection::vec(1..1000u64, 3..7),
        objects in 1..20u64,
        old in 0..1000u64,
    ) {
        let length = old + counts.iter().sum::<u64>();
        let entries: Vec<u64> = std::iter::once(old).chain(counts.iter().copied()).collect();
        let level = Level {
            births: births(&entries.iter().map(|count| count * objects).collect::<Vec<_>>()),
            lengths: vec![Some(length); entries.len()],
            entries: Some(entries),
            ..Level::default()
        };
        prop_assert_ne!(verdict(level), Verdict::Growing);
    }

    /// As much from every window, and a length that says the same: that grows, however much there was before, however
    /// many objects hang on an entry.
    #[test]
    fn alike_in_every_window_grows(
        old in 0..1_000_000u64,
        rate in 10..100_000u64,
        windows in 2..7usize,
        objects in 1..50u64,
        known in any::<bool>(),
        with_entries in any::<bool>(),
    ) {
        let entries: Vec<u64> = std::iter::once(old).chain(std::iter::repeat_n(rate, windows)).collect();
        let sums = entries.iter().scan(0, |sum, count| { *sum += count; Some(*sum) });
        let level = Level {
            lengths: if known { sums.map(Some).collect() } else { Vec::new() },
            births: births(&entries.iter().map(|count| count * objects).collect::<Vec<_>>()),
            entries: with_entries.then_some(entries),
            ..Level::default()
        };
        prop_assert_eq!(verdict(level), Verdict::Growing);
    }

    /// Nothing that still comes and stays is said to have come once.
    #[test]
    fn what_goes_on_did_not_happen_once(counts in proptest::collection::vec(10..1000u64, 2..6), old in 0..1000u64) {
        let most = counts.iter().copied().max().unwrap_or(0);
        let entries: Vec<u64> = std::iter::once(old).chain(counts.iter().copied()).chain([most]).collect();
        prop_assert_ne!(by_births(&entries), Verdict::Once);
        let sums = entries.iter().scan(0, |sum, count| { *sum += count; Some(*sum) });
        let of: Vec<u64> = sums.collect();
        prop_assert_ne!(judged(&entries, &of, &entries), Verdict::Once);
    }

    /// More work in the last window explains more growth, less work less.
    #[test]
    fn growth_like_the_work_grows(rate in 10..500u64, work in proptest::collection::vec(10..60u64, 2..6)) {
        let counts: Vec<u64> = std::iter::once(0).chain(work.iter().map(|work| work * rate)).collect();
        let history = History {
            work: work.into_iter().map(Some).collect(),
            ..History::of(Level { births: births(&counts), ..Level::default() })
        };
        prop_assert_eq!(history.judge().verdict, Verdict::Growing);
    }

    /// Few objects may be chance: of them nothing is said but that, or that they came once.
    #[test]
    fn few_never_grow_and_raise_no_other_doubt(
        counts in proptest::collection::vec(0..20u64, 2..4),
        old in 0..100_000u64,
        work in proptest::collection::vec(option::weighted(0.9, 0..300u64), 2..4),
        known in any::<bool>(),
    ) {
        let mut left = if known { 5 } else { 19 };
        let counts = counts.into_iter().map(|count| {
            let count = count.min(left);
            left -= count;
            count
        });
        let entries: Vec<u64> = std::iter::once(old).chain(counts).collect();
        let sums = entries.iter().scan(0, |sum, count| { *sum += count; Some(*sum) });
        let history = History {
            work,
            ..History::of(Level {
                lengths: if known { sums.map(Some).collect() } else { Vec::new() },
                births: births(&entries),
                ..Level::default()
            })
        };
        let because = history.judge().because;
        prop_assert!(matches!(because, Because::TooFew | Because::Stopped), "{:?}", because);
    }

    /// Holders of which each has few have few together, whenever those came.
    #[test]
    fn what_is_few_in_each_does_not_grow_together(
        each in proptest::collection::vec(proptest::collection::vec(0..10u64, 3), 2..30),
    ) {
        let each: Vec<History> = each.into_iter().map(|mut counts| {
            // no more than 19 since the first moment
            counts[2] = counts[2].min(9);
            profile(&counts)
        }).collect();
        let because = sum(&each).judge_together(&each).because;
        prop_assert!(matches!(because, Because::TooFew | Because::Stopped), "{:?}", because);
    }

    /// However much each did, if it did it in one window and never again.
    #[test]
    fn what_each_did_in_one_window_does_not_grow_together(
        each in proptest::collection::vec((1..4usize, 0..2000u64), 1..30),
    ) {
        let each: Vec<History> = each.into_iter().map(|(window, count)| {
            let mut counts = [3, 0, 0, 0];
            counts[window] = count;
            profile(&counts)
        }).collect();
        prop_assert_ne!(sum(&each).judge_together(&each).verdict, Verdict::Growing);
    }

    /// As many of one kind as may be grow when one of them does, and when it does not, they do not.
    #[test]
    fn as_many_as_may_be_are_judged_like_one(
        counts in proptest::collection::vec(0..300u64, 3..6),
        alike in 2..20usize,
    ) {
        let one = profile(&counts);
        let each = vec![one.clone(); alike];
        let together = sum(&each).judge_together(&each);
        prop_assert_eq!(together.verdict == Verdict::Growing, one.judge().verdict == Verdict::Growing);
    }

    /// What arrived in the last window, much and not by new entries, may be inside the entries: nobody says that it does
    /// not grow, or that it is little.
    #[test]
    fn what_may_grow_inside_is_not_denied(
        old in 0..50u64,
        grown in proptest::collection::vec(0..10u64, 1..4),
        last in 20..2000u64,
    ) {
        let entries: Vec<u64> = std::iter::once(old + 1).chain(grown.iter().copied()).chain([0]).collect();
        let sums = entries.iter().scan(0, |sum, count| { *sum += count; Some(*sum) });
        let of: Vec<u64> = sums.collect();
        let mut counts = entries.clone();
        if let Some(count) = counts.last_mut() {
            *count += last;
        }
        let kept: u64 = counts.iter().sum();
        // entries that weigh little against what came
        prop_assume!(last * 2 > kept);
        prop_assert_eq!(judged(&counts, &of, &entries), Verdict::Inconclusive);
        let because = History::of(Level {
            births: births(&counts),
            lengths: lengths(&of),
            entries: Some(entries.clone()),
            ..Level::default()
        }).judge().because;
        prop_assert_ne!(because, Because::TooFew);
    }
}
