//! The Ruby face of `leak_hunter_core`: turns Ruby arguments into options and results into Ruby values, and decides
//! nothing. One file per face; only `gvl.rs` holds unsafe code.

#![deny(unsafe_code)]
// The attribute macro of `init` makes an exported function without documentation; nothing else here is public.
#![allow(missing_docs)]

mod diff;
mod errors;
mod gvl;

use magnus::{Error, Module, Ruby};

/// Called by Ruby when the extension is required.
#[magnus::init]
fn init(ruby: &Ruby) -> Result<(), Error> {
    let native = ruby.define_module("LeakHunter")?.define_module("Native")?;
    diff::init(native)?;
    native.const_set("VERSION", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}
