//! Reader and writer are each other's oracle: what was written is read back as the same heap.

use std::io;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::Heap;
use crate::dump::{Fields, Type};
use crate::heap::{CodePath, HeapBuilder, Root, TracedObject};
use crate::ids::{Generation, KindId, StackId};
use crate::test_support::{class_name as any_class_name, origin, raw as any_raw};

/// All that a walk hands over.
#[derive(Debug)]
struct Walk {
    columns: Columns,
    kinds: Vec<Fields<'static>>,
    sites: Vec<Fields<'static>>,
    classes: Vec<Fields<'static>>,
    roots: Vec<(String, Vec<Address>)>,
    details: Vec<Detail>,
}

impl Details for Walk {
    fn detail(&self, row: usize) -> Detail {
        self.details[row]
    }

    fn encoding(&self, _number: u8) -> &[u8] {
        b"UTF-8"
    }
}

impl Walk {
    fn dictionary(&self) -> Dictionary<'_> {
        Dictionary {
            kinds: &self.kinds,
            sites: &self.sites,
            classes: &self.classes,
        }
    }

    fn text(&self, threads: usize) -> Vec<u8> {
        let text = DumpText {
            first_lines: b"",
            roots: self
                .roots
                .iter()
                .map(|(category, objects)| RootLine {
                    category: category.as_bytes(),
                    objects,
                })
                .collect(),
            shapes: b"{\"address\":\"0x7f8\", \"type\":\"SHAPE\", \"id\":0, \"depth\":1}\n",
            columns: &self.columns,
            dictionary: self.dictionary(),
            details: self,
            last_lines: b"",
            compression: Compression::None,
        };
        let mut out = Vec::new();
        text.write(&mut out, Some(threads), &Progress::default()).unwrap();
        out
    }

    fn heap(&self) -> Heap {
        let mut builder = HeapBuilder::new(self.columns.rows.iter().map(|row| row.address)).unwrap();
        for (category, objects) in &self.roots {
            builder.root(category.clone(), objects.clone());
        }
        builder
            .build_columns(&self.columns, &self.dictionary(), Some(2), &Progress::default())
            .unwrap()
    }
}

/// Whether it reads as the end of a record: no reader could tell it from one.
fn ends_a_record(text: &[u8]) -> bool {
    text.windows(2).any(|it| it == b"}\n")
}

fn raw() -> impl Strategy<Value = Vec<u8>> {
    any_raw().prop_filter("the end of a record", |text| !ends_a_record(text))
}

fn class_name() -> impl Strategy<Value = Vec<u8>> {
    any_class_name().prop_filter("the end of a record", |text| !ends_a_record(text))
}

fn own(text: &str) -> std::borrow::Cow<'static, [u8]> {
    text.as_bytes().to_vec().into()
}

/// Where the classes are; other objects follow them.
const CLASSES: usize = 3;

fn address(number: usize) -> Address {
    Address::new(0x7f00_0000_0000 + number as u64 * 40)
}

fn kinds() -> impl Strategy<Value = Vec<Fields<'static>>> {
    let kind = |type_: Type| Fields {
        kind: own(type_.name()),
        class: Some(address(0)),
        ..Fields::default()
    };
    let struct_name = raw().prop_map(move |name| Fields {
        struct_name: Some(name.into()),
        ..kind(Type::Data)
    });
    let imemo = prop::sample::select(vec!["ment", "iseq", "callcache"]).prop_map(move |name| Fields {
        imemo_type: Some(own(name)),
        class: None,
        ..kind(Type::Imemo)
    });
    let hidden = Just(Fields {
        class: None,
        ..kind(Type::Array)
    });
    let plain = prop::sample::select(vec![
        Type::Object,
        Type::String,
        Type::Symbol,
        Type::Array,
        Type::Hash,
        Type::File,
        Type::Float,
    ]);
    let any = prop_oneof![plain.prop_map(kind), struct_name, imemo, hidden];
    vec(any, 1..8).prop_map(move |kinds| {
        // the first one is that of classes
        let mut all = vec![kind(Type::Class)];
        all.extend(kinds);
        all
    })
}

fn classes() -> impl Strategy<Value = Vec<Fields<'static>>> {
    (class_name(), option::of(class_name())).prop_map(|(first, second)| {
        let class = |number: usize, name: Option<Vec<u8>>| Fields {
            address: address(number),
            kind: own("CLASS"),
            class: Some(address(0)),
            superclass: (number > 0).then(|| address(number - 1)),
            singleton: number == 2,
            name: name.map(Into::into),
            ..Fields::default()
        };
        vec![class(0, Some(first)), class(1, second), class(2, None)]
    })
}

fn site() -> impl Strategy<Value = Fields<'static>> {
    let method = option::of(".{0,6}");
    (raw(), option::of(1..300u64), method, 0..40u64, origin()).prop_map(
        |(file, line, method, generation, (context, stack, sampled_bytes))| Fields {
            file: Some(file.into()),
            line,
            method: method.map(|it| it.into_bytes().into()),
            generation: Some(Generation::new(generation)),
            context: context.map(|it| it.into_bytes().into()),
            stack: stack.map(StackId::new),
            sampled_bytes,
            ..Fields::default()
        },
    )
}

fn detail() -> impl Strategy<Value = Detail> {
    (
        any::<bool>(),
        option::of(0..9u32),
        option::of(8..99u64),
        any::<bool>(),
    )
        .prop_map(|(flag, shape_id, number, frozen)| Detail {
            shape_id,
            slot_size: shape_id.map(|_| 40),
            imemo_class: number.map(|number| Address::new(number * 8)),
            frozen,
            content: Content::String(Text {
                embedded: flag,
                capacity: number,
                encoding: flag.then_some(1),
                ..Text::default()
            }),
        })
}

/// What fits the type, from what was drawn for a String.
fn fitting(type_: Type, detail: Detail) -> Detail {
    let Content::String(text) = detail.content else {
        return detail;
    };
    let coderange = [
        CodeRange::Unwritten,
        CodeRange::UnwrittenBroken,
        CodeRange::Unknown,
        CodeRange::Broken,
    ][detail.shape_id.unwrap_or(0) as usize % 4];
    let content = match type_ {
        Type::Object => Content::Object(Variables {
            embedded: text.embedded,
            count: 3,
            too_complex: detail.frozen,
        }),
        Type::String => Content::String(Text { coderange, ..text }),
        Type::Symbol => Content::Symbol {
            bytesize: 4,
            capacity: text.capacity,
        },
        Type::Array => Content::Array {
            shared: detail.frozen,
            embedded: text.embedded,
        },
        Type::Hash => Content::Hash {
            default_proc: text.embedded,
        },
        Type::File => Content::File { fd: -1 },
        Type::Imemo if text.embedded => Content::CallCache {
            receiver_class: address(1),
        },
        _ => Content::None,
    };
    Detail { content, ..detail }
}

prop_compose! {
    fn walk()(
        kinds in kinds(),
        classes in classes(),
        sites in vec(site(), 1..4),
        objects in vec((any::<Index>(), detail(), vec(any::<Index>(), 0..5), option::of(any::<Index>()), 0..9u32), 0..40),
        roots in vec(("[a-z]{1,4}", vec(any::<Index>(), 1..4)), 0..3),
        large in any::<bool>(),
    ) -> Walk {
        let count = CLASSES + objects.len();
        let mut walk = Walk {
            columns: Columns::default(), kinds, sites, classes, roots: Vec::new(), details: Vec::new(),
        };
        for number in 0..CLASSES {
            walk.columns.rows.push(Row { address: address(number), memsize: 400, ..Row::default() });
            walk.details.push(Detail::default());
        }
        for (number, (kind, detail, references, site, length)) in objects.into_iter().enumerate() {
            let kind = 1 + kind.index(walk.kinds.len() - 1);
            let type_ = walk.kinds[kind].type_();
            let is_collection = matches!(type_, Type::Array | Type::Hash);
            let address_of_it = address(CLASSES + number);
            if large && number == 0 {
                walk.columns.large.insert(address_of_it, 1 << 40);
            }
            walk.columns.rows.push(Row {
                address: address_of_it,
                kind: KindId::new(kind as u32),
                memsize: if large && number == 0 { u32::MAX } else { 40 * length },
                references: references.len() as u32,
                length: if is_collection { length } else if type_ == Type::String { 5 } else { 0 },
            });
            if type_ == Type::String && length == 1 {
                walk.columns.code_paths.push(CodePath { string: address_of_it, path: "/a.rb".into() });
            }
            walk.columns.references.extend(references.iter().map(|it| address(it.index(count))));
            walk.columns.sites.extend(site.map(|site| TracedObject {
                address: address_of_it, site: SiteId::new(site.index(walk.sites.len()) as u32),
            }));
            walk.details.push(fitting(type_, detail));
        }
        walk.roots = roots.into_iter().enumerate().map(|(number, (category, objects))| {
            (format!("{category}{number}"), objects.iter().map(|it| address(it.index(count))).collect())
        }).collect();
        walk
    }
}

fn load(text: &[u8]) -> Heap {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Heap::load(file.path(), Some(2), &Progress::default()).unwrap()
}

/// All that a heap says.
fn facts(heap: &Heap) -> Vec<String> {
    let of_object = |object| {
        let references: Vec<Address> = heap.references(object).map(|it| heap.address(it)).collect();
        format!(
            "{:x} {} {:?} {:?} {:?} {:?} {:?} {} {references:?} {:?} {:?}",
            heap.address(object),
            heap.type_name(object),
            heap.class_of(object).map(|it| heap.address(it)),
            heap.class_name(object),
            heap.label(object),
            heap.site(object),
            heap.generation(object),
            heap.memsize(object),
            heap.length(object),
            heap.code_path(object),
        )
    };
    let root = |root: &Root| {
        let objects: Vec<Address> = root.objects().iter().map(|it| heap.address(*it)).collect();
        format!("{} {objects:?}", root.category)
    };
    let objects = heap.objects().map(of_object);
    objects.chain(heap.roots().iter().map(root)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_was_written_is_read_back_as_the_same_heap(walk in walk()) {
        let text = walk.text(2);
        let heap = load(&text);
        prop_assert_eq!(facts(&heap), facts(&walk.heap()), "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn the_text_does_not_depend_on_the_number_of_threads(walk in walk()) {
        prop_assert_eq!(walk.text(1), walk.text(3));
    }
}

fn detailed(type_: Type, content: Content) -> (Fields<'static>, Detail) {
    let kind = Fields {
        kind: own(type_.name()),
        class: Some(Address::new(0x48)),
        ..Fields::default()
    };
    let detail = Detail {
        shape_id: Some(7),
        slot_size: Some(40),
        frozen: true,
        content,
        ..Detail::default()
    };
    (kind, detail)
}

/// The record of one object that refers to two others.
fn record(kind: Fields<'static>, detail: Detail) -> String {
    let walk = Walk {
        columns: Columns {
            rows: vec![Row {
                address: Address::new(0x7f08),
                memsize: 160,
                references: 2,
                length: 5,
                ..Row::default()
            }],
            references: vec![Address::new(0x10), Address::new(0x18)],
            code_paths: vec![CodePath {
                string: Address::new(0x7f08),
                path: "/a.rb".into(),
            }],
            ..Columns::default()
        },
        kinds: vec![kind],
        sites: Vec::new(),
        classes: Vec::new(),
        roots: Vec::new(),
        details: vec![detail],
    };
    let text = String::from_utf8(walk.text(1)).unwrap();
    text.lines().last().unwrap().to_string()
}

#[test]
fn members_stand_in_the_order_of_dump_all() {
    const START: &str = r#", "shape_id":7, "slot_size":40, "class":"0x48", "frozen":true"#;
    const END: &str = r#", "references":["0x10", "0x18"], "memsize":160}"#;
    let object = Content::Object(Variables {
        embedded: true,
        count: 3,
        too_complex: true,
    });
    let string = Content::String(Text {
        embedded: true,
        fstring: true,
        chilled: true,
        encoding: Some(1),
        coderange: CodeRange::Broken,
        ..Text::default()
    });
    let of_ruby_3_1 = Content::String(Text {
        embedded: true,
        fstring: true,
        shared: true,
        coderange: CodeRange::UnwrittenBroken,
        ..Text::default()
    });
    let array = Content::Array {
        shared: true,
        embedded: true,
    };
    let symbol = Content::Symbol {
        bytesize: 2,
        capacity: Some(9),
    };
    for (type_, content, members) in [
        (
            Type::Object,
            object,
            r#", "embedded":true, "ivars":3, "too_complex_shape":true"#,
        ),
        (
            Type::String,
            string,
            r#", "embedded":true, "fstring":true, "chilled":true, "bytesize":5, "value":"/a.rb", "encoding":"UTF-8", "coderange":"broken", "broken":true"#,
        ),
        (
            Type::String,
            of_ruby_3_1,
            r#", "embedded":true, "broken":true, "fstring":true, "shared":true"#,
        ),
        (Type::Symbol, symbol, r#", "bytesize":2, "capacity":9"#),
        (
            Type::Array,
            array,
            r#", "length":5, "shared":true, "embedded":true"#,
        ),
        (
            Type::Hash,
            Content::Hash { default_proc: true },
            r#", "size":5, "default":"0x18""#,
        ),
        (Type::File, Content::File { fd: -1 }, r#", "fd":-1"#),
        (Type::Regexp, Content::None, ""),
    ] {
        let (kind, detail) = detailed(type_, content);
        let expected = format!(
            r#"{{"address":"0x7f08", "type":"{}"{START}{members}{END}"#,
            type_.name()
        );
        let written = record(kind, detail);
        assert_eq!(written, expected);
        assert!(serde_json::from_str::<serde_json::Value>(&written).is_ok());
    }
}

#[test]
fn texts_are_escaped_as_ruby_does() {
    let mut out = TextBuffer::default();
    out.json(b"a\"\\\x08\t\x0c\n\r\x00\x1b\x7f\xff\xc3\xbc");
    assert_eq!(
        out.0,
        b"\"a\\\"\\\\\\b\\t\\f\\n\\r\\u0000\\u001b\\u007f\xff\xc3\xbc\""
    );
}

#[test]
fn a_path_of_code_is_no_value_where_the_string_is_longer() {
    let (kind, detail) = detailed(Type::String, Content::String(Text::default()));
    assert!(record(kind.clone(), detail).contains("\"value\":\"/a.rb\""));
    let walk = |length| {
        let mut text = Known {
            dictionary: Dictionary::default(),
            details: &Walk {
                columns: Columns::default(),
                kinds: Vec::new(),
                sites: Vec::new(),
                classes: Vec::new(),
                roots: Vec::new(),
                details: vec![detail],
            },
            class_rows: Default::default(),
            classes: Classes::default(),
            code_paths: [(Address::new(8), "/a.rb")].into_iter().collect(),
            large: &Default::default(),
        };
        let kinds = [kind.clone()];
        text.dictionary.kinds = &kinds;
        let row = Row {
            address: Address::new(8),
            length,
            ..Row::default()
        };
        let mut out = TextBuffer::default();
        text.write(
            &Object {
                row: &row,
                number: 0,
                references: &[],
                site: None,
            },
            &mut out,
        );
        String::from_utf8(out.0).unwrap()
    };
    assert!(walk(5).contains("value"));
    assert!(!walk(21).contains("value"));
}

/// A disk that gets full.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 < bytes.len() {
            return Err(io::Error::from_raw_os_error(28));
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn many() -> Walk {
    let rows = (0..3 * CHUNK).map(|number| Row {
        address: address(number),
        memsize: 40,
        ..Row::default()
    });
    Walk {
        columns: Columns {
            rows: rows.collect(),
            ..Columns::default()
        },
        kinds: vec![detailed(Type::Regexp, Content::None).0],
        sites: Vec::new(),
        classes: Vec::new(),
        roots: Vec::new(),
        details: vec![Detail::default(); 3 * CHUNK],
    }
}

fn text_of(walk: &Walk) -> DumpText<'_> {
    DumpText {
        first_lines: b"",
        roots: Vec::new(),
        shapes: b"",
        columns: &walk.columns,
        dictionary: walk.dictionary(),
        details: walk,
        last_lines: b"the end\n",
        compression: Compression::None,
    }
}

#[test]
fn a_full_disk_is_told_from_other_failures() {
    let walk = many();
    let failure = text_of(&walk).write(&mut Full(1 << 20), Some(2), &Progress::default());
    assert!(matches!(failure, Err(WriteFailure::File(error)) if error.raw_os_error() == Some(28)));
}

#[test]
fn a_cancelled_run_writes_no_end() {
    let walk = many();
    let progress = Progress::default();
    progress.cancel();
    let mut out = Vec::new();
    let failure = text_of(&walk).write(&mut out, Some(2), &progress);
    assert!(matches!(failure, Err(WriteFailure::Other(error)) if error.kind() == ErrorKind::Cancelled));
    assert!(out.is_empty());
}

#[test]
fn every_record_of_many_is_written_once() {
    let walk = many();
    let mut out = Vec::new();
    text_of(&walk)
        .write(&mut out, Some(3), &Progress::default())
        .unwrap();
    let lines = out.split(|byte| *byte == b'\n');
    let addresses: Vec<Option<Address>> = lines
        .map(|line| Fields::parse(line).map(|it| it.address))
        .collect();
    let expected = walk.columns.rows.iter().map(|row| Some(row.address));
    assert!(addresses.iter().copied().take(3 * CHUNK).eq(expected));
    assert!(out.ends_with(b"the end\n"));
}

#[test]
fn what_is_compressed_has_the_text_of_what_is_not() {
    let walk = many();
    let written = |compression| {
        let mut out = Vec::new();
        let text = DumpText {
            compression,
            ..text_of(&walk)
        };
        text.write(&mut out, Some(2), &Progress::default()).unwrap();
        out
    };
    let plain = written(Compression::None);
    let packed = written(Compression::Zstd);
    assert!(packed.len() < plain.len() / 4);
    assert_eq!(zstd::decode_all(packed.as_slice()).unwrap(), plain);
    let mut unpacked = Vec::new();
    let packed = written(Compression::Gzip);
    io::Read::read_to_end(
        &mut flate2::read::MultiGzDecoder::new(packed.as_slice()),
        &mut unpacked,
    )
    .unwrap();
    assert_eq!(unpacked, plain);
}
