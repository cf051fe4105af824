//! Errors of the core as exceptions. The classes are written in Ruby, in `lib/leak_hunter/errors.rb`.

use std::io;
use std::path::Path;

use leak_hunter_core::{Error, ErrorKind};
use magnus::{Class, ExceptionClass, Module, RHash, RModule, Ruby, value::ReprValue};

use crate::convert::path_to_ruby;

/// The exception for an error of the core.
pub(crate) fn exception(ruby: &Ruby, error: &Error) -> magnus::Error {
    let class = match error.kind() {
        ErrorKind::Unreadable => "DumpUnreadable",
        ErrorKind::Empty => "EmptyDump",
        ErrorKind::NotADump => "NotADump",
        ErrorKind::Truncated => "TruncatedDump",
        ErrorKind::Changed => "DumpChanged",
        ErrorKind::WrongOrder => "WrongOrder",
        ErrorKind::DifferentProcesses => "DifferentProcesses",
        ErrorKind::SameDump => "SameDump",
        ErrorKind::Options => "UsageError",
        ErrorKind::Unwritable => "WriteError",
        ErrorKind::TooLarge => "HeapTooLarge",
        _ => "InternalError",
    };
    match error.path() {
        Some(path) => with_place(ruby, class, error, path).unwrap_or_else(|error| error),
        None => of(ruby, class, error.to_string()),
    }
}

/// A bug of LeakHunter, such as a panic. Never Ruby's `fatal`, which nothing can rescue.
pub(crate) fn internal(ruby: &Ruby, message: &str) -> magnus::Error {
    of(
        ruby,
        "InternalError",
        format!("{message}; this is a bug of LeakHunter, please report it"),
    )
}

/// The system has no thread left for this process.
pub(crate) fn no_thread(ruby: &Ruby, error: &io::Error) -> magnus::Error {
    of(ruby, "Unsupported", format!("cannot start a thread: {error}"))
}

/// In a child that was forked while its parent waited for a worker thread.
pub(crate) fn forked(ruby: &Ruby) -> magnus::Error {
    let made = class_named(ruby, "ForkedError").and_then(|class| class.new_instance(()));
    made.map_or_else(|error| error, magnus::Error::from)
}

/// What this Ruby, or this platform, cannot do.
#[cfg(unix)]
pub(crate) fn unsupported(ruby: &Ruby, message: &str) -> magnus::Error {
    of(ruby, "Unsupported", message.into())
}

fn of(ruby: &Ruby, class: &str, message: String) -> magnus::Error {
    match class_named(ruby, class) {
        Ok(class) => magnus::Error::new(class, message),
        Err(error) => error,
    }
}

/// The core shows what is no text in a path as a replacement character. Ruby, which has the bytes, shows them as escapes.
#[cfg(unix)]
fn message_of(error: &Error, path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;

    let message = error.to_string();
    let shown = path.display().to_string();
    match message.split_once(&shown) {
        Some((before, after)) => [before.as_bytes(), path.as_os_str().as_bytes(), after.as_bytes()].concat(),
        None => message.into_bytes(),
    }
}

#[cfg(not(unix))]
fn message_of(error: &Error, _path: &Path) -> Vec<u8> {
    error.to_string().into_bytes()
}

fn class_named(ruby: &Ruby, name: &str) -> Result<ExceptionClass, magnus::Error> {
    ruby.class_object()
        .const_get::<_, RModule>("LeakHunter")?
        .const_get(name)
}

fn with_place(ruby: &Ruby, class: &str, error: &Error, path: &Path) -> Result<magnus::Error, magnus::Error> {
    let keywords: RHash = ruby.hash_new();
    keywords.aset(ruby.to_symbol("path"), path_to_ruby(ruby, path))?;
    keywords.aset(ruby.to_symbol("line"), error.line())?;
    keywords.aset(ruby.to_symbol("byte"), error.byte())?;
    let message = ruby.enc_str_new(message_of(error, path), ruby.utf8_encoding());
    let class = class_named(ruby, class)?;
    if !class.is_inherited(class_named(ruby, "DumpError")?) {
        return Ok(magnus::Error::new(class, error.to_string()));
    }
    let exception: magnus::Exception = class
        .as_value()
        .funcall("new", (message, magnus::KwArgs(keywords)))?;
    Ok(exception.into())
}
