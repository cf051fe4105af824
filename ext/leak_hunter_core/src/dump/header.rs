//! The two lines LeakHunter adds to a dump: who was recorded, when, and that the dump is whole.

use serde::{Deserialize, Deserializer};

use super::memory::Memory;
use crate::ids::Generation;
use crate::sampling::{By, Sampled};

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
    /// Which tracer that was; `None` when it was off, in dumps of older versions, and of a tracer that is not known here.
    #[serde(default, deserialize_with = "tracer")]
    pub tracer: Option<Tracer>,
    /// Of how many allocations that one has remembered one; `None` when it was another than `sampled`.
    #[serde(default)]
    pub sampling: Option<Sampled>,
    /// `in_process`, `fork`, or `walk` of a file without contents.
    pub snapshot: String,
    /// Where LeakHunter's own code was in that process, without `.rb`; `None` in dumps of older versions.
    #[serde(default)]
    pub own_path: Option<Box<str>>,
    /// Whether the dump has the names of all constants and variables: there is a limit to the time for them. From its last
    /// line; `None` where that does not say so.
    #[serde(skip)]
    pub names_complete: Option<bool>,
    /// Names of structs of C extensions of which objects have the size of their slots alone: the extensions took too long
    /// to add theirs up. From the last line, too.
    #[serde(skip)]
    pub unmeasured: Vec<String>,
}

/// Who recorded where and when objects were allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracer {
    /// LeakHunter's own hooks.
    Exact,
    /// LeakHunter's own hooks, for one allocation in so many.
    Sampled,
    /// Ruby's objspace.
    Objspace,
}

impl Tracer {
    const ALL: [Self; 3] = [Self::Exact, Self::Sampled, Self::Objspace];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Sampled => "sampled",
            Self::Objspace => "objspace",
        }
    }

    /// The one that is written so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

fn tracer<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Tracer>, D::Error> {
    let name = Option::<String>::deserialize(value)?;
    Ok(name.as_deref().and_then(Tracer::named))
}

#[derive(Deserialize)]
struct Line<T> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    content: T,
}

/// The last line.
#[derive(Deserialize)]
struct End {
    id: String,
    #[serde(default)]
    names_complete: Option<bool>,
    #[serde(default)]
    unmeasured: Vec<String>,
}

impl DumpHeader {
    /// Reads the first line of a file.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let line: Line<Self> = serde_json::from_slice(line).ok()?;
        (line.kind == "DUMP").then_some(line.content)
    }

    /// With what `line` says, if that is the last line that belongs to this first one.
    pub(crate) fn ended_by(self, line: &[u8]) -> Option<Self> {
        let line: Line<End> = serde_json::from_slice(line).ok()?;
        let End {
            id,
            names_complete,
            unmeasured,
        } = line.content;
        (line.kind == "DUMP_END" && id == self.id).then_some(Self {
            names_complete,
            unmeasured,
            ..self
        })
    }

    /// When the dump was taken, in seconds since 1970. `None` of a time in another form.
    pub fn seconds(&self) -> Option<f64> {
        let (date, time) = self.taken_at.strip_suffix('Z')?.split_once('T')?;
        let [year, month, day] = numbers(date, '-')?;
        let [hour, minute, second] = numbers(time, ':')?;
        // days since the first of March of year 0, as months of 31, 30, 31, 30, 31 days repeat from there
        let year = if month <= 2.0 { year - 1.0 } else { year };
        let month = (month + 9.0) % 12.0;
        let leap_days = (year / 4.0).floor() - (year / 100.0).floor() + (year / 400.0).floor();
        let days = 365.0 * year + leap_days + ((153.0 * month + 2.0) / 5.0).floor() + day - 1.0;
        Some((days - DAYS_UPTO_1970) * 86_400.0 + hour * 3_600.0 + minute * 60.0 + second)
    }

    /// Whether a move loses an object's allocation info, or leaves it to another object: so does objspace before Ruby
    /// 3.4.
    pub fn moves_spoil_tracing(&self) -> bool {
        if matches!(self.tracer, Some(Tracer::Exact | Tracer::Sampled)) {
            return false;
        }
        let mut parts = self.ruby.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < (3, 4)
    }

    /// Of how many allocations one was remembered, where that was not all.
    pub fn sampled(&self) -> Option<Sampled> {
        // whoever does not say how many makes no estimate, and is sampled all the same
        let unknown = Sampled {
            by: By::Allocations,
            every: 1,
            allocations: 0,
            reported: 0,
            lost: 0,
        };
        (self.tracer == Some(Tracer::Sampled)).then(|| self.sampling.unwrap_or(unknown))
    }

    /// Whether two dumps are of one process.
    pub fn same_process(&self, other: &Self) -> bool {
        (&self.boot, self.pid, &self.host) == (&other.boot, other.pid, &other.host)
    }
}

/// From the first of March of year 0 to 1970.
const DAYS_UPTO_1970: f64 = 719_468.0;

/// Three numbers of a date or a time.
fn numbers(text: &str, separator: char) -> Option<[f64; 3]> {
    let mut parts = text
        .split(separator)
        .map(|part| part.parse::<f64>().ok().filter(|it| it.is_finite()));
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
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

    #[test]
    fn only_the_tracer_that_follows_moves_can_be_believed_before_ruby_3_4() {
        let spoiled = |more: &str| header(more).map(|it| it.moves_spoil_tracing());
        assert_eq!(spoiled(r#", "tracer":"exact""#), Some(false));
        assert_eq!(spoiled(r#", "tracer":"sampled""#), Some(false));
        for other in [
            "",
            r#", "tracer":null"#,
            r#", "tracer":"objspace""#,
            r#", "tracer":"of a later version""#,
        ] {
            assert_eq!(spoiled(other), Some(true), "{other}");
        }
    }

    #[test]
    fn it_is_known_of_how_many_allocations_one_was_remembered() {
        let sampling = |more: &str| header(more).map(|it| it.sampling);
        assert_eq!(sampling(""), Some(None));
        assert_eq!(sampling(r#", "sampling":null"#), Some(None));
        let sampled = Sampled {
            by: By::Allocations,
            every: 64,
            allocations: 9,
            reported: 3,
            lost: 0,
        };
        let text = r#", "sampling":{"every":64, "allocations":9, "reported":3, "later":[1]}"#;
        assert_eq!(sampling(text), Some(Some(sampled)));
    }

    /// How sampled objects are counted depends on it.
    #[test]
    fn a_moment_is_sampled_if_it_says_so_and_how() {
        let sampled = |more: &str| header(more).map(|it| it.sampled().is_some());
        let how = r#", "sampling":{"every":64, "allocations":9, "reported":3}"#;
        assert_eq!(sampled(&format!(r#", "tracer":"sampled"{how}"#)), Some(true));
        assert_eq!(sampled(&format!(r#", "tracer":"exact"{how}"#)), Some(false));
        assert_eq!(sampled(r#", "tracer":"sampled""#), Some(true));
        assert_eq!(sampled(""), Some(false));
    }

    #[test]
    fn the_last_line_says_whose_sizes_are_not_known() {
        let unmeasured = |more: &str| {
            let line = format!(r#"{{"type":"DUMP_END", "id":"1"{more}}}"#);
            header("")
                .and_then(|it| it.ended_by(line.as_bytes()))
                .map(|it| it.unmeasured)
        };
        assert_eq!(unmeasured(""), Some(vec![]));
        assert_eq!(
            unmeasured(r#", "unmeasured":["trie", "graph"]"#),
            Some(vec!["trie".into(), "graph".into()])
        );
    }

    #[test]
    fn the_last_line_says_whether_all_names_were_read() {
        let end = |line: &str| header("").and_then(|it| it.ended_by(line.as_bytes()));
        let names = |line: &str| end(line).map(|it| it.names_complete);
        assert_eq!(names(r#"{"type":"DUMP_END", "id":"1"}"#), Some(None));
        assert_eq!(
            names(r#"{"type":"DUMP_END", "id":"1", "names":3, "names_complete":false}"#),
            Some(Some(false))
        );
        for other in [
            r#"{"type":"DUMP_END", "id":"2", "names_complete":true}"#,
            r#"{"type":"DUMP", "id":"1"}"#,
            "",
        ] {
            assert_eq!(names(other), None, "{other}");
        }
    }

    #[test]
    fn a_time_is_read_in_seconds() {
        let seconds = |taken_at: &str| {
            let header = DumpHeader {
                id: String::new(),
                boot: String::new(),
                pid: 1,
                host: String::new(),
                sequence: 1,
                taken_at: taken_at.into(),
                ruby: String::new(),
                platform: String::new(),
                generation: crate::ids::Generation::new(1),
                compactions: 0,
                tracing_since: None,
                tracer: None,
                sampling: None,
                snapshot: String::new(),
                own_path: None,
                memory: None,
                names_complete: None,
                unmeasured: Vec::new(),
            };
            header.seconds()
        };
        assert_eq!(seconds("1970-01-01T00:00:00.000000Z"), Some(0.0));
        assert_eq!(seconds("2000-02-29T12:00:01.500000Z"), Some(951_825_601.5));
        assert_eq!(seconds("2026-11-26T18:41:02Z"), Some(1_795_718_462.0));
        assert_eq!(
            seconds("2026-12-31T23:59:59Z").map(|it| it + 1.0),
            seconds("2027-01-01T00:00:00Z")
        );
        for wrong in [
            "",
            "yesterday",
            "2026-11-26",
            "2026-11-26T18:41Z",
            "2026-11-26T18:41:02+01:00",
            "NaN-1-1T0:0:0Z",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
