//! Names that only the living process knows, as `LeakHunter.dump!` writes them behind the records: of constants, of
//! instance variables of classes, of globals, of thread locals. And those of instance variables that shapes tell.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use foldhash::fast::RandomState;

use super::EdgeKind;
use crate::dump::{Fields, NameLine, lossy};
use crate::ids::{Address, OptionalAddress};

/// No shape has a longer chain; a damaged dump may hold a circle.
const LONGEST_CHAIN: usize = 4096;
/// From Ruby 4.0 on, flags stand above the number of a shape.
const SHAPE_BITS: u64 = (1 << 19) - 1;
/// Kind of the name of a thread, which is no reference's.
const THREAD: &str = "thread";
/// What stands for a key that is left out: its class, as Ruby code says it.
const REDACTED: &str = "#<Symbol>";

/// A name by which something refers to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// A constant, an instance or class variable, a global, or a local of a thread or fiber.
    pub kind: EdgeKind,
    /// As it is written in Ruby: `AUDIT_TRAIL`, `@cache`, `$cache`.
    pub name: String,
}

/// A reference that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NamedEdge {
    /// What refers to the value; none of a global variable.
    pub(crate) owner: OptionalAddress,
    pub(crate) value: Address,
}

#[derive(Debug)]
struct Shape {
    parent: Option<u64>,
    name: Option<Box<str>>,
}

/// All names of a heap.
#[derive(Debug, Default)]
pub struct Names {
    by_edge: HashMap<NamedEdge, Name, RandomState>,
    /// Of locals of threads and fibers, by value.
    locals: HashMap<Address, Name, RandomState>,
    /// What threads are called, by thread.
    threads: HashMap<Address, Box<str>, RandomState>,
    shapes: HashMap<u64, Shape, RandomState>,
}

impl Names {
    /// Takes a NAME line of a dump.
    pub(crate) fn add_line(&mut self, line: NameLine) {
        let NameLine {
            owner,
            value,
            kind,
            name,
        } = line;
        if kind == THREAD {
            self.threads.insert(value, name.into());
            return;
        }
        // a kind of a later version names nothing here
        if let Some(kind) = EdgeKind::named(&kind) {
            self.add(owner, value, Name { kind, name });
        }
    }

    /// Adds a name. Of several for one edge, the first in the order of the alphabet stays, so that every run says the
    /// same.
    pub fn add(&mut self, owner: impl Into<OptionalAddress>, value: Address, name: Name) {
        let owner = owner.into();
        if name.kind.is_local() {
            put_first(&mut self.locals, value, name.clone());
        }
        put_first(&mut self.by_edge, NamedEdge { owner, value }, name);
    }

    /// Replaces what applications make of their data: keys of thread-locals and the like. Names that stand in source
    /// code stay.
    pub(crate) fn redact(&mut self) {
        let names = self.by_edge.values_mut().chain(self.locals.values_mut());
        for name in names.filter(|name| name.kind.is_key()) {
            REDACTED.clone_into(&mut name.name);
        }
        self.threads.clear();
    }

    pub(crate) fn add_shape(&mut self, fields: &Fields<'_>) {
        let Some(id) = fields.shape_id else { return };
        let shape = Shape {
            parent: fields.parent_id,
            name: fields.edge_name.as_ref().map(|name| lossy(name).into()),
        };
        self.shapes.insert(id, shape);
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (edge, name) in other.by_edge {
            self.add(edge.owner, edge.value, name);
        }
        for (value, name) in other.locals {
            put_first(&mut self.locals, value, name);
        }
        self.threads.extend(other.threads);
        self.shapes.extend(other.shapes);
    }

    /// By what name the object at `owner` refers to the one at `value`.
    pub fn of_edge(&self, owner: Address, value: Address) -> Option<&Name> {
        let owner = owner.into();
        self.by_edge.get(&NamedEdge { owner, value })
    }

    /// All of them, each with the reference that it is of.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&NamedEdge, &Name)> {
        self.by_edge.iter()
    }

    /// The global variable that holds the object at this address.
    pub fn of_global(&self, value: Address) -> Option<&Name> {
        let owner = OptionalAddress::NONE;
        self.by_edge.get(&NamedEdge { owner, value })
    }

    /// The local of a thread or a fiber that holds the object at this address.
    pub fn of_local(&self, value: Address) -> Option<&Name> {
        self.locals.get(&value)
    }

    /// What the thread at this address is called.
    pub fn of_thread(&self, address: Address) -> Option<&str> {
        self.threads.get(&address).map(AsRef::as_ref)
    }

    /// The variables of an object of this shape, Ruby's own among them, in order. `None` when the dump does not have the
    /// shape.
    pub(crate) fn of_shape(&self, shape: u64) -> Option<Vec<&str>> {
        let mut id = if self.shapes.contains_key(&shape) {
            shape
        } else {
            shape & SHAPE_BITS
        };
        let mut names = Vec::new();
        for _ in 0..LONGEST_CHAIN {
            let shape = self.shapes.get(&id)?;
            names.extend(shape.name.as_deref());
            // Ruby 3.3 and 3.4 print a parent that is no shape for those that OBJECTs begin with.
            match shape.parent {
                Some(parent) if shape.name.is_some() || self.shapes.contains_key(&parent) => id = parent,
                _ => {
                    names.reverse();
                    return Some(names);
                }
            }
        }
        None
    }

    /// What needs no owner to be found: global variables, and the locals of threads and fibers. Each with the object that
    /// it holds.
    pub fn without_owner(&self) -> impl Iterator<Item = (Address, &Name)> {
        let globals = self
            .by_edge
            .iter()
            .filter(|(edge, _)| edge.owner == OptionalAddress::NONE);
        let globals = globals.map(|(edge, name)| (edge.value, name));
        globals.chain(self.locals.iter().map(|(value, name)| (*value, name)))
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.by_edge.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_edge.is_empty()
    }
}

fn put_first<K: Eq + Hash>(names: &mut HashMap<K, Name, RandomState>, key: K, name: Name) {
    match names.entry(key) {
        Entry::Vacant(free) => drop(free.insert(name)),
        Entry::Occupied(mut known) => {
            let order = |name: &Name| (name.kind.name(), name.name.clone());
            if order(&name) < order(known.get()) {
                known.insert(name);
            }
        }
    }
}
