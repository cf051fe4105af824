//! How a long run is watched and stopped from outside.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::lock::Mutex;

/// What a run is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The dump, or heap, of this index is read.
    Read(usize),
    /// What was found is put into groups.
    Groups,
    /// The tables of the last dump's heap are made.
    Heap,
    /// How each object is reached, and what keeps it alive.
    Graph,
    /// What holds the leaked objects.
    Holders,
}

impl Phase {
    /// Its name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read(_) => "read",
            Self::Groups => "groups",
            Self::Heap => "heap",
            Self::Graph => "graph",
            Self::Holders => "holders",
        }
    }

    /// Which dump it is about.
    pub fn dump(self) -> Option<usize> {
        match self {
            Self::Read(index) => Some(index),
            _ => None,
        }
    }
}

/// How long a run was at a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseTime {
    /// Which phase.
    pub phase: Phase,
    /// All of it, if it came several times.
    pub time: Duration,
}

/// When a phase began.
#[derive(Clone, Copy, Debug)]
struct Begun {
    phase: Phase,
    at: Instant,
}

/// Shared between one run and whoever waits for it. A run that was cancelled returns an error of the kind
/// [`crate::ErrorKind::Cancelled`].
///
/// ```
/// use leak_hunter_core::{ErrorKind, Heap, Progress};
///
/// let dump = tempfile::NamedTempFile::new()?;
/// std::fs::write(dump.path(), "{\"address\":\"0x10\", \"type\":\"OBJECT\"}\n")?;
/// let progress = Progress::default();
/// progress.cancel(); // from another thread, while the run goes on
/// let error = Heap::load(dump.path(), Some(1), &progress).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Cancelled);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Progress {
    cancelled: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
    /// In the order of time.
    phases: Mutex<Vec<Begun>>,
    /// Looks at whether to go on, and the one at which a test cancels.
    #[cfg(test)]
    pub(crate) checks: AtomicU64,
    #[cfg(test)]
    pub(crate) cancel_at: Option<u64>,
    /// Bytes that were looked at while lines were read, and how many when it was cancelled.
    #[cfg(test)]
    pub(crate) work: AtomicU64,
    #[cfg(test)]
    pub(crate) work_at_cancel: AtomicU64,
}

impl Progress {
    /// Asks the run to stop. It does after at most 64 KiB of input per thread, in the middle of a record, too.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// One that is cancelled at so many looks at whether to go on.
    #[cfg(test)]
    pub(crate) fn cancelled_at(check: u64) -> Self {
        Self {
            cancel_at: Some(check),
            ..Self::default()
        }
    }

    /// Begins a phase; the one before it has ended.
    pub(crate) fn enter(&self, phase: Phase) {
        let at = Instant::now();
        self.phases.lock().push(Begun { phase, at });
    }

    /// How long each phase took until now, in the order in which they first came.
    pub fn phase_times(&self) -> Vec<PhaseTime> {
        let phases = self.phases.lock();
        let ends = phases.iter().skip(1).map(|next| next.at).chain([Instant::now()]);
        let mut times: Vec<PhaseTime> = Vec::new();
        for (begun, end) in phases.iter().zip(ends) {
            let time = end.saturating_duration_since(begun.at);
            match times.iter_mut().find(|known| known.phase == begun.phase) {
                Some(known) => known.time += time,
                None => times.push(PhaseTime {
                    phase: begun.phase,
                    time,
                }),
            }
        }
        times
    }

    /// Bytes read so far. What follows the reading counts as bytes, too: with holders, as many as the last dump has.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Bytes to read in all; 0 until the files were opened.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Says how many bytes there are in all.
    pub fn set_total(&self, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn add_total(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes as done.
    pub fn add(&self, bytes: u64) {
        self.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes looked at, for tests that say how work grows.
    #[inline]
    #[cfg_attr(not(test), allow(clippy::unused_self))]
    pub(crate) fn count_work(&self, _bytes: usize) {
        #[cfg(test)]
        self.work.fetch_add(_bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Whether to go on.
    ///
    /// # Errors
    ///
    /// The run was cancelled.
    pub fn check(&self) -> Result<()> {
        #[cfg(test)]
        if Some(self.checks.fetch_add(1, Ordering::Relaxed) + 1) == self.cancel_at {
            self.work_at_cancel
                .store(self.work.load(Ordering::Relaxed), Ordering::Relaxed);
            self.cancel();
        }
        if self.is_cancelled() {
            Err(Error::cancelled())
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
