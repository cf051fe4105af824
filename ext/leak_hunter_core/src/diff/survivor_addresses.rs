//! Every survivor by its address, for exports that show what leaked.

use super::options::{Key, Options};
use super::{Input, compare};
use crate::error::Result;
use crate::ids::Address;
use crate::progress::Progress;

/// The addresses, in the last moment, of all that leaked between three or more. What was allocated in files that begin
/// with one of `own_paths` is left out. `threads`: `None` leaves one core to the application.
pub fn survivor_addresses(
    inputs: &[Input],
    own_paths: Vec<String>,
    threads: Option<usize>,
    progress: &Progress,
) -> Result<Vec<Address>> {
    let options = Options {
        group_by: vec![Key::Type],
        samples: usize::MAX,
        own_paths,
        threads,
        ..Options::default()
    };
    let report = compare(inputs, &options, progress)?;
    Ok(report
        .groups
        .into_iter()
        .flat_map(|group| group.addresses)
        .collect())
}
