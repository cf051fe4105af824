//! Rows about many objects.

use leak_hunter_core::Heap;
use leak_hunter_core::graph::Analyses;
use leak_hunter_core::heap::{AllocationSite, Site, Sum, Tally};
use leak_hunter_core::ids::ObjectId;
use magnus::{Error, Module, RArray, RClass, RHash, Ruby, method};

use super::NativeHeap;
use crate::convert::Hash;
use crate::holders::site_to_hash;

impl<'a> Hash<'a> {
    pub(crate) fn tally(self, tally: Tally) -> Result<Self, Error> {
        self.set("count", tally.count)?.set("memsize", tally.memsize)
    }
}

/// Rows of `count` and `memsize`, each with a name under `key`.
pub(crate) fn named_rows(ruby: &Ruby, key: &str, rows: Vec<Sum<Option<String>>>) -> Result<RArray, Error> {
    let array = ruby.ary_new_capa(rows.len());
    for Sum { of: name, tally } in rows {
        array.push(Hash::new(ruby).set(key, name)?.tally(tally)?.hash)?;
    }
    Ok(array)
}

/// The first `limit` rows by allocation site, with texts of their own.
pub(crate) fn own_sites(rows: Vec<Sum<Option<Site<'_>>>>, limit: usize) -> Vec<Sum<Option<AllocationSite>>> {
    let own = |row: Sum<Option<Site<'_>>>| Sum {
        of: row.of.map(AllocationSite::from),
        tally: row.tally,
    };
    rows.into_iter().take(limit).map(own).collect()
}

/// Rows of `count` and `memsize`, each with its allocation site.
pub(crate) fn site_rows(ruby: &Ruby, rows: &[Sum<Option<AllocationSite>>]) -> Result<RArray, Error> {
    let array = ruby.ary_new_capa(rows.len());
    for row in rows {
        let site = row.of.as_ref().map(AllocationSite::borrowed);
        array.push(site_to_hash(ruby, site)?.tally(row.tally)?.hash)?;
    }
    Ok(array)
}

impl NativeHeap {
    fn by_class(ruby: &Ruby, this: &Self) -> Result<RArray, Error> {
        named_rows(ruby, "class", this.without_gvl(ruby, Heap::by_class)?)
    }

    fn by_gem(ruby: &Ruby, this: &Self) -> Result<RArray, Error> {
        named_rows(ruby, "gem", this.without_gvl(ruby, Heap::by_gem)?)
    }

    fn by_site(ruby: &Ruby, this: &Self, limit: usize) -> Result<RArray, Error> {
        let rows = this.without_gvl(ruby, move |heap| own_sites(heap.by_site(), limit))?;
        site_rows(ruby, &rows)
    }

    /// Bytes by name of the class.
    fn retained_by_class(ruby: &Ruby, this: &Self) -> Result<RHash, Error> {
        let rows = this.analyse(ruby, Analyses::retained_by_class)?;
        let hash = ruby.hash_new();
        for (class, bytes) in rows {
            hash.aset(class, bytes)?;
        }
        Ok(hash)
    }

    fn largest_retainers(ruby: &Ruby, this: &Self, limit: usize) -> Result<RArray, Error> {
        let objects = this.analyse(ruby, move |analyses, progress| {
            analyses.largest_retainers(limit, progress)
        })?;
        Ok(ruby.ary_from_iter(objects.into_iter().map(ObjectId::get)))
    }

    fn instances_of(ruby: &Ruby, this: &Self, name: String, from: u32, limit: usize) -> RArray {
        let objects = this.heap().instances_of(&name, ObjectId::new(from), limit);
        ruby.ary_from_iter(objects.into_iter().map(ObjectId::get))
    }

    fn modules_named(ruby: &Ruby, this: &Self, name: String) -> Result<RArray, Error> {
        let modules = this.without_gvl(ruby, move |heap| heap.modules_named(&name))?;
        Ok(ruby.ary_from_iter(modules.into_iter().map(ObjectId::get)))
    }

    /// Numbers by category.
    fn roots(ruby: &Ruby, this: &Self) -> Result<RHash, Error> {
        let hash = ruby.hash_new();
        for root in this.heap().roots() {
            let objects = ruby.ary_from_iter(root.objects().iter().map(|object| object.get()));
            hash.aset(root.category.as_str(), objects)?;
        }
        Ok(hash)
    }
}

pub(super) fn init(class: RClass) -> Result<(), Error> {
    class.define_method("by_class", method!(NativeHeap::by_class, 0))?;
    class.define_method("by_gem", method!(NativeHeap::by_gem, 0))?;
    class.define_method("by_site", method!(NativeHeap::by_site, 1))?;
    class.define_method("retained_by_class", method!(NativeHeap::retained_by_class, 0))?;
    class.define_method("largest_retainers", method!(NativeHeap::largest_retainers, 1))?;
    class.define_method("instances_of", method!(NativeHeap::instances_of, 3))?;
    class.define_method("modules_named", method!(NativeHeap::modules_named, 1))?;
    class.define_method("roots", method!(NativeHeap::roots, 0))
}
