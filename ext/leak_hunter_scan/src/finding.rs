//! What the scan found, and where.

use std::path::PathBuf;

use crate::rule::{Reach, Rule, Severity};

/// A place in a file that people can open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// As it is named in results.
    pub path: PathBuf,
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
}

/// Something that can leak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule found it.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// Where it runs.
    pub reach: Reach,
    /// Where to look first.
    pub location: Location,
    /// A sentence.
    pub message: String,
    /// What grows, named as the holders of a diff are: `Shop::Cart.@items`.
    pub variable: Option<String>,
    /// The same variable of subclasses, of which each has its own.
    pub also: Vec<String>,
    /// The method, `Shop::Cart.add`.
    pub method: Option<String>,
    /// All places where it grows.
    pub grows: Vec<Location>,
    /// Methods that would empty it, and that nothing calls.
    pub emptied_by: Vec<String>,
    /// 16 hex digits; the same when lines move.
    pub fingerprint: String,
}

/// The same text, the same number, on every machine.
pub(crate) fn fingerprint(parts: &[&str]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain([0]) {
            hash ^= u64::from(byte);
            hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}
