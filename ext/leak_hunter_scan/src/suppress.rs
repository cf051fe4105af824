//! `# leak_hunter:disable LeakHunter/UnboundedMemo -- reason`

use std::collections::{HashMap, HashSet};

use crate::rule::Rule;

/// What the comments of a file switch off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Suppressions {
    lines: HashSet<(Rule, u32)>,
    /// From a line to a line, or to the end; one after another.
    ranges: HashMap<Rule, Vec<(u32, Option<u32>)>>,
}

impl Suppressions {
    /// Takes a comment. One after code is for its line; one on a line of its own is for what follows, up to `enable`.
    pub(crate) fn add(&mut self, comment: &[u8], line: u32, alone: bool) {
        let Ok(text) = std::str::from_utf8(comment) else {
            return;
        };
        let text = text.trim_start_matches('#').trim_start();
        let Some(rest) = text
            .strip_prefix("leak_hunter:")
            .or_else(|| text.strip_prefix("rubocop:"))
        else {
            return;
        };
        let (disables, names) = if let Some(names) = rest.strip_prefix("disable") {
            (true, names)
        } else if let Some(names) = rest.strip_prefix("todo") {
            (true, names)
        } else if let Some(names) = rest.strip_prefix("enable") {
            (false, names)
        } else {
            return;
        };
        let names = names.split("--").next().unwrap_or_default();
        let names: Vec<&str> = names
            .split([',', ' '])
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        for rule in Rule::ALL {
            let named = names
                .iter()
                .any(|name| *name == rule.name() || *name == "all" || *name == "LeakHunter");
            if !named {
                continue;
            }
            if disables && !alone {
                self.lines.insert((rule, line));
                continue;
            }
            let ranges = self.ranges.entry(rule).or_default();
            match ranges.last_mut() {
                Some((_, None)) if disables => {}
                Some((_, to @ None)) => *to = Some(line),
                _ if disables => ranges.push((line, None)),
                _ => {}
            }
        }
    }

    pub(crate) fn covers(&self, rule: Rule, line: u32) -> bool {
        let ranges = self.ranges.get(&rule).map(Vec::as_slice).unwrap_or_default();
        let before = ranges.partition_point(|(from, _)| *from <= line);
        let last = before.checked_sub(1).and_then(|index| ranges.get(index));
        self.lines.contains(&(rule, line)) || last.is_some_and(|(_, to)| to.is_none_or(|to| line <= to))
    }
}

#[cfg(test)]
mod tests {
    use super::Suppressions;
    use crate::rule::Rule;

    fn of(comments: &[(&str, u32, bool)]) -> Suppressions {
        let mut all = Suppressions::default();
        for (text, line, alone) in comments {
            all.add(text.as_bytes(), *line, *alone);
        }
        all
    }

    #[test]
    fn a_comment_after_code_is_for_its_line() {
        let it = of(&[(
            "# leak_hunter:disable LeakHunter/UnboundedMemo -- few keys",
            3,
            false,
        )]);
        assert!(it.covers(Rule::UnboundedMemo, 3));
        assert!(!it.covers(Rule::UnboundedMemo, 4));
        assert!(!it.covers(Rule::UnboundedCollection, 3));
    }

    #[test]
    fn a_comment_of_its_own_is_for_what_follows() {
        let it = of(&[
            (
                "# leak_hunter:disable LeakHunter/UnboundedMemo, LeakHunter/ClassPerCall",
                3,
                true,
            ),
            ("# leak_hunter:enable LeakHunter/UnboundedMemo", 6, true),
        ]);
        assert!(it.covers(Rule::UnboundedMemo, 5));
        assert!(!it.covers(Rule::UnboundedMemo, 7));
        assert!(it.covers(Rule::ClassPerCall, 70));
        assert!(!it.covers(Rule::ClassPerCall, 2));
    }

    #[test]
    fn rubocop_s_own_comments_count_and_a_reason_names_no_rule() {
        let it = of(&[(
            "# rubocop:disable LeakHunter/ClassPerCall -- LeakHunter/UnboundedMemo is fine",
            1,
            false,
        )]);
        assert!(it.covers(Rule::ClassPerCall, 1));
        assert!(!it.covers(Rule::UnboundedMemo, 1));
    }
}
