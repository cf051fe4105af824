//! `LeakHunter::Native::Heap`: the tables of a heap as a Ruby object. `LeakHunter::Heap` is its face. Objects are passed
//! as their numbers; nothing of Ruby is in here, so the collector has nothing to mark.

mod analyses;
mod export;
mod lazy;
mod object;
mod path;
mod summaries;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leak_hunter_core::Heap;
use magnus::{
    Class, DataTypeFunctions, Error, Module, Object, RHash, RModule, RString, Ruby, TypedData, Value,
    function, method,
};

use self::analyses::Analyses;
use crate::convert::path_of;
use crate::gvl;
use crate::recorded::recorded_to_hash;
use crate::run::run;

/// A heap and what was found out about it.
pub(crate) struct Whole {
    pub(crate) heap: Arc<Heap>,
    analyses: Analyses,
}

/// A [`Whole`] that the collector knows the size of.
#[derive(TypedData)]
#[magnus(class = "LeakHunter::Native::Heap", free_immediately, size, frozen_shareable)]
pub(crate) struct Wrapped {
    whole: Arc<Whole>,
    /// Bytes the collector was told of.
    reported: AtomicUsize,
}

/// Ractors share it once it is frozen, and worker threads have its `Arc`.
const _: () = {
    const fn is_shareable<T: Send + Sync + 'static>() {}
    is_shareable::<Wrapped>();
    is_shareable::<Whole>();
};

impl DataTypeFunctions for Wrapped {
    fn size(&self) -> usize {
        size_of::<Self>() + self.reported.load(Ordering::Relaxed)
    }
}

impl Drop for Wrapped {
    fn drop(&mut self) {
        tell_collector(-(*self.reported.get_mut() as isize));
    }
}

#[allow(unsafe_code)]
fn tell_collector(bytes: isize) {
    // SAFETY: called with the GVL, from a method or, in `drop`, from the collector; it adds to a counter and starts no
    // collection.
    unsafe { rb_sys::rb_gc_adjust_memory_usage(bytes as _) };
}

impl Wrapped {
    pub(crate) fn new(heap: Heap) -> Self {
        let wrapped = Self {
            whole: Arc::new(Whole {
                heap: Arc::new(heap),
                analyses: Analyses::default(),
            }),
            reported: AtomicUsize::new(0),
        };
        wrapped.report();
        wrapped
    }

    /// Tells the collector by how much this has grown.
    fn report(&self) {
        let memory = self.whole.heap.memory() + self.whole.analyses.memory();
        let before = self.reported.swap(memory, Ordering::Relaxed);
        tell_collector(memory as isize - before as isize);
    }

    pub(crate) fn heap(&self) -> &Arc<Heap> {
        &self.whole.heap
    }

    /// Runs `work` without the GVL.
    fn apart<T: Send + 'static>(
        &self,
        ruby: &Ruby,
        work: impl FnOnce(&Whole) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let whole = Arc::clone(&self.whole);
        gvl::wait_for(ruby, move || work(&whole), || {}, || Ok(()))
    }

    fn memsize(ruby: &Ruby, this: &Self) -> Result<u64, Error> {
        this.apart(ruby, |whole| whole.heap.total_memsize())
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
    class.define_method("size", method!(|this: &Wrapped| this.heap().len(), 0))?;
    class.define_method(
        "edges",
        method!(|this: &Wrapped| this.heap().reference_count(), 0),
    )?;
    class.define_method("memsize", method!(Wrapped::memsize, 0))?;
    class.define_method("dangling", method!(|this: &Wrapped| this.heap().dangling(), 0))?;
    class.define_method("recorded", method!(Wrapped::recorded, 0))?;
    export::init(native, class)?;
    object::init(class)?;
    path::init(class)?;
    summaries::init(class)?;
    analyses::init(class)
}

fn load(
    ruby: &Ruby,
    path: RString,
    threads: Option<usize>,
    redact: bool,
    callable: Option<Value>,
) -> Result<Wrapped, Error> {
    let path = path_of(path);
    let load = move |progress: &_| {
        let mut heap = Heap::load(&path, threads, progress)?;
        if redact {
            heap.redact_names();
        }
        Ok(heap)
    };
    Ok(Wrapped::new(run(ruby, callable, threads.is_none(), load)?))
}
