//! What a dump, a live heap or a mark says of itself, as the Hash that Ruby has.

use leak_hunter_core::dump::DumpHeader;
use leak_hunter_core::ids::Generation;
use magnus::{Error, RHash, Ruby};

use crate::convert::{Hash, fetch};

/// What a moment says of itself, from the Hash that [`recorded_to_hash`] makes.
pub(crate) fn recorded_of(ruby: &Ruby, hash: RHash) -> Result<DumpHeader, Error> {
    Ok(DumpHeader {
        id: fetch(ruby, hash, "id")?,
        boot: fetch(ruby, hash, "boot")?,
        pid: fetch(ruby, hash, "pid")?,
        host: fetch(ruby, hash, "host")?,
        sequence: fetch(ruby, hash, "sequence")?,
        taken_at: fetch(ruby, hash, "taken_at")?,
        ruby: fetch(ruby, hash, "ruby")?,
        platform: fetch(ruby, hash, "platform")?,
        generation: Generation::new(fetch(ruby, hash, "generation")?),
        compactions: fetch(ruby, hash, "compactions")?,
        tracing_since: fetch::<Option<u64>>(ruby, hash, "tracing_since")?.map(Generation::new),
        snapshot: fetch(ruby, hash, "snapshot")?,
    })
}

pub(crate) fn recorded_to_hash(ruby: &Ruby, recorded: &DumpHeader) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("id", recorded.id.as_str())?
        .set("boot", recorded.boot.as_str())?
        .set("pid", recorded.pid)?
        .set("host", recorded.host.as_str())?
        .set("sequence", recorded.sequence)?
        .set("taken_at", recorded.taken_at.as_str())?
        .set("ruby", recorded.ruby.as_str())?
        .set("platform", recorded.platform.as_str())?
        .set("generation", recorded.generation.get())?
        .set("compactions", recorded.compactions)?
        .set("tracing_since", recorded.tracing_since.map(Generation::get))?
        .set("snapshot", recorded.snapshot.as_str())?;
    Ok(hash.hash)
}
