//! Whether this process was forked from the one that began something, and what a forked child must not inherit.
//! Process numbers do not tell: a child in a container of its own may have its parent's.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use magnus::{Error, Object, RModule, function};

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

/// Whether garbage collection is off for a moment, by a thread that a forked child has not.
static ENABLE_GC_IN_CHILDREN: AtomicBool = AtomicBool::new(false);

/// The thread whose child must not collect garbage, either: `pthread_self`, or 0.
#[cfg(unix)]
static GC_STAYS_OFF_FOR: AtomicUsize = AtomicUsize::new(0);

/// To be called once.
pub(crate) fn init(native: RModule) -> Result<(), Error> {
    leak_hunter_core::fork::initialize();
    native.define_singleton_method("enable_gc_in_children", function!(enable_gc_in_children, 1))?;
    #[cfg(unix)]
    {
        native.define_singleton_method(
            "gc_stays_off_in_own_child",
            function!(gc_stays_off_in_own_child, 1),
        )?;
        watch();
    }
    Ok(())
}

fn enable_gc_in_children(enable: bool) {
    ENABLE_GC_IN_CHILDREN.store(enable, Ordering::Relaxed);
}

/// Own: forked by the calling thread.
#[cfg(unix)]
fn gc_stays_off_in_own_child(off: bool) {
    let thread = if off { this_thread() } else { 0 };
    GC_STAYS_OFF_FOR.store(thread, Ordering::Relaxed);
}

#[cfg(unix)]
fn this_thread() -> usize {
    // SAFETY: it only answers. A child's thread has the number of the one that forked.
    unsafe { libc::pthread_self() as usize }
}

/// Counts forks from here on.
#[cfg(unix)]
fn watch() {
    unsafe extern "C" fn forked() {
        FORKS.fetch_add(1, Ordering::Relaxed);
        let enable = ENABLE_GC_IN_CHILDREN.swap(false, Ordering::Relaxed);
        let stays_off = GC_STAYS_OFF_FOR.swap(0, Ordering::Relaxed) == this_thread();
        if enable && !stays_off {
            // SAFETY: it clears a flag of the collector. The child has one thread, which is this one.
            unsafe { rb_sys::rb_gc_enable() };
        }
    }
    // SAFETY: the handler takes no lock and no memory, and is never unloaded: Ruby unloads no extension. Where there is
    // no memory for it, a forked child waits as it did without this.
    unsafe { libc::pthread_atfork(None, None, Some(forked)) };
}
