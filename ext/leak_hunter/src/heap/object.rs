//! One object of a heap, by its number.

use leak_hunter_core::graph::{Analyses, EdgeKind, references};
use leak_hunter_core::holders::PathStep;
use leak_hunter_core::ids::{Address, Generation, NodeId, ObjectId};
use magnus::{Error, Module, RArray, RClass, RHash, Ruby, method};

use super::NativeHeap;
use crate::convert::array;
use crate::holders::{site_to_hash, step_to_hash};

impl NativeHeap {
    /// Numbers come from us, but Ruby has ways to call anything with anything.
    pub(super) fn check(&self, ruby: &Ruby, number: u32) -> Result<ObjectId, Error> {
        if number < self.heap().len() {
            return Ok(ObjectId::new(number));
        }
        let message = format!("there is no object {number} in this heap");
        Err(Error::new(ruby.exception_index_error(), message))
    }

    fn find(&self, address: u64) -> Option<u32> {
        self.heap().find(Address::new(address)).map(ObjectId::get)
    }

    fn address(ruby: &Ruby, this: &Self, number: u32) -> Result<u64, Error> {
        Ok(this.heap().address(this.check(ruby, number)?).get())
    }

    fn type_name(ruby: &Ruby, this: &Self, number: u32) -> Result<String, Error> {
        Ok(this.heap().type_name(this.check(ruby, number)?).into())
    }

    fn class_name(ruby: &Ruby, this: &Self, number: u32) -> Result<Option<String>, Error> {
        Ok(this.heap().class_name(this.check(ruby, number)?))
    }

    fn class_of(ruby: &Ruby, this: &Self, number: u32) -> Result<Option<u32>, Error> {
        let class = this.heap().class_of(this.check(ruby, number)?);
        Ok(class.map(ObjectId::get))
    }

    fn memsize_of(ruby: &Ruby, this: &Self, number: u32) -> Result<u64, Error> {
        Ok(this.heap().memsize(this.check(ruby, number)?))
    }

    fn length_of(ruby: &Ruby, this: &Self, number: u32) -> Result<Option<u32>, Error> {
        Ok(this.heap().length(this.check(ruby, number)?))
    }

    fn generation_of(ruby: &Ruby, this: &Self, number: u32) -> Result<Option<u64>, Error> {
        let generation = this.heap().generation(this.check(ruby, number)?);
        Ok(generation.map(Generation::get))
    }

    fn site_of(ruby: &Ruby, this: &Self, number: u32) -> Result<Option<RHash>, Error> {
        let site = this.heap().site(this.check(ruby, number)?);
        site.filter(|site| site.file.is_some() || site.method.is_some())
            .map(|site| Ok(site_to_hash(ruby, Some(site))?.hash))
            .transpose()
    }

    fn references_of(ruby: &Ruby, this: &Self, number: u32) -> Result<RArray, Error> {
        let references = this.heap().references(this.check(ruby, number)?);
        Ok(ruby.ary_from_iter(references.map(ObjectId::get)))
    }

    fn referrers_of(ruby: &Ruby, this: &Self, number: u32) -> Result<RArray, Error> {
        let number = this.check(ruby, number)?;
        let referrers = this.analyse(ruby, Analyses::referrers)?;
        Ok(ruby.ary_from_iter(referrers.of(number).iter().map(|object| object.get())))
    }

    fn dominator_of(ruby: &Ruby, this: &Self, number: u32) -> Result<Option<u32>, Error> {
        let number = this.check(ruby, number)?;
        let dominators = this.analyse(ruby, Analyses::dominators)?;
        let dominator = dominators.of(number).map(NodeId::get);
        Ok(dominator.filter(|node| *node < this.heap().len()))
    }

    fn dominated_by(ruby: &Ruby, this: &Self, number: u32) -> Result<RArray, Error> {
        let number = this.check(ruby, number)?;
        let dominated = this.analyse(ruby, Analyses::dominated)?;
        Ok(ruby.ary_from_iter(dominated.by(number.into()).iter().map(|node| node.get())))
    }

    fn path_to(ruby: &Ruby, this: &Self, number: u32) -> Result<RArray, Error> {
        let number = this.check(ruby, number)?;
        let steps = this.analyse(ruby, move |analyses, progress| {
            let graph = analyses.graph(progress)?;
            let steps = analyses.path_to(number, progress)?;
            Ok(steps
                .iter()
                .map(|step| PathStep::of(&graph, step))
                .collect::<Vec<_>>())
        })?;
        array(ruby, &steps, step_to_hash)
    }

    /// What an object refers to: the kind of each reference, its name, and the number of the object.
    fn named_references_of(ruby: &Ruby, this: &Self, number: u32) -> Result<RArray, Error> {
        let number = this.check(ruby, number)?;
        let steps = this.analyse(ruby, move |analyses, progress| {
            references(&*analyses.graph(progress)?, number, progress)
        })?;
        array(ruby, &steps, |ruby, step| {
            named(ruby, step.edge.kind, step.edge.name.as_deref(), step.node.get())
        })
    }

    /// Global variables, and locals of threads and fibers, as above.
    fn names_without_owner(ruby: &Ruby, this: &Self) -> Result<RArray, Error> {
        let heap = this.heap();
        let rows = ruby.ary_new();
        for (value, name) in heap.names().without_owner() {
            if let Some(object) = heap.find(value) {
                rows.push(named(ruby, name.kind, Some(&name.name), object.get())?)?;
            }
        }
        Ok(rows)
    }

    fn retained_size_of(ruby: &Ruby, this: &Self, number: u32) -> Result<u64, Error> {
        let number = this.check(ruby, number)?;
        Ok(this.analyse(ruby, Analyses::dominators)?.retained(number))
    }
}

fn named(ruby: &Ruby, kind: EdgeKind, name: Option<&str>, number: u32) -> Result<RArray, Error> {
    let row = ruby.ary_new_capa(3);
    row.push(kind.name())?;
    row.push(name)?;
    row.push(number)?;
    Ok(row)
}

pub(super) fn init(class: RClass) -> Result<(), Error> {
    class.define_method("find", method!(NativeHeap::find, 1))?;
    class.define_method("address_of", method!(NativeHeap::address, 1))?;
    class.define_method("type_of", method!(NativeHeap::type_name, 1))?;
    class.define_method("class_name_of", method!(NativeHeap::class_name, 1))?;
    class.define_method("class_of", method!(NativeHeap::class_of, 1))?;
    class.define_method("memsize_of", method!(NativeHeap::memsize_of, 1))?;
    class.define_method("length_of", method!(NativeHeap::length_of, 1))?;
    class.define_method("generation_of", method!(NativeHeap::generation_of, 1))?;
    class.define_method("site_of", method!(NativeHeap::site_of, 1))?;
    class.define_method("references_of", method!(NativeHeap::references_of, 1))?;
    class.define_method("referrers_of", method!(NativeHeap::referrers_of, 1))?;
    class.define_method("dominator_of", method!(NativeHeap::dominator_of, 1))?;
    class.define_method("dominated_by", method!(NativeHeap::dominated_by, 1))?;
    class.define_method("path_to", method!(NativeHeap::path_to, 1))?;
    class.define_method("named_references_of", method!(NativeHeap::named_references_of, 1))?;
    class.define_method("names_without_owner", method!(NativeHeap::names_without_owner, 0))?;
    class.define_method("retained_size_of", method!(NativeHeap::retained_size_of, 1))
}
