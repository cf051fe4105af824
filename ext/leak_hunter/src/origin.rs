//! Through which contexts and callers objects were allocated, as Hashes.

use leak_hunter_core::diff::{Caller, Callers};
use leak_hunter_core::origin::{ContextCount, Contexts};
use magnus::{Error, RArray, RHash, Ruby};

use crate::convert::{Hash, array};

pub(crate) fn contexts(ruby: &Ruby, contexts: &Contexts) -> Result<RArray, Error> {
    array(ruby, &contexts.shown, |ruby, it: &ContextCount| {
        let hash = Hash::new(ruby)
            .set("context", it.context.as_deref())?
            .set("count", it.count)?;
        Ok(hash.hash)
    })
}

pub(crate) fn caller(ruby: &Ruby, caller: &Caller) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("frames", caller.frames.clone())?
        .set("through", caller.through.clone())?
        .set("stayed", caller.stayed)?
        .set("died", caller.died)?;
    Ok(hash.hash)
}

pub(crate) fn caller_totals(ruby: &Ruby, callers: &Callers) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("stacks", callers.stacks)?
        .set("stayed", callers.stayed)?
        .set("died", callers.died)?;
    Ok(hash.hash)
}
