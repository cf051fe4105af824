//! A heap in the formats of other programs: folded stacks, speedscope, Graphviz, Chrome's memory panel, and a flame
//! graph that any browser shows.
//!
//! Every format is a function that writes to what it is given, as it goes: no export holds the text of its file. They
//! all count the same objects ([`Subject::counted`]) and call them by the same names.
//!
//! ```
//! use std::sync::Arc;
//!
//! use leak_hunter_core::export::{Export, Format, Limits, View};
//! use leak_hunter_core::graph::Analyses;
//! use leak_hunter_core::{Heap, Progress};
//!
//! let dump = tempfile::NamedTempFile::new()?;
//! std::fs::write(dump.path(), r#"{"type":"ROOT", "root":"vm", "references":["0x10"]}
//! {"address":"0x10", "type":"ARRAY", "generation":1, "references":["0x38"], "memsize":40}
//! {"address":"0x38", "type":"STRING", "generation":9, "memsize":100}
//! "#)?;
//! let progress = Progress::default();
//! let heap = Heap::load(dump.path(), Some(1), &progress)?;
//! let export = Export {
//!     format: Format::Folded,
//!     title: String::new(),
//!     view: View::Retained,
//!     limits: Limits::default(),
//!     only: None,
//!     neighbourhood: None,
//! };
//! let mut stacks = Vec::new();
//! export.write(&Analyses::new(Arc::new(heap)), &mut stacks, &progress)?;
//! assert!(String::from_utf8(stacks)?.lines().any(|line| line.ends_with(" 100")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod dot;
mod flame;
mod folded;
mod format;
mod frames;
mod heapsnapshot;
mod labels;
mod out;
mod printable;
mod speedscope;
#[cfg(test)]
mod tests;

use std::str::FromStr;

pub use self::dot::{Neighbourhood, Relation, dot};
pub use self::flame::{FlameParts, flame};
pub use self::folded::folded;
pub use self::format::{Export, Format};
pub use self::frames::{Frame, FrameTree, Limits};
pub use self::heapsnapshot::heapsnapshot;
pub use self::labels::Named;
pub use self::speedscope::speedscope;
use crate::error::{Error, ErrorKind};
use crate::graph::{Dominators, Graph};
use crate::heap::ObjectSet;
use crate::ids::ObjectId;

/// What is exported.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The heap and its roots.
    pub graph: &'a Graph,
    /// Of that graph.
    pub dominators: &'a Dominators,
    /// The objects whose own bytes count, such as the survivors of a diff; `None`: all. Others are still named where
    /// they lead to one that counts.
    pub counted: Option<&'a ObjectSet>,
}

impl Subject<'_> {
    pub(crate) fn counts(&self, object: ObjectId) -> bool {
        self.counted.is_none_or(|set| set.contains(object))
    }
}

/// By what the bytes of a heap are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Who alone keeps it alive: the dominator tree. The size of a frame is what would be free without it.
    Retained,
    /// The shortest way from the roots. What several objects refer to stands at the first of them.
    Paths,
    /// Where it was made: gem, file, method and line, class.
    Sites,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Retained, Self::Paths, Self::Sites];

    /// As it is called in options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Retained => "retained",
            Self::Paths => "paths",
            Self::Sites => "sites",
        }
    }

    /// As people read it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Retained => "Retained by",
            Self::Paths => "Root path",
            Self::Sites => "Allocation site",
        }
    }
}

impl FromStr for View {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|view| view.name() == name);
        found.ok_or_else(|| {
            let message = format!("view: {name:?} is not one of retained, paths, sites");
            Error::new(ErrorKind::Options, message)
        })
    }
}
