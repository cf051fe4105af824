//! Allocation sites.

/// Where an object was allocated, as its heap has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site<'a> {
    /// File; `None` of what the VM allocates on behalf of a method.
    pub file: Option<&'a str>,
    /// Line; of a negative line of an `eval`, 2^64 less it.
    pub line: Option<u64>,
    /// Method; `None` outside of methods.
    pub method: Option<&'a str>,
}

/// The same, with texts of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AllocationSite {
    /// File.
    pub file: Option<String>,
    /// Line.
    pub line: Option<u64>,
    /// Method.
    pub method: Option<String>,
}

impl From<Site<'_>> for AllocationSite {
    fn from(site: Site<'_>) -> Self {
        Self {
            file: site.file.map(Into::into),
            line: site.line,
            method: site.method.map(Into::into),
        }
    }
}

impl AllocationSite {
    /// The same, with these texts.
    pub fn borrowed(&self) -> Site<'_> {
        Site {
            file: self.file.as_deref(),
            line: self.line,
            method: self.method.as_deref(),
        }
    }
}
