//! What is computed when it is first asked for, once, without the GVL, and can be stopped.

use std::sync::Arc;

use leak_hunter_core::lock::Mutex;
use leak_hunter_core::{Progress, Result};
use magnus::{Error, Ruby};

use crate::fork::Process;
use crate::run::run;

/// Empty until it is asked for. The lock is held by the thread that computes, which is none of Ruby's; Ruby's threads
/// wait for it as they wait for any work, and can be interrupted.
type Slot<T> = Arc<Mutex<Option<Arc<T>>>>;

pub(super) struct Lazy<T> {
    /// The slot of a process: what another thread was computing while the process forked is lost in the child, and its
    /// lock would never open. This outer lock is taken with the GVL only, and nothing of Ruby is called meanwhile.
    slot: Mutex<(Process, Slot<T>)>,
}

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self {
            slot: Mutex::new((Process::current(), Slot::default())),
        }
    }
}

impl<T: Send + Sync + 'static> Lazy<T> {
    fn slot(&self) -> Slot<T> {
        let mut slot = self.slot.lock();
        let process = Process::current();
        if slot.0 != process {
            let kept = slot.1.try_lock().and_then(|value| value.clone());
            *slot = (process, Arc::new(Mutex::new(kept)));
        }
        Arc::clone(&slot.1)
    }

    /// The value, if it is there.
    pub(super) fn peek(&self) -> Option<Arc<T>> {
        self.slot().try_lock()?.clone()
    }

    /// The value, computed now if it is not there.
    pub(super) fn get(
        &self,
        ruby: &Ruby,
        compute: impl FnOnce(&Progress) -> Result<T> + Send + 'static,
    ) -> std::result::Result<Arc<T>, Error> {
        let slot = self.slot();
        run(ruby, None, false, move |progress| {
            let mut slot = slot.lock();
            if let Some(value) = &*slot {
                return Ok(Arc::clone(value));
            }
            let value = Arc::new(compute(progress)?);
            *slot = Some(Arc::clone(&value));
            Ok(value)
        })
    }
}
