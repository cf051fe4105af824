//! Reads Ruby heap dumps and finds what leaked between them. Pure Rust: no Ruby in it, so it can be tested, fuzzed and
//! measured on its own, and cannot touch the virtual machine while other Ruby threads run.
//!
//! Data flows one way: a dump file ([`DumpFile`]) is read by one parallel pass ([`dump::scan`]) into records, the
//! records into compact tables, and [`diff()`] compares the tables of three dumps.
//!
//! ```no_run
//! use leak_hunter_core::{Options, Progress, diff};
//!
//! let paths = ["1.json", "2.json", "3.json"].map(std::path::PathBuf::from);
//! let report = diff(&paths, &Options::default(), &Progress::default())?;
//! for group in &report.groups {
//!     println!("{} objects, {} bytes", group.count, group.memsize);
//! }
//! # Ok::<(), leak_hunter_core::Error>(())
//! ```
//!
//! Nothing here panics on any input: a dump is somebody else's data.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod address_index;
mod address_set;
pub mod diff;
pub mod dump;
pub mod error;
pub mod export;
pub mod fork;
pub mod gem;
pub mod graph;
pub mod heap;
pub mod holders;
pub mod lock;
mod pool;
pub mod progress;
#[cfg(test)]
mod test_support;
pub mod verdict;

pub use diff::{Options, Report, diff};
pub use dump::DumpFile;
pub use error::{Error, ErrorKind, Result};
pub use heap::Heap;
pub use progress::Progress;
