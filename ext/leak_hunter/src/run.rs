//! One run of the core as Ruby sees it: without the GVL, with progress reported to a callable, and stopped together with
//! the Ruby thread that waits for it.

use std::sync::Arc;

use leak_hunter_core::{Progress, Result};
use magnus::{Error, Ruby, Value, value::ReprValue};

use crate::{errors, gvl};

/// Runs `work` and calls `callable` with bytes done and bytes in all, ten times a second and at the end. With
/// `low_priority` the application comes first; whoever asks for a number of threads wants the answer soon.
pub(crate) fn run<T: Send + 'static>(
    ruby: &Ruby,
    callable: Option<Value>,
    low_priority: bool,
    work: impl FnOnce(&Progress) -> Result<T> + Send + 'static,
) -> std::result::Result<T, Error> {
    let progress = Arc::new(Progress::default());
    let theirs = Arc::clone(&progress);
    let report = || match callable {
        Some(callable) => callable
            .funcall::<_, _, Value>("call", (progress.done(), progress.total()))
            .map(|_| ()),
        None => Ok(()),
    };
    let work = move || {
        if low_priority {
            gvl::low_priority();
        }
        work(&theirs)
    };
    let tick = callable.map(|_| gvl::TICK);
    let outcome = gvl::wait_for(ruby, work, tick, || progress.cancel(), report)?;
    let value = outcome.map_err(|error| errors::exception(ruby, &error))?;
    report()?;
    Ok(value)
}
