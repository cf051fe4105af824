//! The two lines LeakHunter adds to a dump: who was recorded, when, and that the dump is whole.

use serde::Deserialize;

use super::memory::Memory;
use crate::ids::Generation;

/// The first line of a dump taken by LeakHunter (`docs/heap_dump_format.md`). Other tools skip it: no `address`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct DumpHeader {
    /// Random id of this dump; the last line repeats it.
    pub id: String,
    /// Random id made when LeakHunter was loaded; forked children inherit it.
    pub boot: String,
    /// Process recorded.
    pub pid: u64,
    /// Its host.
    pub host: String,
    /// Which dump of the process this is, from 1.
    pub sequence: u64,
    /// UTC, ISO 8601 with microseconds.
    pub taken_at: String,
    /// `RUBY_VERSION`
    pub ruby: String,
    /// `RUBY_PLATFORM`
    #[serde(default)]
    pub platform: String,
    /// `GC.count` when the dump was taken.
    pub generation: Generation,
    /// `GC.stat(:compact_count)` at that time.
    #[serde(default)]
    pub compactions: u64,
    /// What the process took before the dump was taken; `None` in dumps of older versions.
    #[serde(default)]
    pub memory: Option<Box<Memory>>,
    /// `GC.count` when tracing began; `None` when it was off, or begun by others.
    pub tracing_since: Option<Generation>,
    /// `in_process` or `fork`.
    pub snapshot: String,
}

#[derive(Deserialize)]
struct Line<T> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    content: T,
}

#[derive(Deserialize)]
struct End {
    id: String,
}

impl DumpHeader {
    /// Reads the first line of a file.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let line: Line<Self> = serde_json::from_slice(line).ok()?;
        (line.kind == "DUMP").then_some(line.content)
    }

    /// Whether `line` is the last line that belongs to this first one.
    pub(crate) fn ends_with(&self, line: &[u8]) -> bool {
        serde_json::from_slice::<Line<End>>(line)
            .is_ok_and(|line| line.kind == "DUMP_END" && line.content.id == self.id)
    }

    /// Whether a move loses an object's allocation info, or leaves it to another object: so before Ruby 3.4.
    pub fn moves_spoil_tracing(&self) -> bool {
        let mut parts = self.ruby.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < (3, 4)
    }

    /// Whether two dumps are of one process.
    pub fn same_process(&self, other: &Self) -> bool {
        (&self.boot, self.pid, &self.host) == (&other.boot, other.pid, &other.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(more: &str) -> Option<DumpHeader> {
        let line = format!(
            r#"{{"type":"DUMP", "id":"1", "boot":"b", "pid":1, "host":"h", "sequence":1, "taken_at":"t", "ruby":"3.1.2",
               "generation":4{more}, "tracing_since":null, "snapshot":"in_process"}}"#
        );
        DumpHeader::parse(line.as_bytes())
    }

    #[test]
    fn memory_may_be_missing_or_partly_known() {
        assert_eq!(header("").map(|it| it.memory), Some(None));
        assert_eq!(header(r#", "memory":null"#).map(|it| it.memory), Some(None));
        let partly = Memory {
            heap_bytes: Some(u64::MAX),
            ..Memory::default()
        };
        let text = r#", "memory":{"rss":null, "heap_bytes":18446744073709551615, "later":[1]}"#;
        assert_eq!(header(text).and_then(|it| it.memory), Some(Box::new(partly)));
    }
}
