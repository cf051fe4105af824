//! The lines in which LeakHunter writes the stacks through which objects were allocated.

use serde::Deserialize;

use super::record::stack_id;
use crate::ids::StackId;

/// A stack, as a STACK line has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackLine {
    /// The number by which records refer to it.
    pub stack: StackId,
    /// Its frames as in a backtrace, the one that allocates first: ``app/order.rb:12:in `Order#initialize'``.
    pub frames: Vec<String>,
    /// How many objects were allocated through it while it was recorded.
    pub born: u64,
    /// How many of them were alive when the dump was taken.
    pub alive: u64,
}

#[derive(Deserialize)]
struct Line {
    stack: u64,
    frames: Vec<String>,
    #[serde(default)]
    born: u64,
    #[serde(default)]
    alive: u64,
}

impl StackLine {
    /// Appends it as it stands in a dump, with its line end.
    pub fn write(&self, text: &mut Vec<u8>) {
        let frames = serde_json::to_string(&self.frames).unwrap_or_else(|_| "[]".into());
        let (stack, born, alive) = (self.stack.get(), self.born, self.alive);
        text.extend_from_slice(
            format!(
                "{{\"type\":\"STACK\", \"stack\":{stack}, \"frames\":{frames}, \"born\":{born}, \"alive\":{alive}}}\n"
            )
            .as_bytes(),
        );
    }

    /// Reads a line. `None` of a damaged one.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let line: Line = serde_json::from_slice(text).ok()?;
        Some(Self {
            stack: stack_id(line.stack)?,
            frames: line.frames,
            born: line.born,
            alive: line.alive.min(line.born),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read() {
        let line =
            br#"{"type":"STACK", "stack":7, "frames":["a.rb:1:in `b'", "c.rb:2"], "born":20, "alive":3}"#;
        let frames = vec!["a.rb:1:in `b'".to_owned(), "c.rb:2".to_owned()];
        let (stack, born, alive) = (StackId::new(7), 20, 3);
        assert_eq!(
            StackLine::parse(line),
            Some(StackLine {
                stack,
                frames,
                born,
                alive
            })
        );
    }

    #[test]
    fn what_was_written_is_read() {
        let written = StackLine {
            stack: StackId::new(3),
            frames: vec!["a \"b\"\n.rb:1:in `c'".into(), String::new()],
            born: 7,
            alive: 7,
        };
        let mut text = Vec::new();
        written.write(&mut text);
        let line = text.strip_suffix(b"\n").unwrap();
        assert!(line.starts_with(crate::dump::record::STACK_START));
        assert_eq!(StackLine::parse(line), Some(written));
    }

    #[test]
    fn a_damaged_line_is_none() {
        for line in [
            &br#"{"type":"STACK", "stack":4294967295, "frames":[]}"#[..],
            br#"{"type":"STACK", "frames":[]}"#,
            br#"{"type":"STACK", "stack":1, "frames":"a"}"#,
            b"{\"type\":\"STACK\"",
        ] {
            assert_eq!(StackLine::parse(line), None);
        }
    }
}
