//! Dumps of which one object in so many is known: what is known stands for all, and the rest says nothing.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use leak_hunter_core::diff::{Key, Report};
use leak_hunter_core::verdict::{Because, Confidence, MatchedBy, Reason, Verdict};
use leak_hunter_core::{Options, Progress, diff};
use tempfile::TempDir;

const EXACT: &str = "\"tracer\":\"exact\"";

fn sampled(lost: u64) -> String {
    format!(
        "\"tracer\":\"sampled\", \"sampling\":{{\"every\":10, \"allocations\":600, \"reported\":200, \"lost\":{lost}}}"
    )
}

fn header(number: u64, tracer: &str) -> String {
    format!(
        "{{\"type\":\"DUMP\", \"id\":\"{number}\", \"boot\":\"b\", \"pid\":1, \"host\":\"h\", \"sequence\":{number}, \
         \"taken_at\":\"2026-01-01T00:0{number}:00.000000Z\", \"ruby\":\"3.4.1\", \"platform\":\"x\", \"generation\":{}, \
         \"compactions\":0, \"tracing_since\":1, {tracer}, \"snapshot\":\"in_process\"}}\n",
        1 + 2 * number
    )
}

fn object(address: u64, generation: Option<u64>) -> String {
    let traced = generation.map_or_else(String::new, |generation| {
        format!(", \"file\":\"a.rb\", \"line\":7, \"generation\":{generation}")
    });
    format!("{{\"address\":\"{address:#x}\", \"type\":\"OBJECT\"{traced}, \"memsize\":40}}\n")
}

/// 50 objects leaked between the first and the second dump, of which five are known.
fn report(tracers: [&str; 3]) -> Report {
    let leaked = |number: u64| object(0x1000 + number * 40, (number % 10 == 0).then_some(4));
    let all_leaked: String = (0..50).map(leaked).collect();
    let old = object(0x100, Some(1)) + &object(0x128, None);
    let texts = [
        old.clone() + &object(0x200, Some(3)),
        format!("{old}{all_leaked}{}", object(0x228, Some(5))),
        format!(
            "{old}{all_leaked}{}{}",
            object(0x250, Some(7)),
            object(0x278, None)
        ),
    ];
    compared(tracers, texts, &Options::default())
}

fn compared(tracers: [&str; 3], texts: [String; 3], options: &Options) -> Report {
    let folder = TempDir::new().unwrap();
    let paths: Vec<_> = (1..=3)
        .zip(tracers)
        .zip(texts)
        .map(|((number, tracer), text)| {
            let path = folder.path().join(format!("{number}.json"));
            let end = format!("{{\"type\":\"DUMP_END\", \"id\":\"{number}\"}}\n");
            fs::write(&path, header(number, tracer) + &text + &end).unwrap();
            path
        })
        .collect();
    diff(&paths, options, &Progress::default()).unwrap()
}

#[test]
fn what_is_known_is_multiplied_and_the_rest_says_nothing() {
    let tracer = sampled(0);
    let report = report([&tracer; 3]);
    assert_eq!(report.groups.len(), 1);
    let group = &report.groups[0];
    // one in ten of a third of all allocations
    assert_eq!((group.count, group.memsize), (150, 5 * 40 * 30));
    let estimate = group.estimate.expect("an estimate");
    assert_eq!((estimate.sampled, estimate.count), (5, 150));
    assert!(estimate.lowest >= 5 && estimate.lowest < 150 && estimate.highest > 150);
    assert_eq!((report.totals.count, report.totals.memsize), (150, 6_000));
    assert_eq!(group.addresses.len(), 5.min(Options::default().samples));
    assert_eq!(report.third.count, 54, "the heap says itself how large it is");
}

/// Slots of 40 bytes and of 640, and by bytes: of one in ten of the one, and nearly two in three of the other, is known.
#[test]
fn by_bytes_each_object_stands_for_as_many_as_its_slot_says() {
    let tracer = "\"tracer\":\"sampled\", \"sampling\":{\"by\":\"bytes\", \"every\":400, \"allocations\":600, \
                  \"reported\":600, \"lost\":0}";
    let known = |number: u64, slot: u64| {
        format!(
            "{{\"address\":\"{:#x}\", \"type\":\"OBJECT\", \"file\":\"a.rb\", \"line\":{slot}, \"generation\":4, \
             \"context\":\"c\", \"stack\":1, \"sampled_bytes\":{slot}, \"memsize\":{slot}}}\n",
            0x10_000 + number * 640
        )
    };
    let leaked: String = (0..20)
        .map(|number| known(number, 40))
        .chain((20..60).map(|number| known(number, 640)))
        .collect();
    let texts = [
        object(0x200, Some(3)),
        leaked.clone() + &object(0x228, Some(5)),
        leaked + &object(0x250, Some(7)),
    ];
    let report = compared([tracer; 3], texts, &Options::default());
    let of_slot = |slot: f64| 1.0 / (1.0 - (1.0 - 1.0 / 400.0_f64).powf(slot));
    for group in &report.groups {
        let estimate = group.estimate.unwrap();
        let slot = group.values.line.unwrap() as f64;
        let all = estimate.sampled as f64 * of_slot(slot);
        assert_eq!(group.count, all.round() as u64, "{group:?}");
        assert_eq!(group.memsize, (all * slot).round() as u64);
        assert_eq!(group.contexts.shown[0].count, group.count);
        assert!(estimate.lowest < group.count && estimate.highest > group.count);
    }
    let all = 20.0 * of_slot(40.0) + 40.0 * of_slot(640.0);
    assert!((report.totals.count as f64 - all).abs() < 2.0);
    assert!((report.evidence.one_in.unwrap() - all / 60.0).abs() < 1e-6);
    // in one group the sum is the same
    let options = Options {
        group_by: vec![Key::Type],
        ..Options::default()
    };
    let texts = [
        object(0x200, Some(3)),
        (0..20)
            .map(|number| known(number, 40))
            .chain((20..60).map(|number| known(number, 640)))
            .collect::<String>()
            + &object(0x228, Some(5)),
        (0..20)
            .map(|number| known(number, 40))
            .chain((20..60).map(|number| known(number, 640)))
            .collect(),
    ];
    let report = compared([tracer; 3], texts, &options);
    assert_eq!(report.groups.len(), 1);
    assert_eq!(report.groups[0].count, all.round() as u64);
    assert_eq!(report.groups[0].estimate.unwrap().sampled, 60);
}

#[test]
fn identity_is_exact_and_numbers_are_estimates() {
    let tracer = sampled(0);
    let evidence = report([&tracer; 3]).evidence;
    assert_eq!(evidence.identity, MatchedBy::Generation);
    assert_eq!(evidence.confidence, Confidence::High);
    assert_eq!(evidence.reasons, [Reason::Sampled]);
    assert_eq!((evidence.by_generation, evidence.by_address), (5, 0));
    assert_eq!(evidence.one_in, Some(30.0));
}

#[test]
fn mixed_tracers_are_named() {
    let tracer = sampled(0);
    for tracers in [[EXACT, EXACT, &tracer], [&tracer, EXACT, EXACT]] {
        let evidence = report(tracers).evidence;
        assert!(evidence.reasons.contains(&Reason::MixedTracers), "{evidence:?}");
        assert_ne!(evidence.confidence, Confidence::Exact);
    }
    let evidence = report([EXACT; 3]).evidence;
    assert!(!evidence.reasons.contains(&Reason::MixedTracers) && evidence.sampled.is_none());
}

#[test]
fn samples_that_were_given_up_between_the_moments_make_numbers_too_low() {
    let (before, after) = (sampled(3), sampled(9));
    let evidence = report([&before, &before, &after]).evidence;
    assert_eq!(evidence.samples_lost, 6);
    assert_eq!(evidence.reasons.first(), Some(&Reason::SamplesLost));
    assert_eq!(evidence.confidence, Confidence::Low);
    let evidence = report([&after; 3]).evidence;
    assert_eq!(
        (evidence.samples_lost, evidence.confidence),
        (0, Confidence::High)
    );
}

/// An Array that was not sampled, with 300 more objects in each window, of which 30 are known.
#[test]
fn a_holder_grows_by_what_is_known_and_counts_what_that_stands_for() {
    let entry = |number: u64| {
        let born = match number {
            0..300 => 1,
            300..600 => 4,
            _ => 6,
        };
        object(0x10_000 + number * 40, (number % 10 == 0).then_some(born))
    };
    let heap = |entries: u64, newest: u64| {
        let references: Vec<String> = (0..entries)
            .map(|number| format!("\"{:#x}\"", 0x10_000 + number * 40))
            .collect();
        let array = format!(
            "{{\"address\":\"0x100\", \"type\":\"ARRAY\", \"length\":{entries}, \"references\":[{}], \
             \"memsize\":{}}}\n",
            references.join(", "),
            40 + 8 * entries
        );
        let root = "{\"type\":\"ROOT\", \"root\":\"global_tbl\", \"references\":[\"0x100\"]}\n";
        let all: String = (0..entries).map(entry).collect();
        format!("{root}{array}{all}{}", object(0x200, Some(newest)))
    };
    let tracer = sampled(0);
    let options = Options {
        holders: true,
        ..Options::default()
    };
    let texts = [heap(300, 3), heap(600, 5), heap(900, 7)];
    let report = compared([&tracer; 3], texts, &options);
    let holders = report.holders.unwrap();
    assert_eq!(holders.len(), 1, "{holders:?}");
    let holder = &holders[0];
    assert_eq!(holder.count, 900, "30 that are known, times 30");
    assert_eq!(holder.estimate.map(|it| it.sampled), Some(30));
    assert_eq!(
        holder.lengths,
        [Some(300), Some(600), Some(900)],
        "these are exact"
    );
    assert_eq!(holder.judgement.verdict, Verdict::Growing);
    assert_ne!(holder.judgement.because, Because::NotTraced);
    assert_eq!(holder.retained.exclusive, 900 * 40, "{:?}", holder.retained);
}
