//! What a heap says of the use of each gem.

use leak_hunter_core::gem_use::{self, Evidence, GemUse, GemUses, OwnerTable, Use};
use leak_hunter_core::heap::Tally;
use magnus::r_hash::ForEach;
use magnus::{Error, Module, RArray, RClass, RHash, Ruby, method};

use super::NativeHeap;
use crate::convert::Hash;

impl NativeHeap {
    /// `owners`: names of gems by folder or file.
    fn gem_uses(ruby: &Ruby, this: &Self, owners: RHash) -> Result<RHash, Error> {
        let mut table = OwnerTable::default();
        owners.foreach(|path: String, gem: String| {
            table.add(&path, &gem);
            Ok(ForEach::Continue)
        })?;
        let uses = this.analyse(ruby, move |analyses, progress| {
            gem_use::gem_uses(analyses.heap(), &table, progress)
        })?;
        to_hash(ruby, &uses)
    }
}

fn to_hash(ruby: &Ruby, uses: &GemUses) -> Result<RHash, Error> {
    let gems = ruby.hash_new();
    for gem in &uses.gems {
        gems.aset(gem.name.as_str(), gem_to_hash(ruby, gem)?)?;
    }
    Ok(Hash::new(ruby)
        .set("gems", gems)?
        .set("evidence", evidence_to_hash(ruby, &uses.evidence)?)?
        .hash)
}

fn evidence_to_hash(ruby: &Ruby, evidence: &Evidence) -> Result<RHash, Error> {
    Ok(Hash::new(ruby)
        .set("code", evidence.code)?
        .set("with_path", evidence.with_path)?
        .set("calls", evidence.calls)?
        .set("receivers", evidence.receivers)?
        .set("constants", evidence.constants)?
        .set("cached_methods", evidence.cached_methods)?
        .hash)
}

fn gem_to_hash(ruby: &Ruby, gem: &GemUse) -> Result<RHash, Error> {
    let tally = |tally: Tally| -> Result<RHash, Error> {
        Ok(Hash::new(ruby)
            .set("count", tally.count)?
            .set("memsize", tally.memsize)?
            .hash)
    };
    let patches = Hash::new(ruby)
        .set("methods", gem.patches.methods)?
        .set("cached", gem.patches.cached)?
        .set("classes", texts(ruby, gem.patches.classes.iter())?)?
        .hash;
    let uses = ruby.ary_new_capa(gem.uses.len());
    for it in &gem.uses {
        uses.push(use_to_hash(ruby, it)?)?;
    }
    Ok(Hash::new(ruby)
        .set("files", gem.files)?
        .set("code", tally(gem.code)?)?
        .set("ran", gem.ran)?
        .set("cached_methods", gem.cached_methods)?
        .set("classes", tally(gem.classes)?)?
        .set("namespaces", texts(ruby, gem.namespaces.iter())?)?
        .set("inherits_from", texts(ruby, gem.inherits_from.iter())?)?
        .set("instances", tally(gem.instances)?)?
        .set("allocated", tally(gem.allocated)?)?
        .set("strings", tally(gem.strings)?)?
        .set("patches", patches)?
        .set("uses", uses)?
        .hash)
}

fn use_to_hash(ruby: &Ruby, it: &Use) -> Result<RHash, Error> {
    Ok(Hash::new(ruby)
        .set("user", it.user.as_str())?
        .set("kind", it.kind.name())?
        .set("count", it.count)?
        .set("file", it.example.file.as_deref())?
        .set("class", it.example.class.as_deref())?
        .set("by_class", it.example.by_class.as_deref())?
        .hash)
}

fn texts<'a>(ruby: &Ruby, texts: impl Iterator<Item = &'a String>) -> Result<RArray, Error> {
    let array = ruby.ary_new();
    for text in texts {
        array.push(text.as_str())?;
    }
    Ok(array)
}

pub(super) fn init(class: RClass) -> Result<(), Error> {
    class.define_method("gem_uses", method!(NativeHeap::gem_uses, 1))
}
