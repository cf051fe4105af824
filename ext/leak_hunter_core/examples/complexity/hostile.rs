//! Dumps whose lines are awkward to read: nearly records, over and over. The core's own tests read them as well.

use super::Shape;

const SIZES: [usize; 3] = [64 << 10, 128 << 10, 256 << 10];
/// A record beyond what the reader holds at once (4 MiB).
const LONG: [usize; 3] = [5 << 20, 10 << 20, 20 << 20];

/// A record as Ruby writes it, cut in two where the hostile part goes.
const START: &[u8] = br#"{"address":"0x7f0000000010", "type":"STRING""#;
const END: &[u8] = br#", "file":"a.rb", "line":7, "method":"m", "generation":5, "memsize":40, "flags":{"wb_protected":true}}"#;

macro_rules! shapes {
    ($($name:literal, $sizes:expr, $make:expr;)*) => {
        &[$(Shape { name: $name, sizes: $sizes, make: $make }),*]
    };
}

pub(crate) const SHAPES: &[Shape] = shapes! {
    "plain", SIZES, |bytes| whole_lines(bytes, br#", "value":"abc""#);
    // One line: what the reader takes for the start of something, over and over, with the end of a record behind.
    "line_of_classes", SIZES, |bytes| one_line(bytes, br#"{"address":"0x8", "type":"CLASS", "name":"x", "references":["#);
    "line_of_starts", SIZES, |bytes| one_line(bytes, br#"{"address":"0x"#);
    "line_of_objects", SIZES, |bytes| one_line(bytes, br#"{"address":"0x8", "type":"OBJECT""#);
    "line_of_whole_records", SIZES, |bytes| one_line(bytes, &[START, END].concat());
    "line_of_strings", SIZES, |bytes| one_line(bytes, br#"{"address":"0x8", "type":"STRING", "value":""#);
    "line_of_flags", SIZES, |bytes| one_line(bytes, br#"{"address":"0x8", "type":"STRING", "flags":{"#);
    "line_of_numbers", SIZES, |bytes| one_line(bytes, br#"{"address":"0x8", "type":"STRING", "length":1"#);
    "line_of_files", SIZES, |bytes| one_line(bytes, br#"{"address":"0x8", "type":"STRING", "file":"a", "line":1"#);
    "line_of_json", SIZES, |bytes| one_line(bytes, br#"{"address":"0x8","type":"A","x":["#);
    "line_of_json_list", SIZES, |bytes| inside(bytes, br#","x":[{"address":"0x8"}"#, br#",{"address":"0x8"}"#, b"]");
    "line_of_json_depth", SIZES, |bytes| inside(bytes, br#", "x":["#, br#"{"address":"0x8","x":["#, b"]");
    "line_of_roots", SIZES, |bytes| one_line(bytes, br#"{"type":"ROOT", "root":"vm", "references":["#);
    "line_of_names", SIZES, |bytes| one_line(bytes, br#"{"type":"NAME", "name":"x", "value":""#);
    "line_of_headers", SIZES, |bytes| one_line(bytes, br#"{"type":"DUMP", "id":""#);
    "line_of_quotes", SIZES, |bytes| one_line(bytes, b"\"");
    "line_of_backslashes", SIZES, |bytes| one_line(bytes, b"\\");
    "line_of_starts_and_spaces", SIZES, |bytes| [repeat(bytes / 2, br#"{"address":"0x8"#), repeat(bytes / 2, b" ")].concat();
    // One record with a hostile middle.
    "members", SIZES, |bytes| inside(bytes, b"", br#", "shared":true"#, b"");
    "members_then_damage", SIZES, |bytes| inside(bytes, b"", br#", "shared":true"#, b"!");
    "references_members", SIZES, |bytes| inside(bytes, br#", "name":"x"#, br#", "references":["#, b"!");
    "name_of_members", SIZES, |bytes| inside(bytes, br#", "name":"x""#, br#", "a":"b""#, b"!");
    "name_of_members_then_references", SIZES, name_then_references;
    "name_of_files", SIZES, |bytes| inside(bytes, br#", "name":"x"#, br#"", "file":""#, b"!");
    "name_of_files_and_lines", SIZES, |bytes| inside(bytes, br#", "name":"x"#, br#"", "file":"a", "line":1"#, b"!");
    "file_of_quotes", SIZES, |bytes| inside(bytes, br#", "file":""#, br#"", "#, b"!");
    "file_of_files", SIZES, |bytes| inside(bytes, br#", "file":""#, br#", "file":""#, b"");
    "name_of_quotes", SIZES, |bytes| inside(bytes, br#", "name":""#, b"\"", b"!");
    "value_of_quotes", SIZES, |bytes| inside(bytes, br#", "value":""#, br#"\""#, b"\"");
    "value_of_backslashes", SIZES, |bytes| inside(bytes, br#", "value":""#, br"\\", b"\"");
    "value_of_records", SIZES, |bytes| inside(bytes, br#", "value":""#, br#"{\"address\":\"0x8\", "#, b"\"");
    "value_of_starts", SIZES, |bytes| inside(bytes, br#", "value":""#, br#"{"address":"0x8", "type":"A""#, b"\"");
    "name_of_starts", SIZES, |bytes| inside(bytes, br#", "name":""#, br#"{"address":"0x8", "type":"A""#, b"\"");
    "references_nested", SIZES, |bytes| inside(bytes, br#", "references":"#, b"[", b"]");
    "flags_nested", SIZES, |bytes| inside(bytes, br#", "flags":"#, br#"{"a":"#, b"}");
    "number_of_digits", SIZES, |bytes| inside(bytes, br#", "length":"#, b"1", b"");
    "ruby_31_shape", SIZES, |bytes| inside(bytes, br#", "type":"A""#, br#","edge_name":"@a""#, b"");
    // Names with raw newlines, followed by what is nearly a record.
    "newlines_in_a_name", SIZES, |bytes| inside(bytes, br#", "name":"x"#, b"\n", b"\"");
    "newlines_after_braces", SIZES, |bytes| inside(bytes, br#", "name":"x"#, b"}\n", b"\"");
    "newlines_after_record_ends", SIZES, |bytes| inside(bytes, br#", "name":"x"#, b"\", \"memsize\":1}\n", b"!");
    "newlines_before_starts", SIZES, |bytes| inside(bytes, br#", "name":"x"#, b"\n{\"address\":\"0", b"\"");
    "newlines_before_types", SIZES, |bytes| inside(bytes, br#", "name":"x"#, b"}\n{\"type\":\"ROO", b"\"");
    "newlines_before_references", SIZES, |bytes| inside(bytes, br#", "name":"x"#, b"\", \"references\":[}\n", b"!");
    "newlines_with_returns", SIZES, |bytes| inside(bytes, br#", "name":"x"#, b"}\r\n", b"\"");
    "lines_of_braces", SIZES, |bytes| repeat(bytes, b"{}\n");
    "lines_of_json", SIZES, |bytes| repeat(bytes, b"{\"type\":\"STRING\",\"address\":\"0x10\"}\n");
    "lines_of_halves", SIZES, |bytes| repeat(bytes, &[START, &b"\n"[..], END, b"\n"].concat());
    "lines_of_starts", SIZES, |bytes| repeat(bytes, &[START, &b"\n"[..]].concat());
    "lines_of_names", SIZES, |bytes| numbered(bytes, br#"{"type":"NAME", "kind":"global", "name":"$%", "value":"0x%0"}"#);
    "lines_of_roots", SIZES, |bytes| numbered(bytes, br#"{"type":"ROOT", "root":"%", "references":["0x7f0000000010"]}"#);
    "lines_of_headers", SIZES, |bytes| numbered(bytes, br#"{"type":"DUMP", "id":"%"}"#);
    "lines_of_classes", SIZES, |bytes| numbered(bytes, br#"{"address":"0x%0", "type":"CLASS", "superclass":"0x%0", "name":"%"}"#);
    "lines_of_shapes", SIZES, |bytes| numbered(bytes, br#"{"address":"0x%0", "type":"SHAPE", "id":%, "parent_id":%, "edge_name":"@a"}"#);
    "lines_of_sites", SIZES, |bytes| numbered(bytes, br#"{"address":"0x%0", "type":"OBJECT", "file":"%", "line":%, "generation":5, "memsize":40}"#);
    "lines_of_pages", SIZES, |bytes| numbered(bytes, br#"{"address":"0x%0000", "type":"OBJECT", "memsize":40}"#);
    "lines_of_odd_addresses", SIZES, |bytes| numbered(bytes, br#"{"address":"0x%01", "type":"OBJECT", "memsize":40}"#);
    "lines_of_one_address", SIZES, |bytes| whole_lines(bytes, b"");
    "file_names_long", SIZES, |bytes| whole_lines(bytes, &[&br#", "name":""#[..], &[b'x'; 9000], b"\""].concat());
    // Records beyond what is held at once.
    "long_references", LONG, |bytes| inside(bytes, br#", "references":["0x10""#, br#", "0x18""#, b"]");
    "long_value", LONG, |bytes| inside(bytes, br#", "value":""#, br#"\""#, b"\"");
    "long_value_of_files", LONG, |bytes| inside(bytes, br#", "value":""#, br#", "file":""#, b"\"");
    "long_value_of_newlines", LONG, |bytes| inside(bytes, br#", "value":""#, b"}\n", b"\"");
    "long_lines_of_starts", LONG, |bytes| inside(bytes, br#", "value":""#, br#"{"address":"0x8""#, b"\"");
};

/// A name with hundreds of ends that might be right, each with the same long list behind, and damage at the end.
fn name_then_references(bytes: usize) -> Vec<u8> {
    let name = repeat(6 << 10, br#"", "a":"b"#);
    let references = repeat(bytes - name.len(), br#", "0x18""#);
    let before = [START, br#", "name":"x"#, &name, br#"", "references":["0x10""#].concat();
    [&before[..], &references, b"]!", END, b"\n", START, END, b"\n"].concat()
}

/// Lines in which each `%` is the number of the line.
fn numbered(bytes: usize, line: &[u8]) -> Vec<u8> {
    let line = String::from_utf8_lossy(line);
    let mut text = String::new();
    for number in 1_000_001.. {
        if text.len() >= bytes {
            break;
        }
        text.push_str(&line.replace('%', &number.to_string()));
        text.push('\n');
    }
    [text.as_bytes(), START, END, b"\n"].concat()
}

/// `piece` repeated until so many bytes are full.
fn repeat(bytes: usize, piece: &[u8]) -> Vec<u8> {
    piece
        .iter()
        .copied()
        .cycle()
        .take(bytes / piece.len() * piece.len())
        .collect()
}

/// One line of nothing but `piece`, between two ordinary records.
fn one_line(bytes: usize, piece: &[u8]) -> Vec<u8> {
    [
        START,
        END,
        b"\n",
        &repeat(bytes, piece)[..],
        END,
        b"\n",
        START,
        END,
        b"\n",
    ]
    .concat()
}

/// One record with a repeated piece in the middle.
fn inside(bytes: usize, before: &[u8], piece: &[u8], after: &[u8]) -> Vec<u8> {
    [
        START,
        before,
        &repeat(bytes, piece),
        after,
        END,
        b"\n",
        START,
        END,
        b"\n",
    ]
    .concat()
}

/// Records on lines of their own.
fn whole_lines(bytes: usize, middle: &[u8]) -> Vec<u8> {
    repeat(bytes, &[START, middle, END, b"\n"].concat())
}
