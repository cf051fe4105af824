//! `LeakHunter::Native.live`: the heap of this process, read where it is. The process stands still while the objects are
//! walked; the tables are built afterwards, without the GVL.

// VALUE and C's long have 64 bits here, but not everywhere.
#![allow(clippy::unnecessary_cast)]

mod api;
mod find;
mod interned;
mod sites;
mod texts;
mod walk;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use leak_hunter_core::dump::Recorded;
use leak_hunter_core::heap::{HeapBuilder, Name, Shared};
use leak_hunter_core::{Heap, Progress};
use magnus::value::ReprValue;
use magnus::{
    Error, KwArgs, Module, Object, RArray, RClass, RHash, RModule, RString, Ruby, TryConvert, Value, function,
};

use self::api::Api;
use self::texts::Named;
use self::walk::{Found, Room};
use crate::convert::path_of;
use crate::heap::Wrapped;
use crate::{errors, gvl};

/// By kind, owner's address (0: none), name, value's address.
type NameRow = (String, u64, String, u64);

pub(crate) fn init(native: RModule) -> Result<(), Error> {
    native.define_singleton_method("live", function!(live, 2))?;
    find::init(native)
}

/// The heap, the seconds the process stood still, and whether allocation sites could be read.
fn live(ruby: &Ruby, names: RArray, facts: RHash) -> Result<(Wrapped, f64, bool), Error> {
    let names: Vec<NameRow> = names.to_vec()?;
    let mut recorded = read_facts(ruby, facts)?;
    let collections: usize = fetch(ruby, facts, "collections")?;
    let objspace: Option<RString> = fetch(ruby, facts, "objspace")?;
    let threads: Option<usize> = fetch(ruby, facts, "threads")?;
    let ask_for_sites: Option<bool> = fetch(ruby, facts, "ask_for_sites")?;
    let api = api_for(ruby, objspace.map(path_of).as_deref())?;
    let sites = api.has_sites();
    let traced = sites && recorded.tracing_since.is_some();
    let objects = ruby.gc_stat("heap_live_slots")?;
    let room = gvl::wait_for(ruby, move || Room::for_objects(objects, traced), || {}, || Ok(()))?;
    // Nothing is made between the last collection and the walk, so that it shows no garbage.
    for _ in 0..collections {
        ruby.thread_check_ints()?;
        ruby.gc_start();
    }
    recorded.generation = ruby.gc_count() as u64;
    let (found, named, pause) = stand_still(ruby, &api, room, ask_for_sites == Some(true))?;
    recorded.compactions = ruby.gc_stat("compact_count").unwrap_or(0) as u64;
    if collections > 0 {
        begin_generation(ruby)?;
    }

    let progress = Arc::new(Progress::default());
    let theirs = Arc::clone(&progress);
    let work = move || {
        if threads.is_none() {
            gvl::give_way();
        }
        build(&found, &named, names, recorded, threads, &theirs)
    };
    let outcome = gvl::wait_for(ruby, work, || progress.cancel(), || Ok(()))?;
    let heap = outcome.map_err(|error| errors::exception(ruby, &error))?;
    Ok((Wrapped::new(heap), pause.as_secs_f64(), sites))
}

/// The VM's functions, where the heap can be walked now.
fn api_for(ruby: &Ruby, objspace: Option<&Path>) -> Result<Api, Error> {
    let api = Api::resolve(objspace).map_err(|missing| {
        let message = format!("this Ruby does not let its heap be walked: it has no {missing}");
        errors::unsupported(ruby, &message)
    })?;
    if !api.stops_ractors() {
        let ractors: RClass = ruby.class_object().const_get("Ractor")?;
        if ractors.funcall::<_, _, usize>("count", ())? > 1 {
            let message = "other Ractors are running, which this Ruby does not stop while its heap is walked";
            return Err(errors::unsupported(ruby, message));
        }
    }
    Ok(api)
}

/// Walks the heap and reads the names of what is in it, while no collection can free any of them.
fn stand_still(
    ruby: &Ruby,
    api: &Api,
    room: Room,
    ask_for_sites: bool,
) -> Result<(Found, Named, Duration), Error> {
    let start = Instant::now();
    let was_disabled = ruby.gc_disable();
    let outcome = walk::run(api, room, ask_for_sites).map(|found| {
        let named = texts::read(api, &found);
        (found, named, start.elapsed())
    });
    if !was_disabled {
        ruby.gc_enable();
    }
    outcome.ok_or_else(|| errors::internal(ruby, "it panicked while it walked the heap"))
}

/// So that what is made from here on is not of the generation of what was walked.
fn begin_generation(ruby: &Ruby) -> Result<(), Error> {
    let options = ruby.hash_new();
    options.aset(ruby.to_symbol("full_mark"), false)?;
    options.aset(ruby.to_symbol("immediate_sweep"), false)?;
    let collector: RModule = ruby.class_object().const_get("GC")?;
    collector
        .funcall::<_, _, Value>("start", (KwArgs(options),))
        .map(|_| ())
}

fn build(
    found: &Found,
    named: &Named,
    names: Vec<NameRow>,
    recorded: Recorded,
    threads: Option<usize>,
    progress: &Progress,
) -> leak_hunter_core::Result<Heap> {
    let mut builder = HeapBuilder::new(found.columns.rows.iter().map(|row| row.address))?;
    builder.recorded(recorded);
    for (category, objects) in named.roots(found) {
        builder.root(category, objects);
    }
    for (kind, owner, name, value) in names {
        builder.name(owner, value, Name { kind, name });
    }
    let [kinds, sites, classes] = named.fields(found);
    let shared = Shared {
        kinds: &kinds,
        sites: &sites,
        classes: &classes,
    };
    builder.build_columns(&found.columns, &shared, threads, progress)
}

fn fetch<T: TryConvert>(ruby: &Ruby, facts: RHash, name: &str) -> Result<T, Error> {
    facts.lookup(ruby.to_symbol(name))
}

fn read_facts(ruby: &Ruby, facts: RHash) -> Result<Recorded, Error> {
    Ok(Recorded {
        id: fetch(ruby, facts, "id")?,
        boot: fetch(ruby, facts, "boot")?,
        pid: fetch(ruby, facts, "pid")?,
        host: fetch(ruby, facts, "host")?,
        sequence: fetch(ruby, facts, "sequence")?,
        taken_at: fetch(ruby, facts, "taken_at")?,
        ruby: fetch(ruby, facts, "ruby")?,
        platform: fetch(ruby, facts, "platform")?,
        generation: 0,
        compactions: 0,
        tracing_since: fetch(ruby, facts, "tracing_since")?,
        snapshot: fetch(ruby, facts, "snapshot")?,
    })
}
