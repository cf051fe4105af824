//! `LeakHunter::Native::Walk`: a walk of the heap that becomes a file. It is made before the moment, `take`n in it, and
//! written after it.

use std::io;

use leak_hunter_core::Progress;
use leak_hunter_core::dump::{Compression, Detail, Details, DumpText, RootLine, WriteFailure};
use leak_hunter_core::heap::Dictionary;
use leak_hunter_core::lock::Mutex;
use magnus::{Class, ExceptionClass};
use magnus::{Error, Exception, Module, Object, RHash, RModule, RString, Ruby, function, method};

use super::api::Api;
use super::flags::{Flags, ImemoClass};
use super::notes::Tracer;
use super::texts::Described;
use super::walk::{Buffers, How, Purpose};
use super::{Walk, api_for, paused};
use crate::convert::{bytes_of, fetch, file_of, path_of};
use crate::run::run;
use crate::write::compression_of;
use crate::{errors, gvl};

/// A walk that is still to be taken, to be written, or neither.
#[magnus::wrap(class = "LeakHunter::Native::Walk", free_immediately)]
struct NativeWalk(Mutex<State>);

enum State {
    Ready(Ready),
    Taken(Box<Taken>),
    Gone,
}

/// What a walk needs.
struct Ready {
    api: Api,
    buffers: Box<Buffers>,
    how: How,
}

struct Taken {
    walk: Walk,
    /// Names of encodings, by number.
    encodings: Vec<Vec<u8>>,
}

pub(super) fn init(native: RModule) -> Result<(), Error> {
    let ruby = Ruby::get_with(native);
    let class = native.define_class("Walk", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_singleton_method("prepare", function!(NativeWalk::prepare, 1))?;
    class.define_method("take", method!(NativeWalk::take, 0))?;
    class.define_method("unmeasured", method!(NativeWalk::unmeasured, 0))?;
    class.define_method("write", method!(NativeWalk::write, 4))?;
    class.define_method("discard", method!(NativeWalk::discard, 0))
}

impl NativeWalk {
    /// With memory for all that the heap has now.
    fn prepare(ruby: &Ruby, facts: RHash) -> Result<Self, Error> {
        let objspace: Option<RString> = fetch(ruby, facts, "objspace")?;
        let traced: bool = fetch(ruby, facts, "traced")?;
        let how = How::of(ruby, facts)?;
        let api = api_for(ruby, objspace.map(path_of).as_deref())?;
        let tracer = Tracer::of(traced && api.has_sites());
        let objects = ruby.gc_stat("heap_live_slots")?;
        let allocate = move || Box::new(Buffers::for_objects(objects, tracer, Purpose::File));
        let buffers = gvl::wait_for(ruby, allocate, None, || {}, || Ok(()))?;
        Ok(Self(Mutex::new(State::Ready(Ready { api, buffers, how }))))
    }

    /// Walks the heap, and makes no object. The process stands still meanwhile.
    fn take(ruby: &Ruby, this: &Self) -> Result<(), Error> {
        let state = std::mem::replace(&mut *this.0.lock(), State::Gone);
        let State::Ready(ready) = state else {
            return Err(errors::internal(ruby, "a walk was taken twice"));
        };
        let walk = paused(ruby, &ready.api, *ready.buffers, ready.how)?;
        let encodings = encodings(&walk);
        *this.0.lock() = State::Taken(Box::new(Taken { walk, encodings }));
        Ok(())
    }

    /// Names of structs of which objects have the size of their slots alone.
    fn unmeasured(&self) -> Vec<String> {
        match &*self.0.lock() {
            State::Taken(taken) => taken.walk.found.unmeasured.clone(),
            State::Ready(_) | State::Gone => Vec::new(),
        }
    }

    /// Writes it to the file of this descriptor, between the lines that are given, and forgets it. `lines`: the first
    /// ones, records of shapes, the last ones.
    fn write(
        ruby: &Ruby,
        this: &Self,
        descriptor: i32,
        lines: (RString, RString, RString),
        compress: String,
        threads: Option<usize>,
    ) -> Result<(), Error> {
        let compression = compression_of(ruby, &compress)?;
        let mut file = file_of(ruby, descriptor)?;
        let state = std::mem::replace(&mut *this.0.lock(), State::Gone);
        let State::Taken(taken) = state else {
            return Err(errors::internal(ruby, "a walk was written that was not taken"));
        };
        let [first, shapes, last] = [lines.0, lines.1, lines.2].map(bytes_of);
        let last = [taken.walk.stacks.text(), last].concat();
        let work = move |progress: &Progress| {
            let lines = Lines {
                first,
                shapes,
                last,
                compression,
            };
            match taken.write(&lines, &mut file, threads, progress) {
                Ok(()) => Ok(None),
                Err(WriteFailure::File(error)) => Ok(Some(error)),
                Err(WriteFailure::Other(error)) => Err(error),
            }
        };
        match run(ruby, None, threads.is_none(), work)? {
            None => Ok(()),
            Some(error) => Err(of_system(ruby, &error)),
        }
    }

    /// Frees what it holds.
    fn discard(&self) {
        *self.0.lock() = State::Gone;
    }
}

struct Lines {
    first: Vec<u8>,
    shapes: Vec<u8>,
    last: Vec<u8>,
    compression: Compression,
}

impl Taken {
    fn write(
        self,
        lines: &Lines,
        file: &mut std::fs::File,
        threads: Option<usize>,
        progress: &Progress,
    ) -> Result<(), WriteFailure> {
        let Walk { found, imemos, .. } = self.walk;
        let described = Described::new(found, imemos);
        let [kinds, sites, classes] = described.fields();
        let categories = described.categories();
        let roots = described.found.roots.iter().zip(&categories);
        let imemos =
            (0..=u64::from(IMEMO_TYPE_MASK)).map(|number| match described.imemo(number).as_deref() {
                Some(b"fields") => ImemoClass::Owner,
                Some(b"callcache") => ImemoClass::Receiver,
                _ => ImemoClass::Other,
            });
        let text = DumpText {
            first_lines: &lines.first,
            roots: roots
                .map(|(root, category)| RootLine {
                    category: category.as_bytes(),
                    objects: &root.objects,
                })
                .collect(),
            shapes: &lines.shapes,
            columns: &described.rows.columns,
            dictionary: Dictionary {
                kinds: &kinds,
                sites: &sites,
                classes: &classes,
            },
            details: &RowDetails {
                flags: described.found.flags.as_ref(),
                encodings: &self.encodings,
                imemos: imemos.collect(),
            },
            last_lines: &lines.last,
            compression: lines.compression,
        };
        text.write(file, threads, progress)
    }
}

/// Of the four bits that an IMEMO has for its type.
const IMEMO_TYPE_MASK: u8 = 0xf;

struct RowDetails<'a> {
    flags: Option<&'a Flags>,
    /// Names, by number.
    encodings: &'a [Vec<u8>],
    imemos: Vec<ImemoClass>,
}

impl Details for RowDetails<'_> {
    fn detail(&self, row: usize) -> Detail {
        let imemo = |number: u64| {
            let class = self.imemos.get(number as usize);
            class.copied().unwrap_or(ImemoClass::Other)
        };
        self.flags
            .map_or_else(Detail::default, |flags| flags.detail(row, imemo))
    }

    fn encoding(&self, number: u8) -> &[u8] {
        self.encodings.get(usize::from(number)).map_or(b"", Vec::as_slice)
    }
}

/// Names of the encodings that Strings have, by number. Ruby never forgets one.
#[allow(unsafe_code)]
fn encodings(walk: &Walk) -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    for number in walk.found.flags.iter().flat_map(super::flags::Flags::encodings) {
        names.resize(number + 1, Vec::new());
        // SAFETY: with the GVL; looks into a table. A name is a C string.
        let name = unsafe {
            let encoding = rb_sys::rb_enc_from_index(number as i32).as_ref();
            let name = encoding.map(|it| it.name).filter(|name| !name.is_null());
            name.map(|name| std::ffi::CStr::from_ptr(name).to_bytes().to_vec())
        };
        names[number] = name.unwrap_or_default();
    }
    names
}

/// The error of a system call, as Ruby's own methods raise it.
fn of_system(ruby: &Ruby, error: &io::Error) -> Error {
    let made = || -> Result<Exception, Error> {
        let class: ExceptionClass = ruby.class_object().const_get("SystemCallError")?;
        class.new_instance((None::<RString>, error.raw_os_error()))
    };
    match error.raw_os_error() {
        Some(_) => made().map_or_else(|error| error, Error::from),
        None => Error::new(ruby.exception_io_error(), error.to_string()),
    }
}
