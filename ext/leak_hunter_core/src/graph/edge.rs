//! How an object refers to the next one of a path, and how that is known.

pub use crate::heap::EdgeKind;

/// How the name of a reference is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NamedBy {
    /// From a NAME line of the dump, or from its record of roots.
    Dump,
    /// From the shape of the object (Ruby 3.2 and newer).
    Shape,
    /// From the order of the references.
    Position,
}

impl NamedBy {
    /// The name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dump => "dump",
            Self::Shape => "shape",
            Self::Position => "position",
        }
    }
}

/// How an object refers to the next one of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    /// What kind of reference.
    pub kind: EdgeKind,
    /// As it is written in Ruby: `AUDIT_TRAIL`, `@cache`, `[3]`; of roots their category. `None` where it is not known.
    pub name: Option<String>,
    /// How the name is known.
    pub named_by: Option<NamedBy>,
    /// Of a [`EdgeKind::Gap`], how many steps are left out; 0 of others.
    pub omitted: u32,
}

impl Edge {
    pub(super) fn unnamed(kind: EdgeKind) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    pub(super) fn named(kind: EdgeKind, name: impl Into<String>, named_by: NamedBy) -> Self {
        Self {
            kind,
            name: Some(name.into()),
            named_by: Some(named_by),
            omitted: 0,
        }
    }

    pub(super) fn gap(omitted: u32) -> Self {
        Self {
            omitted,
            ..Self::unnamed(EdgeKind::Gap)
        }
    }
}
