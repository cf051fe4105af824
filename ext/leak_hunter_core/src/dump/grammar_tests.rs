use proptest::prelude::*;

use super::*;
use crate::dump::record::Record;
use crate::test_support::{Line, any_line};

#[test]
fn a_record_is_read_as_ruby_writes_it() {
    let line = br#"{"address":"0x7f0509b3efd8", "type":"OBJECT", "shape_id":3, "slot_size":40, "class":"0x7f050a54fd38", "embedded":true, "ivars":0, "references":["0x10", "0x18"], "file":"neg.erb", "line":18446744073709551613, "method":"new", "generation":1, "memsize":40, "flags":{"wb_protected":true, "age":0}}"#;
    let fields = Fields::parse(line).expect("a record");
    assert_eq!(fields.address, Address::new(0x7f05_09b3_efd8));
    assert_eq!(fields.kind.as_ref(), b"OBJECT");
    assert_eq!(fields.class_of_object(), Some(Address::new(0x7f05_0a54_fd38)));
    assert_eq!(fields.file.as_deref(), Some(&b"neg.erb"[..]));
    assert_eq!(fields.line, Some(18_446_744_073_709_551_613));
    assert_eq!(fields.method.as_deref(), Some(&b"new"[..]));
    assert_eq!(fields.generation, Some(Generation::new(1)));
    assert_eq!(fields.memsize, 40);
}

#[test]
fn quotes_backslashes_newlines_and_invalid_utf8_in_a_file_name_are_kept() {
    for name in [
        &b"we\"ird\\pa\nth\tx.rb"[..],
        b"C:\\new\\table.rb",
        b"\xff\xfe.rb",
        b"\"",
        b"a\", \"b",
        b"\\",
        b"",
    ] {
        let mut text = br#"{"address":"0x10", "type":"OBJECT", "class":"0x18", "ivars":3, "file":""#.to_vec();
        text.extend_from_slice(name);
        text.extend_from_slice(
            br#"", "line":7, "method":"new", "generation":9, "memsize":40, "flags":{"wb_protected":true}}"#,
        );
        let fields = Fields::parse(&text).expect("a record");
        assert_eq!(fields.file.as_deref(), Some(name));
        assert_eq!(
            (fields.line, fields.generation),
            (Some(7), Some(Generation::new(9)))
        );
        assert_eq!(
            Record::quick(&text).expect("quick").generation,
            Some(Generation::new(9))
        );
    }
}

#[test]
fn a_raw_class_name_that_looks_like_members_does_not_forge_a_generation() {
    let text = br#"{"address":"0x10", "type":"CLASS", "name":"X", "generation":7", "references":["0x18"], "memsize":40}"#;
    assert_eq!(Record::quick(text).and_then(|record| record.generation), None);
    let fields = Fields::parse(text).expect("a record");
    assert_eq!(
        (fields.name.as_deref(), fields.generation),
        (Some(&b"X\", \"generation\":7"[..]), None)
    );
}

#[test]
fn json_that_another_program_wrote_is_read_too() {
    let text = br#"{ "type": "STRING", "memsize": 40, "address": "0x10", "file": "a\tb.rb", "line": 3, "generation": 5 }"#;
    assert!(Record::quick(text).is_none());
    let fields = Fields::parse(text).expect("JSON");
    assert_eq!(fields.file.as_deref(), Some(&b"a\tb.rb"[..]));
    assert_eq!(
        (fields.address, fields.generation, fields.memsize),
        (Address::new(0x10), Some(Generation::new(5)), 40)
    );
}

#[test]
fn a_hostile_record_costs_bounded_work() {
    let mut text = br#"{"address":"0x10", "type":"CLASS""#.to_vec();
    for _ in 0..4000 {
        text.extend_from_slice(br#", "name":"a", "file":"b", "line":1"#);
    }
    text.push(b'!');
    assert!(Fields::parse(&text).is_none());
}

#[test]
fn every_record_of_the_real_dumps_is_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dumps");
    let mut dumps = 0;
    for entry in std::fs::read_dir(folder).expect("dumps") {
        let path = entry.expect("entry").path();
        if path.extension().is_none_or(|it| it != "ndjson") {
            continue;
        }
        dumps += 1;
        let file = crate::DumpFile::open(&path).expect("a dump");
        let mut text = crate::dump::text::Text::of(&file).expect("a text");
        let progress = crate::Progress::default();
        let mut buffer = Vec::new();
        crate::dump::lines::each_unit(
            &mut text,
            0..file.bytes(),
            &mut buffer,
            false,
            &progress,
            |unit| {
                let shown = String::from_utf8_lossy(unit.text).into_owned();
                let fields =
                    Fields::parse(unit.text).unwrap_or_else(|| panic!("{}: {shown}", path.display()));
                if fields.address != Address::default() {
                    let quick = Record::quick(unit.text).unwrap_or_else(|| panic!("not quick: {shown}"));
                    assert_eq!(
                        (quick.address, quick.generation),
                        (fields.address, fields.generation),
                        "{shown}"
                    );
                    assert_eq!(
                        (quick.kind, quick.memsize),
                        (fields.kind.as_ref(), fields.memsize),
                        "{shown}"
                    );
                }
                Ok(())
            },
        )
        .expect("a scan");
    }
    assert_eq!(dumps, 8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn what_was_written_is_what_is_read(line in any_line()) {
        let text = line.to_bytes();
        let fields = Fields::parse(&text);
        prop_assert!(fields.is_some(), "{}", String::from_utf8_lossy(&text));
        prop_assert_eq!(Line::of(&fields.expect("checked"), &line), line.clone());
        // Names that imitate members at the end may be left to the slow reader, but never be misread.
        let imitates = text.windows(10).filter(|it| it == b"\"memsize\":").count();
        let escaped = |text: &String| text.contains(['"', '\\']) || text.contains(char::is_control);
        let imitates = imitates > usize::from(line.memsize > 0) || line.context.as_ref().is_some_and(escaped);
        match Record::quick(&text) {
            Some(quick) => prop_assert_eq!(
                (quick.address, quick.generation, quick.memsize),
                (Address::new(line.address), line.generation.map(Generation::new), line.memsize)
            ),
            None => prop_assert!(imitates),
        }
    }

    #[test]
    fn a_member_that_ruby_does_not_know_yet_hides_none(
        line in any_line(),
        length in 0..600usize,
        before in proptest::sample::select(&[", \"generation\":", ", \"memsize\":", ", \"flags\":", "}"][..]),
    ) {
        let text = line.to_bytes();
        let place = memchr::memmem::rfind(&text, before.as_bytes()).unwrap_or(text.len() - 1);
        let added = format!(", \"x\":\"{}\"", "x".repeat(length));
        let text = [&text[..place], added.as_bytes(), &text[place..]].concat();
        if let Some(quick) = Record::quick(&text) {
            let known = (line.generation.map(Generation::new), line.memsize);
            prop_assert_eq!((quick.generation, quick.memsize), known, "{}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn damage_never_panics_and_the_two_readers_agree(
        line in any_line(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut text = line.to_bytes();
        for (index, byte) in damage {
            let index = index.index(text.len());
            text[index] = byte;
        }
        if cut.index(4) == 0 {
            text.truncate(cut.index(text.len()));
        }
        if let (Some(fields), Some(quick)) = (Fields::parse(&text), Record::quick(&text)) {
            prop_assert_eq!(quick.address, fields.address);
            prop_assert_eq!(quick.generation, fields.generation);
            prop_assert_eq!(quick.memsize, fields.memsize);
        }
    }
}
