//! Between Ruby's values and Rust's.

use std::path::PathBuf;

use magnus::{Error, IntoValue, RArray, RHash, RString, Ruby};

/// The bytes of a path as they are: file names need not be UTF-8.
#[cfg(unix)]
pub(crate) fn path_of(path: RString) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    PathBuf::from(std::ffi::OsString::from_vec(bytes_of(path)))
}

#[cfg(not(unix))]
pub(crate) fn path_of(path: RString) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(&bytes_of(path)).into_owned())
}

#[allow(unsafe_code)]
pub(crate) fn bytes_of(string: RString) -> Vec<u8> {
    // SAFETY: the slice is copied before anything else of Ruby runs.
    unsafe { string.as_slice() }.to_vec()
}

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

/// An Array of a value for each item.
pub(crate) fn array<T, V: IntoValue>(
    ruby: &Ruby,
    items: &[T],
    each: impl Fn(&Ruby, &T) -> Result<V, Error>,
) -> Result<RArray, Error> {
    let array = ruby.ary_new_capa(items.len());
    for item in items {
        array.push(each(ruby, item)?)?;
    }
    Ok(array)
}
