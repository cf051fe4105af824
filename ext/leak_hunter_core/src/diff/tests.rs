//! The diff against truth: simulated heaps in which every object has a name of its own, and a slow plain diff.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::error::ErrorKind;
use crate::test_support::Line;

/// A heap as Ruby runs it: slots are freed by collections only, and reused after them.
struct Heap {
    slots: Vec<Option<Object>>,
    free: Vec<usize>,
    /// Slots of dead objects, not swept yet.
    dead: BTreeSet<usize>,
    gc_count: u64,
    tracing: bool,
    next_id: u64,
}

#[derive(Clone)]
struct Object {
    id: u64,
    generation: Option<u64>,
    kind: u64,
}

#[derive(Clone, Debug)]
enum Step {
    Allocate(u8),
    /// Drops the object in this slot; the next collection frees it.
    Drop(prop::sample::Index),
    Collect,
}

impl Heap {
    fn new(tracing: bool) -> Self {
        let slots = 48;
        Self {
            slots: vec![None; slots],
            free: (0..slots).collect(),
            dead: BTreeSet::new(),
            gc_count: 3,
            tracing,
            next_id: 0,
        }
    }

    fn run(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Allocate(kind) => self.allocate(u64::from(*kind)),
                Step::Drop(index) => {
                    self.dead.insert(index.index(self.slots.len()));
                }
                Step::Collect => self.collect(),
            }
        }
    }

    fn allocate(&mut self, kind: u64) {
        if self.free.is_empty() {
            self.collect();
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        let generation = self.tracing.then_some(self.gc_count);
        self.slots[slot] = Some(Object {
            id: self.next_id,
            generation,
            kind,
        });
        self.dead.remove(&slot);
        self.next_id += 1;
    }

    fn collect(&mut self) {
        self.gc_count += 1;
        for slot in std::mem::take(&mut self.dead) {
            if self.slots[slot].take().is_some() {
                self.free.push(slot);
            }
        }
    }

    fn ids(&self) -> BTreeSet<u64> {
        self.slots.iter().flatten().map(|object| object.id).collect()
    }

    fn dump(&self) -> Vec<u8> {
        let mut text = br#"{"type":"ROOT", "root":"vm", "references":["0x1000"]}"#.to_vec();
        text.push(b'\n');
        for (slot, object) in self.slots.iter().enumerate() {
            let Some(object) = object else { continue };
            let traced = object.generation.is_some();
            let line = Line {
                address: address_of(slot),
                kind: ["OBJECT", "STRING", "ARRAY"][object.kind as usize % 3],
                class: Some(0x100 * (1 + object.kind % 2)),
                file: traced.then(|| format!("app/\"{}\n.rb", object.kind).into_bytes()),
                line: traced.then_some(object.kind),
                generation: object.generation,
                bytesize: if object.kind % 3 == 1 { object.id } else { 0 },
                memsize: 40 + object.id,
                flags: true,
                ..Line::default()
            };
            text.extend(line.to_bytes());
            text.push(b'\n');
        }
        text
    }
}

fn address_of(slot: usize) -> u64 {
    0x7f00_0000_0000 + slot as u64 * 40
}

fn write(folder: &TempDir, dumps: &[Vec<u8>; 3]) -> [PathBuf; 3] {
    [0, 1, 2].map(|index| {
        let path = folder.path().join(format!("{}.json", index + 1));
        std::fs::write(&path, &dumps[index]).expect("written");
        path
    })
}

fn run(dumps: &[Vec<u8>; 3], options: &Options) -> Result<Report> {
    let folder = TempDir::new().expect("a folder");
    diff(&write(&folder, dumps), options, &Progress::default())
}

fn all_samples(threads: usize) -> Options {
    Options {
        samples: usize::MAX,
        threads: Some(threads),
        ..Options::default()
    }
}

fn addresses(report: &Report) -> BTreeSet<u64> {
    report
        .groups
        .iter()
        .flat_map(|group| group.addresses.iter().map(|address| address.get()))
        .collect()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..5u8).prop_map(Step::Allocate),
        5 => any::<prop::sample::Index>().prop_map(Step::Drop),
        1 => Just(Step::Collect),
    ];
    proptest::collection::vec(step, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Precision and recall are 1 whatever slots are reused, wherever between collections the dumps are taken.
    #[test]
    fn the_diff_finds_exactly_what_was_born_between_the_dumps_and_stayed(
        phases in [steps(), steps(), steps()],
        traced_from_the_start in any::<bool>(),
        threads in 1..3usize,
    ) {
        let mut heap = Heap::new(traced_from_the_start);
        // A dump of nothing is no dump.
        heap.allocate(0);
        let mut before = BTreeSet::new();
        let mut dumps = [vec![], vec![], vec![]];
        let mut ids = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
        for (index, phase) in phases.iter().enumerate() {
            heap.run(phase);
            // Dead objects are in no dump: LeakHunter collects before.
            heap.collect();
            heap.tracing = true;
            heap.allocate(index as u64);
            dumps[index] = heap.dump();
            ids[index] = heap.ids();
            if index == 0 {
                before = heap.slots.iter().flatten().filter(|it| it.generation.is_none()).map(|it| it.id).collect();
            }
        }
        let truth: BTreeSet<u64> = heap.slots.iter().enumerate()
            .filter_map(|(slot, object)| Some((slot, object.as_ref()?)))
            .filter(|(_, it)| !ids[0].contains(&it.id) && ids[1].contains(&it.id) && !before.contains(&it.id))
            .map(|(slot, _)| address_of(slot))
            .collect();
        let report = run(&dumps, &all_samples(threads)).expect("a report");
        prop_assert_eq!(addresses(&report), truth.clone());
        prop_assert_eq!(report.totals.count, truth.len() as u64);
        prop_assert_eq!(report.evidence.by_address, 0);
    }

    /// The parallel reader against serde_json and sets, line by line, on any three dumps.
    #[test]
    fn a_slow_plain_diff_says_the_same(
        dumps in [records(), records(), records()],
        threads in 1..4usize,
        trailing_newline in any::<bool>(),
        crlf in any::<bool>(),
        first_has_junk in any::<bool>(),
    ) {
        let junk = if first_has_junk { "not json\n{\"address\":\"0x5\", \"type\":\"STR\n" } else { "" };
        let texts = dumps.clone().map(|lines| to_text(&lines, trailing_newline, crlf, junk));
        // The same dump twice is refused; that is tested elsewhere.
        prop_assume!(texts[0] != texts[1] && texts[1] != texts[2] && texts[0] != texts[2]);

        let plain = plain_by_address(&texts);
        let options = Options { identity: Identity::Address, ..all_samples(threads) };
        let report = run(&texts, &options).expect("a report");
        prop_assert_eq!(by_group(&report), plain);

        let newest = dumps.clone().map(|lines| lines.iter().filter_map(|line| line.generation).max());
        let in_order = newest.iter().flatten().collect::<Vec<_>>().windows(2).all(|pair| pair[0] <= pair[1]);
        match run(&texts, &all_samples(threads)) {
            Ok(report) => {
                prop_assert!(in_order);
                prop_assert_eq!(by_group(&report), plain_by_generation(&texts));
                prop_assert_eq!(report.dumps[0].skipped, if first_has_junk && dumps[0].len() > 1 { 2 } else { 0 });
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::WrongOrder);
                prop_assert!(!in_order);
            }
        }
    }
}

/// A few records with few addresses, so that dumps share them.
fn records() -> impl Strategy<Value = Vec<Line>> {
    let record = (
        1..60u64,
        0..4u8,
        prop::option::weighted(0.7, 10..14u64),
        1..3u64,
        0..3u64,
    )
        .prop_map(|(slot, kind, generation, class, site)| Line {
            address: 0x1000 + slot * 40,
            kind: ["OBJECT", "STRING", "HASH", "DATA"][usize::from(kind)],
            class: Some(class * 8),
            bytesize: slot,
            file: generation.map(|_| format!("f{site}.rb").into_bytes()),
            line: generation.map(|_| site),
            generation,
            memsize: slot * 10,
            flags: slot % 2 == 0,
            ..Line::default()
        });
    proptest::collection::vec(record, 1..40).prop_map(|lines| {
        let mut seen = BTreeSet::new();
        lines
            .into_iter()
            .filter(|line| seen.insert(line.address))
            .collect()
    })
}

fn to_text(lines: &[Line], trailing_newline: bool, crlf: bool, junk: &str) -> Vec<u8> {
    let end = if crlf { "\r\n" } else { "\n" };
    let mut text = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        text.extend(line.to_bytes());
        text.extend(end.as_bytes());
        if index == 0 && lines.len() > 1 {
            text.extend(junk.as_bytes());
        }
    }
    if !trailing_newline {
        text.truncate(text.len() - end.len());
    }
    text
}

type Plain = BTreeMap<(String, Option<String>, Option<u64>), (u64, u64, u64, BTreeSet<u64>)>;

fn by_group(report: &Report) -> Plain {
    let mut groups = Plain::new();
    for group in &report.groups {
        let key = (
            group.values.kind.clone().expect("a type"),
            group.values.file.clone(),
            group.values.line,
        );
        let sums = groups.entry(key).or_default();
        sums.0 += group.count;
        sums.1 += group.bytesize;
        sums.2 += group.memsize;
        sums.3.extend(group.addresses.iter().map(|address| address.get()));
    }
    groups
}

type Parsed = serde_json::Map<String, serde_json::Value>;

fn parse(text: &[u8]) -> Vec<Parsed> {
    text.split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

fn address(record: &Parsed) -> u64 {
    u64::from_str_radix(&record["address"].as_str().expect("text")[2..], 16).expect("hex")
}

fn number(record: &Parsed, key: &str) -> Option<u64> {
    record.get(key).and_then(serde_json::Value::as_u64)
}

fn add_up<'a>(records: impl Iterator<Item = &'a Parsed>) -> Plain {
    let mut groups = Plain::new();
    for record in records {
        let text = |key: &str| record.get(key).and_then(|it| it.as_str()).map(String::from);
        let sums = groups
            .entry((
                text("type").expect("a type"),
                text("file"),
                number(record, "line"),
            ))
            .or_default();
        sums.0 += 1;
        sums.1 += number(record, "bytesize").unwrap_or(0);
        sums.2 += number(record, "memsize").unwrap_or(0);
        sums.3.insert(address(record));
    }
    groups
}

fn plain_by_address(texts: &[Vec<u8>; 3]) -> Plain {
    let [first, second, third] = texts.each_ref().map(|text| parse(text));
    let set = |records: &[Parsed]| records.iter().map(address).collect::<BTreeSet<_>>();
    let (in_first, in_third) = (set(&first), set(&third));
    add_up(
        second
            .iter()
            .filter(|it| !in_first.contains(&address(it)) && in_third.contains(&address(it))),
    )
}

/// The identity rule as its definition says it, without any of the short cuts.
fn plain_by_generation(texts: &[Vec<u8>; 3]) -> Plain {
    let [first, second, third] = texts.each_ref().map(|text| parse(text));
    let newest = |records: &[Parsed]| {
        records
            .iter()
            .filter_map(|record| number(record, "generation"))
            .max()
    };
    let (g1, g2) = (newest(&first), newest(&second));
    let index = |records: &[Parsed]| {
        records
            .iter()
            .map(|it| (address(it), it.clone()))
            .collect::<HashMap<_, _>>()
    };
    let (in_first, in_second) = (index(&first), index(&second));
    add_up(third.iter().filter(|record| {
        let here = address(record);
        let (old, mid) = (in_first.get(&here), in_second.get(&here));
        match number(record, "generation") {
            Some(born) => {
                let with_same =
                    |other: Option<&Parsed>| other.and_then(|it| number(it, "generation")) == Some(born);
                let after_first = g1.is_none_or(|g1| born > g1 || born == g1 && !with_same(old));
                let before_second = g2.is_some_and(|g2| born < g2 || born == g2 && with_same(mid));
                after_first && before_second
            }
            None => {
                let kin = |other: &Parsed| {
                    number(other, "generation").is_none()
                        && (other["type"].clone(), other["class"].clone())
                            == (record["type"].clone(), record["class"].clone())
                };
                // A slot whose object was traced in the first dump tells nothing.
                let new = old.is_none_or(|it| number(it, "generation").is_none() && !kin(it));
                new && mid.is_some_and(kin)
            }
        }
    }))
}

/// Numbers at the edges of what fits.
fn extreme() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(1),
        Just(u64::MAX),
        Just(u64::MAX - 1),
        Just(u64::from(u32::MAX)),
        any::<u64>()
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sums_over_extreme_numbers_stop_at_the_largest(
        sizes in proptest::collection::vec((extreme(), extreme(), extreme(), extreme()), 1..12),
    ) {
        let dump = |from: usize, upto: u64| {
            let mut text = br#"{"address":"0x10", "type":"OBJECT", "generation":1, "memsize":40}"#.to_vec();
            text.push(b'\n');
            for (index, (memsize, bytesize, line, generation)) in sizes.iter().enumerate().skip(from) {
                let line = Line {
                    address: address_of(index),
                    kind: "STRING",
                    file: Some(if index % 2 == 0 { b"a.rb".to_vec() } else { b"left_out.rb".to_vec() }),
                    line: Some(*line),
                    bytesize: *bytesize,
                    generation: Some(5 + generation % 2),
                    memsize: *memsize,
                    ..Line::default()
                };
                text.extend(line.to_bytes());
                text.push(b'\n');
            }
            text.extend(format!("{{\"address\":\"0x18\", \"type\":\"OBJECT\", \"generation\":{upto}, \"memsize\":40}}\n").into_bytes());
            text
        };
        let dumps = [dump(sizes.len(), 2), dump(0, u64::MAX - 1), dump(0, u64::MAX)];
        let options = Options { ignore: vec![Pattern::text("left_out").unwrap()], ..all_samples(1) };
        let report = run(&dumps, &options).unwrap();
        let sum = |rest: usize, of: fn(&(u64, u64, u64, u64)) -> u64| {
            let all = sizes.iter().enumerate().filter(|(index, _)| index % 2 == rest);
            all.fold(0u64, |sum, (_, numbers)| sum.saturating_add(of(numbers)))
        };
        prop_assert_eq!(report.totals.memsize, sum(0, |it| it.0));
        prop_assert_eq!(report.totals.bytesize, sum(0, |it| it.1));
        prop_assert_eq!(report.totals.filtered_memsize, sum(1, |it| it.0));
        prop_assert_eq!(report.totals.count + report.totals.filtered_count, sizes.len() as u64);
        let groups = report.groups.iter().fold(0u64, |sum, group| sum.saturating_add(group.memsize));
        prop_assert_eq!(groups, report.totals.memsize);
    }
}

/// A root, a Hash at one address with a leaked object in it, and classes.
fn collection(size: u64, classes_at: u64, leaked: bool) -> Vec<u8> {
    let mut text = String::from("{\"type\":\"ROOT\", \"root\":\"vm\", \"references\":[\"0x5000\"]}\n");
    let mut line = |text_of: String| text.push_str(&(text_of + "\n"));
    for number in 0..20 {
        let address = classes_at + number * 0x100;
        line(format!(
            "{{\"address\":\"{address:#x}\", \"type\":\"CLASS\", \"name\":\"C{number}\", \"memsize\":40}}"
        ));
    }
    let references = if leaked {
        ", \"references\":[\"0x6000\"]"
    } else {
        ""
    };
    line(format!(
        "{{\"address\":\"0x5000\", \"type\":\"HASH\", \"size\":{size}{references}, \"generation\":1, \"memsize\":40}}"
    ));
    if leaked {
        line("{\"address\":\"0x6000\", \"type\":\"OBJECT\", \"generation\":4, \"memsize\":40}".into());
    }
    text.into_bytes()
}

#[test]
fn lengths_are_not_compared_across_moves_that_were_inferred() {
    let newest = |generation: u64| {
        format!(
            "{{\"address\":\"0x7000\", \"type\":\"OBJECT\", \"generation\":{generation}, \"memsize\":40}}\n"
        )
        .into_bytes()
    };
    let lengths = |classes_at: [u64; 3]| {
        let dumps = [
            [collection(90, classes_at[0], false), newest(2)].concat(),
            [collection(100, classes_at[1], true), newest(6)].concat(),
            [collection(110, classes_at[2], true), newest(8)].concat(),
        ];
        let options = Options {
            holders: true,
            ..Options::default()
        };
        let holders = run(&dumps, &options).unwrap().holders.unwrap();
        holders
            .iter()
            .map(|holder| holder.lengths.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(lengths([0x10000; 3]), [[Some(90), Some(100), Some(110)]]);
    assert_eq!(
        lengths([0x20000, 0x10000, 0x10000]),
        [[None, Some(100), Some(110)]]
    );
    assert_eq!(lengths([0x10000, 0x10000, 0x20000]), [[None, None, Some(110)]]);
}

/// A root, an Array of Arrays of objects, each born in a generation of its own; then what else the dump has.
fn nested(inner: &[(u64, &[u64])], others: &str) -> Vec<u8> {
    let mut text = String::from("{\"type\":\"ROOT\", \"root\":\"vm\", \"references\":[\"0x1000\"]}\n");
    let list = |addresses: &[u64]| {
        let quoted: Vec<String> = addresses.iter().map(|it| format!("\"{it:#x}\"")).collect();
        quoted.join(", ")
    };
    let mut line = |address: u64, length: usize, references: &[u64], generation: u64| {
        text += &format!(
            "{{\"address\":\"{address:#x}\", \"type\":\"ARRAY\", \"length\":{length}, \"references\":[{}], \
             \"generation\":{generation}, \"memsize\":40}}\n",
            list(references)
        );
    };
    let outer: Vec<u64> = (0..inner.len() as u64)
        .map(|index| 0x2000 + index * 0x100)
        .collect();
    line(0x1000, outer.len(), &outer, 1);
    for (address, (generation, births)) in outer.iter().zip(inner) {
        let objects: Vec<u64> = (0..births.len() as u64)
            .map(|index| address * 0x100 + index * 0x28)
            .collect();
        line(*address, objects.len(), &objects, *generation);
    }
    for (address, (_, births)) in outer.iter().zip(inner) {
        for (index, generation) in births.iter().enumerate() {
            let object = address * 0x100 + index as u64 * 0x28;
            text += &format!(
                "{{\"address\":\"{object:#x}\", \"type\":\"OBJECT\", \"generation\":{generation}, \"memsize\":100}}\n"
            );
        }
    }
    (text + others).into_bytes()
}

fn newest(generation: u64) -> String {
    format!("{{\"address\":\"0x7000\", \"type\":\"OBJECT\", \"generation\":{generation}, \"memsize\":40}}\n")
}

fn run_any(dumps: &[Vec<u8>], options: &Options) -> Result<Report> {
    let folder = TempDir::new().expect("a folder");
    let paths: Vec<PathBuf> = (0..dumps.len())
        .map(|index| folder.path().join(format!("{index}.json")))
        .collect();
    for (path, dump) in paths.iter().zip(dumps) {
        std::fs::write(path, dump).expect("written");
    }
    diff(&paths, options, &Progress::default())
}

/// Four dumps of an Array of five Arrays, to each of which one object is added in each window, and two in the second.
fn four_nested() -> Vec<Vec<u8>> {
    let births = [1u64, 3, 5, 5, 7];
    let dump = |most: u64| {
        let of: Vec<u64> = births.iter().copied().filter(|birth| *birth <= most).collect();
        nested(&[(1, of.as_slice()); 5], &newest(most))
    };
    vec![dump(2), dump(4), dump(6), dump(8)]
}

#[test]
fn births_and_lengths_at_every_depth_come_from_any_number_of_moments() {
    let options = Options {
        holders: true,
        ..Options::default()
    };
    let report = run_any(&four_nested(), &options).unwrap();
    assert_eq!(
        report.totals.count, 15,
        "born after the first and before the third, in the fourth"
    );
    let holders = report.holders.unwrap();
    assert_eq!(holders.len(), 1);
    let holder = &holders[0];
    let known = |lengths: [u64; 4]| lengths.map(Some).to_vec();
    assert_eq!(holder.lengths, known([5; 4]));
    let [outer, inner] = holder.history.levels.as_slice() else {
        panic!("two levels: {:?}", holder.history)
    };
    assert_eq!(
        (&outer.lengths, &outer.entries),
        (&known([5; 4]), &Some(vec![5, 0, 0, 0]))
    );
    assert_eq!(
        (&inner.lengths, &inner.entries),
        (&known([5, 10, 20, 25]), &Some(vec![5, 5, 10, 5]))
    );
    let counts: Vec<u64> = inner.births.iter().map(|births| births.count).collect();
    assert_eq!(counts, [5, 5, 10, 5]);
    assert_eq!(inner.births[2].bytes, 1000);
    let lengths: Vec<&Vec<Option<u64>>> = holder.path.iter().map(|step| &step.lengths).collect();
    assert!(
        lengths.contains(&&known([1, 2, 4, 5])),
        "of the inner Array on the path: {lengths:?}"
    );
    assert_eq!(holder.judgement.level, Some(1));
}

#[test]
fn a_collection_that_was_made_in_the_first_window_is_judged_by_its_own_length() {
    let known = |lengths: [u64; 3]| Some(lengths.map(Some).to_vec());
    let judged = |born: &[u64]| {
        let dump = |most: u64| {
            let of: Vec<u64> = born.iter().copied().filter(|birth| *birth <= most).collect();
            let mut inner: Vec<(u64, &[u64])> = vec![(1, &[1, 1, 1, 1]); 3];
            if most >= 3 {
                inner.push((3, &of));
            }
            nested(&inner, &newest(most))
        };
        let options = Options {
            holders: true,
            ..Options::default()
        };
        let report = run_any(&[dump(2), dump(4), dump(6)], &options).unwrap();
        let holder = report.holders.unwrap().remove(0);
        (holder.judgement, holder.history.levels)
    };
    let grows = [[3; 20], [5; 20]].concat();
    let (judgement, levels) = judged(&grows);
    assert_eq!(
        (judgement.verdict, judgement.level),
        (verdict::Verdict::Growing, Some(1))
    );
    let inner = levels.into_iter().nth(1).map(|level| level.lengths);
    assert_eq!(inner, known([12, 32, 52]));
    // one that is as it came is part of what it is in
    let (judgement, levels) = judged(&[3; 20]);
    assert_ne!(judgement.verdict, verdict::Verdict::Growing);
    assert_eq!(
        levels.into_iter().nth(1).map(|level| level.lengths),
        known([12; 3])
    );
}

#[test]
fn three_of_four_moments_say_what_they_said_alone() {
    let dumps = four_nested();
    let survivors = |dumps: &[Vec<u8>]| addresses(&run_any(dumps, &all_samples(1)).unwrap());
    assert_eq!(survivors(&dumps[..3]).len(), 5);
    assert_eq!(survivors(&dumps[1..]).len(), 10);
    let both: BTreeSet<u64> = survivors(&dumps[..3])
        .union(&survivors(&dumps[1..]))
        .copied()
        .collect();
    assert_eq!(survivors(&dumps), both);
}

#[test]
fn two_moments_are_too_few_and_addresses_take_three() {
    let dumps = four_nested();
    let kind = |dumps: &[Vec<u8>], identity| {
        let options = Options {
            identity,
            ..Options::default()
        };
        run_any(dumps, &options).map(|_| ()).map_err(|error| error.kind())
    };
    assert_eq!(kind(&dumps[..2], Identity::Auto), Err(ErrorKind::Options));
    assert_eq!(kind(&dumps, Identity::Address), Err(ErrorKind::Options));
    assert_eq!(kind(&dumps[..3], Identity::Address), Ok(()));
    let twice = [
        dumps[0].clone(),
        dumps[1].clone(),
        dumps[2].clone(),
        dumps[1].clone(),
    ];
    assert_eq!(kind(&twice, Identity::Auto), Err(ErrorKind::SameDump));
    let reversed = [
        dumps[0].clone(),
        dumps[2].clone(),
        dumps[1].clone(),
        dumps[3].clone(),
    ];
    assert_eq!(kind(&reversed, Identity::Auto), Err(ErrorKind::WrongOrder));
}

#[test]
fn inline_caches_are_counted_apart_where_a_line_has_few_with_holders_and_without() {
    let cache = |address: u64, line: u64| {
        format!(
            "{{\"address\":\"{address:#x}\", \"type\":\"IMEMO\", \"imemo_type\":\"callcache\", \"file\":\"a.rb\", \
             \"line\":{line}, \"generation\":3, \"memsize\":40}}\n"
        )
    };
    let few = (0..3).map(|index| cache(0x9000 + index * 0x28, 1));
    let many = (0..70).map(|index| cache(0xa000 + index * 0x28, 2));
    let references: Vec<String> = (0..70)
        .map(|index| format!("\"{:#x}\"", 0xa000 + index * 0x28))
        .collect();
    let job = format!(
        "{{\"type\":\"ROOT\", \"root\":\"vm\", \"references\":[\"0xf000\"]}}\n\
         {{\"address\":\"0xf000\", \"type\":\"CLASS\", \"name\":\"Job\", \"references\":[{}], \"memsize\":40}}\n",
        references.join(", ")
    );
    let whole = job.clone() + &few.chain(many).collect::<String>();
    let dump = |most: u64, others: &str| nested(&[(1, &[1])], &(others.to_string() + &newest(most)));
    for (holders, top) in [(false, None), (true, None), (true, Some(1)), (false, Some(1))] {
        let options = Options {
            holders,
            top,
            ..Options::default()
        };
        let report = run(&[dump(2, &job), dump(4, &whole), dump(6, &whole)], &options).unwrap();
        let totals = &report.totals;
        assert_eq!((totals.count, totals.groups, totals.cache_groups), (73, 2, 1));
        assert_eq!((totals.caches.count, totals.caches.memsize), (3, 120));
        let of_groups: Vec<u64> = report.groups.iter().map(|group| group.caches.count).collect();
        assert_eq!(of_groups, if top.is_some() { vec![0] } else { vec![0, 3] });
    }
}

#[test]
fn a_partial_dump_and_garbage_are_no_leak() {
    let class = "{\"address\":\"0x9000\", \"type\":\"CLASS\", \"name\":\"Object\", \"memsize\":40}\n";
    let garbage = "{\"address\":\"0x9900\", \"type\":\"OBJECT\", \"generation\":3, \"memsize\":500}\n";
    let dump = |most: u64, others: &str| nested(&[(1, &[1])], &(others.to_string() + &newest(most)));
    let options = Options {
        holders: true,
        ..Options::default()
    };
    let whole = [garbage, class].concat();
    let dumps = [dump(2, class), dump(4, &whole), dump(6, &whole)];
    let report = run(&dumps, &options).unwrap();
    assert!(report.holders.unwrap().is_empty());
    assert_eq!(report.totals.garbage.memsize, 500);
    let outcome = report.outcome.unwrap();
    assert_eq!(
        (outcome.finding, outcome.nothing_stayed),
        (verdict::Finding::NoLeak, true)
    );

    let dumps = [dump(2, class), dump(4, &whole), dump(6, garbage)];
    let report = run(&dumps, &options).unwrap();
    assert_eq!(
        report.evidence.reasons.first(),
        Some(&verdict::Reason::PartialDump)
    );
    assert_eq!(report.outcome.unwrap().finding, verdict::Finding::Undecided);
}

/// Three dumps: in the second and third, objects with contexts and stacks; and the lines of the stacks.
fn dumps_with_origins() -> [String; 3] {
    let root = "{\"type\":\"ROOT\", \"root\":\"vm\", \"references\":[\"0x10\"]}\n";
    let old = "{\"address\":\"0x10\", \"type\":\"ARRAY\", \"references\":[\"0x100\", \"0x128\", \"0x150\", \"0x178\"], \"file\":\"/app/a.rb\", \"line\":1, \"generation\":1, \"memsize\":40}\n";
    let new = |address: u64, origin: &str| {
        format!(
            "{{\"address\":\"{address:#x}\", \"type\":\"OBJECT\", \"file\":\"/app/order.rb\", \"line\":12, \
             \"method\":\"new\", \"generation\":5{origin}, \"memsize\":40, \"flags\":{{\"old\":true}}}}\n"
        )
    };
    let kept = [
        new(0x100, ", \"context\":\"POST /orders\", \"stack\":7"),
        new(0x128, ", \"context\":\"POST /orders\", \"stack\":7"),
        new(0x150, ", \"context\":\"say \\\"hi\\\"\""),
        new(0x178, ""),
    ]
    .concat();
    let stacks = [
        r#"{"type":"STACK", "stack":7, "frames":["/app/order.rb:12:in `block in Order.record'", "/app/order.rb:10:in `Order.record'", "/usr/lib/ruby/gems/3.1.0/gems/rack-2.2.6/lib/rack.rb:3:in `call'", "/app/orders.rb:3:in `Orders#create'", "/app/main.rb:1:in `<main>'"], "born":5, "alive":2}"#,
        r#"{"type":"STACK", "stack":8, "frames":["/app/order.rb:12:in `Order.record'", "/app/other.rb:3:in `Other#make'"], "born":20000, "alive":0}"#,
        r#"{"type":"STACK", "stack":9, "frames":["/app/elsewhere.rb:12:in `new'"], "born":3, "alive":0}"#,
    ]
    .join("\n");
    let later = "{\"address\":\"0x900\", \"type\":\"STRING\", \"generation\":7, \"memsize\":40}\n";
    [
        format!("{root}{old}"),
        format!("{root}{old}{kept}{later}"),
        format!(
            "{root}{old}{kept}{}{stacks}\n",
            later.replace("0x900", "0xa00").replace(":7", ":9")
        ),
    ]
}

fn report_with_origins(group_by: &[Key], in_memory: bool) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = dumps_with_origins()
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let path = folder.path().join(format!("{index}.json"));
            std::fs::write(&path, text).unwrap();
            path
        })
        .collect();
    let mut inputs: Vec<Input> = paths.iter().cloned().map(Input::Path).collect();
    if in_memory {
        let heap = crate::Heap::load(&paths[2], Some(2), &Progress::default()).unwrap();
        inputs[2] = Input::Heap(std::sync::Arc::new(heap));
    }
    let options = Options {
        group_by: group_by.to_vec(),
        holders: true,
        threads: Some(2),
        ..Options::default()
    };
    compare(&inputs, &options, &Progress::default()).unwrap()
}

#[test]
fn groups_and_holders_say_through_which_contexts_and_callers() {
    for in_memory in [false, true] {
        let report = report_with_origins(&[Key::Type, Key::File, Key::Line], in_memory);
        let [group] = report.groups.as_slice() else {
            panic!("{:?}", report.groups)
        };
        let named = |contexts: &crate::origin::Contexts| -> Vec<(Option<String>, u64)> {
            let shown = contexts.shown.iter();
            shown.map(|it| (it.context.clone(), it.count)).collect()
        };
        let expected = vec![
            (Some("POST /orders".into()), 2),
            (None, 1),
            (Some("say \"hi\"".into()), 1),
        ];
        assert_eq!(
            (named(&group.contexts), group.contexts.different),
            (expected.clone(), 2)
        );
        let holders = report.holders.unwrap();
        assert_eq!(named(&holders[0].contexts), expected);
        let callers = &group.callers;
        assert_eq!((callers.stacks, callers.stayed, callers.died), (2, 2, 20_003));
        let numbers: Vec<_> = callers.shown.iter().map(|it| (it.stayed, it.died)).collect();
        assert_eq!(numbers, [(2, 3), (0, 20_000)]);
        assert_eq!(callers.shown[0].through, ["Orders#create", "Order.record"]);
        assert_eq!(callers.shown[0].frames.len(), 5);
        assert_eq!(callers.shown[1].through, ["Other#make", "Order.record"]);
    }
}

#[test]
fn groups_can_be_made_by_context() {
    let report = report_with_origins(&[Key::Type, Key::Context], false);
    let groups: Vec<_> = report
        .groups
        .iter()
        .map(|group| (group.values.context.as_deref(), group.count))
        .collect();
    assert_eq!(
        groups,
        [(Some("POST /orders"), 2), (None, 1), (Some("say \"hi\""), 1)]
    );
}
