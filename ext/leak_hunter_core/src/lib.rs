//! Reads Ruby heap dumps and finds what leaked between them. Pure Rust: no Ruby in it, so it can be tested, fuzzed and
//! measured on its own, and cannot touch the virtual machine while other Ruby threads run.
//!
//! # Data flow
//!
//! ```text
//! file ──► DumpFile ──► dump::scan ──► records ──► a Pass ──┬─► tables of three moments ──► diff ──► Report
//!          opened,      one parallel   fast view,           │                                          ▲
//!          checked      pass           then grammar         └─► Heap ──► Graph ──► dominators ──► holders
//! ```
//!
//! - [`DumpFile`] opens a dump and reads what it says of itself.
//! - [`dump::scan`] cuts it into records on every thread of a pool and shows each to a [`dump::Pass`].
//! - [`diff()`] and [`diff::compare`] make three such passes: what was allocated after the first moment and before the
//!   second, and is still there in the third. [`verdict`] says how sure that is.
//! - [`Heap`] holds one moment as a graph; [`graph`] and [`holders`] say who keeps what, [`export`] writes it for other tools.
//! - [`Progress`] is how a caller watches a run on another thread, and stops it.
//!
//! # Examples
//!
//! Three dumps of one process, with what it takes to make them:
//!
//! ```
//! use leak_hunter_core::ids::Address;
//! use leak_hunter_core::{Options, Progress, diff};
//!
//! let object = |address: u64, generation: u64| {
//!     format!("{{\"address\":\"{address:#x}\", \"type\":\"STRING\", \"generation\":{generation}, \"memsize\":40}}\n")
//! };
//! let folder = tempfile::tempdir()?;
//! let dump = |name: &str, objects: &[String]| {
//!     let path = folder.path().join(name);
//!     std::fs::write(&path, objects.concat()).map(|()| path)
//! };
//! let paths = [
//!     dump("1.json", &[object(0x10, 3)])?,
//!     dump("2.json", &[object(0x10, 3), object(0x38, 4), object(0x60, 5)])?,
//!     dump("3.json", &[object(0x10, 3), object(0x38, 4), object(0x88, 7)])?,
//! ];
//! let report = diff(&paths, &Options::default(), &Progress::default())?;
//! assert_eq!(report.totals.count, 1, "the object at 0x38");
//! assert_eq!(report.groups[0].addresses, [Address::new(0x38)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A pass of one's own:
//!
//! ```
//! use leak_hunter_core::dump::{Failure, Pass, Record, scan};
//! use leak_hunter_core::{DumpFile, Progress};
//!
//! #[derive(Default)]
//! struct Bytes(u64);
//!
//! impl Pass for Bytes {
//!     fn visit(&mut self, record: &Record<'_>) -> Result<(), Failure> {
//!         self.0 = self.0.saturating_add(record.memsize);
//!         Ok(())
//!     }
//!
//!     fn merge(&mut self, other: Self) {
//!         self.0 = self.0.saturating_add(other.0);
//!     }
//! }
//!
//! let dump = tempfile::NamedTempFile::new()?;
//! std::fs::write(dump.path(), "{\"address\":\"0x10\", \"type\":\"OBJECT\", \"memsize\":40}\n")?;
//! let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
//! let read = scan(&DumpFile::open(dump.path())?, &pool, &Progress::default(), Bytes::default)?;
//! assert_eq!((read.pass.0, read.seen.skipped), (40, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Promises
//!
//! Nothing here panics on any input: a dump is somebody else's data. Work grows like the bytes of the dumps and the
//! references of the heap (`rake complexity`), memory like what is kept of them, and every loop over either can be
//! cancelled. Sums saturate.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod address_index;
mod address_set;
pub mod code_path;
pub mod diff;
pub mod dump;
pub mod error;
pub mod export;
pub mod feature;
pub mod fork;
pub mod gem;
pub mod gem_use;
pub mod graph;
pub mod heap;
pub mod holders;
pub mod ids;
pub mod ledger;
pub mod lock;
pub mod origin;
pub mod pool;
pub mod progress;
pub mod sampling;
#[cfg(test)]
mod test_support;
pub mod verdict;
mod vocabulary;

pub use diff::{Options, Report, diff};
pub use dump::DumpFile;
pub use error::{Error, ErrorKind, Result};
pub use heap::Heap;
pub use progress::{Phase, PhaseTime, Progress};

// What callers may hold across threads, and how much an error adds to each `Result`.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<DumpFile>();
    shared::<Progress>();
    shared::<Options>();
    shared::<Report>();
    shared::<ledger::Ledger>();
    shared::<Error>();
    assert!(size_of::<Error>() == size_of::<usize>());
    assert!(size_of::<dump::Failure>() == size_of::<usize>());
    assert!(size_of::<dump::Record<'_>>() <= 160);
};
