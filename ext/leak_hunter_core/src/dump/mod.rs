//! Heap dump files: the text of `ObjectSpace.dump_all`, read into records.

mod beginning;
mod budget;
mod classes;
mod compression;
mod elide;
mod file;
mod frames;
mod grammar;
mod header;
mod heap_fields;
mod json;
mod lines;
mod members;
mod memory;
mod name_line;
mod object_type;
mod packing;
pub(crate) mod record;
pub mod rewrite;
mod scan;
mod seek_table;
mod stack_line;
mod stream;
mod text;
mod writer;

pub use beginning::beginning;
pub use classes::Classes;
pub(crate) use classes::{KnownName, is_anonymous, lossy};
pub use compression::Compression;
pub use file::DumpFile;
pub use grammar::Fields;
pub use header::{DumpHeader, Tracer};
pub(crate) use heap_fields::HeapFields;
pub use memory::Memory;
pub use name_line::NameLine;
pub use object_type::{Internal, Type};
pub use record::Record;
pub use scan::{Damaged, Failure, Pass, Scanned, Seen, SkipReason, Skipped, scan};
pub use stack_line::StackLine;
pub use writer::{CodeRange, Content, Detail, Details, DumpText, RootLine, Text, Variables, WriteFailure};

#[cfg(test)]
mod compressed_tests;
