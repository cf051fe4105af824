//! What a heap says of the use of each gem: code that is loaded and code that ran, classes and their instances, and above
//! all who uses whose code. [docs/gems.md] says which Ruby tells what.
//!
//! Compiled code (an iseq) refers to its path, so it has an owner: a gem, the application, Ruby. Classes belong to the
//! owner of their methods. All that code of one owner is seen to do with another's is a *use*:
//!
//! - it called a method (inline caches for calls, Ruby 3.1 and 3.2),
//! - it called a method of an object of a class (the receiver's class in a cache, up to Ruby 3.3),
//! - it ran and read a constant (inline caches for constants, every Ruby),
//! - its class inherits, includes or is extended (every Ruby).
//!
//! No use is no proof: a call through `send` leaves no cache, and caches are emptied.
//!
//! [docs/gems.md]: https://github.com/leak-hunter/leak_hunter/blob/main/docs/gems.md

mod classes;
mod code;
mod core_classes;
mod owners;
#[cfg(test)]
mod tests;
mod uses;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::RandomState;

use self::classes::ClassOwners;
use self::code::CodeOwners;
pub use self::owners::OwnerTable;
use self::owners::{OwnerId, Owners};
pub use self::uses::{Example, Use, UseKind};
use crate::error::Result;
use crate::graph::Ticks;
use crate::heap::{Heap, Internal, Kind, ObjectSet, Tally, Type};
use crate::ids::ObjectId;
use crate::progress::Progress;

/// Names that are listed at most.
const NAMES: usize = 100;

/// What an object is to this analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Iseq,
    CallCache,
    ConstantCache,
    MethodEntry,
    CallCacheTable,
    Proc,
    /// A class, a module, or what stands for an included one.
    Class,
    String,
    Array,
    /// The VM's own.
    Internal,
    Object,
}

impl Part {
    fn of(heap: &Heap, kind: &Kind) -> Self {
        match (kind.type_, kind.internal) {
            (type_, _) if type_.is_class() => Self::Class,
            (Type::String, _) => Self::String,
            (Type::Array, _) => Self::Array,
            (_, Internal::MethodEntry) => Self::MethodEntry,
            (_, Internal::CallCacheTable) => Self::CallCacheTable,
            (Type::Data, Internal::Closure) => Self::Proc,
            (Type::Imemo, _) => match heap.label_of_kind(kind) {
                Some("iseq") => Self::Iseq,
                Some("callcache") => Self::CallCache,
                Some("constcache") => Self::ConstantCache,
                _ => Self::Internal,
            },
            (_, Internal::Tracing | Internal::OwnHeap) => Self::Internal,
            _ => Self::Object,
        }
    }
}

/// A heap, and what each of its objects is.
#[derive(Clone, Copy)]
struct Parts<'a> {
    heap: &'a Heap,
    by_birth: &'a [Part],
}

impl Parts<'_> {
    #[inline]
    fn of(&self, object: ObjectId) -> Part {
        let birth = self.heap.birth_number(object);
        self.by_birth
            .get(birth.index())
            .copied()
            .unwrap_or(Part::Internal)
    }

    /// The references of an object that are such parts.
    fn references(&self, object: ObjectId, part: Part) -> impl Iterator<Item = ObjectId> + '_ {
        let parts = *self;
        self.heap
            .references(object)
            .filter(move |it| parts.of(*it) == part)
    }
}

/// What a heap says of one owner of code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GemUse {
    /// The gem; [`OwnerTable::APP`] and [`OwnerTable::RUBY`] have names of their own.
    pub name: String,
    /// Files of which there is code.
    pub files: u64,
    /// Compiled code.
    pub code: Tally,
    /// Of it, how many pieces have run, as far as they read constants.
    pub ran: u64,
    /// Methods that some class has in its cache, because they were called or looked up.
    pub cached_methods: u64,
    /// Its classes and modules.
    pub classes: Tally,
    /// Its classes and modules that are in no namespace of its own.
    pub namespaces: BTreeSet<String>,
    /// Classes of others that its classes inherit from.
    pub inherits_from: BTreeSet<String>,
    /// Objects of its classes.
    pub instances: Tally,
    /// Living objects that its code allocated, as far as allocations were traced.
    pub allocated: Tally,
    /// Strings that its code and classes refer to.
    pub strings: Tally,
    /// Methods it has in classes of others.
    pub patches: Patches,
    /// Who uses it, and how.
    pub uses: Vec<Use>,
}

/// Methods of a gem in classes of others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patches {
    /// How many.
    pub methods: u64,
    /// Those of them that some class has in its cache.
    pub cached: u64,
    /// The classes.
    pub classes: BTreeSet<String>,
}

/// What there is to judge by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Pieces of compiled code.
    pub code: u64,
    /// Of those, how many say of which file they are.
    pub with_path: u64,
    /// Calls that say who called whom.
    pub calls: u64,
    /// Calls that say who called a method of which class.
    pub receivers: u64,
    /// Constants that were read by code that ran.
    pub constants: u64,
    /// Methods in the caches of classes.
    pub cached_methods: u64,
}

/// The use of all gems.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GemUses {
    /// By name.
    pub gems: Vec<GemUse>,
    /// What there is to judge by.
    pub evidence: Evidence,
}

/// Looks at who uses whose code. `owners`: which gem's the files are, as far as that is known; the rest follows from
/// their paths.
pub fn gem_uses(heap: &Heap, owners: &OwnerTable, progress: &Progress) -> Result<GemUses> {
    let by_birth = heap.by_birth(|kind| Part::of(heap, &heap.all_kinds()[kind.index()]));
    let parts = Parts {
        heap,
        by_birth: &by_birth,
    };
    let mut owners = Owners::new(owners);
    let mut ticks = Ticks::new(progress);
    let code = CodeOwners::of(parts, &mut owners, &mut ticks)?;
    let classes = ClassOwners::of(parts, &code, &mut owners, &mut ticks)?;
    let kinds = heap.all_kinds().iter();
    let instances: Vec<Option<OwnerId>> = kinds.map(|kind| classes.of_instances(heap, kind)).collect();
    let mut found = Found::new(owners.len());
    found.tally(parts, &code, &classes, &instances, &mut owners, &mut ticks)?;
    found.methods(parts, &code, &classes, &mut ticks)?;
    let uses = uses::find(
        parts,
        &code,
        &classes,
        &owners,
        &instances,
        &mut found.evidence,
        &mut ticks,
    )?;
    Ok(found.finish(&owners, uses))
}

/// What is found of each owner, by its number.
struct Found {
    gems: Vec<GemUse>,
    evidence: Evidence,
}

impl Found {
    fn new(owners: usize) -> Self {
        Self {
            gems: vec![GemUse::default(); owners],
            evidence: Evidence::default(),
        }
    }

    fn of(&mut self, owner: OwnerId) -> &mut GemUse {
        if owner.index() >= self.gems.len() {
            self.gems.resize(owner.index() + 1, GemUse::default());
        }
        &mut self.gems[owner.index()]
    }

    /// Adds up code, classes, instances, Strings and what was allocated.
    fn tally(
        &mut self,
        parts: Parts<'_>,
        code: &CodeOwners<'_>,
        classes: &ClassOwners,
        instances: &[Option<OwnerId>],
        owners: &mut Owners<'_>,
        ticks: &mut Ticks<'_>,
    ) -> Result<()> {
        let heap = parts.heap;
        for owner in code.owners_of_files() {
            self.of(owner).files += 1;
        }
        let site = |kind: &Kind| heap.site_of_kind(kind).and_then(|site| site.file);
        let kinds = heap.all_kinds();
        let allocators: Vec<Option<OwnerId>> = kinds
            .iter()
            .map(|kind| Some(owners.of_path(site(kind)?)))
            .collect();
        let mut counted = ObjectSet::default();
        for object in heap.objects() {
            ticks.tick()?;
            let Some(kind) = heap.kind_number(object) else {
                continue;
            };
            let one = Tally {
                count: 1,
                memsize: heap.memsize(object),
            };
            if let Some(owner) = allocators[kind.index()] {
                self.of(owner).allocated.add(one);
            }
            match parts.of(object) {
                Part::Iseq => {
                    let Some(owner) = code.owner(object) else { continue };
                    self.of(owner).code.add(one);
                    self.strings(parts, object, owner, &mut counted, ticks)?;
                }
                Part::Class => {
                    if let Some(owner) = classes.owner(object) {
                        self.of(owner).classes.add(one);
                        self.strings(parts, object, owner, &mut counted, ticks)?;
                    }
                }
                Part::Object | Part::String | Part::Array => {
                    if let Some(owner) = instances[kind.index()] {
                        self.of(owner).instances.add(one);
                    }
                }
                _ => {}
            }
        }
        for (name, owner) in classes.namespaces() {
            let namespaces = &mut self.of(owner).namespaces;
            if namespaces.len() < NAMES {
                namespaces.insert(name.into());
            }
        }
        Ok(())
    }

    /// Strings that several refer to count for the first.
    fn strings(
        &mut self,
        parts: Parts<'_>,
        object: ObjectId,
        owner: OwnerId,
        counted: &mut ObjectSet,
        ticks: &mut Ticks<'_>,
    ) -> Result<()> {
        for string in parts.references(object, Part::String) {
            ticks.tick()?;
            if counted.insert(string) {
                let memsize = parts.heap.memsize(string);
                self.of(owner).strings.add(Tally { count: 1, memsize });
            }
        }
        Ok(())
    }

    /// Methods in caches, and methods in classes of others.
    fn methods(
        &mut self,
        parts: Parts<'_>,
        code: &CodeOwners<'_>,
        classes: &ClassOwners,
        ticks: &mut Ticks<'_>,
    ) -> Result<()> {
        let cached = code.cached_methods(parts, ticks)?;
        for (method, entry) in code.methods() {
            ticks.tick()?;
            let is_cached = cached.contains(method);
            self.evidence.cached_methods += u64::from(is_cached);
            let (Some(owner), Some(class)) = (entry.code.and_then(|it| code.owner(it)), entry.class) else {
                continue;
            };
            self.of(owner).cached_methods += u64::from(is_cached);
            let of_class = classes.owner(class);
            if owner.is_gem() && of_class.is_some_and(|it| it != owner) {
                let patches = &mut self.of(owner).patches;
                patches.methods += 1;
                patches.cached += u64::from(is_cached);
                if patches.classes.len() < NAMES {
                    patches.classes.extend(classes.name(parts.heap, class));
                }
            }
        }
        Ok(())
    }

    fn finish(mut self, owners: &Owners<'_>, uses: uses::Uses) -> GemUses {
        self.evidence.code += uses.code;
        self.evidence.with_path += uses.with_path;
        for (owner, ran) in uses.ran {
            self.of(owner).ran += ran;
        }
        for (owner, names) in uses.inherits_from {
            self.of(owner).inherits_from = names;
        }
        let mut by_used: BTreeMap<OwnerId, Vec<Use>> = BTreeMap::new();
        for it in uses.found {
            by_used.entry(it.used).or_default().push(it.told);
        }
        for (owner, mut told) in by_used {
            told.sort_by(|one, two| (&one.user, one.kind).cmp(&(&two.user, two.kind)));
            self.of(owner).uses = told;
        }
        let mut gems = Vec::new();
        for (index, mut gem) in self.gems.into_iter().enumerate() {
            gem.name = owners.name(OwnerId::new(index as u32)).into();
            if gem.code.count + gem.classes.count + gem.allocated.count > 0 {
                gems.push(gem);
            }
        }
        gems.sort_by(|one, two| one.name.cmp(&two.name));
        GemUses {
            gems,
            evidence: self.evidence,
        }
    }
}

/// Numbers by object, for a part of the objects.
type ByObject<T> = HashMap<ObjectId, T, RandomState>;
