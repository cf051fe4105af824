//! What objects have in common: type, class, shape and allocation site. A heap has millions of objects and some
//! thousands of kinds.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use crate::dump::{Fields, Internal, Type, lossy};
use crate::ids::{Address, BirthId, Generation, KindId, ObjectId, OptionalAddress, StackId, TextId};
use crate::lock::Mutex;

/// Stands for no number in a table of numbers.
pub(crate) const NONE: u32 = u32::MAX;

/// What objects of a kind have in common. Texts are entries of [`Kinds::text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Ruby's internal type
    pub type_: Type,
    /// What an object of the VM is; [`Internal::Other`] of all others
    pub internal: Internal,
    /// Of [`Type::Other`] its name, as the dump has it.
    pub(crate) type_name: Option<TextId>,
    pub(crate) class: OptionalAddress,
    /// Number of the class among the objects, once all are known; [`ObjectId::NONE`] before and without one.
    pub(crate) class_number: ObjectId,
    /// `struct` of DATA, `imemo_type` of IMEMO.
    pub(crate) label: Option<TextId>,
    pub(crate) file: Option<TextId>,
    pub(crate) method: Option<TextId>,
    /// What the application was doing.
    pub(crate) context: Option<TextId>,
    /// Through which frames it was allocated.
    pub(crate) stack: Option<StackId>,
    /// The bytes of the slot, where allocations were sampled by these; else 0.
    pub(crate) slot: u16,
    /// Line of the allocation site; 0 for none.
    pub line: u64,
    /// `shape_id` of an OBJECT, which has the names of its instance variables; 0 for none.
    pub shape: u64,
}

/// As few words as possible: a kind is looked up for every object. What an object of the VM is follows from its label.
impl Hash for Kind {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let text = |text: Option<TextId>| text.map_or(0, |text| text.index() as u64 + 1);
        state.write_u64(self.class.number());
        state.write_u64(text(self.file) << 32 | text(self.method));
        state.write_u64(self.line << 32 ^ text(self.label) << 8 ^ self.shape << 40 ^ self.type_ as u64);
        let stack = self.stack.map_or(0, |stack| u64::from(stack.get()) + 1);
        state.write_u64(text(self.type_name) ^ text(self.context) << 16 ^ stack << 32);
    }
}

/// The kind and the generation of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Birth {
    pub(crate) kind: KindId,
    pub(crate) generation: BirthGeneration,
}

/// The generation at birth in half the memory; none of untraced objects. No process gets to 2³² collections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BirthGeneration(Option<NonZeroU32>);

impl BirthGeneration {
    pub(super) fn of(generation: Option<Generation>) -> Self {
        let one_more = |it: Generation| u32::try_from(it.get().saturating_add(1)).unwrap_or(u32::MAX);
        Self(generation.and_then(|it| NonZeroU32::new(one_more(it))))
    }

    #[inline]
    pub(crate) fn get(self) -> Option<Generation> {
        self.0
            .map(|one_more| Generation::new(u64::from(one_more.get()) - 1))
    }
}

impl Kind {
    /// The bytes of the slot, where allocations were sampled by these.
    pub(crate) fn sampled_bytes(&self) -> Option<u32> {
        (self.slot != 0).then_some(u32::from(self.slot))
    }

    /// The class, singleton classes as they are; `None` of objects without one.
    #[inline]
    pub fn class(&self) -> Option<Address> {
        self.class.get()
    }
}

/// The kinds, births and texts of a heap.
#[derive(Debug, Default)]
pub struct Kinds {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) births: Vec<Birth>,
    /// Number of the class among the objects, by birth: graphs are walked by it.
    pub(crate) classes: Vec<ObjectId>,
    texts: Vec<Box<str>>,
}

impl Kinds {
    pub(super) fn of(kinds: Vec<Kind>, births: Vec<Birth>, texts: Vec<Box<str>>) -> Self {
        Self {
            kinds,
            births,
            classes: Vec::new(),
            texts,
        }
    }

    /// A text by its number.
    pub(crate) fn text(&self, id: Option<TextId>) -> Option<&str> {
        self.texts.get(id?.index()).map(AsRef::as_ref)
    }

    /// The type of what was born so.
    pub(super) fn type_of_birth(&self, birth: BirthId) -> Type {
        let birth = self.births.get(birth.index());
        birth
            .and_then(|birth| self.kinds.get(birth.kind.index()))
            .map_or(Type::Other, |kind| kind.type_)
    }

    pub(crate) fn memory(&self) -> usize {
        let texts: usize = self.texts.iter().map(|text| text.len() + 16).sum();
        texts
            + self.kinds.len() * size_of::<Kind>()
            + self.births.len() * (size_of::<Birth>() + size_of::<ObjectId>())
    }

    /// Tells the classes' numbers, once all objects have one.
    pub(crate) fn number_classes(&mut self, number: impl Fn(Address) -> Option<ObjectId>) {
        for kind in &mut self.kinds {
            if let Some(class) = kind.class() {
                kind.class_number = number(class).unwrap_or(ObjectId::NONE);
            }
        }
        let classes = self
            .births
            .iter()
            .map(|birth| self.kinds[birth.kind.index()].class_number);
        self.classes = classes.collect();
    }
}

/// The table that threads share while they read.
#[derive(Debug, Default)]
pub(crate) struct KindTable(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    kinds: IndexSet<Kind, RandomState>,
    births: IndexSet<Birth, RandomState>,
    texts: IndexSet<Box<str>, RandomState>,
}

impl Table {
    fn text(&mut self, text: Option<&[u8]>) -> Option<TextId> {
        let text = lossy(text?);
        let row = match self.texts.get_index_of(text.as_ref()) {
            Some(row) => row,
            None => self.texts.insert_full(text.as_ref().into()).0,
        };
        Some(TextId::new(row as u32))
    }

    fn kind(&mut self, fields: &Fields<'_>) -> KindId {
        let label = fields.label();
        let type_ = fields.type_();
        let kind = Kind {
            type_,
            internal: Internal::of(type_, label.map(AsRef::as_ref)),
            type_name: match type_ {
                Type::Other => self.text(Some(&fields.kind)),
                _ => None,
            },
            class: fields.class_of_object().into(),
            class_number: ObjectId::NONE,
            label: self.text(label.map(AsRef::as_ref)),
            file: self.text(fields.file.as_deref()),
            method: self.text(fields.method.as_deref()),
            context: self.text(fields.context.as_deref()),
            stack: fields.stack,
            slot: slot_of(fields.sampled_bytes),
            line: fields.line.unwrap_or(0),
            shape: shape_of(type_, fields.shape_id),
        };
        KindId::new(self.kinds.insert_full(kind).0 as u32)
    }

    fn birth(&mut self, birth: Birth) -> BirthId {
        BirthId::new(self.births.insert_full(birth).0 as u32)
    }
}

/// No slot is as large as that.
pub(super) fn slot_of(sampled_bytes: Option<u32>) -> u16 {
    sampled_bytes.map_or(0, |bytes| u16::try_from(bytes).unwrap_or(u16::MAX))
}

pub(super) fn shape_of(type_: Type, shape: Option<u64>) -> u64 {
    match type_ {
        Type::Object => shape.unwrap_or(0),
        _ => 0,
    }
}

impl KindTable {
    pub(crate) fn into_kinds(self) -> Kinds {
        let Table { kinds, births, texts } = self.0.into_inner();
        Kinds::of(
            kinds.into_iter().collect(),
            births.into_iter().collect(),
            texts.into_iter().collect(),
        )
    }
}

/// One thread's way to the table, with a copy of what it has asked for.
#[derive(Debug)]
pub(crate) struct Interner<'a> {
    table: &'a KindTable,
    kinds: HashMap<Box<[u8]>, KindId, RandomState>,
    births: HashMap<Birth, BirthId, RandomState>,
    key: Vec<u8>,
}

impl<'a> Interner<'a> {
    pub(crate) fn new(table: &'a KindTable) -> Self {
        Self {
            table,
            kinds: HashMap::default(),
            births: HashMap::default(),
            key: Vec::new(),
        }
    }

    pub(crate) fn birth(&mut self, fields: &Fields<'_>) -> BirthId {
        let kind = self.kind(fields);
        let generation = BirthGeneration::of(fields.generation);
        let birth = Birth { kind, generation };
        if let Some(id) = self.births.get(&birth) {
            return *id;
        }
        let id = self.table.0.lock().birth(birth);
        self.births.insert(birth, id);
        id
    }

    fn kind(&mut self, fields: &Fields<'_>) -> KindId {
        self.key.clear();
        let shape = shape_of(fields.type_(), fields.shape_id);
        for number in [
            OptionalAddress::from(fields.class_of_object()).number(),
            fields.line.unwrap_or(0),
            shape,
        ] {
            self.key.extend_from_slice(&number.to_le_bytes());
        }
        fields.append_texts(&mut self.key);
        if let Some(id) = self.kinds.get(self.key.as_slice()) {
            return *id;
        }
        let id = self.table.0.lock().kind(fields);
        self.kinds.insert(self.key.as_slice().into(), id);
        id
    }
}
