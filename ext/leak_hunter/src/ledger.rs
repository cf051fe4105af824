//! Where the memory of a process was, as the Hash that Ruby has.

use leak_hunter_core::ledger::{Entry, Growth, Ledger};
use magnus::{Error, RHash, Ruby};

use crate::convert::{Hash, array};
use crate::recorded::memory_to_hash;

pub(crate) fn to_hash(ruby: &Ruby, ledger: &Ledger) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("conclusion", ledger.conclusion.name())?
        .set("growth", growth_to_hash(ruby, &ledger.growth)?)?
        .set("new_objects", ledger.new_objects)?
        .set("moments", array(ruby, &ledger.moments, entry_to_hash)?)?;
    Ok(hash.hash)
}

fn growth_to_hash(ruby: &Ruby, growth: &Growth) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("rss", growth.rss)?
        .set("process", growth.process)?
        .set("heap_bytes", growth.heap_bytes)?
        .set("objects", growth.objects)?
        .set("tracing", growth.tracing)?
        .set("own", growth.own)?
        .set("free_slots", growth.free_slots)?
        .set("unexplained", growth.unexplained)?
        .set("objects_share", growth.objects_share)?;
    Ok(hash.hash)
}

fn entry_to_hash(ruby: &Ruby, entry: &Entry) -> Result<RHash, Error> {
    let memory = entry
        .memory
        .as_ref()
        .map(|memory| memory_to_hash(ruby, memory))
        .transpose()?;
    let hash = Hash::new(ruby)
        .set("memory", memory)?
        .set("objects", entry.objects)?
        .set("tracing", entry.tracing)?
        .set("own", entry.own)?;
    Ok(hash.hash)
}
