//! `LeakHunter::Native::Mark`: what a mark has counted, as a Ruby object, behind `LeakHunter::Mark`. Nothing of Ruby is in
//! here, so the collector has nothing to mark.

use std::sync::Arc;
use std::time::Duration;

use leak_hunter_core::diff::{Mark, MarkedHeap};
use leak_hunter_core::heap::{Sum, Tally};
use magnus::{Class, DataTypeFunctions, Error, Module, RArray, RHash, RModule, Ruby, TypedData, method};

use crate::gvl;
use crate::heap::summaries::{named_rows, own_sites, site_rows};
use crate::heap::tell_collector;
use crate::holders::site_to_hash;
use crate::recorded::recorded_to_hash;

/// A mark of which the collector knows the size.
#[derive(TypedData)]
#[magnus(class = "LeakHunter::Native::Mark", free_immediately, size, frozen_shareable)]
pub(crate) struct NativeMark {
    mark: Arc<Mark>,
    /// Bytes that were reported to the collector.
    reported: usize,
    /// For so long the process stood still while it was counted.
    pause: Duration,
    /// For so long garbage was collected before and after.
    collecting: Duration,
}

/// Ractors share it once it is frozen.
const _: () = {
    const fn is_shareable<T: Send + Sync + 'static>() {}
    is_shareable::<NativeMark>();
};

impl DataTypeFunctions for NativeMark {
    fn size(&self) -> usize {
        size_of::<Self>() + self.reported
    }
}

impl Drop for NativeMark {
    fn drop(&mut self) {
        tell_collector(-(self.reported as isize));
    }
}

impl NativeMark {
    #[cfg(unix)]
    pub(crate) fn new(mark: Mark, pause: Duration, collecting: Duration) -> Self {
        let reported = mark.heap.as_ref().map_or(0, |heap| heap.memory());
        tell_collector(reported as isize);
        Self {
            mark: Arc::new(mark),
            reported,
            pause,
            collecting,
        }
    }

    pub(crate) fn mark(&self) -> &Arc<Mark> {
        &self.mark
    }

    /// Runs `work` without the GVL.
    fn without_gvl<T: Send + 'static>(
        &self,
        ruby: &Ruby,
        work: impl FnOnce(&MarkedHeap) -> Vec<T> + Send + 'static,
    ) -> Result<Vec<T>, Error> {
        let mark = Arc::clone(&self.mark);
        let work = move || mark.heap.as_ref().map_or_else(Vec::new, work);
        gvl::wait_for(ruby, work, None, || {}, || Ok(()))
    }

    fn tally(&self) -> Tally {
        self.mark
            .heap
            .as_ref()
            .map_or_else(Tally::default, |heap| heap.tally())
    }

    fn recorded(ruby: &Ruby, this: &Self) -> Result<RHash, Error> {
        recorded_to_hash(ruby, &this.mark.recorded)
    }

    fn by_class(ruby: &Ruby, this: &Self) -> Result<RArray, Error> {
        let rows = this.without_gvl(ruby, |heap| {
            let own = |row: Sum<Option<&str>>| Sum {
                of: row.of.map(String::from),
                tally: row.tally,
            };
            heap.by_class().into_iter().map(own).collect()
        })?;
        named_rows(ruby, "class", rows)
    }

    fn by_site(ruby: &Ruby, this: &Self, limit: usize) -> Result<RArray, Error> {
        let rows = this.without_gvl(ruby, move |heap| own_sites(heap.by_site(), limit))?;
        site_rows(ruby, &rows)
    }

    fn by_class_and_site(ruby: &Ruby, this: &Self, limit: usize) -> Result<RArray, Error> {
        let array = ruby.ary_new();
        let rows = this.mark.heap.iter();
        for Sum { of: group, tally } in rows.flat_map(|heap| heap.by_class_and_site(limit)) {
            let row = site_to_hash(ruby, group.site)?.set("class", group.class)?;
            array.push(row.tally(tally)?.hash)?;
        }
        Ok(array)
    }
}

pub(crate) fn init(ruby: &Ruby, native: RModule) -> Result<(), Error> {
    let class = native.define_class("Mark", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_method("size", method!(|this: &NativeMark| this.tally().count, 0))?;
    class.define_method("memsize", method!(|this: &NativeMark| this.tally().memsize, 0))?;
    class.define_method("pause", method!(|this: &NativeMark| this.pause.as_secs_f64(), 0))?;
    class.define_method(
        "collecting",
        method!(|this: &NativeMark| this.collecting.as_secs_f64(), 0),
    )?;
    class.define_method("recorded", method!(NativeMark::recorded, 0))?;
    class.define_method("by_class", method!(NativeMark::by_class, 0))?;
    class.define_method("by_site", method!(NativeMark::by_site, 1))?;
    class.define_method("by_class_and_site", method!(NativeMark::by_class_and_site, 1))
}
