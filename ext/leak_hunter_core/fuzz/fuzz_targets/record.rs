//! One record: neither reader panics, and where both can read it they agree.
#![no_main]

use leak_hunter_core::dump::{Fields, Record};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    if let (Some(fields), Some(quick)) = (Fields::parse(text), Record::quick(text)) {
        assert_eq!(quick.address, fields.address);
        assert_eq!(quick.kind, fields.kind.as_ref());
        assert_eq!(quick.generation, fields.generation);
        assert_eq!(quick.memsize, fields.memsize);
    }
});
