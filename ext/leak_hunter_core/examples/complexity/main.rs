//! One run of the core over a hostile input of a chosen size: the work of `rake complexity`, which counts instructions.
//!
//! ```text
//! complexity list                   one line per shape: `lines NAME SIZES…` or `graph NAME SIZES…`
//! complexity lines SHAPE BYTES      reads dumps of about that many bytes
//! complexity graph SHAPE OBJECTS    analyses a heap of about that many objects
//! complexity print SHAPE BYTES      prints what `lines` reads, for a fuzzer's corpus
//! ```
//!
//! A shape is a function from a size to an input. Add one to `SHAPES` in `hostile.rs` or `graph.rs`; the task does the rest.
#![allow(clippy::print_stdout)]

mod graph;
mod hostile;
mod lines;

use std::error::Error;
use std::io::Write;

/// An input that grows with the size asked for.
struct Shape {
    name: &'static str,
    /// Sizes to compare: each twice the one before.
    sizes: [usize; 3],
    make: fn(usize) -> Vec<u8>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["list"] => {
            list("lines", hostile::SHAPES);
            list("graph", graph::SHAPES);
            Ok(())
        }
        ["lines", shape, bytes] => lines::run(&find(hostile::SHAPES, shape)?(bytes.parse()?)),
        ["graph", shape, objects] => graph::run(&find(graph::SHAPES, shape)?(objects.parse()?)),
        ["print", shape, bytes] => {
            std::io::stdout().write_all(&find(hostile::SHAPES, shape)?(bytes.parse()?))?;
            Ok(())
        }
        _ => {
            Err("usage: complexity list | lines SHAPE BYTES | graph SHAPE OBJECTS | print SHAPE BYTES".into())
        }
    }
}

fn list(kind: &str, shapes: &[Shape]) {
    for Shape { name, sizes, .. } in shapes {
        let [one, two, four] = sizes;
        println!("{kind} {name} {one} {two} {four}");
    }
}

fn find(shapes: &[Shape], name: &str) -> Result<fn(usize) -> Vec<u8>, String> {
    let shape = shapes.iter().find(|shape| shape.name == name);
    shape
        .map(|shape| shape.make)
        .ok_or_else(|| format!("no shape {name}"))
}

/// A folder of this process's own, removed at the end.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("leak_hunter-complexity-")
            .tempdir();
        folder.map(Self)
    }

    /// Writes a file into it.
    fn write(&self, name: &str, text: &[u8]) -> std::io::Result<std::path::PathBuf> {
        let path = self.0.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }
}
