//! Whose a file is.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::gem;

/// Which gem's the files below a folder are, or a file, as far as the caller knows it: Debian, for one, has files of all
/// gems in one folder.
#[derive(Clone, Debug, Default)]
pub struct OwnerTable(HashMap<Box<str>, Box<str>, RandomState>);

impl OwnerTable {
    /// The owner of what is no gem's and not Ruby's.
    pub const APP: &str = gem::APP;
    /// The owner of what comes with Ruby.
    pub const RUBY: &str = "ruby";

    /// Adds a file or a folder: without its last slash; a file without its ending, too.
    pub fn add(&mut self, path: &str, gem: &str) {
        self.0.insert(path.into(), gem.into());
    }

    /// The innermost of the folders that a path is in, or the file itself.
    fn find(&self, path: &str) -> Option<&str> {
        if self.0.is_empty() {
            return None;
        }
        let mut rest = path;
        if let Some(name) = self.0.get(crate::feature::without_ending(rest)) {
            return Some(name);
        }
        loop {
            if let Some(name) = self.0.get(rest) {
                return Some(name);
            }
            rest = &rest[..rest.rfind('/')?];
        }
    }
}

/// The number of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub(super) struct OwnerId(u32);

impl OwnerId {
    pub(super) const APP: Self = Self(0);
    pub(super) const RUBY: Self = Self(1);
    /// Of code without a file, such as evaluated code.
    pub(super) const UNKNOWN: Self = Self(2);

    pub(super) const fn new(row: u32) -> Self {
        Self(row)
    }

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }

    pub(super) fn is_gem(self) -> bool {
        self > Self::UNKNOWN
    }
}

/// All owners that were met.
pub(super) struct Owners<'a> {
    table: &'a OwnerTable,
    names: Vec<String>,
    by_name: HashMap<String, OwnerId, RandomState>,
    by_path: HashMap<Box<str>, OwnerId, RandomState>,
}

impl<'a> Owners<'a> {
    pub(super) fn new(table: &'a OwnerTable) -> Self {
        let mut owners = Self {
            table,
            names: Vec::new(),
            by_name: HashMap::default(),
            by_path: HashMap::default(),
        };
        // in the order of the numbers
        for name in [OwnerTable::APP, OwnerTable::RUBY, "unknown"] {
            owners.named(name);
        }
        owners
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn name(&self, owner: OwnerId) -> &str {
        self.names.get(owner.index()).map_or("", String::as_str)
    }

    fn named(&mut self, name: &str) -> OwnerId {
        if let Some(owner) = self.by_name.get(name) {
            return *owner;
        }
        let owner = OwnerId(self.names.len() as u32);
        self.names.push(name.into());
        self.by_name.insert(name.into(), owner);
        owner
    }

    pub(super) fn of_path(&mut self, path: &str) -> OwnerId {
        if let Some(owner) = self.by_path.get(path) {
            return *owner;
        }
        let owner = match self.table.find(path) {
            Some(name) => self.named(name),
            None => match gem::of_path(path) {
                None => OwnerId::UNKNOWN,
                Some(name) if name == gem::APP => OwnerId::APP,
                Some(name) if [gem::STDLIB, "ruby", "rubygems"].contains(&name.as_str()) => OwnerId::RUBY,
                // without the version
                Some(name) => self.named(name.split(' ').next().unwrap_or(&name)),
            },
        };
        self.by_path.insert(path.into(), owner);
        owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_folder_decides_whose_a_file_is() {
        let mut table = OwnerTable::default();
        table.add("/srv/app/engines/shop", "shop");
        table.add("/usr/lib/ruby/vendor_ruby/rack/test", "rack-test");
        let mut owners = Owners::new(&table);
        let mut name = |path: &str| {
            let owner = owners.of_path(path);
            owners.name(owner).to_string()
        };
        assert_eq!(name("/srv/app/engines/shop/lib/shop.rb"), "shop");
        assert_eq!(name("/srv/app/app.rb"), "app");
        assert_eq!(name("/usr/lib/ruby/vendor_ruby/rack/test.rb"), "rack-test");
        assert_eq!(name("/usr/lib/ruby/vendor_ruby/rack/test/utils.rb"), "rack-test");
        assert_eq!(name("/usr/lib/ruby/vendor_ruby/rack/utils.rb"), "rack");
        assert_eq!(name("/b/gems/rack-2.2.6/lib/rack.rb"), "rack");
        assert_eq!(name("/usr/lib/ruby/3.1.0/set.rb"), "ruby");
        assert_eq!(name("(eval)"), "unknown");
    }
}
