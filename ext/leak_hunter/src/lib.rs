//! The Ruby face of `leak_hunter_core`: turns Ruby arguments into options and results into Ruby values, and decides
//! nothing. One file per face; unsafe code only in `collect.rs`, `exported.rs`, `gvl.rs`, `live`,
//! `trace`, `write.rs`, and where a Ruby string's bytes are copied.

#![deny(unsafe_code)]
// The attribute macro of `init` makes an exported function without documentation; nothing else here is public.
#![allow(missing_docs)]

#[cfg(unix)]
mod collect;
mod context;
mod convert;
mod diff;
mod errors;
mod exported;
mod fork;
mod gvl;
mod heap;
mod holders;
mod ledger;
#[cfg(unix)]
mod live;
mod mark;
mod origin;
mod recorded;
mod run;
mod scan;
mod system;
#[cfg(unix)]
mod trace;
mod write;

use magnus::{Error, ExceptionClass, Module, Ruby};

/// The Ruby this was built for, as `major.minor`. Its objects are laid out for this one.
const BUILT_FOR: &str = env!("LEAK_HUNTER_RUBY");

/// Called by Ruby when the extension is required.
#[magnus::init]
fn init(ruby: &Ruby) -> Result<(), Error> {
    check_version(ruby)?;
    let native = ruby.define_module("LeakHunter")?.define_module("Native")?;
    fork::init(native)?;
    system::init(native)?;
    context::init(native)?;
    diff::init(native)?;
    heap::init(ruby, native)?;
    mark::init(ruby, native)?;
    scan::init(native)?;
    write::init(native)?;
    #[cfg(unix)]
    collect::init(native)?;
    #[cfg(unix)]
    live::init(native)?;
    #[cfg(unix)]
    trace::init(ruby, native)?;
    native.const_set("VERSION", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}

/// Another Ruby would load the file and read its own objects wrongly.
fn check_version(ruby: &Ruby) -> Result<(), Error> {
    let running: String = ruby.class_object().const_get("RUBY_VERSION")?;
    if running
        .strip_prefix(BUILT_FOR)
        .is_some_and(|rest| rest.starts_with('.'))
    {
        return Ok(());
    }
    let message = format!(
        "leak_hunter was built for Ruby {BUILT_FOR}, this is {running}; build it again: \
         `gem pristine leak_hunter`, or `rake compile` in a checkout"
    );
    Err(Error::new(
        ruby.class_object().const_get::<_, ExceptionClass>("LoadError")?,
        message,
    ))
}
