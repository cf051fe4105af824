//! What a process takes at a moment.

use serde::Deserialize;

/// What a process takes, as Linux and Ruby's collector count it. `None`: not known there.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Memory {
    /// Resident set in bytes: all pages of the process that are in memory.
    pub rss: Option<u64>,
    /// Bytes of it that belong to files, such as shared libraries, or are shared memory.
    pub shared: Option<u64>,
    /// Bytes of the pages of Ruby's heap, free slots included.
    pub heap_bytes: Option<u64>,
    /// Slots with an object.
    pub live_slots: Option<u64>,
    /// Free slots.
    pub free_slots: Option<u64>,
    /// Bytes allocated outside the slots since the last collection, as the collector counts them.
    pub malloc_increase: Option<u64>,
    /// The same, since the last full collection.
    pub oldmalloc_increase: Option<u64>,
}
