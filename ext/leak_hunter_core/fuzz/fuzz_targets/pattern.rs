//! A pattern of the caller's: compiled or refused.
#![no_main]

use leak_hunter_core::diff::Pattern;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    Pattern::text(text).expect("text is never refused");
    let _ = Pattern::regex(text);
});
