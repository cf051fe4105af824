//! The kinds that one thread meets while it reads, with numbers of its own: no thread waits for another. A large
//! application has a kind for every few objects.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use super::kinds::{Birth, BirthGeneration, Kind, Kinds, shape_of};
use crate::dump::{HeapFields, Internal, Type, lossy};
use crate::ids::{BirthId, KindId, ObjectId, TextId};

/// Kinds, births and texts by what they are, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct LocalKinds {
    /// As they stand in the dump. What is no valid UTF-8 has the number of what it is shown as.
    text_ids: HashMap<Box<[u8]>, TextId, RandomState>,
    texts: Vec<Box<str>>,
    /// The file of the record before: neighbours were often allocated in one.
    last_file: Option<TextId>,
    kinds: IndexMap<Kind, FirstBirth, RandomState>,
    births: Vec<Birth>,
    /// Births of kinds that have more than one.
    other_births: HashMap<Birth, BirthId, RandomState>,
}

/// The only birth of most kinds.
#[derive(Clone, Copy, Debug)]
struct FirstBirth {
    id: BirthId,
    generation: BirthGeneration,
}

impl LocalKinds {
    /// The number of what an object is and when it was born.
    pub(super) fn birth(&mut self, fields: &HeapFields<'_>) -> BirthId {
        let kind = self.kind(fields);
        let generation = BirthGeneration::of(fields.generation);
        let next = BirthId::new(self.births.len() as u32);
        let entry = self.kinds.entry(kind);
        let kind = KindId::new(entry.index() as u32);
        let first = *entry.or_insert(FirstBirth { id: next, generation });
        let id = match first.generation == generation {
            true => first.id,
            false => *self
                .other_births
                .entry(Birth { kind, generation })
                .or_insert(next),
        };
        if id == next {
            self.births.push(Birth { kind, generation });
        }
        id
    }

    fn kind(&mut self, fields: &HeapFields<'_>) -> Kind {
        let type_ = fields.type_;
        let label = fields.label();
        Kind {
            type_,
            internal: Internal::of(type_, label),
            type_name: match type_ {
                Type::Other => Some(self.text(fields.kind)),
                _ => None,
            },
            class: fields.class_of_object().into(),
            class_number: ObjectId::NONE,
            label: label.map(|text| self.text(text)),
            file: fields.file.map(|text| self.file(text)),
            method: fields.method.map(|text| self.text(text)),
            line: fields.line.unwrap_or(0),
            shape: shape_of(type_, fields.shape_id),
        }
    }

    fn file(&mut self, file: &[u8]) -> TextId {
        if let Some(last) = self
            .last_file
            .filter(|last| self.texts[last.index()].as_bytes() == file)
        {
            return last;
        }
        let id = self.text(file);
        self.last_file = Some(id);
        id
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

    /// Takes over the kinds of another thread. A birth that both have stands here twice, which nobody minds.
    fn add(&mut self, other: Self) {
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
            .map(|(kind, first)| {
                let entry = self.kinds.entry(same(kind));
                let number = KindId::new(entry.index() as u32);
                entry.or_insert(first);
                number
            })
            .collect();
        self.births.extend(other.births.into_iter().map(|birth| Birth {
            kind: kinds[birth.kind.index()],
            ..birth
        }));
    }
}

/// By thread, from which number on its births will stand in the table of all.
pub(super) fn first_births(parts: &[LocalKinds]) -> Vec<BirthId> {
    let starts = parts.iter().scan(0, |next, part| {
        let first = *next;
        *next += part.births.len() as u32;
        Some(BirthId::new(first))
    });
    starts.collect()
}

/// One table of all.
pub(super) fn merge(parts: Vec<LocalKinds>) -> Kinds {
    let mut parts = parts.into_iter();
    let mut whole = parts.next().unwrap_or_default();
    for part in parts {
        whole.add(part);
    }
    let kinds = whole.kinds.into_keys().collect();
    Kinds::of(kinds, whole.births, whole.texts)
}
