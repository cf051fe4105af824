//! What a caller can ask of a diff.

use std::str::FromStr;

use regex::Regex;

use crate::error::{Error, ErrorKind, Result};
use crate::export::Limits;

/// How objects of different dumps are matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identity {
    /// By generation where records have one, else by address, type and class.
    #[default]
    Auto,
    /// By address alone, as the widely copied three-dump script does.
    Address,
}

/// What groups are made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Ruby's internal type, `STRING`
    Type,
    /// Name of the class
    Class,
    /// File of the allocation site
    File,
    /// Line of the allocation site
    Line,
    /// Method of the allocation site
    Method,
    /// Gem of the allocation site
    Gem,
    /// GC count at birth
    Generation,
    /// What the application was doing, in its own words
    Context,
}

impl Key {
    /// All keys, in the order in which a group shows them.
    pub const ALL: [Self; 8] = [
        Self::Type,
        Self::Class,
        Self::File,
        Self::Line,
        Self::Method,
        Self::Gem,
        Self::Generation,
        Self::Context,
    ];

    /// The key's name, as in options and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Class => "class",
            Self::File => "file",
            Self::Line => "line",
            Self::Method => "method",
            Self::Gem => "gem",
            Self::Generation => "generation",
            Self::Context => "context",
        }
    }
}

/// What groups are sorted by, largest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Bytes of the objects, with what they allocated
    #[default]
    Memsize,
    /// Number of objects
    Count,
    /// Bytes of string contents
    Bytesize,
}

impl Sort {
    /// The name, as in options and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memsize => "memsize",
            Self::Count => "count",
            Self::Bytesize => "bytesize",
        }
    }
}

impl FromStr for Identity {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "auto" => Ok(Self::Auto),
            "address" => Ok(Self::Address),
            _ => Err(unknown("identity", name, "auto, address")),
        }
    }
}

impl FromStr for Key {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let names = Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|key| key.name() == name)
            .ok_or_else(|| unknown("group_by", name, &names))
    }
}

impl FromStr for Sort {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "memsize" => Ok(Self::Memsize),
            "count" => Ok(Self::Count),
            "bytesize" => Ok(Self::Bytesize),
            _ => Err(unknown("sort", name, "memsize, count, bytesize")),
        }
    }
}

fn unknown(option: &str, value: &str, known: &str) -> Error {
    Error::new(
        ErrorKind::Options,
        format!("{option}: {value:?} is not known; it takes {known}"),
    )
}

/// Matches a group by the name of its class or the file of its allocation site.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Text that must occur somewhere; `*` stands for anything.
    pub fn text(text: &str) -> Result<Self> {
        let source = text.split('*').map(regex::escape).collect::<Vec<_>>().join(".*");
        Self::regex(&format!("(?s){source}"))
    }

    /// A regular expression in the syntax of the `regex` crate.
    pub fn regex(source: &str) -> Result<Self> {
        Regex::new(source).map(Self).map_err(|error| {
            Error::new(
                ErrorKind::Options,
                format!("pattern {source:?} cannot be used: {error}"),
            )
        })
    }

    /// Whether it occurs in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    pub(crate) fn matches(&self, class: Option<&str>, file: Option<&str>) -> bool {
        [class, file]
            .into_iter()
            .flatten()
            .any(|text| self.0.is_match(text))
    }
}

/// Options of a diff.
#[derive(Clone, Debug)]
pub struct Options {
    /// How objects are matched.
    pub identity: Identity,
    /// What groups are made by.
    pub group_by: Vec<Key>,
    /// What groups are sorted by.
    pub sort: Sort,
    /// How many groups to keep; `None` for all.
    pub top: Option<usize>,
    /// Keep only objects that one of these matches, unless there is none.
    pub only: Vec<Pattern>,
    /// Leave out objects that one of these matches.
    pub ignore: Vec<Pattern>,
    /// Folders of the tools that took the dumps: what they allocated is no leak of the application.
    pub own_paths: Vec<String>,
    /// Threads to use; `None` leaves one core to the application.
    pub threads: Option<usize>,
    /// Sample addresses per group.
    pub samples: usize,
    /// Whether to find who holds what leaked.
    pub holders: bool,
    /// With holders, how much to keep of the trees of frames of what leaked; `None`: they are not asked for.
    pub flame: Option<Limits>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            identity: Identity::Auto,
            group_by: vec![Key::Type, Key::Class, Key::File, Key::Line, Key::Method],
            sort: Sort::Memsize,
            top: None,
            only: Vec::new(),
            ignore: Vec::new(),
            own_paths: Vec::new(),
            threads: None,
            samples: 5,
            holders: false,
            flame: None,
        }
    }
}
