//! What is kept of dumps between which objects moved: the allocation sites of the boundary generations, by which an
//! object may be recognized at another address.

use std::collections::HashSet;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::census::HASHER;
use crate::dump::{Damaged, Failure, Pass, Record};
use crate::ids::Generation;

/// Hashes of type and allocation site, which do not change when an object moves.
pub(crate) type SiteHashes = HashSet<u64, RandomState>;

pub(crate) fn site_hash(record: &Record<'_>) -> Result<u64, Damaged> {
    let fields = record.fields().ok_or(Damaged)?;
    Ok(HASHER.hash_one((
        fields.kind.as_ref(),
        fields.file.as_deref(),
        fields.line,
        fields.method.as_deref(),
    )))
}

/// The pass that collects the sites of one generation.
#[derive(Debug)]
pub(crate) struct SitesOf {
    pub(crate) generation: Option<Generation>,
    pub(crate) sites: SiteHashes,
}

impl SitesOf {
    pub(crate) fn new(generation: Option<Generation>) -> Self {
        Self {
            generation,
            sites: SiteHashes::default(),
        }
    }
}

impl Pass for SitesOf {
    #[inline]
    fn visit(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        if record.generation.is_some() && record.generation == self.generation {
            self.sites.insert(site_hash(record)?);
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.sites.extend(other.sites);
    }
}
