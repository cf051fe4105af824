//! A Ruby program, mostly broken: scanned, with findings in lines that it has.
#![no_main]

use leak_hunter_core::Progress;
use leak_hunter_scan::{Options, Text, scan_texts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let options = Options {
        threads: Some(1),
        ..Options::default()
    };
    for path in ["lib/a.rb", "app/views/a.erb"] {
        let text = Text {
            path: path.into(),
            bytes: bytes.to_vec(),
        };
        let scan = scan_texts(&[text], &options, &Progress::default()).expect("nobody cancels");
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
        for finding in scan.findings {
            assert!((1..=lines).contains(&finding.location.line));
        }
    }
});
