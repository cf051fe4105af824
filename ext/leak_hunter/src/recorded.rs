//! What a dump, a live heap or a mark says of itself, as the Hash that Ruby has.

use leak_hunter_core::dump::{DumpHeader, Memory, Tracer};
use leak_hunter_core::ids::Generation;
use leak_hunter_core::sampling::{By, Sampled};
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
        memory: fetch::<Option<RHash>>(ruby, hash, "memory")?
            .map(|memory| memory_of(ruby, memory))
            .transpose()?
            .map(Box::new),
        tracing_since: fetch::<Option<u64>>(ruby, hash, "tracing_since")?.map(Generation::new),
        tracer: fetch::<Option<String>>(ruby, hash, "tracer")?.and_then(|name| Tracer::named(&name)),
        sampling: fetch::<Option<RHash>>(ruby, hash, "sampling")?
            .map(|sampling| sampled_of(ruby, sampling))
            .transpose()?,
        snapshot: fetch(ruby, hash, "snapshot")?,
        own_path: fetch::<Option<String>>(ruby, hash, "own_path")?.map(Into::into),
        names_complete: fetch(ruby, hash, "names_complete")?,
        unmeasured: fetch::<Option<Vec<String>>>(ruby, hash, "unmeasured")?.unwrap_or_default(),
    })
}

fn sampled_of(ruby: &Ruby, hash: RHash) -> Result<Sampled, Error> {
    let by: Option<String> = fetch(ruby, hash, "by")?;
    Ok(Sampled {
        by: by.and_then(|name| By::named(&name)).unwrap_or_default(),
        every: fetch(ruby, hash, "every")?,
        allocations: fetch(ruby, hash, "allocations")?,
        reported: fetch(ruby, hash, "reported")?,
        lost: fetch(ruby, hash, "lost")?,
    })
}

fn sampled_to_hash(ruby: &Ruby, sampled: &Sampled) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("by", sampled.by.name())?
        .set("every", sampled.every)?
        .set("allocations", sampled.allocations)?
        .set("reported", sampled.reported)?
        .set("lost", sampled.lost)?;
    Ok(hash.hash)
}

fn memory_of(ruby: &Ruby, hash: RHash) -> Result<Memory, Error> {
    Ok(Memory {
        rss: fetch(ruby, hash, "rss")?,
        shared: fetch(ruby, hash, "shared")?,
        heap_bytes: fetch(ruby, hash, "heap_bytes")?,
        live_slots: fetch(ruby, hash, "live_slots")?,
        free_slots: fetch(ruby, hash, "free_slots")?,
        malloc_increase: fetch(ruby, hash, "malloc_increase")?,
        oldmalloc_increase: fetch(ruby, hash, "oldmalloc_increase")?,
    })
}

pub(crate) fn memory_to_hash(ruby: &Ruby, memory: &Memory) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("rss", memory.rss)?
        .set("shared", memory.shared)?
        .set("heap_bytes", memory.heap_bytes)?
        .set("live_slots", memory.live_slots)?
        .set("free_slots", memory.free_slots)?
        .set("malloc_increase", memory.malloc_increase)?
        .set("oldmalloc_increase", memory.oldmalloc_increase)?;
    Ok(hash.hash)
}

pub(crate) fn recorded_to_hash(ruby: &Ruby, recorded: &DumpHeader) -> Result<RHash, Error> {
    let memory = recorded
        .memory
        .as_deref()
        .map(|memory| memory_to_hash(ruby, memory))
        .transpose()?;
    let sampling = recorded
        .sampling
        .as_ref()
        .map(|sampling| sampled_to_hash(ruby, sampling))
        .transpose()?;
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
        .set("memory", memory)?
        .set("tracing_since", recorded.tracing_since.map(Generation::get))?
        .set("tracer", recorded.tracer.map(Tracer::name))?
        .set("sampling", sampling)?
        .set("snapshot", recorded.snapshot.as_str())?
        .set("own_path", recorded.own_path.as_deref())?
        .set("names_complete", recorded.names_complete)?
        .set("unmeasured", recorded.unmeasured.clone())?;
    Ok(hash.hash)
}
