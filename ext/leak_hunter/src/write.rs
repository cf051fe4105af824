//! `LeakHunter::Native.write_dump`: the text of `ObjectSpace.dump_all` on its way to a file; and `.beginning`, of a dump
//! that may be compressed. `LeakHunter::Recorder` checks the arguments.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use leak_hunter_core::dump::rewrite::{DigestKey, PREFIX, Values, Writing};
use leak_hunter_core::dump::{Compression, beginning};
use leak_hunter_core::{Progress, pool};
use magnus::value::ReprValue;
use magnus::{Error, Exception, ExceptionClass, Module, Object, RHash, RModule, RString, Ruby, function};

use crate::convert::{bytes_of, fetch, file_of};
use crate::{errors, gvl, trace};

/// The text of a String that nobody changes or frees before the work with it has ended: [`gvl::wait_for_end`]. It is too
/// long to lie in the heap itself, whose pages a compaction makes unreadable for a moment.
struct Borrowed {
    start: *const u8,
    length: usize,
}

// SAFETY: it is only read, and the String stays as it is meanwhile.
unsafe impl Send for Borrowed {}

impl Borrowed {
    fn bytes(&self) -> &[u8] {
        // SAFETY: `write_dump` keeps the String until the work has ended.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }
}

/// Keeps the system's number of what went wrong, for Ruby's own exception.
struct Sink {
    file: File,
    error: Arc<AtomicI32>,
}

impl Sink {
    fn keep<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            let number = error
                .raw_os_error()
                .filter(|_| error.kind() != io::ErrorKind::Interrupted);
            self.error.store(number.unwrap_or(0), Ordering::Relaxed);
        })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        self.keep(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.file.flush();
        self.keep(flushed)
    }
}

/// No slot of the heap is larger: 640 bytes, 1,024 from Ruby 4.0 on.
const LONGEST_EMBEDDED: usize = 4_096;

pub(crate) fn compression_of(ruby: &Ruby, name: &str) -> Result<Compression, Error> {
    [Compression::None, Compression::Zstd, Compression::Gzip]
        .into_iter()
        .find(|compression| compression.name() == name)
        .ok_or_else(|| Error::new(ruby.exception_arg_error(), "compress"))
}

fn values_of(ruby: &Ruby, options: RHash) -> Result<Values, Error> {
    let name: String = fetch(ruby, options, "values")?;
    let key = || -> Result<DigestKey, Error> {
        let bytes = bytes_of(fetch(ruby, options, "digest_key")?);
        let bytes = <[u8; 16]>::try_from(bytes);
        bytes
            .map(DigestKey::new)
            .map_err(|_| Error::new(ruby.exception_arg_error(), "digest_key"))
    };
    match name.as_str() {
        "none" => Ok(Values::None),
        "length_and_digest" => key().map(Values::LengthAndDigest),
        "prefix" => Ok(Values::Prefix),
        "all" => Ok(Values::All),
        _ => Err(Error::new(ruby.exception_arg_error(), "values")),
    }
}

/// Writes a dump to the file of a descriptor, without the GVL, and returns its size. `lines`: the first line, the text of
/// `dump_all`, and what stands after it. What LeakHunter's own tracer knew at the moment of the text goes in, if it was
/// noted (`Native.note_births`). An interrupt ends it when all threads have let go of the text.
fn write_dump(
    ruby: &Ruby,
    descriptor: i32,
    first_line: RString,
    text: RString,
    ending: RString,
    options: RHash,
) -> Result<u64, Error> {
    let values = values_of(ruby, options)?;
    let compression = compression_of(ruby, &fetch::<String>(ruby, options, "compress")?)?;
    let asked: Option<usize> = fetch(ruby, options, "threads")?;
    let error = Arc::new(AtomicI32::new(0));
    let mut sink = Sink {
        file: file_of(ruby, descriptor)?,
        error: Arc::clone(&error),
    };
    let (first_line, ending) = (bytes_of(first_line), bytes_of(ending));
    // SAFETY: the slice is only asked where it is, or copied at once.
    let borrowed = unsafe { text.as_slice() };
    let short = (borrowed.len() <= LONGEST_EMBEDDED).then(|| borrowed.to_vec());
    let borrowed = Borrowed {
        start: borrowed.as_ptr(),
        length: borrowed.len(),
    };
    let births = trace::noted();
    let progress = Arc::new(Progress::default());
    let theirs = Arc::clone(&progress);
    let work = move || {
        if asked.is_none() {
            gvl::low_priority();
        }
        let writing = Writing {
            first_line: &first_line,
            text: short.as_deref().unwrap_or_else(|| borrowed.bytes()),
            ending: &ending,
            values,
            compression,
        };
        let pool = pool::with_threads(asked)?;
        writing.write(births.as_ref(), &mut sink, &pool, &theirs)
    };
    let outcome = gvl::wait_for_end(ruby, work, || progress.cancel());
    // the collector finds it on this stack until here
    std::hint::black_box(&text);
    outcome?.map_err(|core| match error.load(Ordering::Relaxed) {
        0 => errors::exception(ruby, &core),
        number => system_call_error(ruby, number),
    })
}

fn system_call_error(ruby: &Ruby, number: i32) -> Error {
    let made = ruby
        .class_object()
        .const_get::<_, ExceptionClass>("SystemCallError")
        .and_then(|class| {
            class
                .as_value()
                .funcall::<_, _, Exception>("new", ("the dump", number))
        });
    made.map_or_else(|error| error, Error::from)
}

/// The first `length` bytes of the text of a file that begins with these bytes.
fn beginning_of(ruby: &Ruby, bytes: RString, length: usize) -> RString {
    ruby.str_from_slice(&beginning(&bytes_of(bytes), length))
}

pub(crate) fn init(native: RModule) -> Result<(), Error> {
    native.define_singleton_method("write_dump", function!(write_dump, 5))?;
    native.define_singleton_method("beginning", function!(beginning_of, 2))?;
    native.const_set("VALUE_PREFIX", PREFIX)
}
