//! Between Ruby's values and Rust's.

use std::fs::File;
use std::path::{Path, PathBuf};

use magnus::{Error, IntoValue, RArray, RHash, RString, Ruby, TryConvert};

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

/// The same bytes, as a String of Ruby's usual encoding.
#[cfg(unix)]
pub(crate) fn path_to_ruby(ruby: &Ruby, path: &Path) -> RString {
    use std::os::unix::ffi::OsStrExt;
    ruby.enc_str_new(path.as_os_str().as_bytes(), ruby.utf8_encoding())
}

#[cfg(not(unix))]
pub(crate) fn path_to_ruby(ruby: &Ruby, path: &Path) -> RString {
    ruby.str_new(&path.to_string_lossy())
}

/// The value of an option, by name.
pub(crate) fn fetch<T: TryConvert>(ruby: &Ruby, options: RHash, name: &str) -> Result<T, Error> {
    // `to_symbol` makes a String each time, which a collection may find on the stack
    options.lookup(ruby.sym_new(name))
}

/// The file that Ruby has opened as this descriptor, to be written to on another thread. It is a descriptor of its own:
/// Ruby may close the other at any time.
#[cfg(unix)]
#[allow(unsafe_code)]
pub(crate) fn file_of(ruby: &Ruby, descriptor: i32) -> Result<File, Error> {
    use std::os::fd::BorrowedFd;

    if descriptor < 0 {
        return Err(Error::new(ruby.exception_arg_error(), "not a file descriptor"));
    }
    // SAFETY: not -1, and used for this one system call alone, which refuses a descriptor that is not open.
    let copy = unsafe { BorrowedFd::borrow_raw(descriptor) }.try_clone_to_owned();
    copy.map(File::from)
        .map_err(|error| Error::new(ruby.exception_io_error(), error.to_string()))
}

#[cfg(not(unix))]
pub(crate) fn file_of(ruby: &Ruby, _descriptor: i32) -> Result<File, Error> {
    Err(Error::new(
        ruby.exception_not_imp_error(),
        "exports need file descriptors",
    ))
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
        self.hash.aset(self.ruby.sym_new(key), value)?;
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
