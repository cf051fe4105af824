use super::*;
use crate::dump::rewrite::{DigestKey, NoBirths, PlaceText};
use crate::ids::{Generation, PlaceId, StackId};

fn rewritten(text: &str, values: Values) -> String {
    let mut out = Vec::new();
    rewrite(text.as_bytes(), &values, None::<&NoBirths>, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const STRING: &str = "{\"address\":\"0x28\", \"type\":\"STRING\", \"shape_id\":0, \"slot_size\":40, \"class\":\"0x10\", \
                      \"embedded\":true, \"bytesize\":8, \"value\":\"a \\\"\\\\\\u0001b\\n\", \"encoding\":\"UTF-8\", \
                      \"coderange\":\"7bit\", \"file\":\"a.rb\", \"line\":1, \"generation\":3, \"memsize\":40}\n";

#[test]
fn values_are_left_out_and_nothing_else() {
    let without = STRING.replacen(", \"value\":\"a \\\"\\\\\\u0001b\\n\"", "", 1);
    assert_ne!(without, STRING);
    assert_eq!(rewritten(STRING, Values::None), without);
    assert_eq!(rewritten(STRING, Values::All), STRING);
    for other in [
        "{\"address\":\"0x28\", \"type\":\"OBJECT\", \"class\":\"0x10\", \"value\":\"kept\", \"memsize\":40}\n",
        "{\"type\":\"ROOT\", \"root\":\"vm\", \"references\":[\"0x28\"]}\n",
        "{\"address\":\"0x28\", \"type\":\"STRING\", \"shared\":true, \"references\":[\"0x50\"]}\n",
        "{\"address\":\"0x28\", \"type\":\"STRING\"}\n",
        "{\"address\":\"0x28\", \"type\":\"STRING\", \"file\":\"a, \"value\":\"b\", \"line\":1, \"generation\":2}\n",
        "no record\n\n\n",
    ] {
        assert_eq!(rewritten(other, Values::None), other);
    }
}

#[test]
fn paths_of_code_stay_and_other_types_have_contents_too() {
    let record = |kind: &str, value: &str| {
        format!("{{\"address\":\"0x28\", \"type\":\"{kind}\", \"value\":\"{value}\"}}\n")
    };
    let path = record("STRING", "/srv/app/models/user.rb");
    assert_eq!(rewritten(&path, Values::None), path);
    for (kind, value) in [
        ("SYMBOL", "token.rb"),
        ("SYMBOL", "x"),
        ("FLOAT", "1.5"),
        ("STRING", "x"),
    ] {
        let none = "{\"address\":\"0x28\", \"type\":\"".to_owned() + kind + "\"}\n";
        assert_eq!(rewritten(&record(kind, value), Values::None), none);
    }
}

#[test]
fn digests_are_equal_for_equal_contents_and_one_key() {
    let of = |value: &str, key: u8| {
        let text = format!("{{\"address\":\"0x28\", \"type\":\"STRING\", \"value\":\"{value}\"}}\n");
        rewritten(&text, Values::LengthAndDigest(DigestKey::new([key; 16])))
    };
    assert_eq!(of("hunter2", 1), of("hunter2", 1));
    assert_ne!(of("hunter2", 1), of("hunter3", 1));
    assert_ne!(of("hunter2", 1), of("hunter2", 2));
    assert!(of("hunter2", 1).contains(", \"digest\":\""));
    assert!(!of("hunter2", 1).contains("hunter2"));
}

#[test]
fn a_prefix_never_ends_inside_an_escape() {
    for length in 0..40 {
        let value = "\\u0001\\\"x".repeat(length);
        let text = format!("{{\"address\":\"0x28\", \"type\":\"STRING\", \"value\":\"{value}\"}}\n");
        let written = rewritten(&text, Values::Prefix);
        let json: serde_json::Value = serde_json::from_str(&written).unwrap();
        let whole = "\u{1}\"x".repeat(length);
        let first: String = whole.chars().take(crate::dump::rewrite::PREFIX).collect();
        assert_eq!(json["value"], first);
    }
}

#[test]
fn contents_in_an_unknown_form_are_an_error_and_never_written() {
    for text in [
        "{\"address\":\"0x28\", \"type\":\"STRING\", \"value\":[\"secret\"]}\n",
        "{\"address\":\"0x28\", \"type\":\"STRING\", \"value\":\"secret\n",
        "{\"address\":\"0x28\", \"type\":\"SYMBOL\"; \"value\":\"secret\"}\n",
    ] {
        let mut out = Vec::new();
        let error = rewrite(text.as_bytes(), &Values::None, None::<&NoBirths>, &mut out);
        assert_eq!(error, Err(NotUnderstood { byte: 0 }), "{text}");
        assert!(!String::from_utf8(out).unwrap().contains("secret"));
    }
}

struct Everywhere;

impl Births for Everywhere {
    fn birth(&self, address: Address) -> Option<Birth> {
        (address.get() % 16 == 8).then_some(Birth {
            place: PlaceId::new(address.get() as u32 % 3),
            generation: Generation::new(7),
        })
    }

    fn place(&self, place: PlaceId) -> PlaceText<'_> {
        match place.get() {
            0 => PlaceText::default(),
            1 => PlaceText {
                path: Some(b"/a \"b\".rb"),
                line: Some(12),
                method: Some(b"say\"\x01\""),
                ..PlaceText::default()
            },
            _ => PlaceText {
                path: Some(b"b.rb"),
                context: Some(b"POST /orders"),
                stack: Some(StackId::new(4)),
                sampled_bytes: Some(80),
                ..PlaceText::default()
            },
        }
    }
}

#[test]
fn births_stand_where_the_vm_writes_its_own() {
    let with = |text: &str| {
        let mut out = Vec::new();
        rewrite(text.as_bytes(), &Values::None, Some(&Everywhere), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let cases = [
        // 0x28 % 3 is 1
        (
            "{\"address\":\"0x28\", \"type\":\"STRING\", \"value\":\"x\", \"encoding\":\"UTF-8\", \"memsize\":40, \"flags\":{\"old\":true}}\n",
            "{\"address\":\"0x28\", \"type\":\"STRING\", \"encoding\":\"UTF-8\", \"file\":\"/a \"b\".rb\", \"line\":12, \
             \"method\":\"say\\\"\\u0001\\\"\", \"generation\":7, \"memsize\":40, \"flags\":{\"old\":true}}\n",
        ),
        // 0x38 % 3 is 2
        (
            "{\"address\":\"0x38\", \"type\":\"ARRAY\", \"references\":[\"0x28\"]}\n",
            "{\"address\":\"0x38\", \"type\":\"ARRAY\", \"references\":[\"0x28\"], \"file\":\"b.rb\", \
             \"generation\":7, \"context\":\"POST /orders\", \"stack\":4, \"sampled_bytes\":80}\n",
        ),
        (
            "{\"address\":\"0x48\", \"type\":\"OBJECT\", \"memsize\":40}\n",
            "{\"address\":\"0x48\", \"type\":\"OBJECT\", \"generation\":7, \"memsize\":40}\n",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(with(text), expected);
    }
    for kept in [
        "{\"address\":\"0x30\", \"type\":\"OBJECT\", \"memsize\":40}\n",
        "{\"address\":\"0x28\", \"type\":\"OBJECT\", \"file\":\"x.rb\", \"generation\":2, \"memsize\":40}\n",
        "{\"address\":\"0x28\", \"type\":\"SHAPE\", \"id\":1, \"memsize\":40}\n",
        "{\"address\":\"0x28\", \"type\":\"NONE\"}\n",
    ] {
        assert_eq!(with(kept), kept);
    }
    // what is written is read
    let text = with(cases[1].0);
    let fields = crate::dump::Fields::parse(text.trim_end().as_bytes()).unwrap();
    assert_eq!(fields.generation, Some(Generation::new(7)));
    assert_eq!(fields.file.as_deref(), Some(&b"b.rb"[..]));
}
