//! One object of a heap, by its number.

use leak_hunter_core::gem;
use magnus::{Error, Module, RArray, RClass, RHash, Ruby, method};

use super::Wrapped;
use super::analyses::object_of;
use crate::convert::Hash;

impl Wrapped {
    /// Numbers come from us, but Ruby has ways to call anything with anything.
    pub(super) fn check(&self, ruby: &Ruby, number: u32) -> Result<u32, Error> {
        if number < self.heap().len() {
            return Ok(number);
        }
        let message = format!("there is no object {number} in this heap");
        Err(Error::new(ruby.exception_index_error(), message))
    }

    fn find(&self, address: u64) -> Option<u32> {
        self.heap().find(address)
    }

    fn address(ruby: &Ruby, this: &Self, number: u32) -> Result<u64, Error> {
        Ok(this.heap().address(this.check(ruby, number)?))
    }

    fn type_name(ruby: &Ruby, this: &Self, number: u32) -> Result<String, Error> {
        Ok(this.heap().type_name(this.check(ruby, number)?).into())
    }

    fn class_name(ruby: &Ruby, this: &Self, number: u32) -> Result<Option<String>, Error> {
        Ok(this.heap().class_name(this.check(ruby, number)?))
    }

    fn class_of(ruby: &Ruby, this: &Self, number: u32) -> Result<Option<u32>, Error> {
        Ok(this.heap().class_of(this.check(ruby, number)?))
    }

    fn memsize_of(ruby: &Ruby, this: &Self, number: u32) -> Result<u64, Error> {
        Ok(this.heap().memsize(this.check(ruby, number)?))
    }

    fn length_of(ruby: &Ruby, this: &Self, number: u32) -> Result<Option<u32>, Error> {
        Ok(this.heap().length(this.check(ruby, number)?))
    }

    fn generation_of(ruby: &Ruby, this: &Self, number: u32) -> Result<Option<u64>, Error> {
        Ok(this.heap().generation(this.check(ruby, number)?))
    }

    fn site_of(ruby: &Ruby, this: &Self, number: u32) -> Result<Option<RHash>, Error> {
        let (file, line, method) = this.heap().site(this.check(ruby, number)?);
        if file.is_none() && method.is_none() {
            return Ok(None);
        }
        let hash = Hash::new(ruby)
            .set("file", file)?
            .set("line", line)?
            .set("method", method)?
            .set("gem", file.and_then(gem::of_path))?;
        Ok(Some(hash.hash))
    }

    fn references_of(ruby: &Ruby, this: &Self, number: u32) -> Result<RArray, Error> {
        let references = this.heap().references(this.check(ruby, number)?);
        Ok(ruby.ary_from_iter(references))
    }

    fn referrers_of(ruby: &Ruby, this: &Self, number: u32) -> Result<RArray, Error> {
        let number = this.check(ruby, number)?;
        let referrers = this.referrers(ruby)?;
        Ok(ruby.ary_from_iter(referrers.of(number).iter().copied()))
    }

    fn dominator_of(ruby: &Ruby, this: &Self, number: u32) -> Result<Option<u32>, Error> {
        let number = this.check(ruby, number)?;
        let dominator = this.dominators(ruby)?.of(number);
        Ok(dominator.and_then(|node| object_of(this.heap(), node)))
    }

    fn dominated_by(ruby: &Ruby, this: &Self, number: u32) -> Result<RArray, Error> {
        let number = this.check(ruby, number)?;
        let dominated = this.dominated(ruby)?;
        Ok(ruby.ary_from_iter(dominated.by(number).iter().copied()))
    }

    fn retained_size_of(ruby: &Ruby, this: &Self, number: u32) -> Result<u64, Error> {
        let number = this.check(ruby, number)?;
        Ok(this.dominators(ruby)?.retained(number))
    }
}

pub(super) fn init(class: RClass) -> Result<(), Error> {
    class.define_method("find", method!(Wrapped::find, 1))?;
    class.define_method("address_of", method!(Wrapped::address, 1))?;
    class.define_method("type_of", method!(Wrapped::type_name, 1))?;
    class.define_method("class_name_of", method!(Wrapped::class_name, 1))?;
    class.define_method("class_of", method!(Wrapped::class_of, 1))?;
    class.define_method("memsize_of", method!(Wrapped::memsize_of, 1))?;
    class.define_method("length_of", method!(Wrapped::length_of, 1))?;
    class.define_method("generation_of", method!(Wrapped::generation_of, 1))?;
    class.define_method("site_of", method!(Wrapped::site_of, 1))?;
    class.define_method("references_of", method!(Wrapped::references_of, 1))?;
    class.define_method("referrers_of", method!(Wrapped::referrers_of, 1))?;
    class.define_method("dominator_of", method!(Wrapped::dominator_of, 1))?;
    class.define_method("dominated_by", method!(Wrapped::dominated_by, 1))?;
    class.define_method("retained_size_of", method!(Wrapped::retained_size_of, 1))
}
