//! A heap from objects that are in no file: those of a living process, or of a test.

use std::collections::HashMap;

use super::names::{Name, Names};
use super::tables::{AddressedRoot, Filler, Tables};
use super::{Heap, Stacks};
use crate::address_index::AddressIndex;
use crate::address_set::AddressSet;
use crate::dump::{DumpHeader, Fields, NameLine, StackLine};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{Address, OptionalAddress};
use crate::progress::Progress;

/// One object, with what a dump's record has of it.
pub type Object<'a> = Fields<'a>;

/// Builds a [`Heap`] object by object.
#[derive(Debug)]
pub struct HeapBuilder {
    pub(super) tables: Tables,
    pub(super) roots: Vec<AddressedRoot>,
    pub(super) names: Names,
    pub(super) stacks: Stacks,
    pub(super) recorded: Option<DumpHeader>,
}

impl HeapBuilder {
    /// A builder for objects at these addresses. Others cannot be added.
    pub fn new(addresses: impl IntoIterator<Item = Address>) -> Result<Self> {
        let mut set = AddressSet::default();
        for address in addresses {
            set.insert(address);
        }
        let index = AddressIndex::new(set).ok_or_else(|| {
            Error::new(
                ErrorKind::TooLarge,
                "the heap has more objects than can be numbered (2^31)",
            )
        })?;
        Ok(Self {
            tables: Tables::new(index),
            roots: Vec::new(),
            names: Names::default(),
            stacks: Stacks::default(),
            recorded: None,
        })
    }

    /// Says what the heap is of.
    pub fn recorded(&mut self, recorded: DumpHeader) -> &mut Self {
        self.recorded = Some(recorded);
        self
    }

    /// Adds a category of roots.
    pub fn root(&mut self, category: impl Into<String>, references: Vec<Address>) -> &mut Self {
        self.roots.push(AddressedRoot {
            category: category.into(),
            addresses: references,
        });
        self
    }

    /// Adds a name of the object at `value`, by which the one at `owner` refers to it; without an owner, a global.
    pub fn name(&mut self, owner: impl Into<OptionalAddress>, value: Address, name: Name) -> &mut Self {
        self.names.add(owner, value, name);
        self
    }

    /// Adds names from the NAME lines of a dump.
    pub fn name_lines(&mut self, text: &[u8]) -> &mut Self {
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if let Some(line) = NameLine::parse(line) {
                self.names.add_line(line);
            }
        }
        self
    }

    /// Adds a stack through which objects were allocated.
    pub fn stack(&mut self, stack: StackLine) -> &mut Self {
        self.stacks.add(stack);
        self
    }

    /// The heap, with the objects that `fill` adds.
    pub fn build(self, fill: impl FnOnce(&mut ObjectSink<'_, '_>) -> Result<()>) -> Result<Heap> {
        let mut filler = self.tables.filler();
        fill(&mut ObjectSink(&mut filler))?;
        for AddressedRoot { category, addresses } in self.roots {
            filler.root(category.as_bytes(), addresses.into_iter());
        }
        let mut found = filler.finish();
        found.names.merge(self.names);
        found.stacks = self.stacks;
        self.tables
            .into_heap(vec![found], self.recorded, &Progress::default())
    }

    /// The heap of these objects and what each refers to.
    pub fn build_from<'a>(
        self,
        objects: impl IntoIterator<Item = (Object<'a>, Vec<Address>)>,
    ) -> Result<Heap> {
        let objects: HashMap<Address, Described<'a>> = objects
            .into_iter()
            .map(|(object, references)| (object.address, Described { object, references }))
            .collect();
        self.build(|sink| {
            objects
                .values()
                .try_for_each(|it| sink.add(&it.object, it.references.iter().copied()))
        })
    }
}

/// An object, and what it refers to.
struct Described<'a> {
    object: Object<'a>,
    references: Vec<Address>,
}

/// Takes objects while a heap is built.
#[derive(Debug)]
pub struct ObjectSink<'a, 'b>(&'a mut Filler<'b>);

impl ObjectSink<'_, '_> {
    /// Adds an object and the addresses it refers to, without its class. Of two at one address the first counts.
    pub fn add(&mut self, object: &Object<'_>, references: impl Iterator<Item = Address>) -> Result<()> {
        self.0.object(object, references)
    }
}
