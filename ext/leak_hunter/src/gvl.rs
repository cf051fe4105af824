//! Runs work on a thread of its own while the calling Ruby thread waits without the GVL.
//!
//! Other Ruby threads run meanwhile. Interrupts (Ctrl-C, `Timeout`, `Thread#kill`) end the wait at once: the work is
//! told to stop, and the exception is raised without waiting for it. The worker owns its data and drops its result. The
//! published helpers around `rb_thread_call_without_gvl` pass no unblock function, so that a timeout is raised only
//! after all the work is done, and jump over Rust's frames.
//!
//! A child forked meanwhile, by a progress callback or a signal handler, has the waiting thread but not the worker: the
//! wait ends there with an error, and in the parent it goes on.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use leak_hunter_core::lock::{Condvar, Mutex};
use magnus::{Error, Ruby};

use crate::fork::Process;
use crate::{errors, exported};

/// How often the caller of a progress callback is asked while it waits.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// Of 19: a busy application gets about ten times as much of a core.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    /// The result, or what a panic said.
    outcome: Option<Result<T, String>>,
    /// An interrupt is waiting for the calling thread.
    interrupted: bool,
}

/// Lowers the priority of the calling thread, and of those it starts, below the application's. Only Linux has
/// priorities by thread.
pub(crate) fn low_priority() {
    #[cfg(target_os = "linux")]
    // SAFETY: a plain system call; of the calling thread alone, since Linux takes 0 for that. If it fails, the thread
    // keeps its priority.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS);
    }
}

/// How long one wait lasts where nobody is to be asked: an interrupt ends it.
const WITHOUT_TICK: Duration = Duration::from_secs(3600);

/// How often the main thread's wait looks for signals, without the GVL: Ruby does not call the unblock function for them
/// while no thread waits for the GVL.
const SIGNALS: Duration = Duration::from_millis(20);

/// Whether a signal waits for the main thread: a number of the VM's, read without the GVL. The flags of a thread itself
/// (`rb_thread_interrupted`) may not be: its object lies in the heap, and a compaction makes pages unreadable for a
/// moment.
type SignalPending = unsafe extern "C" fn() -> c_int;

fn signal_pending() -> Option<SignalPending> {
    let function = exported::find(c"rb_thread_check_trap_pending")?;
    // SAFETY: the VM has no other function of that name.
    Some(unsafe { std::mem::transmute::<*mut c_void, SignalPending>(function) })
}

/// Signals are the main thread's; other threads are interrupted by the unblock function alone.
fn is_main_thread() -> bool {
    // SAFETY: called with the GVL held.
    unsafe { rb_sys::rb_thread_current() == rb_sys::rb_thread_main() }
}

/// Runs `work`; meanwhile calls `tick` as often as `every` says, with the GVL. To get the GVL back takes the turns of all
/// busy threads, so without `every` the GVL is taken for an interrupt and for the outcome alone. When Ruby interrupts the
/// thread or `tick` fails, `stop` is called and the error returned.
pub(crate) fn wait_for<T: Send + 'static>(
    ruby: &Ruby,
    work: impl FnOnce() -> T + Send + 'static,
    every: Option<Duration>,
    stop: impl Fn(),
    mut tick: impl FnMut() -> Result<(), Error>,
) -> Result<T, Error> {
    wait(ruby, work, every, &stop, &mut tick, false)
}

/// Runs `work`, which reads what belongs to Ruby: after an interrupt `stop` is called, and the exception is raised when
/// `work` has ended.
pub(crate) fn wait_for_end<T: Send + 'static>(
    ruby: &Ruby,
    work: impl FnOnce() -> T + Send + 'static,
    stop: impl Fn(),
) -> Result<T, Error> {
    wait(ruby, work, None, &stop, &mut || Ok(()), true)
}

fn wait<T: Send + 'static>(
    ruby: &Ruby,
    work: impl FnOnce() -> T + Send + 'static,
    every: Option<Duration>,
    stop: &dyn Fn(),
    tick: &mut dyn FnMut() -> Result<(), Error>,
    to_its_end: bool,
) -> Result<T, Error> {
    let state = State {
        outcome: None,
        interrupted: false,
    };
    let process = Process::current();
    let shared = Arc::new(Shared {
        state: Mutex::new(state),
        changed: Condvar::default(),
    });
    let theirs = Arc::clone(&shared);
    let run = move || {
        let outcome = catch_unwind(AssertUnwindSafe(work)).map_err(|panic| message_of(&*panic));
        theirs.state.lock().outcome = Some(outcome);
        theirs.changed.notify_all();
    };
    let spawned = thread::Builder::new().name("leak_hunter".into()).spawn(run);
    spawned.map_err(|error| errors::no_thread(ruby, &error))?;
    let main = is_main_thread();
    let signals = main.then(signal_pending).flatten();
    // where the VM does not tell, it is asked with the GVL
    let unasked = if main && signals.is_none() {
        TICK
    } else {
        WITHOUT_TICK
    };
    loop {
        // nothing may touch the lock in a child: the worker may have held it
        if process.is_gone() {
            return Err(errors::forked(ruby));
        }
        wait_without_gvl(&shared, every.unwrap_or(unasked), true, signals);
        if let Some(outcome) = shared.state.lock().outcome.take() {
            return outcome.map_err(|panic| errors::internal(ruby, &format!("it panicked: {panic}")));
        }
        if let Err(error) = ruby.thread_check_ints().and_then(|()| tick()) {
            stop();
            while to_its_end && !process.is_gone() && shared.state.lock().outcome.is_none() {
                wait_without_gvl(&shared, WITHOUT_TICK, false, None);
            }
            return Err(error);
        }
    }
}

/// Waits for the outcome or `limit`; if it may be interrupted, for an interrupt, too, and for what `signals` tells.
fn wait_without_gvl<T>(
    shared: &Shared<T>,
    limit: Duration,
    interruptible: bool,
    signals: Option<SignalPending>,
) {
    struct Wait<'a, T> {
        shared: &'a Shared<T>,
        limit: Duration,
        interruptible: bool,
        signals: Option<SignalPending>,
    }

    extern "C" fn wait<T>(data: *mut c_void) -> *mut c_void {
        // SAFETY: `data` is the `Wait` below, which lives until this call has returned. These locks and
        // condition variables do not panic.
        let Wait {
            shared,
            limit,
            interruptible,
            signals,
        } = unsafe { &*data.cast::<Wait<'_, T>>() };
        let start = Instant::now();
        let mut state = shared.state.lock();
        while state.outcome.is_none() && !(*interruptible && state.interrupted) {
            let left = limit.saturating_sub(start.elapsed());
            // SAFETY: it reads a number of the VM's.
            let signalled = signals.is_some_and(|pending| unsafe { pending() } != 0);
            if left.is_zero() || signalled {
                break;
            }
            let left = if signals.is_some() {
                left.min(SIGNALS)
            } else {
                left
            };
            state = shared.changed.wait_for(state, left);
        }
        state.interrupted = false;
        std::ptr::null_mut()
    }

    extern "C" fn unblock<T>(data: *mut c_void) {
        // SAFETY: as above; Ruby calls it only while `wait` runs.
        let Wait { shared, .. } = unsafe { &*data.cast::<Wait<'_, T>>() };
        shared.state.lock().interrupted = true;
        shared.changed.notify_all();
    }

    let mut data = Wait {
        shared,
        limit,
        interruptible,
        signals,
    };
    let data: *mut c_void = std::ptr::from_mut(&mut data).cast();
    // SAFETY: called with the GVL held (by a bound method). Neither function touches Ruby. The `2` variant neither
    // raises nor jumps; it may return without having called `wait`, which the loop above does not mind.
    unsafe { rb_sys::rb_thread_call_without_gvl2(Some(wait::<T>), data, Some(unblock::<T>), data) };
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".into())
}
