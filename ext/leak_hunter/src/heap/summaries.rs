//! Rows about many objects.

use leak_hunter_core::gem;
use leak_hunter_core::heap::Tally;
use magnus::{Error, Module, RArray, RClass, RHash, Ruby, method};

use super::Wrapped;
use crate::convert::Hash;

impl<'a> Hash<'a> {
    fn tally(self, tally: Tally) -> Result<Self, Error> {
        self.set("count", tally.count)?.set("memsize", tally.memsize)
    }
}

impl Wrapped {
    fn by_class(ruby: &Ruby, this: &Self) -> Result<RArray, Error> {
        let rows = this.apart(ruby, |whole| whole.heap.by_class())?;
        let array = ruby.ary_new_capa(rows.len());
        for (class, tally) in rows {
            array.push(Hash::new(ruby).set("class", class)?.tally(tally)?.hash)?;
        }
        Ok(array)
    }

    fn by_gem(ruby: &Ruby, this: &Self) -> Result<RArray, Error> {
        let rows = this.apart(ruby, |whole| whole.heap.by_gem())?;
        let array = ruby.ary_new_capa(rows.len());
        for (gem, tally) in rows {
            array.push(Hash::new(ruby).set("gem", gem)?.tally(tally)?.hash)?;
        }
        Ok(array)
    }

    fn by_site(ruby: &Ruby, this: &Self, limit: usize) -> Result<RArray, Error> {
        let mut rows = this.apart(ruby, |whole| whole.heap.by_site())?;
        rows.truncate(limit);
        let array = ruby.ary_new_capa(rows.len());
        for (site, tally) in rows {
            let (file, line, method) = match site {
                Some(site) => (Some(site.file), site.line, site.method),
                None => (None, None, None),
            };
            let gem = file.as_deref().and_then(gem::of_path);
            let row = Hash::new(ruby)
                .set("file", file)?
                .set("line", line)?
                .set("method", method)?
                .set("gem", gem)?
                .tally(tally)?;
            array.push(row.hash)?;
        }
        Ok(array)
    }

    /// Bytes by name of the class.
    fn retained_by_class(ruby: &Ruby, this: &Self) -> Result<RHash, Error> {
        let reach = this.reach(ruby)?;
        let dominators = this.dominators(ruby)?;
        let dominated = this.dominated(ruby)?;
        let rows = this.apart(ruby, move |whole| {
            let top = whole.graph(&reach).top();
            whole.heap.retained_by_class(&dominators, &dominated, top)
        })?;
        let hash = ruby.hash_new();
        for (class, bytes) in rows {
            hash.aset(class, bytes)?;
        }
        Ok(hash)
    }

    fn largest_retainers(ruby: &Ruby, this: &Self, limit: usize) -> Result<RArray, Error> {
        let dominators = this.dominators(ruby)?;
        let objects = this.apart(ruby, move |whole| {
            whole.heap.largest_retainers(&dominators, limit)
        })?;
        Ok(ruby.ary_from_iter(objects))
    }

    fn instances_of(ruby: &Ruby, this: &Self, name: String, from: u32, limit: usize) -> RArray {
        ruby.ary_from_iter(this.heap().instances_of(&name, from, limit))
    }

    /// Numbers by category.
    fn roots(ruby: &Ruby, this: &Self) -> Result<RHash, Error> {
        let hash = ruby.hash_new();
        for root in this.heap().roots() {
            let objects = ruby.ary_from_iter(root.objects().iter().copied());
            hash.aset(root.category.as_str(), objects)?;
        }
        Ok(hash)
    }
}

pub(super) fn init(class: RClass) -> Result<(), Error> {
    class.define_method("by_class", method!(Wrapped::by_class, 0))?;
    class.define_method("by_gem", method!(Wrapped::by_gem, 0))?;
    class.define_method("by_site", method!(Wrapped::by_site, 1))?;
    class.define_method("retained_by_class", method!(Wrapped::retained_by_class, 0))?;
    class.define_method("largest_retainers", method!(Wrapped::largest_retainers, 1))?;
    class.define_method("instances_of", method!(Wrapped::instances_of, 3))?;
    class.define_method("roots", method!(Wrapped::roots, 0))
}
