//! One run of the core as Ruby sees it: without the GVL, told of by a callable, stopped with the thread that waits.

use std::sync::Arc;

use leak_hunter_core::{Progress, Result};
use magnus::{Error, Ruby, Value, value::ReprValue};

use crate::{errors, gvl};

/// Runs `work` and tells `callable` bytes done and bytes in all, ten times a second and at the end. With `stand_back`,
/// the application comes first; whoever asks for a number of threads wants the answer soon.
pub(crate) fn run<T: Send + 'static>(
    ruby: &Ruby,
    callable: Option<Value>,
    stand_back: bool,
    work: impl FnOnce(&Progress) -> Result<T> + Send + 'static,
) -> std::result::Result<T, Error> {
    let progress = Arc::new(Progress::default());
    let theirs = Arc::clone(&progress);
    let tell = || match callable {
        Some(callable) => callable
            .funcall::<_, _, Value>("call", (progress.done(), progress.total()))
            .map(|_| ()),
        None => Ok(()),
    };
    let work = move || {
        if stand_back {
            gvl::give_way();
        }
        work(&theirs)
    };
    let outcome = gvl::wait_for(ruby, work, || progress.cancel(), tell)?;
    let value = outcome.map_err(|error| errors::exception(ruby, &error))?;
    tell()?;
    Ok(value)
}
