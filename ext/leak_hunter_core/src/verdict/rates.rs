//! How fast objects come that stay.

use super::Births;

/// Objects of one window that are still kept, for the time that it took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Born in the window.
    pub births: Births,
    /// Seconds that it took, where that is known.
    pub seconds: Option<f64>,
}

impl Rate {
    /// One for each window. `births` has those before the first, too.
    pub fn of(births: &[Births], seconds: &[Option<f64>]) -> Vec<Self> {
        let seconds = seconds.iter().copied().chain(std::iter::repeat(None));
        let windows = births.iter().skip(1).zip(seconds);
        windows
            .map(|(births, seconds)| Self {
                births: *births,
                seconds,
            })
            .collect()
    }

    /// Objects a minute.
    pub fn count_per_minute(&self) -> Option<f64> {
        Some(self.births.count as f64 * 60.0 / self.seconds?)
    }

    /// Bytes a minute.
    pub fn bytes_per_minute(&self) -> Option<f64> {
        Some(self.births.bytes as f64 * 60.0 / self.seconds?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_by_window_and_by_minute() {
        let births = [9, 30, 60].map(|count| Births {
            count,
            bytes: 40 * count,
        });
        let rates = Rate::of(&births, &[Some(20.0)]);
        assert_eq!(rates.len(), 2);
        assert_eq!(rates[0].count_per_minute(), Some(90.0));
        assert_eq!(rates[0].bytes_per_minute(), Some(3600.0));
        assert_eq!((rates[1].births.count, rates[1].count_per_minute()), (60, None));
    }
}
