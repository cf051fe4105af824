//! What a forked child needs. A child has one thread: a value that another thread of the parent was just initializing
//! stays locked in it for ever, and so does its first user. So all of them are initialized before there are threads.

use std::hash::BuildHasher;

use crate::dump::record;

/// Initializes all that this crate, and the crates it uses, would initialize on first use. For a program that forks, to
/// be called before the first run.
pub fn initialize() {
    record::initialize();
    // rayon's queues free memory by it; behind a `OnceLock`
    crossbeam_epoch::default_collector();
    // its seed of the process is behind a spin lock
    foldhash::fast::RandomState::default().hash_one(0);
}
