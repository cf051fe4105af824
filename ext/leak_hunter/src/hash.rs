//! Results as Ruby's Hashes and Arrays.

use magnus::{Error, IntoValue, RArray, RHash, Ruby};

/// Builds a Hash with symbol keys.
pub(crate) struct Hash<'a> {
    ruby: &'a Ruby,
    pub(crate) hash: RHash,
}

impl<'a> Hash<'a> {
    pub(crate) fn new(ruby: &'a Ruby) -> Self {
        Self {
            ruby,
            hash: ruby.hash_new(),
        }
    }

    pub(crate) fn set(self, key: &str, value: impl IntoValue) -> Result<Self, Error> {
        self.hash.aset(self.ruby.to_symbol(key), value)?;
        Ok(self)
    }
}

/// An Array of a Hash for each item.
pub(crate) fn array<T>(
    ruby: &Ruby,
    items: &[T],
    each: impl Fn(&Ruby, &T) -> Result<RHash, Error>,
) -> Result<RArray, Error> {
    let array = ruby.ary_new_capa(items.len());
    for item in items {
        array.push(each(ruby, item)?)?;
    }
    Ok(array)
}
