//! Collections that are known by name. Ruby before 3.4 forgets where and when an object was allocated that a compaction
//! moves, and no address is the same any more. A constant or a variable of a module still has its name, so what it holds
//! is compared by that.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;

use super::census::Census;
use super::input::Source;
use super::lengths::Lengths;
use crate::dump::Classes;
use crate::heap::{EdgeKind, Heap, NamedEdge, Names};
use crate::ids::Address;

/// A name that is the same in every dump of a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct FullName {
    /// The class, module or thread; none of a global variable.
    owner: Option<String>,
    kind: EdgeKind,
    name: String,
}

/// What the names of several moments say.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// By address at the last moment.
    of: HashMap<Address, FullName, RandomState>,
    /// By moment before: the length of what has the name.
    lengths: Vec<HashMap<FullName, u64, RandomState>>,
}

impl Named {
    pub(super) fn new(files: &[Source], censuses: &[Census], heap: &Heap) -> Self {
        let moments = files.iter().zip(censuses);
        let lengths: Vec<_> = moments
            .map(|(file, census)| lengths_by_name(file, census))
            .collect();
        if lengths.iter().all(HashMap::is_empty) {
            return Self::default();
        }
        let values = by_name(heap.names(), heap.classes());
        let mut of = HashMap::default();
        for (name, value) in values {
            // of several names of one object, the first in the order of the alphabet
            match of.entry(value) {
                Entry::Vacant(free) => drop(free.insert(name)),
                Entry::Occupied(mut known) if is_before(&name, known.get()) => drop(known.insert(name)),
                Entry::Occupied(_) => {}
            }
        }
        Self { of, lengths }
    }

    /// How long what has the name of a collection was at an earlier moment.
    pub(super) fn length(&self, moment: usize, collection: Address) -> Option<u64> {
        self.lengths.get(moment)?.get(self.of.get(&collection)?).copied()
    }
}

fn is_before(one: &FullName, two: &FullName) -> bool {
    let order = |name: &FullName| (name.kind.name(), name.name.clone(), name.owner.clone());
    order(one) < order(two)
}

fn lengths_by_name(file: &Source, census: &Census) -> HashMap<FullName, u64, RandomState> {
    if let Source::Heap(heap) = file {
        let length = |(name, value): (FullName, Address)| {
            let object = heap.find(value)?;
            let length = heap.length(object).or_else(|| heap.bytesize(object))?;
            Some((name, length.into()))
        };
        return by_name(heap.names(), heap.classes()).filter_map(length).collect();
    }
    let (Some(names), Some(lengths)) = (&census.names, &census.lengths) else {
        return HashMap::default();
    };
    let length = |(name, value): (FullName, Address)| Some((name, Lengths::at(lengths, value)?));
    by_name(names, &census.classes).filter_map(length).collect()
}

/// The names that are of one object each, with its address.
fn by_name(names: &Names, classes: &Classes) -> impl Iterator<Item = (FullName, Address)> + use<> {
    let mut found: HashMap<FullName, Option<Address>, RandomState> = HashMap::default();
    for (edge, name) in names.all() {
        let Some(owner) = owner(edge, names, classes) else {
            continue;
        };
        let full = FullName {
            owner,
            kind: name.kind,
            name: name.name.clone(),
        };
        found
            .entry(full)
            .and_modify(|value| *value = value.filter(|value| *value == edge.value))
            .or_insert(Some(edge.value));
    }
    found.into_iter().filter_map(|(name, value)| Some((name, value?)))
}

/// The name of what refers to the object; `None` where it has none.
fn owner(edge: &NamedEdge, names: &Names, classes: &Classes) -> Option<Option<String>> {
    let Some(owner) = edge.owner.get() else {
        return Some(None);
    };
    let thread = || names.of_thread(owner).map(Into::into);
    classes
        .own_name(owner)
        .filter(|name| !crate::dump::is_anonymous(name))
        .or_else(thread)
        .map(Some)
}
