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
mod found;
mod kinds;
mod owners;
#[cfg(test)]
mod tests;
mod uses;

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;

use self::classes::ClassOwners;
use self::code::CodeOwners;
use self::found::Found;
pub use self::kinds::{Example, Use, UseKind};
pub use self::owners::OwnerTable;
use self::owners::Owners;
use crate::error::Result;
use crate::graph::Ticks;
use crate::heap::{Heap, Internal, Kind, Tally, Type};
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
    let instances: Vec<_> = kinds.map(|kind| classes.of_instances(heap, kind)).collect();
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

/// Numbers by object, for a part of the objects.
type ByObject<T> = HashMap<ObjectId, T, RandomState>;
