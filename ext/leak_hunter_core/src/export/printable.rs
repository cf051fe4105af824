//! Names as they are shown. They come from somebody else's program, and may contain what changes how the text around
//! them is read.

use std::borrow::Cow;
use std::fmt::Write;

/// Text without control characters, line separators, marks that reverse the direction of text, and characters that
/// show nothing: each is an escape instead. The same ones, written the same way, as `LeakHunter::Printable` has.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\x07' => shown.push_str("\\a"),
            '\x08' => shown.push_str("\\b"),
            '\t' => shown.push_str("\\t"),
            '\n' => shown.push_str("\\n"),
            '\x0b' => shown.push_str("\\v"),
            '\x0c' => shown.push_str("\\f"),
            '\r' => shown.push_str("\\r"),
            '\x1b' => shown.push_str("\\e"),
            _ if !is_unsafe(char) => shown.push(char),
            // writing to a String cannot fail
            _ => drop(match u32::from(char) {
                code @ ..0x80 => write!(shown, "\\x{code:02X}"),
                code @ ..0x1_0000 => write!(shown, "\\u{code:04X}"),
                code => write!(shown, "\\u{{{code:X}}}"),
            }),
        }
    }
    shown.into()
}

/// Joiners (U+200C, U+200D) are not: scripts and emoji need them.
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
