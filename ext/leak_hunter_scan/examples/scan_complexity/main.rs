//! One scan of a hostile source of a chosen size: the work of `rake complexity`, which counts instructions.
//!
//! ```text
//! scan_complexity list                one line per shape: `scan NAME SIZES…`
//! scan_complexity scan SHAPE BYTES    scans a file of about that many bytes
//! scan_complexity print SHAPE BYTES   prints it, for a fuzzer's corpus
//! ```
#![allow(clippy::print_stdout)]

mod shapes;

use std::error::Error;

use leak_hunter_core::Progress;
use leak_hunter_scan::{Options, Text, scan_texts};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["list"] => {
            for shape in shapes::ALL {
                println!("scan {shape} 50000 100000 200000");
            }
        }
        ["scan", shape, bytes] => {
            let path = if *shape == "tags" { "a.erb" } else { "a.rb" };
            let text = Text {
                path: path.into(),
                bytes: shapes::make(shape, bytes.parse()?).into_bytes(),
            };
            let options = Options {
                threads: Some(1),
                ..Options::default()
            };
            scan_texts(&[text], &options, &Progress::default())?;
        }
        ["print", shape, bytes] => print!("{}", shapes::make(shape, bytes.parse()?)),
        _ => return Err("usage: scan_complexity list | scan SHAPE BYTES | print SHAPE BYTES".into()),
    }
    Ok(())
}
