//! The formats, and an export as it is asked for.

use std::io::Write;
use std::str::FromStr;

use super::{Limits, Neighbourhood, Subject, View, dot, flame, folded, heapsnapshot, speedscope};
use crate::error::{Error, ErrorKind, Result};
use crate::graph::Analyses;
use crate::heap::ObjectSet;
use crate::ids::Address;
use crate::progress::Progress;

/// A format that a heap can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Folded stacks, for flame graph tools of all kinds.
    Folded,
    /// JSON for <https://www.speedscope.app>.
    Speedscope,
    /// A flame graph in one HTML file.
    Flame,
    /// The neighbours of one object, for Graphviz.
    Dot,
    /// For the memory panel of Chrome.
    Heapsnapshot,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [
        Self::Folded,
        Self::Speedscope,
        Self::Flame,
        Self::Dot,
        Self::Heapsnapshot,
    ];

    /// The name, as in options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Folded => "folded",
            Self::Speedscope => "speedscope",
            Self::Flame => "flame",
            Self::Dot => "dot",
            Self::Heapsnapshot => "heapsnapshot",
        }
    }

    /// Names of the options that it takes.
    pub fn options(self) -> &'static [&'static str] {
        match self {
            Self::Folded => &["view", "depth", "frames", "only"],
            Self::Speedscope | Self::Flame => &["title", "depth", "frames", "only"],
            Self::Dot => &["object", "relation", "limit"],
            Self::Heapsnapshot => &[],
        }
    }

    /// Whether it shows one object and its neighbours.
    pub fn needs_object(self) -> bool {
        self == Self::Dot
    }

    /// Whether people can read it as it is.
    pub fn is_readable(self) -> bool {
        matches!(self, Self::Folded | Self::Dot)
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::new(
                ErrorKind::Options,
                format!("format: {name:?} is not one of {names}"),
            )
        })
    }
}

/// What to write.
#[derive(Clone, Debug)]
pub struct Export {
    /// In which format.
    pub format: Format,
    /// What the heap is of, for people.
    pub title: String,
    /// Of formats with one view, which.
    pub view: View,
    /// How much of a tree to keep.
    pub limits: Limits,
    /// Addresses of the objects whose bytes count; `None`: all.
    pub only: Option<Vec<Address>>,
    /// The object to show, for formats that show one.
    pub neighbourhood: Option<Neighbourhood>,
}

impl Export {
    /// Writes a heap.
    pub fn write(&self, analyses: &Analyses, sink: impl Write, progress: &Progress) -> Result<()> {
        let graph = analyses.graph(progress)?;
        let heap = analyses.heap();
        let find = |address: &Address| heap.find(*address);
        let counted = self.only.as_ref();
        let counted = counted.map(|only| ObjectSet::of(only.iter().filter_map(find)));
        let dominators = analyses.dominators(progress)?;
        let subject = Subject {
            graph: &graph,
            dominators: &dominators,
            counted: counted.as_ref(),
        };
        let Self { title, limits, .. } = self;
        match self.format {
            Format::Heapsnapshot => heapsnapshot(&graph, sink, progress),
            Format::Folded => folded(&subject, self.view, limits, sink, progress),
            Format::Speedscope => speedscope(&subject, title, limits, sink, progress),
            Format::Flame => flame(&subject, title, limits, sink, progress),
            Format::Dot => {
                let neighbourhood = self.neighbourhood.as_ref().ok_or_else(|| {
                    Error::new(
                        ErrorKind::Options,
                        "object: the format dot shows the neighbours of one",
                    )
                })?;
                dot(&subject, neighbourhood, sink, progress)
            }
        }
    }
}
