//! Whether this process was forked from the one that began something. Process numbers do not tell: a child in a
//! container of its own may have its parent's.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};

/// How many forks lie between this process and the one that loaded the extension.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// A process of this one's ancestry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process(u64);

impl Process {
    pub(crate) fn current() -> Self {
        Self(FORKS.load(Ordering::Relaxed))
    }

    /// Whether the caller is a forked child of it.
    pub(crate) fn is_gone(self) -> bool {
        self != Self::current()
    }
}

/// Counts forks from here on. To be called once.
#[cfg(unix)]
pub(crate) fn count() {
    unsafe extern "C" fn forked() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handler only adds to an atomic, which is allowed in a child, and is never unloaded: Ruby unloads no
    // extension. Where there is no memory for it, a forked child waits as it did without this.
    unsafe { libc::pthread_atfork(None, None, Some(forked)) };
}

#[cfg(not(unix))]
pub(crate) fn count() {}
