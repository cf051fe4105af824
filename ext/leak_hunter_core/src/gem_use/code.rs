//! Whose compiled code and methods are.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::owners::{OwnerId, Owners};
use super::{ByObject, Part, Parts};
use crate::error::Result;
use crate::graph::Ticks;
use crate::heap::{Heap, ObjectSet, Type};
use crate::ids::ObjectId;

/// The code and the class of a method.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Method {
    /// `None` of methods that are written in C, and of readers and writers of attributes.
    pub(super) code: Option<ObjectId>,
    pub(super) class: Option<ObjectId>,
    /// Defined by a block (`define_method`), mostly of a library's code on behalf of the class.
    pub(super) is_block: bool,
}

#[derive(Clone, Copy, Debug)]
struct File<'a> {
    path: &'a str,
    owner: OwnerId,
}

/// Whose the code of a heap is.
pub(super) struct CodeOwners<'a> {
    files: Vec<File<'a>>,
    /// By code.
    file_of: ByObject<u32>,
    /// By entry, in ascending order.
    methods: Vec<(ObjectId, Method)>,
}

impl<'a> CodeOwners<'a> {
    pub(super) fn of(parts: Parts<'a>, owners: &mut Owners<'_>, ticks: &mut Ticks<'_>) -> Result<Self> {
        let heap = parts.heap;
        let mut found = Self {
            files: Vec::new(),
            file_of: HashMap::default(),
            methods: Vec::new(),
        };
        // Code refers to its path and to what stands in it, which may look like a path, too. All code of a file refers to
        // one path.
        let mut referrers: ByObject<u32> = HashMap::default();
        let mut code = Vec::new();
        for object in heap.objects() {
            ticks.tick()?;
            if parts.of(object) != Part::Iseq {
                continue;
            }
            code.push(object);
            for reference in heap.references(object) {
                ticks.tick()?;
                if path_of(parts, reference).is_some() {
                    *referrers.entry(reference).or_default() += 1;
                }
            }
        }
        let mut numbers: HashMap<&str, u32, RandomState> = HashMap::default();
        for object in code {
            let candidates = heap.references(object).filter_map(|reference| {
                let path = path_of(parts, reference)?;
                Some((path.starts_with('/'), referrers.get(&reference).copied()?, path))
            });
            ticks.tick()?;
            let Some((_, _, path)) = candidates.max_by_key(|(is_absolute, count, _)| (*is_absolute, *count))
            else {
                continue;
            };
            let number = *numbers.entry(path).or_insert_with(|| {
                let owner = owners.of_path(path);
                found.files.push(File { path, owner });
                found.files.len() as u32 - 1
            });
            found.file_of.insert(object, number);
        }
        for object in heap.objects() {
            ticks.tick()?;
            if parts.of(object) == Part::MethodEntry {
                found.methods.push((object, method(parts, object)));
            }
        }
        Ok(found)
    }

    pub(super) fn owners_of_files(&self) -> impl Iterator<Item = OwnerId> + '_ {
        self.files.iter().map(|file| file.owner)
    }

    fn file(&self, code: ObjectId) -> Option<&File<'a>> {
        self.files.get(*self.file_of.get(&code)? as usize)
    }

    /// Whose a piece of code is; `None` where it has no path.
    pub(super) fn owner(&self, code: ObjectId) -> Option<OwnerId> {
        Some(self.file(code)?.owner)
    }

    pub(super) fn path(&self, code: ObjectId) -> Option<&'a str> {
        Some(self.file(code)?.path)
    }

    pub(super) fn methods(&self) -> impl Iterator<Item = (ObjectId, Method)> + '_ {
        self.methods.iter().copied()
    }

    pub(super) fn method(&self, entry: ObjectId) -> Option<Method> {
        let index = self.methods.binary_search_by_key(&entry, |it| it.0).ok()?;
        Some(self.methods[index].1)
    }

    /// The methods that some class has in its cache. From Ruby 4.0 on a class refers to a table of them. Up to Ruby 3.4 it
    /// refers to them itself: a second time to those of its own, and to those it inherits, which it else does not.
    pub(super) fn cached_methods(&self, parts: Parts<'_>, ticks: &mut Ticks<'_>) -> Result<ObjectSet> {
        let mut cached = ObjectSet::default();
        let mut own: Vec<ObjectId> = Vec::new();
        for object in parts.heap.objects() {
            ticks.tick()?;
            match parts.of(object) {
                Part::CallCacheTable => {
                    for entry in parts.references(object, Part::MethodEntry) {
                        ticks.tick()?;
                        cached.insert(entry);
                    }
                }
                Part::Class => {
                    own.clear();
                    own.extend(parts.references(object, Part::MethodEntry));
                    own.sort_unstable();
                    for (index, entry) in own.iter().enumerate() {
                        ticks.tick()?;
                        let is_twice = index > 0 && own[index - 1] == *entry;
                        let is_inherited = || {
                            let class = self.method(*entry).and_then(|method| method.class);
                            let is_class = parts.heap.kind(object).is_some_and(|it| it.type_ == Type::Class);
                            is_class && class.is_some_and(|class| class != object)
                        };
                        if is_twice || is_inherited() {
                            cached.insert(*entry);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(cached)
    }
}

/// The path that a String is, or an Array of a path and what that is without symbolic links.
fn path_of(parts: Parts<'_>, object: ObjectId) -> Option<&str> {
    match parts.of(object) {
        Part::String => parts.heap.code_path(object),
        Part::Array => {
            let mut elements = parts.heap.references(object);
            if elements.len() > 2 {
                return None;
            }
            let paths = |element| parts.heap.code_path(element);
            let first = elements.next().and_then(paths)?;
            match elements.next() {
                Some(real) => paths(real),
                None => Some(first),
            }
        }
        _ => None,
    }
}

/// What an entry of methods says: through an alias and a block (`define_method`), too.
fn method(parts: Parts<'_>, entry: ObjectId) -> Method {
    let heap = parts.heap;
    let mut at = entry;
    let mut code = None;
    let mut is_block = false;
    // an alias of an alias is one of the method itself
    for _ in 0..2 {
        code = parts.references(at, Part::Iseq).next();
        if code.is_none() {
            code = code_of_block(parts, at);
            is_block = code.is_some();
        }
        if code.is_some() {
            break;
        }
        match parts.references(at, Part::MethodEntry).find(|other| *other != at) {
            Some(original) => at = original,
            None => break,
        }
    }
    let mut classes = heap
        .code_link(entry)
        .into_iter()
        .chain(heap.references(entry))
        .filter(|it| parts.of(*it) == Part::Class);
    let first = classes.clone().next();
    // what stands for an included module has the module's methods
    let class = classes.find(|it| !is_stand_in(heap, *it)).or(first);
    Method {
        code,
        class,
        is_block,
    }
}

/// The code of the block from which a method was defined.
fn code_of_block(parts: Parts<'_>, entry: ObjectId) -> Option<ObjectId> {
    let block = parts.references(entry, Part::Proc).next()?;
    parts.references(block, Part::Iseq).next()
}

fn is_stand_in(heap: &Heap, class: ObjectId) -> bool {
    heap.kind(class).is_some_and(|kind| kind.type_ == Type::IClass)
}
