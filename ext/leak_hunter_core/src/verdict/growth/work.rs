//! How much work was done in each window, compared with the others.

/// A window with a tenth of the mean counts as that much: the collections that taking a dump itself makes are among
/// those that are counted.
const LEAST: f64 = 0.1;
const MOST: f64 = 10.0;

/// Work by window, where 1 is the mean.
#[derive(Debug)]
pub(super) struct Work(Vec<f64>);

impl Work {
    /// Where the work of any window is not known, all count alike.
    pub(super) fn of(collections: &[Option<u64>], windows: usize) -> Self {
        let known: Option<Vec<f64>> = collections.iter().map(|it| it.map(|it| it as f64)).collect();
        let sum = |list: &[f64]| list.iter().sum::<f64>();
        match known.filter(|list| list.len() == windows && sum(list) > 0.0) {
            Some(list) => {
                let mean = sum(&list) / windows as f64;
                Self(list.iter().map(|it| (it / mean).clamp(LEAST, MOST)).collect())
            }
            None => Self::alike(windows),
        }
    }

    pub(super) fn alike(windows: usize) -> Self {
        Self(vec![1.0; windows])
    }

    pub(super) fn by_window(&self) -> &[f64] {
        &self.0
    }
}
