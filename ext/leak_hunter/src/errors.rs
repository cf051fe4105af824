//! Errors of the core as exceptions. The classes are written in Ruby, in `lib/leak_hunter/errors.rb`.

use leak_hunter_core::{Error, ErrorKind};
use magnus::{ExceptionClass, IntoValue, Module, RHash, RModule, Ruby, Value, value::ReprValue};

/// The exception for an error; an error that cannot be told in its own class is told as a `RuntimeError`.
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
    let made = match error.path() {
        Some(path) => with_place(ruby, class, error, &path.to_string_lossy()),
        None => class_named(ruby, class).map(|class| magnus::Error::new(class, error.to_string())),
    };
    made.unwrap_or_else(|error| error)
}

/// A fault of LeakHunter itself, such as a panic. Never Ruby's `fatal`, which nothing can rescue.
pub(crate) fn internal(ruby: &Ruby, message: &str) -> magnus::Error {
    let message = format!("{message}; this is a fault of LeakHunter, please report it");
    match class_named(ruby, "InternalError") {
        Ok(class) => magnus::Error::new(class, message),
        Err(error) => error,
    }
}

/// In a child forked from a process that waits for its worker.
pub(crate) fn forked(ruby: &Ruby) -> magnus::Error {
    let message = "this process was forked while LeakHunter was working for its parent, which goes on; \
                   there is no result in the child";
    match class_named(ruby, "ForkedError") {
        Ok(class) => magnus::Error::new(class, message),
        Err(error) => error,
    }
}

/// What this Ruby, or this platform, cannot do.
#[cfg(unix)]
pub(crate) fn unsupported(ruby: &Ruby, message: &str) -> magnus::Error {
    match class_named(ruby, "Unsupported") {
        Ok(class) => magnus::Error::new(class, message.to_string()),
        Err(error) => error,
    }
}

fn class_named(ruby: &Ruby, name: &str) -> Result<ExceptionClass, magnus::Error> {
    ruby.class_object()
        .const_get::<_, RModule>("LeakHunter")?
        .const_get(name)
}

fn with_place(ruby: &Ruby, class: &str, error: &Error, path: &str) -> Result<magnus::Error, magnus::Error> {
    let keywords: RHash = ruby.hash_new();
    keywords.aset(ruby.to_symbol("path"), path)?;
    keywords.aset(ruby.to_symbol("line"), error.line())?;
    keywords.aset(ruby.to_symbol("byte"), error.byte())?;
    let message: Value = ruby.str_new(&error.to_string()).into_value_with(ruby);
    let class = class_named(ruby, class)?;
    if !class.is_inherited(class_named(ruby, "DumpError")?) {
        return Ok(magnus::Error::new(class, error.to_string()));
    }
    let exception: magnus::Exception = class
        .as_value()
        .funcall("new", (message, magnus::KwArgs(keywords)))?;
    Ok(exception.into())
}
