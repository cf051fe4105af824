//! The lines in which LeakHunter writes names that only the living process knows.

use serde::Deserialize;

use super::members;
use crate::ids::{Address, OptionalAddress};

/// By what name something refers to an object, as a NAME line has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameLine {
    /// What refers to the object; none of a global variable.
    pub owner: OptionalAddress,
    /// The object.
    pub value: Address,
    /// `constant`, `instance_variable`, `class_variable`, `global`, `fiber_local`, `thread_variable`, `fiber_storage`
    pub kind: String,
    /// As it is written in Ruby: `AUDIT_TRAIL`, `@cache`, `$cache`.
    pub name: String,
}

#[derive(Deserialize)]
struct Line {
    kind: String,
    name: String,
    owner: Option<String>,
    value: String,
}

impl NameLine {
    /// Reads a line. `None` of a damaged one.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let line: Line = serde_json::from_slice(text).ok()?;
        let address = |text: &str| members::hex(text.strip_prefix("0x")?.as_bytes()).map(Address::new);
        Some(Self {
            owner: match line.owner {
                Some(owner) => address(&owner)?.into(),
                None => OptionalAddress::NONE,
            },
            value: address(&line.value)?,
            kind: line.kind,
            name: line.name,
        })
    }
}
