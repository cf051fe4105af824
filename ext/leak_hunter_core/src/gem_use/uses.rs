//! Who uses whose code, and how that is seen.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::RandomState;

use super::classes::ClassOwners;
use super::code::CodeOwners;
use super::kinds::{Example, Use, UseKind};
use super::owners::{OwnerId, Owners};
use super::{Evidence, NAMES, Part, Parts};
use crate::error::Result;
use crate::graph::Ticks;
use crate::heap::Type;
use crate::ids::ObjectId;

/// No class has more ancestors; a damaged dump may hold a circle.
const LONGEST_CHAIN: usize = 4096;

/// A use, and whose.
pub(super) struct UseOf {
    pub(super) used: OwnerId,
    pub(super) told: Use,
}

/// All that was found.
pub(super) struct Uses {
    pub(super) found: Vec<UseOf>,
    /// Pieces of code that ran, by owner.
    pub(super) ran: BTreeMap<OwnerId, u64>,
    /// Names of the classes of others that classes inherit from, by owner.
    pub(super) inherits_from: BTreeMap<OwnerId, BTreeSet<String>>,
    pub(super) code: u64,
    pub(super) with_path: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    user: OwnerId,
    used: OwnerId,
    kind: UseKind,
}

/// The first of such uses, as numbers.
#[derive(Clone, Copy, Debug)]
struct First {
    count: u64,
    code: Option<ObjectId>,
    class: Option<ObjectId>,
    by_class: Option<ObjectId>,
}

/// Looks for them.
pub(super) fn find(
    parts: Parts<'_>,
    code: &CodeOwners<'_>,
    classes: &ClassOwners,
    owners: &Owners<'_>,
    instances: &[Option<OwnerId>],
    evidence: &mut Evidence,
    ticks: &mut Ticks<'_>,
) -> Result<Uses> {
    let mut search = Search {
        parts,
        code,
        classes,
        evidence,
        firsts: HashMap::default(),
        instances,
        caches: Vec::new(),
        uses: Uses {
            found: Vec::new(),
            ran: BTreeMap::new(),
            inherits_from: BTreeMap::new(),
            code: 0,
            with_path: 0,
        },
    };
    for object in parts.heap.objects() {
        ticks.tick()?;
        match parts.of(object) {
            Part::Iseq => search.code(object, ticks)?,
            Part::Class => search.class(object, ticks)?,
            Part::Object => search.object(object, ticks)?,
            _ => {}
        }
    }
    Ok(search.finish(owners))
}

struct Search<'a> {
    parts: Parts<'a>,
    code: &'a CodeOwners<'a>,
    classes: &'a ClassOwners,
    evidence: &'a mut Evidence,
    firsts: HashMap<Key, First, RandomState>,
    /// Whose objects are, by kind.
    instances: &'a [Option<OwnerId>],
    /// Of the piece of code at hand.
    caches: Vec<ObjectId>,
    uses: Uses,
}

impl Search<'_> {
    fn add(&mut self, key: Key, first: First) {
        if key.user == key.used || key.user == OwnerId::UNKNOWN || !key.used.is_gem() {
            return;
        }
        self.firsts
            .entry(key)
            .or_insert(First { count: 0, ..first })
            .count += 1;
    }

    /// What a piece of code has in its inline caches.
    fn code(&mut self, object: ObjectId, ticks: &mut Ticks<'_>) -> Result<()> {
        self.uses.code += 1;
        let Some(user) = self.code.owner(object) else {
            return Ok(());
        };
        self.uses.with_path += 1;
        let parts = self.parts;
        let mut ran = false;
        let mut caches = std::mem::take(&mut self.caches);
        caches.clear();
        for reference in parts.heap.references(object) {
            ticks.tick()?;
            if matches!(parts.of(reference), Part::ConstantCache | Part::CallCache) {
                caches.push(reference);
            }
        }
        // Ruby 3.1 lists some twice
        caches.sort_unstable();
        caches.dedup();
        for &reference in &caches {
            match parts.of(reference) {
                Part::ConstantCache => {
                    ran = true;
                    self.constant(user, object, reference);
                }
                Part::CallCache => self.call(user, object, reference),
                _ => {}
            }
        }
        self.caches = caches;
        if ran {
            *self.uses.ran.entry(user).or_default() += 1;
        }
        Ok(())
    }

    fn constant(&mut self, user: OwnerId, object: ObjectId, cache: ObjectId) {
        let heap = self.parts.heap;
        let Some(value) = heap.references(cache).next().or_else(|| heap.code_link(cache)) else {
            return;
        };
        self.evidence.constants += 1;
        let (class, used) = match self.parts.of(value) {
            Part::Class => (Some(value), self.classes.owner(value)),
            _ => {
                let kind = heap.kind(value);
                let class = kind.and_then(|kind| heap.find(heap.classes().real(kind.class()?)));
                (class, class.and_then(|class| self.classes.owner(class)))
            }
        };
        if let Some(used) = used {
            let kind = UseKind::Constant;
            let first = First {
                count: 0,
                code: Some(object),
                class,
                by_class: None,
            };
            self.add(Key { user, used, kind }, first);
        }
    }

    fn call(&mut self, user: OwnerId, object: ObjectId, cache: ObjectId) {
        let heap = self.parts.heap;
        let entry = self.parts.references(cache, Part::MethodEntry).next();
        if let Some(method) = entry.and_then(|entry| self.code.method(entry)) {
            self.evidence.calls += 1;
            let of_code = method.code.and_then(|code| self.code.owner(code));
            let used = of_code.or_else(|| self.classes.owner(method.class?));
            if let Some(used) = used {
                let first = First {
                    count: 0,
                    code: Some(object),
                    class: method.class,
                    by_class: None,
                };
                self.add(
                    Key {
                        user,
                        used,
                        kind: UseKind::Call,
                    },
                    first,
                );
            }
        }
        if let Some(class) = heap
            .code_link(cache)
            .filter(|it| self.parts.of(*it) == Part::Class)
        {
            self.evidence.receivers += 1;
            let real = self.real(class);
            if let Some(used) = self.classes.owner(real) {
                let first = First {
                    count: 0,
                    code: Some(object),
                    class: Some(real),
                    by_class: None,
                };
                self.add(
                    Key {
                        user,
                        used,
                        kind: UseKind::Receiver,
                    },
                    first,
                );
            }
        }
    }

    /// What an object has in its instance variables.
    fn object(&mut self, object: ObjectId, ticks: &mut Ticks<'_>) -> Result<()> {
        let heap = self.parts.heap;
        let Some(user) = self.owner_of_instance(object) else {
            return Ok(());
        };
        for reference in heap.references(object) {
            ticks.tick()?;
            let (used, class) = match self.parts.of(reference) {
                Part::Object => (self.owner_of_instance(reference), heap.class_of(reference)),
                Part::Class => (self.classes.owner(reference), Some(reference)),
                Part::Proc => {
                    let code = self.parts.references(reference, Part::Iseq).next();
                    (code.and_then(|code| self.code.owner(code)), None)
                }
                _ => continue,
            };
            if let Some(used) = used {
                let first = First {
                    count: 0,
                    code: None,
                    class,
                    by_class: heap.class_of(object),
                };
                self.add(
                    Key {
                        user,
                        used,
                        kind: UseKind::Holds,
                    },
                    first,
                );
            }
        }
        Ok(())
    }

    fn owner_of_instance(&self, object: ObjectId) -> Option<OwnerId> {
        *self.instances.get(self.parts.heap.kind_number(object)?.index())?
    }

    /// The class that people know: of the singleton class of an object its class, of that of a class itself.
    fn real(&self, class: ObjectId) -> ObjectId {
        if self.classes.owner(class).is_some() {
            return class;
        }
        let heap = self.parts.heap;
        heap.find(heap.classes().real(heap.address(class)))
            .unwrap_or(class)
    }

    /// What a class inherits from and includes.
    fn class(&mut self, class: ObjectId, ticks: &mut Ticks<'_>) -> Result<()> {
        let heap = self.parts.heap;
        let type_ = heap.kind(class).map(|kind| kind.type_);
        let Some(user) = self.classes.owner(class).filter(|_| type_ != Some(Type::IClass)) else {
            return Ok(());
        };
        let is_singleton = heap.classes().is_hidden(heap.address(class));
        let mut address = heap.address(class);
        for _ in 0..LONGEST_CHAIN {
            ticks.tick()?;
            let Some(next) = heap.classes().superclass(address) else {
                break;
            };
            let Some(object) = heap.find(next) else { break };
            address = next;
            let is_module = heap.kind(object).is_some_and(|kind| kind.type_ == Type::IClass);
            let (used, kind) = match (is_module, is_singleton) {
                (true, true) => (heap.class_of(object), UseKind::Extends),
                (true, false) => (heap.class_of(object), UseKind::Includes),
                (false, false) => (Some(object), UseKind::Inherits),
                (false, true) => break, // as its object
            };
            if let Some((used, owner)) = used.and_then(|used| Some((used, self.classes.owner(used)?))) {
                if kind == UseKind::Inherits && user.is_gem() && owner != user {
                    let names = self.uses.inherits_from.entry(user).or_default();
                    if names.len() < NAMES {
                        names.extend(self.classes.name(heap, used));
                    }
                }
                let first = First {
                    count: 0,
                    code: None,
                    class: Some(used),
                    by_class: Some(class),
                };
                self.add(
                    Key {
                        user,
                        used: owner,
                        kind,
                    },
                    first,
                );
            }
            if !is_module {
                break;
            }
        }
        Ok(())
    }

    fn finish(mut self, owners: &Owners<'_>) -> Uses {
        let heap = self.parts.heap;
        let name = |class: Option<ObjectId>| self.classes.name(heap, class?);
        let mut firsts: Vec<_> = self.firsts.iter().collect();
        firsts.sort_unstable_by_key(|(key, _)| **key);
        let told = firsts.into_iter().map(|(key, first)| UseOf {
            used: key.used,
            told: Use {
                user: owners.name(key.user).into(),
                kind: key.kind,
                count: first.count,
                example: Example {
                    file: first.code.and_then(|code| self.code.path(code)).map(Into::into),
                    class: name(first.class),
                    by_class: name(first.by_class),
                },
            },
        });
        self.uses.found = told.collect();
        self.uses
    }
}
