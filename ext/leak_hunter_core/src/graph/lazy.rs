//! A value that is computed when it is first needed, once for all threads.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock, TryLockError};
use std::time::Duration;

use crate::error::Result;
use crate::progress::Progress;

/// No thread computes it.
const FREE: u32 = 0;
/// Between two looks at whether another thread is done.
const PAUSE: Duration = Duration::from_millis(2);
/// Attempts to store a value while others look at it.
const ATTEMPTS: usize = 100;

/// Empty until it is asked for.
///
/// A thread claims the computation with the id of its process. A child forked meanwhile has the claim of its parent, but
/// not the thread that computes, and takes over: its id is another. The lock of the value is only ever tried, so nobody
/// waits for a thread that a fork has lost. Who waits for a value looks at its own [`Progress`] and can be cancelled.
#[derive(Debug)]
pub(super) struct Lazy<T> {
    value: RwLock<Option<Arc<T>>>,
    computing: AtomicU32,
}

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self {
            value: RwLock::new(None),
            computing: AtomicU32::new(FREE),
        }
    }
}

/// Gives up the claim, however the computation ends.
struct Claim<'a>(&'a AtomicU32);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.store(FREE, Ordering::Release);
    }
}

impl<T> Lazy<T> {
    /// The value, if it is there.
    pub(super) fn peek(&self) -> Option<Arc<T>> {
        match self.value.try_read() {
            Ok(value) => value.clone(),
            Err(TryLockError::Poisoned(error)) => error.into_inner().clone(),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The value, computed now if it is not there.
    pub(super) fn get(&self, progress: &Progress, compute: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let process = std::process::id();
        loop {
            progress.check()?;
            if let Some(value) = self.peek() {
                return Ok(value);
            }
            let claimed = self.computing.load(Ordering::Acquire);
            let is_free = claimed != process
                && self
                    .computing
                    .compare_exchange(claimed, process, Ordering::AcqRel, Ordering::Acquire)
                    .is_ok();
            if is_free {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        let _claim = Claim(&self.computing);
        // another thread may have finished between the look and the claim
        if let Some(value) = self.peek() {
            return Ok(value);
        }
        let value = Arc::new(compute()?);
        self.store(&value);
        Ok(value)
    }

    /// Where that fails, in a child forked while another thread looked at the value, it is computed again.
    fn store(&self, value: &Arc<T>) {
        for _ in 0..ATTEMPTS {
            match self.value.try_write().map_err(|error| match error {
                TryLockError::Poisoned(error) => Some(PoisonError::into_inner(error)),
                TryLockError::WouldBlock => None,
            }) {
                Ok(mut slot) | Err(Some(mut slot)) => return *slot = Some(Arc::clone(value)),
                Err(None) => std::thread::yield_now(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::error::{Error, ErrorKind};

    #[test]
    fn many_threads_compute_once() {
        let lazy = Lazy::default();
        let computed = AtomicUsize::new(0);
        let compute = || {
            std::thread::sleep(PAUSE * 5);
            Ok(computed.fetch_add(1, Ordering::Relaxed))
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(*lazy.get(&Progress::default(), compute).unwrap(), 0));
            }
        });
        assert_eq!(computed.into_inner(), 1);
        assert_eq!(lazy.peek().as_deref(), Some(&0));
    }

    #[test]
    fn what_failed_is_computed_again() {
        let lazy = Lazy::default();
        let progress = Progress::default();
        let fail = || Err::<u32, _>(Error::new(ErrorKind::Internal, "no"));
        assert!(lazy.get(&progress, fail).is_err());
        assert_eq!(lazy.peek(), None);
        assert_eq!(*lazy.get(&progress, || Ok(1)).unwrap(), 1);
        assert_eq!(*lazy.get(&progress, fail).unwrap(), 1);
    }

    #[test]
    fn a_child_takes_over_what_its_parent_computes() {
        let lazy = Lazy {
            computing: AtomicU32::new(std::process::id() ^ 1),
            ..Lazy::default()
        };
        assert_eq!(*lazy.get(&Progress::default(), || Ok(1)).unwrap(), 1);
    }

    #[test]
    fn who_waits_can_be_cancelled() {
        let lazy = Lazy::<u32> {
            computing: AtomicU32::new(std::process::id()),
            ..Lazy::default()
        };
        let progress = Progress::default();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| lazy.get(&progress, || Ok(1)).map_err(|error| error.kind()));
            progress.cancel();
            assert_eq!(waiting.join().unwrap(), Err(ErrorKind::Cancelled));
        });
    }
}
