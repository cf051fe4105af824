//! Threads for one run. rayon's global pool, once used in a parent, hangs a forked child.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, ErrorKind, Result};

/// A pool made for one run and dropped.
pub(crate) fn of(threads: usize) -> Result<ThreadPool> {
    build(threads, ThreadPoolBuilder::new())
}

/// One of as many threads as [`threads`] says.
///
/// # Errors
///
/// The system has no thread left.
pub fn with_threads(asked: Option<usize>) -> Result<ThreadPool> {
    of(threads(asked))
}

/// One whose threads have so many bytes of stack.
///
/// # Errors
///
/// The system has no thread left.
pub fn with_stack(threads: usize, bytes: usize) -> Result<ThreadPool> {
    build(threads, ThreadPoolBuilder::new().stack_size(bytes))
}

fn build(threads: usize, pool: ThreadPoolBuilder) -> Result<ThreadPool> {
    let pool = pool
        .num_threads(threads)
        .thread_name(|index| format!("leak_hunter-{index}"))
        .build();
    pool.map_err(|error| {
        let message = format!("cannot start {threads} threads: {error}");
        Error::new(ErrorKind::Internal, message)
    })
}

/// Does both, at the same time where there are threads for it.
pub(crate) fn join<A, B>(
    pool: Option<&ThreadPool>,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B)
where
    A: Send,
    B: Send,
{
    match pool {
        Some(pool) => pool.join(one, other),
        None => (one(), other()),
    }
}

/// As many as were asked for; else one core stays free for the application.
pub fn threads(asked: Option<usize>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    asked.unwrap_or(cores.saturating_sub(1)).clamp(1, 64)
}
