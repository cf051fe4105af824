//! Whose the classes and modules are.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::code::CodeOwners;
use super::core_classes;
use super::owners::{OwnerId, Owners};
use super::{ByObject, Parts};
use crate::dump::is_anonymous;
use crate::error::Result;
use crate::graph::Ticks;
use crate::heap::{Heap, Kind, Type};
use crate::ids::ObjectId;

/// Bytes of a name, and namespaces around it, that are looked at: a damaged dump may hold anything.
const LONGEST_NAME: usize = 512;
const DEEPEST: usize = 16;

/// Whose a class is, by object. A singleton class is its object's, if that is a class.
pub(super) struct ClassOwners {
    owners: ByObject<OwnerId>,
    namespaces: BTreeMap<String, OwnerId>,
    /// The class or module that is the only instance of a singleton class.
    attached: ByObject<ObjectId>,
}

/// What is known of one class.
#[derive(Debug, Default)]
struct Votes {
    /// Methods by owner of their code.
    by_owner: BTreeMap<OwnerId, u32>,
}

impl Votes {
    /// The owner of most methods; of several, the first that was met.
    fn most(&self) -> Option<OwnerId> {
        let known = self
            .by_owner
            .iter()
            .filter(|(owner, _)| **owner != OwnerId::UNKNOWN);
        let most = known.max_by_key(|(owner, votes)| (**votes, std::cmp::Reverse(**owner)));
        most.map(|(owner, _)| *owner)
    }
}

impl ClassOwners {
    pub(super) fn of(
        parts: Parts<'_>,
        code: &CodeOwners<'_>,
        owners: &mut Owners<'_>,
        ticks: &mut Ticks<'_>,
    ) -> Result<Self> {
        let heap = parts.heap;
        let mut found = Self {
            owners: HashMap::default(),
            namespaces: BTreeMap::new(),
            attached: HashMap::default(),
        };
        let mut classes = Vec::new();
        for object in heap.objects() {
            ticks.tick()?;
            let type_ = heap.kind(object).map(|kind| kind.type_);
            let is_class = matches!(type_, Some(Type::Class | Type::Module));
            if !is_class || heap.classes().is_hidden(heap.address(object)) {
                continue;
            }
            classes.push(object);
            if let Some(own) = heap.class_of(object) {
                if heap.classes().is_hidden(heap.address(own)) {
                    found.attached.entry(own).or_insert(object);
                }
            }
        }
        let mut votes: ByObject<Votes> = HashMap::default();
        for (_, method) in code.methods() {
            ticks.tick()?;
            let owner = method
                .code
                .filter(|it| !method.is_block && !code.path(*it).is_some_and(is_on_behalf))
                .and_then(|it| code.owner(it));
            if let (Some(class), Some(owner)) = (method.class, owner) {
                let class = found.attached.get(&class).copied().unwrap_or(class);
                *votes.entry(class).or_default().by_owner.entry(owner).or_default() += 1;
            }
        }
        let mut by_name: BTreeMap<String, OwnerId> = BTreeMap::new();
        let mut decided: BTreeMap<String, ObjectId> = BTreeMap::new();
        let mut undecided = Vec::new();
        for class in classes {
            ticks.tick()?;
            let name = heap
                .classes()
                .name(heap.address(class))
                .filter(|name| !is_anonymous(name));
            let own = found.judge(heap, class, name.as_deref(), votes.get(&class), owners);
            match (own, name) {
                (Some(owner), name) => {
                    found.owners.insert(class, owner);
                    if let Some(name) = name {
                        by_name.insert(name.clone(), owner);
                        decided.insert(name, class);
                    }
                }
                (None, Some(name)) => undecided.push((name, class)),
                (None, None) => {}
            }
        }
        found.give_to_app(&mut by_name, &decided, ticks)?;
        found.decide_by_names(heap, &mut by_name, undecided, ticks)?;
        Ok(found)
    }

    /// By where it was allocated, and by its methods.
    fn judge(
        &self,
        heap: &Heap,
        class: ObjectId,
        name: Option<&str>,
        votes: Option<&Votes>,
        owners: &mut Owners<'_>,
    ) -> Option<OwnerId> {
        if name.is_some_and(core_classes::is_core) {
            return Some(OwnerId::RUBY);
        }
        let site = heap.site(class).and_then(|site| site.file);
        let made = site
            .map(|file| owners.of_path(file))
            .filter(|owner| *owner != OwnerId::UNKNOWN);
        // Struct.new in Ruby's own code is called by its user
        made.filter(|owner| *owner != OwnerId::RUBY)
            .or_else(|| votes.and_then(Votes::most))
            .or(made)
    }

    /// What is in a class of the application's is its own: gems define methods there on its behalf.
    fn give_to_app(
        &mut self,
        by_name: &mut BTreeMap<String, OwnerId>,
        decided: &BTreeMap<String, ObjectId>,
        ticks: &mut Ticks<'_>,
    ) -> Result<()> {
        // namespaces come before what is in them
        for (name, class) in decided {
            ticks.tick()?;
            let around = namespaces_of(name).find_map(|namespace| by_name.get(namespace).copied());
            if around == Some(OwnerId::APP) {
                by_name.insert(name.clone(), OwnerId::APP);
                self.owners.insert(*class, OwnerId::APP);
            }
        }
        Ok(())
    }

    /// A class without methods is of the owner of its namespace; a namespace of the owner of most that is in it. One that
    /// inherits from a gem's class, and is in nobody's namespace, is the application's.
    fn decide_by_names(
        &mut self,
        heap: &Heap,
        by_name: &mut BTreeMap<String, OwnerId>,
        undecided: Vec<(String, ObjectId)>,
        ticks: &mut Ticks<'_>,
    ) -> Result<()> {
        let mut inside: HashMap<String, Votes, RandomState> = HashMap::default();
        for (name, owner) in by_name.iter() {
            for namespace in namespaces_of(name) {
                ticks.tick()?;
                let votes = inside.entry(namespace.into()).or_default();
                *votes.by_owner.entry(*owner).or_default() += 1;
            }
        }
        for (name, class) in undecided {
            ticks.tick()?;
            let of_namespace = || namespaces_of(&name).find_map(|namespace| by_name.get(namespace).copied());
            let is_core = core_classes::is_core(outermost(&name));
            let owner = inside
                .get(name.as_str())
                .and_then(Votes::most)
                .or_else(of_namespace)
                .or_else(|| inside.get(outermost(&name)).and_then(Votes::most))
                .or_else(|| is_core.then_some(OwnerId::RUBY))
                .or_else(|| self.inherits_from_gem(heap, class).then_some(OwnerId::APP));
            if let Some(owner) = owner {
                self.owners.insert(class, owner);
                by_name.insert(name, owner);
            }
        }
        for (name, owner) in by_name.iter() {
            ticks.tick()?;
            let around = namespaces_of(name).find_map(|namespace| by_name.get(namespace));
            if around != Some(owner) {
                self.namespaces.insert(name.clone(), *owner);
            }
        }
        Ok(())
    }

    fn inherits_from_gem(&self, heap: &Heap, class: ObjectId) -> bool {
        let superclass = heap.classes().superclass(heap.address(class));
        let real = superclass.and_then(|it| heap.find(heap.classes().real(it)));
        real.and_then(|it| self.owner(it)).is_some_and(OwnerId::is_gem)
    }

    /// Whose a class or module is; of a singleton class, its object's.
    pub(super) fn owner(&self, class: ObjectId) -> Option<OwnerId> {
        let class = self.attached.get(&class).unwrap_or(&class);
        self.owners.get(class).copied()
    }

    /// Classes and modules in no namespace of the same owner.
    pub(super) fn namespaces(&self) -> impl Iterator<Item = (&str, OwnerId)> {
        self.namespaces
            .iter()
            .map(|(name, owner)| (name.as_str(), *owner))
    }

    /// Whose the class of such objects is.
    pub(super) fn of_instances(&self, heap: &Heap, kind: &Kind) -> Option<OwnerId> {
        let class = heap.find(heap.classes().real(kind.class()?))?;
        self.owner(class)
    }

    /// Its name, and of a singleton class that of its object.
    pub(super) fn name(&self, heap: &Heap, class: ObjectId) -> Option<String> {
        let class = self.attached.get(&class).copied().unwrap_or(class);
        heap.classes().name(heap.address(class))
    }
}

/// Whether methods in this file of Ruby's are defined on behalf of the classes that have them (`def_delegators`).
fn is_on_behalf(path: &str) -> bool {
    [
        "/forwardable.rb",
        "/forwardable/impl.rb",
        "/delegate.rb",
        "/singleton.rb",
        "/observer.rb",
    ]
    .iter()
    .any(|file| path.ends_with(file))
}

/// Of `A::B::C` first `A::B`, then `A`; of names that nobody gives none.
fn namespaces_of(name: &str) -> impl Iterator<Item = &str> {
    let given = Some(name).filter(|name| name.len() <= LONGEST_NAME);
    let ends = given.into_iter().flat_map(|name| name.rmatch_indices("::"));
    ends.take(DEEPEST).map(|(end, _)| &name[..end])
}

fn outermost(name: &str) -> &str {
    name.split("::").next().unwrap_or(name)
}
