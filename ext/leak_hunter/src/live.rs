//! `LeakHunter::Native.live`: the heap of this process, read in place. The process is paused while the objects are
//! walked; the tables are built afterwards, without the GVL.

// VALUE and C's long have 64 bits here, but not everywhere.
#![allow(clippy::unnecessary_cast)]

mod api;
mod code;
mod count;
mod file;
mod find;
mod flags;
mod interned;
#[cfg(not(ruby_gte_3_2))]
mod iseq_3_1;
mod iseqs;
mod labels;
mod mapped;
mod notes;
#[cfg(not(ruby_gte_3_2))]
mod pages;
mod rows;
mod sink;
mod sites;
mod sizes;
mod slot;
mod texts;
mod walk;

use std::path::Path;
use std::time::{Duration, Instant};

use leak_hunter_core::dump::{DumpHeader, Memory, StackLine};
use leak_hunter_core::heap::{Dictionary, HeapBuilder};
use leak_hunter_core::ids::Generation;
use leak_hunter_core::{Heap, Progress};
use magnus::value::ReprValue;
use magnus::{Error, KwArgs, Module, Object, RClass, RHash, RModule, RString, Ruby, Value, function};

use self::api::Api;
use self::notes::Tracer;
use self::texts::{Described, ImemoNames};
use self::walk::{Buffers, Found, How, Purpose};
use crate::collect::collect;
use crate::convert::{bytes_of, fetch, path_of};
use crate::fork::Process;
use crate::heap::NativeHeap;
use crate::recorded::recorded_of;
use crate::run::run;
use crate::system::{self, ResidentSet};
use crate::trace::KnownStacks;
use crate::{errors, gvl};

pub(crate) fn init(native: RModule) -> Result<(), Error> {
    native.define_singleton_method("live", function!(live, 2))?;
    native.define_singleton_method("check_walk", function!(check, 0))?;
    count::init(native)?;
    find::init(native)?;
    file::init(native)
}

/// The heap, the seconds for which the process was paused, and whether allocation sites could be read.
/// `names` are lines as in a dump.
fn live(ruby: &Ruby, names: RString, facts: RHash) -> Result<(NativeHeap, f64, bool), Error> {
    let names = bytes_of(names);
    let threads: Option<usize> = fetch(ruby, facts, "threads")?;
    let Moment {
        walk,
        recorded,
        sites,
        ..
    } = moment(ruby, facts, Purpose::Heap)?;
    let Walk {
        found,
        imemos,
        stacks,
        pause,
    } = walk;
    let stacks = stacks.lines();
    let heap = run(ruby, None, threads.is_none(), move |progress| {
        build(found, imemos, &names, stacks, recorded, threads, progress)
    })?;
    Ok((NativeHeap::new(heap), pause.as_secs_f64(), sites))
}

/// The heap of a moment that begins with a collection.
struct Moment {
    walk: Walk,
    recorded: DumpHeader,
    /// Whether allocation sites could be read.
    sites: bool,
    /// So long garbage was collected, before and after the walk.
    collecting: Duration,
}

/// Collects garbage, walks the heap, and begins a new generation: all with the GVL.
fn moment(ruby: &Ruby, facts: RHash, purpose: Purpose) -> Result<Moment, Error> {
    let process = Process::current();
    let mut recorded = recorded_of(ruby, facts)?;
    let collections: usize = fetch(ruby, facts, "collections")?;
    let objspace: Option<RString> = fetch(ruby, facts, "objspace")?;
    let how = How::of(ruby, facts)?;
    let page_size: Option<u64> = fetch(ruby, facts, "heap_page_size")?;
    let api = api_for(ruby, objspace.map(path_of).as_deref())?;
    let sites = api.has_sites();
    let tracer = Tracer::of(sites && recorded.tracing_since.is_some());
    let objects = ruby.gc_stat("heap_live_slots")?;
    // before this walk takes memory itself
    let resident = system::resident_set();
    let allocate = move || Buffers::for_objects(objects, tracer, purpose);
    let buffers = gvl::wait_for(ruby, allocate, None, || {}, || Ok(()))?;
    // No object is made between the last collection and the walk, so the heap has no garbage.
    let start = Instant::now();
    let alone = collections > 1 && !beside_ractors(ruby)?;
    for left in (0..collections).rev() {
        // here finalizers run
        ruby.thread_check_ints()?;
        if collect(ruby, alone && left > 0) == Some(true) {
            break;
        }
    }
    let mut collecting = start.elapsed();
    // by a signal handler: what was read of the process is its parent's
    if process.is_gone() {
        return Err(errors::forked(ruby));
    }
    recorded.generation = Generation::new(ruby.gc_count() as u64);
    recorded.memory = Some(Box::new(memory(ruby, resident, page_size)));
    let walk = paused(ruby, &api, buffers, how)?;
    recorded.unmeasured.clone_from(&walk.found.unmeasured);
    recorded.compactions = ruby.gc_stat("compact_count").unwrap_or(0) as u64;
    if collections > 0 {
        let start = Instant::now();
        begin_generation(ruby)?;
        collecting += start.elapsed();
    }
    Ok(Moment {
        walk,
        recorded,
        sites,
        collecting,
    })
}

impl How {
    fn of(ruby: &Ruby, facts: RHash) -> Result<Self, Error> {
        Ok(Self {
            ask_for_sites: fetch::<Option<bool>>(ruby, facts, "ask_for_sites")? == Some(true),
            // what a compiler has made of code is not read in place
            code_in_place: fetch::<Option<bool>>(ruby, facts, "jit")? == Some(false),
        })
    }
}

/// What the process takes right now. No object is made, not even for a key: it would be garbage in the heap.
fn memory(ruby: &Ruby, resident: Option<ResidentSet>, page_size: Option<u64>) -> Memory {
    let stat = |key| ruby.gc_stat(ruby.sym_new(key)).ok().map(|number| number as u64);
    Memory {
        rss: resident.map(|it| it.rss),
        shared: resident.map(|it| it.shared),
        heap_bytes: page_size
            .zip(stat("heap_allocated_pages"))
            .map(|(size, pages)| pages.saturating_mul(size)),
        live_slots: stat("heap_live_slots"),
        free_slots: stat("heap_free_slots"),
        malloc_increase: stat("malloc_increase_bytes"),
        oldmalloc_increase: stat("oldmalloc_increase_bytes"),
    }
}

/// The VM's functions, if the heap can be walked now.
fn api_for(ruby: &Ruby, objspace: Option<&Path>) -> Result<Api, Error> {
    let api = Api::resolve(objspace).map_err(|missing| {
        let message = format!("this Ruby does not let its heap be walked: it has no {missing}");
        errors::unsupported(ruby, &message)
    })?;
    if !api.stops_ractors() && beside_ractors(ruby)? {
        let message = "other Ractors are running, which this Ruby does not stop while its heap is walked";
        return Err(errors::unsupported(ruby, message));
    }
    Ok(api)
}

/// Raises where the heap cannot be walked now.
fn check(ruby: &Ruby) -> Result<(), Error> {
    api_for(ruby, None).map(|_| ())
}

/// Whether other Ractors run beside this one.
fn beside_ractors(ruby: &Ruby) -> Result<bool, Error> {
    let ractors: RClass = ruby.class_object().const_get("Ractor")?;
    Ok(ractors.funcall::<_, _, usize>("count", ())? > 1)
}

/// What a walk has found.
struct Walk {
    found: Found,
    imemos: ImemoNames,
    stacks: KnownStacks,
    /// For so long the process stood still.
    pause: Duration,
}

/// Walks the heap and reads the names of what is in it: all of it while other Ractors are stopped, and with garbage
/// collection off, so that nothing that was found can change or be freed.
fn paused(ruby: &Ruby, api: &Api, buffers: Buffers, how: How) -> Result<Walk, Error> {
    let start = Instant::now();
    let was_disabled = ruby.gc_disable();
    let body = || {
        let mut found = walk::run(api, buffers, how)?;
        let imemos = texts::read(api, &mut found);
        Some((found, imemos, KnownStacks::take()))
    };
    // SAFETY: with the GVL; neither of the two raises or makes an object.
    #[allow(unsafe_code)]
    let outcome = unsafe { api.with_ractors_stopped(body) };
    let pause = start.elapsed();
    if !was_disabled {
        ruby.gc_enable();
    }
    let (found, imemos, stacks) = outcome
        .flatten()
        .ok_or_else(|| errors::internal(ruby, "it panicked while it walked the heap"))?;
    Ok(Walk {
        found,
        imemos,
        stacks,
        pause,
    })
}

/// Begins a new generation, so that what is made from here on is not of that of the walk.
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
    found: Found,
    imemos: ImemoNames,
    names: &[u8],
    stacks: Vec<StackLine>,
    recorded: DumpHeader,
    threads: Option<usize>,
    progress: &Progress,
) -> leak_hunter_core::Result<Heap> {
    let described = Described::new(found, imemos);
    let columns = &described.rows.columns;
    let mut builder = HeapBuilder::new(columns.rows.iter().map(|row| row.address))?;
    builder.recorded(recorded);
    for (root, category) in described.found.roots.iter().zip(described.categories()) {
        builder.root(category, root.objects.clone());
    }
    builder.name_lines(names);
    for stack in stacks {
        builder.stack(stack);
    }
    let [kinds, sites, classes] = described.fields();
    let dictionary = Dictionary {
        kinds: &kinds,
        sites: &sites,
        classes: &classes,
    };
    builder.build_columns(columns, &dictionary, threads, progress)
}
