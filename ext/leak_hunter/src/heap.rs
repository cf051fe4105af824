//! `LeakHunter::Native::Heap`: the tables of a heap as a Ruby object, behind `LeakHunter::Heap`. Objects are passed as
//! their numbers; nothing of Ruby is in here, so the collector has nothing to mark.

mod export;
mod gem_uses;
mod object;
pub(crate) mod summaries;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leak_hunter_core::graph::Analyses;
use leak_hunter_core::{Heap, Progress};
use magnus::{
    Class, DataTypeFunctions, Error, Module, Object, RHash, RModule, RString, Ruby, TypedData, Value,
    function, method,
};

use crate::convert::path_of;
use crate::gvl;
use crate::recorded::recorded_to_hash;
use crate::run::run;

/// A heap with its analyses, whose size the collector knows.
#[derive(TypedData)]
#[magnus(class = "LeakHunter::Native::Heap", free_immediately, size, frozen_shareable)]
pub(crate) struct NativeHeap {
    analyses: Arc<Analyses>,
    /// Bytes that were reported to the collector.
    reported: AtomicUsize,
}

/// Ractors share it once it is frozen, and worker threads have its analyses.
const _: () = {
    const fn is_shareable<T: Send + Sync + 'static>() {}
    is_shareable::<NativeHeap>();
};

impl DataTypeFunctions for NativeHeap {
    fn size(&self) -> usize {
        size_of::<Self>() + self.reported.load(Ordering::Relaxed)
    }
}

impl Drop for NativeHeap {
    fn drop(&mut self) {
        tell_collector(-(*self.reported.get_mut() as isize));
    }
}

/// Tells the collector by how many bytes, which are not Ruby's, the process has grown.
#[allow(unsafe_code)]
pub(crate) fn tell_collector(bytes: isize) {
    // SAFETY: called with the GVL, from a method or, in `drop`, from the collector; it adds to a counter and starts no
    // collection.
    unsafe { rb_sys::rb_gc_adjust_memory_usage(bytes as _) };
}

impl NativeHeap {
    pub(crate) fn new(heap: Heap) -> Self {
        let native = Self {
            analyses: Arc::new(Analyses::new(Arc::new(heap))),
            reported: AtomicUsize::new(0),
        };
        native.report();
        native
    }

    /// Tells the collector by how much this has grown.
    fn report(&self) {
        let memory = self.analyses.memory();
        let before = self.reported.swap(memory, Ordering::Relaxed);
        tell_collector(memory as isize - before as isize);
    }

    pub(crate) fn heap(&self) -> &Arc<Heap> {
        self.analyses.heap()
    }

    /// Runs `work` without the GVL; it can be cancelled. What it computes of the heap is kept.
    fn analyse<T: Send + 'static>(
        &self,
        ruby: &Ruby,
        work: impl FnOnce(&Analyses, &Progress) -> leak_hunter_core::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let analyses = Arc::clone(&self.analyses);
        let value = run(ruby, None, false, move |progress| work(&analyses, progress))?;
        self.report();
        Ok(value)
    }

    /// Runs `work` without the GVL.
    fn without_gvl<T: Send + 'static>(
        &self,
        ruby: &Ruby,
        work: impl FnOnce(&Heap) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let heap = Arc::clone(self.heap());
        gvl::wait_for(ruby, move || work(&heap), None, || {}, || Ok(()))
    }

    fn memsize(ruby: &Ruby, this: &Self) -> Result<u64, Error> {
        this.without_gvl(ruby, Heap::total_memsize)
    }

    fn unreachable(ruby: &Ruby, this: &Self) -> Result<u64, Error> {
        this.analyse(ruby, |analyses, progress| {
            Ok(analyses.graph(progress)?.unreachable())
        })
    }

    fn recorded(ruby: &Ruby, this: &Self) -> Result<Option<RHash>, Error> {
        let recorded = this.heap().recorded();
        recorded
            .map(|recorded| recorded_to_hash(ruby, recorded))
            .transpose()
    }
}

pub(crate) fn init(ruby: &Ruby, native: RModule) -> Result<(), Error> {
    native.define_singleton_method("load_heap", function!(load, 4))?;
    let class = native.define_class("Heap", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_method("size", method!(|this: &NativeHeap| this.heap().len(), 0))?;
    class.define_method(
        "edges",
        method!(|this: &NativeHeap| this.heap().reference_count(), 0),
    )?;
    class.define_method("memsize", method!(NativeHeap::memsize, 0))?;
    class.define_method("dangling", method!(|this: &NativeHeap| this.heap().dangling(), 0))?;
    class.define_method("unreachable", method!(NativeHeap::unreachable, 0))?;
    class.define_method("recorded", method!(NativeHeap::recorded, 0))?;
    export::init(native, class)?;
    gem_uses::init(class)?;
    object::init(class)?;
    summaries::init(class)
}

fn load(
    ruby: &Ruby,
    path: RString,
    threads: Option<usize>,
    redact: bool,
    callable: Option<Value>,
) -> Result<NativeHeap, Error> {
    let path = path_of(path);
    let load = move |progress: &_| {
        let mut heap = Heap::load(&path, threads, progress)?;
        if redact {
            heap.redact_names();
        }
        Ok(heap)
    };
    Ok(NativeHeap::new(run(ruby, callable, threads.is_none(), load)?))
}
