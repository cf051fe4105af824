//! How much work the text of a record may cost, so that reading takes linear time whatever a line holds.
//!
//! A name may end at several places and a line may hold several starts of records, so some text is looked at more than
//! once. Each look is charged here. A real record is looked at once or twice; one that costs more than [`FACTOR`] looks
//! per byte is treated as damaged.

use crate::progress::Progress;

/// Looks at each byte of a text.
const FACTOR: usize = 16;
/// Bytes that even the shortest text may cost.
const BASE: usize = 4 << 10;
/// Work between two looks at whether to go on.
const BETWEEN_CHECKS: usize = if cfg!(any(test, fuzzing)) {
    1 << 10
} else {
    64 << 10
};

/// What is left of the work that a text may cost, in bytes looked at.
#[derive(Debug)]
pub(crate) struct Budget<'a> {
    left: usize,
    until_check: usize,
    progress: Option<&'a Progress>,
}

impl<'a> Budget<'a> {
    /// For one text of this length.
    pub(crate) fn of(length: usize) -> Budget<'static> {
        Budget {
            left: allowed(length),
            until_check: BETWEEN_CHECKS,
            progress: None,
        }
    }

    /// The same; ends early when the run is cancelled. Whoever uses it has to check `progress` afterwards.
    pub(crate) fn stoppable(length: usize, progress: &'a Progress) -> Self {
        Self {
            progress: Some(progress),
            ..Budget::of(length)
        }
    }

    /// Grants what a text of this length may cost, less what was spent on shorter versions of it.
    pub(crate) fn resume(length: usize, spent: usize, progress: &'a Progress) -> Self {
        let mut budget = Self::stoppable(length, progress);
        budget.left = budget.left.saturating_sub(spent);
        budget
    }

    /// Charges so many bytes. `None` when the budget does not have them, or when the run is cancelled.
    #[inline]
    pub(crate) fn spend(&mut self, bytes: usize) -> Option<()> {
        self.left = self.left.checked_sub(bytes).or_else(|| {
            self.left = 0;
            None
        })?;
        match self.until_check.checked_sub(bytes) {
            Some(left) => self.until_check = left,
            None => self.check(bytes)?,
        }
        Some(())
    }

    #[cold]
    fn check(&mut self, bytes: usize) -> Option<()> {
        self.until_check = BETWEEN_CHECKS;
        if let Some(progress) = self.progress {
            progress.count_work(bytes.max(BETWEEN_CHECKS));
            if progress.check().is_err() {
                self.left = 0;
                return None;
            }
        }
        Some(())
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// What is left, in bytes.
    pub(crate) fn left(&self) -> usize {
        self.left
    }
}

/// What a text of this length may cost, in bytes looked at.
pub(crate) fn allowed(length: usize) -> usize {
    length.saturating_mul(FACTOR).saturating_add(BASE)
}
