//! Where the objects were made: V8's allocation stacks, of one frame each.

use std::collections::HashMap;
use std::io::Write;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use super::Strings;
use crate::error::Result;
use crate::export::out::Out;
use crate::heap::{Heap, Kind, Site, Tally};
use crate::ids::KindId;

pub(super) struct Sites<'a> {
    all: IndexSet<Site<'a>, RandomState>,
    /// From 1; 0 where nothing was traced.
    of_kind: Vec<u64>,
}

impl<'a> Sites<'a> {
    pub(super) fn new(heap: &'a Heap) -> Self {
        let mut all = IndexSet::default();
        let number = |kind: &Kind| match heap.site_of_kind(kind).filter(|site| site.file.is_some()) {
            Some(site) => all.insert_full(site).0 as u64 + 1,
            None => 0,
        };
        let of_kind = heap.all_kinds().iter().map(number).collect();
        Self { all, of_kind }
    }

    pub(super) fn len(&self) -> u64 {
        self.all.len() as u64
    }

    /// The number of the stack of a kind of objects; the first is that of the root of all.
    pub(super) fn trace(&self, kind: KindId) -> u64 {
        match self.of_kind[kind.index()] {
            0 => 0,
            site => site + 1,
        }
    }

    /// One frame an allocation site, below a root that stands for all.
    pub(super) fn write<W: Write>(
        &self,
        heap: &Heap,
        out: &mut Out<'_, W>,
        strings: &mut Strings,
    ) -> Result<()> {
        out.text("\"trace_function_infos\":[")?;
        let root = strings.number("(root)");
        let nothing = strings.number("");
        out.numbers([0, root, nothing, 0, 0, 0])?;
        let mut scripts: HashMap<&str, u64, RandomState> = HashMap::default();
        for (index, site) in self.all.iter().enumerate() {
            let file = site.file.unwrap_or_default();
            let next = scripts.len() as u64 + 1;
            let script = *scripts.entry(file).or_insert(next);
            let name = strings.number(site.method.unwrap_or("(main)"));
            let line = site.line.filter(|line| *line <= u64::from(u32::MAX)).unwrap_or(0);
            out.text(",\n")?;
            out.numbers([index as u64 + 1, name, strings.number(file), script, line, 0])?;
        }
        let made = self.made(heap);
        out.text("],\n\"trace_tree\":[1,0,0,0,[")?;
        for (index, Tally { count, memsize }) in made.into_iter().enumerate() {
            out.text(if index > 0 { ",\n" } else { "" })?;
            let number = index as u64 + 1;
            out.numbers([number + 1, number, count, memsize])?;
            out.text(",[]")?;
        }
        out.text("]]")
    }

    fn made(&self, heap: &Heap) -> Vec<Tally> {
        let mut made = vec![Tally::default(); self.all.len()];
        for object in heap.objects() {
            let site = heap
                .kind_number(object)
                .map_or(0, |kind| self.of_kind[kind.index()]);
            if let Some(index) = (site as usize).checked_sub(1) {
                let memsize = heap.memsize(object);
                made[index].add(Tally { count: 1, memsize });
            }
        }
        made
    }
}
