//! A heap from columns: how a walk of the living process hands it over, in little time and without texts repeated.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use rayon::prelude::*;

use super::Heap;
use super::builder::HeapBuilder;
use super::code::{CodeLink, CodePath};
use super::ivar_tables::IvarRecord;
use super::tables::PartialHeap;
use crate::dump::Fields;
use crate::error::Result;
use crate::ids::{Address, BirthId, KindId, SiteId};
use crate::pool;
use crate::progress::Progress;

/// Rows that one thread takes at a time.
const CHUNK: usize = 1 << 14;

/// One object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row {
    /// Its address.
    pub address: Address,
    /// Which of [`Dictionary::kinds`] it is of.
    pub kind: KindId,
    /// Bytes it takes; `u32::MAX` when [`Columns::large`] has them.
    pub memsize: u32,
    /// How many of [`Columns::references`] are its own.
    pub references: u32,
    /// Elements of an Array or Hash, bytes of a String; 0 of others.
    pub length: u32,
}

/// An object and its allocation site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedObject {
    /// Its address
    pub address: Address,
    /// Its allocation site, a row of [`Dictionary::sites`]
    pub site: SiteId,
}

/// Whose variables a record of the type `fields` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldsOwner {
    /// Address of the record
    pub record: Address,
    /// Address of its owner
    pub owner: Address,
}

/// All objects.
#[derive(Debug, Default)]
pub struct Columns {
    /// Each address once.
    pub rows: Vec<Row>,
    /// Sizes that do not fit, by address.
    pub large: HashMap<Address, u64>,
    /// Addresses that the objects refer to, without their classes, in the order of the rows.
    pub references: Vec<Address>,
    /// Allocation sites. Those of objects that are not among the rows are ignored.
    pub sites: Vec<TracedObject>,
    /// The IMEMO `fields`, in which Ruby 4 keeps variables of other objects.
    pub fields_owners: Vec<FieldsOwner>,
    /// Strings that are paths of code.
    pub code_paths: Vec<CodePath>,
    /// What entries of methods and inline caches have in the place of a class.
    pub code_links: Vec<CodeLink>,
}

impl Row {
    /// Bytes that the object takes. `large`: see [`Columns::large`].
    #[inline]
    pub(crate) fn bytes(&self, large: &HashMap<Address, u64>) -> u64 {
        match self.memsize {
            u32::MAX => large.get(&self.address).copied().unwrap_or(0),
            memsize => u64::from(memsize),
        }
    }
}

/// What many objects have in common, each once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dictionary<'a> {
    /// Type, class, label.
    pub kinds: &'a [Fields<'a>],
    /// File, line, method, generation, context, stack, sampled bytes.
    pub sites: &'a [Fields<'a>],
    /// What there is to know of classes and modules as such.
    pub classes: &'a [Fields<'a>],
}

impl<'a> Dictionary<'a> {
    /// A kind, with the allocation site.
    pub(crate) fn site(&self, kind: &Fields<'a>, site: Option<SiteId>) -> Fields<'a> {
        match site.and_then(|site| self.sites.get(site.index())) {
            Some(site) => Fields {
                file: site.file.clone(),
                line: site.line,
                method: site.method.clone(),
                generation: site.generation,
                context: site.context.clone(),
                stack: site.stack,
                sampled_bytes: site.sampled_bytes,
                ..kind.clone()
            },
            None => kind.clone(),
        }
    }
}

impl HeapBuilder {
    /// The heap of these objects. `threads`: `None` leaves one core to the application.
    pub fn build_columns(
        self,
        columns: &Columns,
        dictionary: &Dictionary<'_>,
        threads: Option<usize>,
        progress: &Progress,
    ) -> Result<Heap> {
        let pool = pool::of(pool::threads(threads))?;
        let tables = &self.tables;
        let mut sites: Vec<Option<SiteId>> = vec![None; tables.len()];
        for traced in &columns.sites {
            if let Some(number) = tables.number(traced.address) {
                sites[number] = Some(traced.site);
            }
        }
        let mut first = tables.filler();
        for class in dictionary.classes {
            let site = tables.number(class.address).and_then(|number| sites[number]);
            first.found.classes.add(&dictionary.site(class, site));
        }
        let ivar_records = columns
            .fields_owners
            .iter()
            .filter_map(|it| Some(IvarRecord::new(tables.number(it.record)?, it.owner, 0)));
        first.found.ivar_records.extend(ivar_records);
        first.found.code.paths.clone_from(&columns.code_paths);
        first.found.code.links.clone_from(&columns.code_links);
        for root in &self.roots {
            first.root(root.category.as_bytes(), root.addresses.iter().copied());
        }
        let mut found = vec![first.finish()];
        let fill = |Chunk { rows, mut references }: Chunk<'_>| {
            progress.check()?;
            let mut filler = tables.filler();
            let mut births: HashMap<KindAndSite, BirthId, RandomState> = HashMap::default();
            for row in rows {
                let (own, rest) = references.split_at(row.references as usize);
                references = rest;
                let Some(number) = tables.number(row.address) else {
                    continue;
                };
                let memsize = row.bytes(&columns.large);
                let site = sites[number];
                let what = KindAndSite { kind: row.kind, site };
                let birth = *births.entry(what).or_insert_with(|| {
                    filler.birth(&dictionary.site(&dictionary.kinds[row.kind.index()], site))
                });
                filler.row(number, birth, memsize, u64::from(row.length), own)?;
            }
            Ok(filler.finish())
        };
        let chunks = chunks(columns);
        let parts: Result<Vec<PartialHeap>> = pool.install(|| chunks.into_par_iter().map(fill).collect());
        found.extend(parts?);
        progress.check()?;
        if let Some(first) = found.first_mut() {
            first.names.merge(self.names);
            first.stacks = self.stacks;
        }
        self.tables.into_heap(found, self.recorded, progress)
    }
}

/// Some rows, and the references of all of them.
struct Chunk<'a> {
    rows: &'a [Row],
    references: &'a [Address],
}

/// What objects of a chunk may have in common.
#[derive(PartialEq, Eq, Hash)]
struct KindAndSite {
    kind: KindId,
    site: Option<SiteId>,
}

fn chunks(columns: &Columns) -> Vec<Chunk<'_>> {
    let mut references = columns.references.as_slice();
    let of_rows = |rows: &'_ [Row]| rows.iter().map(|row| row.references as usize).sum();
    columns
        .rows
        .chunks(CHUNK)
        .map(|rows| {
            let (own, rest) = references.split_at(of_rows(rows));
            references = rest;
            Chunk {
                rows,
                references: own,
            }
        })
        .collect()
}
