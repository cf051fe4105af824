//! Looking at whether to go on, inside every loop over a heap.

use crate::error::Result;
use crate::progress::Progress;

/// Steps between two looks.
pub(crate) const CHECK_EVERY: usize = if cfg!(test) { 16 } else { 1 << 15 };

/// Counts the steps of a loop and checks once in a while whether the run was cancelled.
#[derive(Debug)]
pub(crate) struct Ticks<'a> {
    progress: &'a Progress,
    left: usize,
}

impl<'a> Ticks<'a> {
    pub(crate) fn new(progress: &'a Progress) -> Self {
        Self {
            progress,
            left: CHECK_EVERY,
        }
    }

    /// One step. An error once the run is cancelled.
    #[inline]
    pub(crate) fn tick(&mut self) -> Result<()> {
        self.left -= 1;
        if self.left == 0 {
            self.left = CHECK_EVERY;
            self.progress.check()?;
        }
        Ok(())
    }

    /// Looks, whatever the number of steps.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.left = CHECK_EVERY;
        self.progress.check()
    }
}
