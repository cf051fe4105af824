//! What `ObjectSpace.dump_all` has written, on its way to a file.

mod births;

pub use births::{Birth, Births, NoBirths, PlaceText};
