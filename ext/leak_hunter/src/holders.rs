//! Holders as Hashes. `lib/leak_hunter/holders.rb` gives them names.

use leak_hunter_core::diff::GrownInPlace;
use leak_hunter_core::gem;
use leak_hunter_core::graph::{Edge, EdgeKind, NamedBy};
use leak_hunter_core::heap::{AllocationSite, Site};
use leak_hunter_core::holders::{Holder, PathStep, Sharer};
use leak_hunter_core::ids::{Address, Generation};
use leak_hunter_core::verdict::{Births, Judgement, Level, Rate};
use magnus::{Error, RArray, RHash, Ruby};

use crate::convert::{Hash, array};
use crate::diff::estimate_to_hash;
use crate::origin;

/// `seconds` has those of each window.
pub(crate) fn to_hash(ruby: &Ruby, holder: &Holder, seconds: &[Option<f64>]) -> Result<RHash, Error> {
    let births = holder.history.births();
    let retained = Hash::new(ruby)
        .set("exclusive", holder.retained.exclusive)?
        .set("shared", holder.retained.shared)?
        .set("cut", holder.retained.cut)?;
    let site = site_to_hash(ruby, holder.site.as_ref().map(AllocationSite::borrowed))?;
    let samples: Vec<String> = holder.samples.iter().map(|it| hex(*it)).collect();
    let hash = Hash::new(ruby)
        .set("name", ())?
        .set("named_by", ())?
        .set("address", holder.address.map(hex))?
        .set("class", holder.class.as_deref())?
        .set("kind", holder.kind.name())?
        .set("alike", holder.alike)?
        .set("count", holder.count)?
        .set("estimate", estimate_to_hash(ruby, holder.estimate.as_ref())?)?
        .set("memsize", holder.memsize)?
        .set("together", array(ruby, &holder.together, sharer_to_hash)?)?
        .set("retained", retained.hash)?
        .set("entries", entries_to_hash(ruby, holder)?)?
        .set("keys", keys_to_hash(ruby, holder)?)?
        .set("thread_name", holder.thread_name.as_deref())?
        .set("reserved", holder.reserved)?
        .set("pinned", pinned_to_hash(ruby, holder)?)?
        .set("loaded", loaded_to_hash(ruby, holder)?)?
        .set(
            "consequences",
            array(ruby, &holder.consequences, |ruby, it| {
                let hash = Hash::new(ruby)
                    .set("kind", "finalizers")?
                    .set("count", it.count)?
                    .set("memsize", it.memsize)?;
                Ok(hash.hash)
            })?,
        )?
        .set("verdict", verdict_to_hash(ruby, &holder.judgement)?)?
        .set("growth", holder.lengths.clone())?
        .set("births", array(ruby, &births, births_to_hash)?)?
        .set("rates", array(ruby, &Rate::of(&births, seconds), rate_to_hash)?)?
        .set("levels", array(ruby, &holder.history.levels, level_to_hash)?)?
        .set("contexts", origin::contexts(ruby, &holder.contexts)?)?
        .set("context_count", holder.contexts.different)?
        .set("generation", holder.generation.map(Generation::get))?
        .set("site", site.hash)?
        .set(
            "groups",
            array(ruby, &holder.groups, |ruby, share| {
                let hash = Hash::new(ruby)
                    .set("index", share.group)?
                    .set("count", share.count)?;
                Ok(hash.hash)
            })?,
        )?
        .set("addresses", samples)?
        .set("path", path_to_array(ruby, &holder.path)?)?
        .set("position", holder.position)?
        .set(
            "other_paths",
            array(ruby, &holder.other_paths, |ruby, path| path_to_array(ruby, path))?,
        )?
        .set("fingerprint", format!("{:016x}", holder.fingerprint))?;
    Ok(hash.hash)
}

fn entries_to_hash(ruby: &Ruby, holder: &Holder) -> Result<Option<RHash>, Error> {
    let Some(entries) = &holder.entries else {
        return Ok(None);
    };
    let site = site_to_hash(ruby, Some(entries.site.borrowed()))?;
    Ok(Some(site.set("count", entries.count)?.hash))
}

fn pinned_to_hash(ruby: &Ruby, holder: &Holder) -> Result<Option<RHash>, Error> {
    let Some(pinned) = &holder.pinned else {
        return Ok(None);
    };
    let site = site_to_hash(ruby, pinned.site.as_ref().map(AllocationSite::borrowed))?;
    let hash = site.set("count", pinned.count)?.set("memsize", pinned.memsize)?;
    Ok(Some(hash.hash))
}

fn loaded_to_hash(ruby: &Ruby, holder: &Holder) -> Result<Option<RHash>, Error> {
    let Some(loaded) = &holder.loaded else {
        return Ok(None);
    };
    let hash = Hash::new(ruby)
        .set("feature", loaded.feature.as_deref())?
        .set("file", loaded.file.as_str())?
        .set("files", loaded.files)?;
    Ok(Some(hash.hash))
}

fn keys_to_hash(ruby: &Ruby, holder: &Holder) -> Result<Option<RHash>, Error> {
    let Some(keys) = &holder.keys else {
        return Ok(None);
    };
    let hash = Hash::new(ruby)
        .set("kind", keys.kind.name())?
        .set("pattern", keys.pattern.as_deref())?
        .set("count", holder.key_count)?;
    Ok(Some(hash.hash))
}

fn sharer_to_hash(ruby: &Ruby, sharer: &Sharer) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("name", ())?
        .set("named_by", ())?
        .set("address", sharer.address.map(hex))?
        .set("class", sharer.class.as_deref())?
        .set("count", sharer.count)?
        .set("path", path_to_array(ruby, &sharer.path)?)?;
    Ok(hash.hash)
}

pub(crate) fn grown_to_hash(ruby: &Ruby, grown: &GrownInPlace) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("name", ())?
        .set("named_by", ())?
        .set("address", hex(grown.address))?
        .set("class", grown.class.as_deref())?
        .set("type", grown.type_name.as_str())?
        .set("unit", grown.unit.name())?
        .set("growth", grown.lengths.clone())?
        .set("by_name", grown.by_name)?
        .set("memsize", grown.memsize)?
        .set("verdict", verdict_to_hash(ruby, &grown.judgement)?)?
        .set("path", path_to_array(ruby, &grown.path)?)?
        .set("position", grown.position)?;
    Ok(hash.hash)
}

fn verdict_to_hash(ruby: &Ruby, judgement: &Judgement) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("name", judgement.verdict.name())?
        .set("reason", judgement.because.name())?
        .set("level", judgement.level)?
        .set(
            "another_moment_settles",
            judgement.because.another_moment_settles(),
        )?;
    Ok(hash.hash)
}

fn births_to_hash(ruby: &Ruby, births: &Births) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("count", births.count)?
        .set("memsize", births.bytes)?;
    Ok(hash.hash)
}

fn rate_to_hash(ruby: &Ruby, rate: &Rate) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("seconds", rate.seconds)?
        .set("count", rate.births.count)?
        .set("memsize", rate.births.bytes)?
        .set("count_per_minute", rate.count_per_minute())?
        .set("memsize_per_minute", rate.bytes_per_minute())?;
    Ok(hash.hash)
}

fn level_to_hash(ruby: &Ruby, level: &Level) -> Result<RHash, Error> {
    let lengths = (!level.lengths.is_empty()).then(|| level.lengths.clone());
    let hash = Hash::new(ruby)
        .set("growth", lengths)?
        .set("entries", level.entries.clone())?
        .set("births", array(ruby, &level.births, births_to_hash)?)?;
    Ok(hash.hash)
}

/// All of them nil where the site is not known.
pub(crate) fn site_to_hash<'a>(ruby: &'a Ruby, site: Option<Site<'_>>) -> Result<Hash<'a>, Error> {
    let site = site.unwrap_or_default();
    Hash::new(ruby)
        .set("file", site.file)?
        .set("line", site.line)?
        .set("method", site.method)?
        .set("gem", site.file.and_then(gem::of_path))
}

fn path_to_array(ruby: &Ruby, path: &[PathStep]) -> Result<RArray, Error> {
    array(ruby, path, step_to_hash)
}

pub(crate) fn step_to_hash(ruby: &Ruby, step: &PathStep) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("address", step.address.map(hex))?
        .set("class", step.class.as_deref())?
        .set("type", step.type_name.as_str())?
        .set("edge", edge_to_hash(ruby, &step.edge)?)?;
    let hash = match step.lengths.is_empty() {
        true => hash,
        false => hash.set("growth", step.lengths.clone())?,
    };
    let hash = match step.thread.as_deref() {
        Some(name) => hash.set("thread", name)?,
        None => hash,
    };
    match step.is_old {
        true => Ok(hash.set("old", true)?.hash),
        false => Ok(hash.hash),
    }
}

fn edge_to_hash(ruby: &Ruby, edge: &Edge) -> Result<RHash, Error> {
    let mut hash = Hash::new(ruby)
        .set("kind", edge.kind.name())?
        .set("name", edge.name.as_deref())?
        .set("named_by", edge.named_by.map(NamedBy::name))?;
    if edge.kind == EdgeKind::Gap {
        hash = hash.set("omitted", edge.omitted)?;
    }
    Ok(hash.hash)
}

pub(crate) fn hex(address: Address) -> String {
    format!("{address:#x}")
}
