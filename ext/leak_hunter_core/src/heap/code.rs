//! What the VM's own objects say of code beyond their references: the paths of code, and what entries of methods and inline
//! caches have in the place of a class.

use super::Heap;
use crate::dump::{HeapFields, lossy};
use crate::ids::{Address, ObjectId};

/// A String that is the path of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodePath {
    /// Address of the String
    pub string: Address,
    /// The path
    pub path: Box<str>,
}

/// What an entry of methods or an inline cache has in the place of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeLink {
    /// Address of the entry or cache
    pub from: Address,
    /// The class that has the method, the receiver's class, or the value of a constant
    pub to: Address,
}

/// Both, before objects have numbers.
#[derive(Debug, Default)]
pub(crate) struct AddressedCode {
    pub(crate) paths: Vec<CodePath>,
    pub(crate) links: Vec<CodeLink>,
}

impl AddressedCode {
    #[inline]
    pub(super) fn add(&mut self, fields: &HeapFields<'_>) {
        if let Some(path) = fields.code_path {
            self.paths.push(CodePath {
                string: fields.address,
                path: lossy(path).into(),
            });
        }
        self.links.extend(fields.link().map(|to| CodeLink {
            from: fields.address,
            to,
        }));
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.paths.extend(other.paths);
        self.links.extend(other.links);
    }

    pub(super) fn numbered(self, number: impl Fn(Address) -> Option<ObjectId>) -> Code {
        let path = |it: CodePath| {
            Some(NumberedPath {
                string: number(it.string)?,
                path: it.path,
            })
        };
        let link = |it: CodeLink| {
            Some(Link {
                from: number(it.from)?,
                to: number(it.to)?,
            })
        };
        let mut paths: Vec<_> = self.paths.into_iter().filter_map(path).collect();
        let mut links: Vec<_> = self.links.into_iter().filter_map(link).collect();
        paths.sort_unstable_by_key(|it| it.string);
        links.sort_unstable_by_key(|it| it.from);
        Code { paths, links }
    }
}

#[derive(Debug)]
struct NumberedPath {
    string: ObjectId,
    path: Box<str>,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    from: ObjectId,
    to: ObjectId,
}

/// Both, in ascending order.
#[derive(Debug, Default)]
pub(super) struct Code {
    paths: Vec<NumberedPath>,
    links: Vec<Link>,
}

impl Code {
    pub(super) fn memory(&self) -> usize {
        let paths: usize = self
            .paths
            .iter()
            .map(|it| it.path.len() + size_of::<NumberedPath>())
            .sum();
        paths + self.links.len() * size_of::<Link>()
    }
}

impl Heap {
    /// The path of code that a String is.
    pub fn code_path(&self, object: ObjectId) -> Option<&str> {
        let paths = &self.code.paths;
        let index = paths.binary_search_by_key(&object, |it| it.string).ok()?;
        Some(&paths[index].path)
    }

    /// What an entry of methods or an inline cache has in the place of a class.
    pub(crate) fn code_link(&self, object: ObjectId) -> Option<ObjectId> {
        let links = &self.code.links;
        let index = links.binary_search_by_key(&object, |it| it.from).ok()?;
        Some(links[index].to)
    }
}
