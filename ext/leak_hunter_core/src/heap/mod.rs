//! The graph of a Ruby heap in compact, immutable tables: who refers to whom, what everything is and where it was made.
//!
//! The tables are filled from a dump ([`Heap::load`]) or from a walk of the living process ([`HeapBuilder`]); both say
//! the same of the same moment. An object is its number: dense, in ascending order of addresses. What follows from the
//! references is in [`crate::graph`].
//!
//! ```
//! use leak_hunter_core::ids::Address;
//! use leak_hunter_core::{Heap, Progress};
//!
//! let dump = tempfile::NamedTempFile::new()?;
//! std::fs::write(dump.path(), r#"{"type":"ROOT", "root":"vm", "references":["0x10"]}
//! {"address":"0x10", "type":"ARRAY", "generation":1, "references":["0x38"], "memsize":40}
//! {"address":"0x38", "type":"STRING", "generation":9, "memsize":100}
//! "#)?;
//! let heap = Heap::load(dump.path(), Some(1), &Progress::default())?;
//! let array = heap.find(Address::new(0x10)).ok_or("no Array")?;
//! let references: Vec<_> = heap.references(array).map(|object| heap.type_name(object)).collect();
//! assert_eq!(references, ["STRING"]);
//! assert_eq!(heap.total_memsize(), 140);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod code;
mod columns;
mod edge_kind;
pub(crate) mod edges;
mod ivar_tables;
mod kinds;
mod load;
mod local_kinds;
mod names;
mod object_set;
mod rows;
mod site;
pub(crate) mod stacks;
mod summary;
mod tables;
mod varint;

use std::collections::HashMap;

use foldhash::fast::RandomState;

pub use self::builder::{HeapBuilder, Object};
use self::code::Code;
pub use self::code::{CodeLink, CodePath};
pub use self::columns::{Columns, Dictionary, FieldsOwner, Row, TracedObject};
pub use self::edge_kind::EdgeKind;
pub(crate) use self::edges::List;
use self::edges::{Edges, NOWHERE, Pause, Place};
use self::ivar_tables::IvarTables;
pub(crate) use self::ivar_tables::Slot;
pub(crate) use self::kinds::Birth;
pub use self::kinds::Kind;
use self::kinds::Kinds;
pub(crate) use self::kinds::NONE;
pub(crate) use self::load::index_of;
pub(crate) use self::names::NamedEdge;
pub use self::names::{Name, Names};
pub use self::object_set::ObjectSet;
pub(crate) use self::rows::Rows;
pub use self::site::{AllocationSite, Site};
pub use self::stacks::{Stack, Stacks};
pub use self::summary::{Sum, Tally};
use crate::address_index::AddressIndex;
use crate::dump::{Classes, DumpHeader};
pub use crate::dump::{Internal, Type};
use crate::error::Result;
use crate::ids::{Address, BirthId, Generation, KindId, ObjectId, TextId};

/// All objects of a heap at one moment.
#[derive(Debug)]
pub struct Heap {
    index: AddressIndex,
    /// By object, what a search of the graph asks for.
    rows: Vec<ObjectRow>,
    memsizes: Vec<u32>,
    /// Sizes that do not fit.
    large: HashMap<ObjectId, u64, RandomState>,
    edges: Edges,
    ivar_tables: IvarTables,
    kinds: Kinds,
    classes: Classes,
    names: Names,
    code: Code,
    roots: Vec<Root>,
    /// Elements of Arrays and Hashes, and in living heaps bytes of Strings, by object; none of those that have none.
    lengths: Vec<ObjectLength>,
    stacks: Stacks,
    reference_count: u64,
    dangling: u64,
    recorded: Option<DumpHeader>,
}

/// What an object is and where its references are: side by side, since searches need both and wait for memory.
#[derive(Clone, Copy, Debug)]
struct ObjectRow {
    birth: BirthId,
    place: Place,
}

/// Elements of an Array or Hash, bytes of a String.
#[derive(Clone, Copy, Debug)]
struct ObjectLength {
    object: ObjectId,
    length: u32,
}

/// A category of roots, such as `vm` or `global_tbl`, and the objects it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// As Ruby calls it.
    pub category: String,
    pub(crate) references: Vec<ObjectId>,
}

impl Root {
    /// The objects it leads to, in ascending order.
    pub fn objects(&self) -> &[ObjectId] {
        &self.references
    }
}

// Tables have a row for each of millions of objects.
const _: () = {
    assert!(size_of::<Row>() == 24);
    assert!(size_of::<TracedObject>() == 16);
    assert!(size_of::<ObjectLength>() == 8);
    assert!(size_of::<ObjectRow>() == 8);
    assert!(size_of::<Birth>() == 8);
    assert!(size_of::<Kind>() == 56);
};

impl Heap {
    pub(crate) fn empty() -> Result<Self> {
        HeapBuilder::new([])?.build(|_| Ok(()))
    }

    /// Number of objects.
    pub fn len(&self) -> u32 {
        self.index.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// All objects, in ascending order of addresses.
    pub fn objects(&self) -> impl DoubleEndedIterator<Item = ObjectId> + ExactSizeIterator + Clone + use<> {
        (0..self.len()).map(ObjectId::new)
    }

    /// The object at an address.
    pub fn find(&self, address: Address) -> Option<ObjectId> {
        self.index.number(address)
    }

    /// The address of an object.
    pub fn address(&self, object: ObjectId) -> Address {
        self.index.address(object)
    }

    fn birth(&self, object: ObjectId) -> Option<Birth> {
        self.kinds.births.get(self.rows[object].birth.index()).copied()
    }

    /// Type, class and allocation site of an object. `None` of a damaged record.
    pub fn kind(&self, object: ObjectId) -> Option<&Kind> {
        self.kinds.kinds.get(self.birth(object)?.kind.index())
    }

    /// Number of the kind of an object, and how many there are: for tables by kind.
    pub(crate) fn kind_number(&self, object: ObjectId) -> Option<KindId> {
        Some(self.birth(object)?.kind)
    }

    /// Number of what an object is and when it was born: for tables of what is asked of every object.
    #[inline]
    pub(crate) fn birth_number(&self, object: ObjectId) -> BirthId {
        self.rows[object].birth
    }

    /// A table by births of what is known by kinds.
    pub(crate) fn by_birth<T>(&self, of_kind: impl Fn(KindId) -> T) -> Vec<T> {
        self.kinds
            .births
            .iter()
            .map(|birth| of_kind(birth.kind))
            .collect()
    }

    /// Every kind and generation that objects of it have, by [`Self::birth_number`].
    pub(crate) fn all_births(&self) -> &[Birth] {
        &self.kinds.births
    }

    pub(crate) fn all_kinds(&self) -> &[Kind] {
        &self.kinds.kinds
    }

    /// GC count at its birth; `None` when that was not traced.
    pub fn generation(&self, object: ObjectId) -> Option<Generation> {
        self.birth(object)?.generation.get()
    }

    /// Bytes of an object: its slot and what it allocated beside.
    pub fn memsize(&self, object: ObjectId) -> u64 {
        match self.memsizes[object] {
            NONE => self.large.get(&object).copied().unwrap_or(0),
            size => u64::from(size),
        }
    }

    /// Bytes of all objects.
    pub fn total_memsize(&self) -> u64 {
        self.objects()
            .fold(0, |sum: u64, object| sum.saturating_add(self.memsize(object)))
    }

    /// The objects it refers to, without its class; one more than once if it is referred to more than once.
    pub fn references(&self, object: ObjectId) -> impl ExactSizeIterator<Item = ObjectId> + Clone + '_ {
        self.list(object)
    }

    /// Whether it refers to anything but its class.
    #[inline]
    pub(crate) fn has_references(&self, object: ObjectId) -> bool {
        self.rows[object].place != NOWHERE
    }

    #[inline]
    pub(crate) fn list(&self, object: ObjectId) -> List<'_> {
        self.edges.at(self.rows[object].place, object)
    }

    /// Goes on with an object's list.
    #[inline]
    pub(crate) fn resume(&self, object: ObjectId, pause: Pause) -> List<'_> {
        self.edges.resume(self.rows[object].place, pause)
    }

    /// How many references all objects have, without those to their classes.
    pub fn reference_count(&self) -> u64 {
        self.reference_count
    }

    /// The object that is its class, singleton classes as they are.
    #[inline]
    pub fn class_of(&self, object: ObjectId) -> Option<ObjectId> {
        let class = *self.kinds.classes.get(self.rows[object].birth.index())?;
        (class != ObjectId::NONE).then_some(class)
    }

    /// Ruby's internal type: `STRING`.
    pub fn type_name(&self, object: ObjectId) -> &str {
        match self.kind(object) {
            Some(kind) => self.kinds.text(kind.type_name).unwrap_or(kind.type_.name()),
            None => Type::Other.name(),
        }
    }

    /// Name of its class, past singleton classes; of DATA without one its struct, of IMEMO its kind. `None` of hidden
    /// objects.
    pub fn class_name(&self, object: ObjectId) -> Option<String> {
        self.class_name_of_kind(self.kind(object)?)
    }

    pub(crate) fn class_name_of_kind(&self, kind: &Kind) -> Option<String> {
        let class = kind.class().and_then(|class| self.classes.name(class));
        class.or_else(|| self.kinds.text(kind.label).map(Into::into))
    }

    /// As what objects of a kind are added up: by name of the class, but the tables of allocation tracing apart, which
    /// are of the class Object.
    pub(crate) fn row_name(&self, kind: &Kind) -> Option<String> {
        match kind.internal {
            Internal::Tracing => Some(self.tracing_name().into()),
            _ => self.class_name_of_kind(kind),
        }
    }

    /// What the tables of allocation tracing are called.
    pub(crate) fn tracing_name(&self) -> &'static str {
        tracing_name(self.recorded())
    }

    /// `struct` of DATA, `imemo_type` of IMEMO.
    pub fn label(&self, object: ObjectId) -> Option<&str> {
        self.label_of_kind(self.kind(object)?)
    }

    pub(crate) fn label_of_kind(&self, kind: &Kind) -> Option<&str> {
        self.kinds.text(kind.label)
    }

    /// Where an object was allocated; `None` when that was not traced.
    pub fn site(&self, object: ObjectId) -> Option<Site<'_>> {
        self.site_of_kind(self.kind(object)?)
    }

    pub(crate) fn site_of_kind(&self, kind: &Kind) -> Option<Site<'_>> {
        let site = Site {
            file: self.kinds.text(kind.file),
            line: (kind.line != 0).then_some(kind.line),
            method: self.kinds.text(kind.method),
        };
        (site != Site::default()).then_some(site)
    }

    /// What the application was doing when an object was allocated, in its own words.
    pub fn context(&self, object: ObjectId) -> Option<&str> {
        self.kinds.text(self.kind(object)?.context)
    }

    pub(crate) fn context_name(&self, context: TextId) -> &str {
        self.kinds.text(Some(context)).unwrap_or_default()
    }

    /// Whether any object has a context.
    pub(crate) fn has_contexts(&self) -> bool {
        self.kinds.kinds.iter().any(|kind| kind.context.is_some())
    }

    /// The stacks through which objects were allocated, where a tracer has recorded them.
    pub fn stacks(&self) -> &Stacks {
        &self.stacks
    }

    /// Elements of an Array or Hash.
    pub fn length(&self, object: ObjectId) -> Option<u32> {
        let is_collection = matches!(self.kind(object)?.type_, Type::Array | Type::Hash);
        is_collection.then(|| self.length_in_table(object).unwrap_or(0))
    }

    /// The objects whose length is in the table and not less than this.
    pub(crate) fn long_objects(&self, least: u32) -> impl Iterator<Item = ObjectId> + '_ {
        let long = self.lengths.iter().filter(move |it| it.length >= least);
        long.map(|it| it.object)
    }

    /// Bytes of a String's content; only of living heaps that is known.
    pub fn bytesize(&self, object: ObjectId) -> Option<u32> {
        let is_string = self.kind(object)?.type_ == Type::String;
        is_string.then(|| self.length_in_table(object)).flatten()
    }

    fn length_in_table(&self, object: ObjectId) -> Option<u32> {
        let index = self.lengths.binary_search_by_key(&object, |it| it.object).ok()?;
        Some(self.lengths[index].length)
    }

    /// The roots by category, in the order of the alphabet.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// References to what is no object of this heap.
    pub fn dangling(&self) -> u64 {
        self.dangling
    }

    /// Names that only the process knew.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Takes the application's data out of the names: keys of thread-locals, of thread variables and of fiber storage.
    pub fn redact_names(&mut self) {
        self.names.redact();
    }

    /// Classes and modules by address.
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// What the dump says of itself, when LeakHunter took it.
    pub fn recorded(&self) -> Option<&DumpHeader> {
        self.recorded.as_ref()
    }

    /// Bytes that the tables take.
    pub fn memory(&self) -> usize {
        let columns = self.rows.len() * size_of::<ObjectRow>() + self.memsizes.len() * 4;
        let roots: usize = self.roots.iter().map(|root| root.references.len() * 4).sum();
        columns
            + roots
            + self.index.memory()
            + self.edges.memory()
            + self.ivar_tables.memory()
            + self.kinds.memory()
            + self.lengths.len() * size_of::<ObjectLength>()
            + self.names.len() * 96
            + self.code.memory()
            + self.stacks.memory()
    }
}

/// What the tables of allocation tracing are called in a heap that says this of itself.
pub(crate) fn tracing_name(recorded: Option<&DumpHeader>) -> &'static str {
    match recorded.and_then(|recorded| recorded.tracing_since) {
        Some(_) => "allocation tracing (LeakHunter)",
        None => "allocation tracing (objspace)",
    }
}
