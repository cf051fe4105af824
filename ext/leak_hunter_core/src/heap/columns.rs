//! A heap from columns: how a walk of the living process hands it over, in little time and without texts repeated.

use std::collections::HashMap;

use rayon::prelude::*;

use super::Heap;
use super::builder::HeapBuilder;
use super::kinds::Id;
use super::tables::Found;
use crate::dump::Fields;
use crate::error::Result;
use crate::pool;
use crate::progress::Progress;

/// Rows that one thread takes at a time.
const CHUNK: usize = 1 << 14;

/// One object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row {
    /// Its address.
    pub address: u64,
    /// Which of the births it has.
    pub birth: u32,
    /// Bytes it takes; `u32::MAX` when [`Columns::large`] has them.
    pub memsize: u32,
    /// How many of [`Columns::references`] are its own.
    pub references: u32,
    /// Elements of an Array or Hash; 0 of others.
    pub length: u32,
}

/// All objects.
#[derive(Debug, Default)]
pub struct Columns {
    /// Each address once.
    pub rows: Vec<Row>,
    /// Sizes that do not fit, by address.
    pub large: HashMap<u64, u64>,
    /// Addresses that the objects refer to, classes apart, in the order of the rows.
    pub references: Vec<u64>,
}

impl HeapBuilder {
    /// The heap of these objects. `births`: what many have in common, such as type, class, allocation site and
    /// generation. `classes`: what there is to know of classes and modules as such. `threads`: `None` leaves one core to
    /// the application.
    pub fn build_columns(
        self,
        columns: &Columns,
        births: &[Fields<'_>],
        classes: &[Fields<'_>],
        threads: Option<usize>,
        progress: &Progress,
    ) -> Result<Heap> {
        let pool = pool::of(pool::threads(threads))?;
        let tables = &self.tables;
        let mut first = tables.filler();
        let births: Vec<Id> = births.iter().map(|birth| first.birth(birth)).collect();
        for class in classes {
            first.found.classes.add(class);
        }
        for (category, references) in &self.roots {
            first.root(category.as_bytes(), references.iter().copied());
        }
        let mut found = vec![first.finish()];
        let fill = |(rows, mut references): (&[Row], &[u64])| {
            progress.check()?;
            let mut filler = tables.filler();
            for row in rows {
                let (own, rest) = references.split_at(row.references as usize);
                references = rest;
                let memsize = match row.memsize {
                    u32::MAX => columns.large.get(&row.address).copied().unwrap_or(0),
                    memsize => u64::from(memsize),
                };
                let birth = births[row.birth as usize];
                filler.row(row.address, birth, memsize, u64::from(row.length), own)?;
            }
            Ok(filler.finish())
        };
        let chunks = chunks(columns);
        let parts: Result<Vec<Found>> = pool.install(|| chunks.into_par_iter().map(fill).collect());
        found.extend(parts?);
        progress.check()?;
        if let Some(first) = found.first_mut() {
            first.names.merge(self.names);
        }
        Ok(self.tables.into_heap(found, self.recorded))
    }
}

fn chunks(columns: &Columns) -> Vec<(&[Row], &[u64])> {
    let mut references = columns.references.as_slice();
    let of_rows = |rows: &'_ [Row]| rows.iter().map(|row| row.references as usize).sum();
    columns
        .rows
        .chunks(CHUNK)
        .map(|rows| {
            let (own, rest) = references.split_at(of_rows(rows));
            references = rest;
            (rows, own)
        })
        .collect()
}
