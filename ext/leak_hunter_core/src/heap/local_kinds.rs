//! The kinds that one thread meets while it reads, with numbers of its own: no thread waits for another. A large
//! application has a kind for every few objects.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use super::kinds::{Birth, Kind, Kinds, Type, shape_of};
use crate::dump::{Fields, lossy};
use crate::ids::{BirthId, KindId, ObjectId, TextId};

/// Kinds, births and texts by what they are, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct LocalKinds {
    /// As they stand in the dump. What is no valid UTF-8 has the number of what it is shown as.
    text_ids: HashMap<Box<[u8]>, TextId, RandomState>,
    texts: Vec<Box<str>>,
    kinds: IndexSet<Kind, RandomState>,
    births: Vec<Birth>,
    /// By kind: most have one.
    first_births: Vec<BirthId>,
    other_births: HashMap<Birth, BirthId, RandomState>,
}

impl LocalKinds {
    /// The number of what an object is and when it was born.
    pub(super) fn birth(&mut self, fields: &Fields<'_>) -> BirthId {
        let kind = self.kind(fields);
        let generation = Birth::generation_of(fields);
        let next = BirthId::new(self.births.len() as u32);
        let birth = Birth { kind, generation };
        let Some(first) = self.first_births.get(kind.index()).copied() else {
            self.first_births.push(next);
            self.births.push(birth);
            return next;
        };
        if self.births[first.index()].generation == generation {
            return first;
        }
        let id = *self.other_births.entry(birth).or_insert(next);
        if id == next {
            self.births.push(birth);
        }
        id
    }

    fn kind(&mut self, fields: &Fields<'_>) -> KindId {
        let type_ = Type::of(&fields.kind);
        let kind = Kind {
            type_,
            type_name: Some(self.text(&fields.kind)),
            class: fields.class_of_object().unwrap_or(0),
            class_number: ObjectId::NONE,
            label: fields.label().map(|text| self.text(text)),
            file: fields.file.as_deref().map(|text| self.text(text)),
            method: fields.method.as_deref().map(|text| self.text(text)),
            line: fields.line.unwrap_or(0),
            shape: shape_of(type_, fields),
        };
        KindId::new(self.kinds.insert_full(kind).0 as u32)
    }

    fn text(&mut self, text: &[u8]) -> TextId {
        match self.text_ids.get(text) {
            Some(id) => *id,
            None => self.new_text(text),
        }
    }

    fn new_text(&mut self, text: &[u8]) -> TextId {
        let shown = lossy(text);
        let next = TextId::new(self.texts.len() as u32);
        let id = *self.text_ids.entry(shown.as_bytes().into()).or_insert(next);
        if shown.as_bytes() != text {
            self.text_ids.insert(text.into(), id);
        }
        if id == next {
            self.texts.push(shown.into());
        }
        id
    }

    /// Takes over the kinds of another thread, and tells from which number on its births are here.
    fn add(&mut self, other: Self) -> BirthId {
        let texts: Vec<TextId> = other
            .texts
            .iter()
            .map(|text| self.text(text.as_bytes()))
            .collect();
        let text = |id: Option<TextId>| texts.get(id?.index()).copied();
        let same = |kind: Kind| Kind {
            type_name: text(kind.type_name),
            label: text(kind.label),
            file: text(kind.file),
            method: text(kind.method),
            ..kind
        };
        let kinds: Vec<KindId> = other
            .kinds
            .into_iter()
            .map(|kind| KindId::new(self.kinds.insert_full(same(kind)).0 as u32))
            .collect();
        let first = BirthId::new(self.births.len() as u32);
        // A birth that both have stands here twice, which nobody minds.
        self.births.extend(other.births.into_iter().map(|birth| Birth {
            kind: kinds[birth.kind.index()],
            ..birth
        }));
        first
    }
}

/// One table of all, and by thread from which number on its births are there.
pub(super) fn merge(parts: Vec<LocalKinds>) -> (Kinds, Vec<BirthId>) {
    let mut parts = parts.into_iter();
    let mut whole = parts.next().unwrap_or_default();
    let others: Vec<BirthId> = parts.map(|part| whole.add(part)).collect();
    let kinds = whole.kinds.into_iter().collect();
    let firsts = [BirthId::new(0)].into_iter().chain(others).collect();
    (Kinds::of(kinds, whole.births, whole.texts), firsts)
}
