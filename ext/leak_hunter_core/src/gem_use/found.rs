//! What is found of each owner of code.

use std::collections::BTreeMap;

use super::classes::ClassOwners;
use super::code::CodeOwners;
use super::kinds::Use;
use super::owners::{OwnerId, Owners};
use super::uses::Uses;
use super::{Evidence, GemUse, GemUses, NAMES, Part, Parts};
use crate::error::Result;
use crate::graph::Ticks;
use crate::heap::{Kind, ObjectSet, Tally};
use crate::ids::ObjectId;

/// What is found of each owner, by its number.
pub(super) struct Found {
    gems: Vec<GemUse>,
    pub(super) evidence: Evidence,
}

impl Found {
    pub(super) fn new(owners: usize) -> Self {
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
    pub(super) fn tally(
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
    pub(super) fn methods(
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

    pub(super) fn finish(mut self, owners: &Owners<'_>, uses: Uses) -> GemUses {
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
