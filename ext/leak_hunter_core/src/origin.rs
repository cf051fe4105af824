//! Through which contexts objects were allocated: what the application was doing then, in its own words.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

/// As many contexts as are reported of one group or holder.
const SHOWN: usize = 5;

/// Contexts through which some objects were allocated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contexts {
    /// Those of most objects, most first. Empty where no object has a context.
    pub shown: Vec<ContextCount>,
    /// How many there are.
    pub different: u64,
}

/// How many objects were allocated in a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextCount {
    /// Its name; `None` of what was allocated outside of all contexts.
    pub context: Option<String>,
    /// So many objects.
    pub count: u64,
}

/// Counts objects by context; of those without one there is nothing to do.
#[derive(Clone, Debug)]
pub(crate) struct ContextTally<K>(HashMap<K, u64, RandomState>);

impl<K> Default for ContextTally<K> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<K: Hash + Eq + Ord> ContextTally<K> {
    pub(crate) fn add(&mut self, context: K, count: u64) {
        *self.0.entry(context).or_default() += count;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (context, count) in other.0 {
            self.add(context, count);
        }
    }

    /// What is reported of `all` objects, those without a context among them.
    pub(crate) fn report(&self, all: u64, name: impl Fn(&K) -> String) -> Contexts {
        if self.0.is_empty() {
            return Contexts::default();
        }
        let without = all.saturating_sub(self.0.values().sum());
        let named = self.0.iter().map(|(context, count)| ContextCount {
            context: Some(name(context)),
            count: *count,
        });
        let mut shown: Vec<ContextCount> = named.collect();
        let different = shown.len() as u64;
        if without > 0 {
            shown.push(ContextCount {
                context: None,
                count: without,
            });
        }
        shown.sort_by(|one, two| {
            let key = |it: &ContextCount| Reverse(it.count);
            key(one)
                .cmp(&key(two))
                .then_with(|| one.context.cmp(&two.context))
        });
        shown.truncate(SHOWN);
        Contexts { shown, different }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_are_reported_with_what_has_none() {
        let mut tally = ContextTally::default();
        for context in ["a", "b", "c", "d", "e", "f"] {
            tally.add(context, 2);
        }
        let mut more = ContextTally::default();
        more.add("f", 3);
        tally.merge(more);
        let contexts = tally.report(19, |context| (*context).to_owned());
        let named: Vec<_> = contexts
            .shown
            .iter()
            .map(|it| (it.context.as_deref(), it.count))
            .collect();
        assert_eq!(named[..3], [(Some("f"), 5), (None, 4), (Some("a"), 2)]);
        assert_eq!((named.len(), contexts.different), (5, 6));
    }

    #[test]
    fn without_any_there_is_nothing_to_report() {
        let tally = ContextTally::<u32>::default();
        assert_eq!(tally.report(10, |_| String::new()), Contexts::default());
    }
}
