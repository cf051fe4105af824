//! Which sites are in focus: what is allocated there is remembered with its whole stack.

use leak_hunter_core::Result;
use leak_hunter_core::diff::Pattern;

/// Sites by their path and line: `app/order.rb:12`.
#[derive(Default)]
pub(super) struct Focus {
    /// Whole, or the end of one after a slash.
    sites: Vec<String>,
    patterns: Vec<Pattern>,
}

impl Focus {
    pub(super) const fn none() -> Self {
        Self {
            sites: Vec::new(),
            patterns: Vec::new(),
        }
    }

    /// Of pairs: what it is (`regex` or `text`), and the text.
    pub(super) fn of(sites: Vec<(String, String)>) -> Result<Self> {
        let mut focus = Self::none();
        for (kind, text) in sites {
            match kind.as_str() {
                "regex" => focus.patterns.push(Pattern::regex(&text)?),
                _ => focus.sites.push(text),
            }
        }
        Ok(focus)
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.sites.is_empty() && self.patterns.is_empty()
    }

    /// Whether this site is in it. Takes no memory of the VM's.
    pub(super) fn has(&self, path: &[u8], line: i32) -> bool {
        if self.is_empty() {
            return false;
        }
        let site = format!("{}:{line}", String::from_utf8_lossy(path));
        let is_same = |text: &String| {
            let before = site.strip_suffix(text.as_str());
            before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        self.sites.iter().any(is_same) || self.patterns.iter().any(|it| it.is_match(&site))
    }
}
