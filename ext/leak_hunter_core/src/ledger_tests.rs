//! What holds for all ledgers, and the conclusions of typical ones.

use proptest::option;
use proptest::prelude::*;

use super::*;

const MB: u64 = 1_000_000;

fn entry(rss: u64, heap_bytes: u64, objects: u64, tracing: u64) -> Entry {
    Entry {
        memory: Some(Memory {
            rss: Some(rss * MB),
            shared: Some(20 * MB),
            heap_bytes: Some(heap_bytes * MB),
            ..Memory::default()
        }),
        objects: Some(objects * MB),
        tracing: Some(tracing * MB),
        own: Some(0),
    }
}

fn conclusion(first: Entry, last: Entry) -> Conclusion {
    Ledger::of(vec![first, last], 0).conclusion
}

#[test]
fn each_has_its_conclusion() {
    let before = || entry(400, 40, 100, 20);
    assert_eq!(
        conclusion(before(), entry(580, 40, 102, 20)),
        Conclusion::NotRubyObjects
    );
    assert_eq!(
        conclusion(before(), entry(580, 90, 260, 20)),
        Conclusion::ObjectsExplain
    );
    assert_eq!(
        conclusion(before(), entry(580, 45, 110, 130)),
        Conclusion::LeakHunterExplains
    );
    assert_eq!(
        conclusion(before(), entry(580, 180, 102, 20)),
        Conclusion::FreeSlotsExplain
    );
    assert_eq!(conclusion(before(), entry(580, 50, 170, 40)), Conclusion::Partly);
    assert_eq!(conclusion(before(), entry(410, 50, 108, 20)), Conclusion::Flat);
    assert_eq!(conclusion(before(), entry(300, 30, 50, 20)), Conclusion::Flat);
}

#[test]
fn what_is_not_known_is_not_concluded() {
    let unknown = |entry: Entry| {
        conclusion(
            entry,
            Entry {
                memory: None,
                ..Entry::default()
            },
        )
    };
    assert_eq!(unknown(Entry::default()), Conclusion::Unknown);
    assert_eq!(unknown(entry(400, 40, 100, 20)), Conclusion::Unknown);
    assert_eq!(
        Ledger::of(vec![entry(400, 40, 100, 20)], 0).conclusion,
        Conclusion::Unknown
    );
    assert_eq!(Ledger::of(Vec::new(), 0), Ledger::default());
}

#[test]
fn marks_know_no_objects_but_those_that_the_diff_found() {
    let mark = |rss| Entry {
        objects: None,
        tracing: None,
        own: None,
        ..entry(rss, 40, 0, 0)
    };
    let with =
        |new_objects| Ledger::of(vec![mark(400), mark(500), entry(580, 90, 260, 20)], new_objects).conclusion;
    assert_eq!(with(60 * MB), Conclusion::ObjectsExplain);
    // Strings that were there before may have grown
    assert_eq!(with(2 * MB), Conclusion::Unknown);
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..1000 * MB, any::<u64>(), Just(0), Just(u64::MAX)]
}

fn entries() -> impl Strategy<Value = Entry> {
    let memory = (option::of(number()), option::of(number()), option::of(number())).prop_map(
        |(rss, shared, heap_bytes)| Memory {
            rss,
            shared,
            heap_bytes,
            ..Memory::default()
        },
    );
    (
        option::weighted(0.9, memory),
        option::weighted(0.9, number()),
        option::weighted(0.9, number()),
        option::of(number()),
    )
        .prop_map(|(memory, objects, tracing, own)| Entry {
            memory,
            objects,
            tracing,
            own,
        })
}

fn moderate() -> impl Strategy<Value = Entry> {
    (20..2000u64, 1..1000u64, 1..1000u64, 1..300u64)
        .prop_map(|(rss, heap, objects, tracing)| entry(rss, heap, objects, tracing))
}

proptest! {
    #[test]
    fn extreme_numbers_make_no_trouble(moments in prop::collection::vec(entries(), 0..5), new_objects in number()) {
        let ledger = Ledger::of(moments.clone(), new_objects);
        prop_assert_eq!(ledger.moments, moments);
        if let Some(share) = ledger.growth.objects_share {
            prop_assert!(share.is_finite());
        }
    }

    #[test]
    fn the_parts_add_up(first in moderate(), last in moderate()) {
        let growth = Ledger::of(vec![first, last], 0).growth;
        let parts = [growth.objects, growth.tracing, growth.own, growth.free_slots, growth.unexplained];
        let sum: Option<i64> = parts.into_iter().try_fold(0, |sum, part| Some(sum + part?));
        prop_assert_eq!(sum, growth.process);
    }

    #[test]
    fn a_conclusion_is_what_the_numbers_say(first in moderate(), last in moderate(), new_objects in number()) {
        let ledger = Ledger::of(vec![first, last], new_objects);
        let growth = ledger.growth;
        let (Some(process), Some(objects)) = (growth.process, growth.objects) else {
            return Err(TestCaseError::fail("all is known here"));
        };
        match ledger.conclusion {
            Conclusion::Flat => prop_assert!(process < 200 * MB as i64),
            Conclusion::ObjectsExplain => prop_assert!(process > 0 && objects >= process / 2),
            Conclusion::NotRubyObjects => prop_assert!(objects < process / 2 && growth.unexplained > Some(process / 2)),
            Conclusion::Unknown => prop_assert!(false),
            _ => prop_assert!(process > 0 && objects < process / 2 + 1),
        }
    }

    #[test]
    fn moments_between_the_first_and_the_last_do_not_count(
        first in entries(), between in entries(), last in entries(), new_objects in number()
    ) {
        let two = Ledger::of(vec![first.clone(), last.clone()], new_objects);
        let three = Ledger::of(vec![first, between, last], new_objects);
        prop_assert_eq!(two.growth, three.growth);
        if two.growth.objects.is_some() {
            prop_assert_eq!(two.conclusion, three.conclusion);
        }
    }
}
