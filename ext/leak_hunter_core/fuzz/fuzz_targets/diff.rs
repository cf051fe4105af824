//! Three files, cut from one input at its NUL bytes: no panic, and the same answer on one thread and on two.
#![no_main]

use leak_hunter_core::diff::{Identity, Key};
use leak_hunter_core::{Options, Progress, diff};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut texts = input.splitn(3, |byte| *byte == 0);
    let paths = [1, 2, 3].map(|number| {
        let path =
            std::env::temp_dir().join(format!("leak_hunter-fuzz-{}-{number}.json", std::process::id()));
        std::fs::write(&path, texts.next().unwrap_or_default()).unwrap();
        path
    });
    for identity in [Identity::Auto, Identity::Address] {
        let [one, two] = [1, 2].map(|threads| {
            let group_by = Key::ALL.to_vec();
            let options = Options {
                identity,
                group_by,
                threads: Some(threads),
                ..Options::default()
            };
            diff(&paths, &options, &Progress::default())
        });
        match (one, two) {
            (Ok(one), Ok(two)) => {
                assert_eq!(one.groups, two.groups);
                assert_eq!(one.evidence, two.evidence);
                let counted: u64 = one.groups.iter().map(|group| group.count).sum();
                assert_eq!(counted, one.totals.count);
            }
            (Err(one), Err(two)) => assert_eq!(one.to_string(), two.to_string()),
            (one, two) => panic!("one thread says {one:?}, two say {two:?}"),
        }
    }
});
