//! The kinds that one thread meets while it reads, with numbers of its own: no thread waits for another. A large
//! application has a kind for every few objects.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use indexmap::map::RawEntryApiV1;
use indexmap::map::raw_entry_v1::RawEntryMut;

use super::kinds::{Birth, BirthGeneration, Kind, Kinds, shape_of, slot_of};
use crate::dump::{HeapFields, Internal, Type, lossy};
use crate::ids::{BirthId, KindId, ObjectId, TextId};

/// Names of files that are remembered by how they end.
const RECENT_FILES: usize = 256;
/// Labels that are remembered by how they begin: the VM has a dozen kinds of objects of its own, and many of each.
const RECENT_LABELS: usize = 64;
/// Kinds that are remembered by their hashes. Of a Rails application's objects seven in ten are of one of so many.
const RECENT_KINDS: usize = 1024;
/// Names of methods that are remembered by the lines that allocate in them.
const RECENT_METHODS: usize = 1024;

/// Kinds, births and texts by what they are, in the order in which they were met.
#[derive(Debug)]
pub(super) struct LocalKinds {
    /// As they stand in the dump. What is no valid UTF-8 has the number of what it is shown as.
    text_ids: HashMap<Box<[u8]>, TextId, RandomState>,
    texts: Vec<Box<str>>,
    recent_files: [TextId; RECENT_FILES],
    recent_methods: [TextId; RECENT_METHODS],
    recent_labels: [TextId; RECENT_LABELS],
    kinds: IndexMap<Kind, KnownBirth, RandomState>,
    /// Copies, which stay in the processor's caches.
    recent_kinds: Vec<Option<RecentKind>>,
    births: Vec<Birth>,
    /// Births of kinds that have more than one.
    other_births: HashMap<Birth, BirthId, RandomState>,
}

/// A birth of a kind; most have only one.
#[derive(Clone, Copy, Debug)]
struct KnownBirth {
    id: BirthId,
    generation: BirthGeneration,
}

/// A kind that was met before.
#[derive(Clone, Copy, Debug)]
struct RecentKind {
    kind: Kind,
    id: KindId,
    first: KnownBirth,
    /// The one that was asked for last, if not the first.
    last: KnownBirth,
}

/// A Rails application has a kind for so many bytes of its dump.
const BYTES_A_KIND: u64 = 1536;
/// Places are made for so many kinds at most.
const MOST_EXPECTED: u64 = 1 << 18;

impl LocalKinds {
    /// With places for as many kinds as so many bytes of a dump may have: to move them again and again takes longer than
    /// to find them.
    pub(super) fn of_bytes(bytes: u64) -> Self {
        let expected = (bytes / BYTES_A_KIND).min(MOST_EXPECTED) as usize;
        Self {
            text_ids: HashMap::default(),
            texts: Vec::new(),
            recent_files: [TextId::new(0); RECENT_FILES],
            recent_methods: [TextId::new(0); RECENT_METHODS],
            recent_labels: [TextId::new(0); RECENT_LABELS],
            kinds: IndexMap::with_capacity_and_hasher(expected, RandomState::default()),
            recent_kinds: vec![None; RECENT_KINDS],
            births: Vec::with_capacity(expected),
            other_births: HashMap::default(),
        }
    }
}

impl LocalKinds {
    /// The number of what an object is and when it was born.
    pub(super) fn birth(&mut self, fields: &HeapFields<'_>) -> BirthId {
        let kind = self.kind(fields);
        let generation = BirthGeneration::of(fields.generation);
        let next = BirthId::new(self.births.len() as u32);
        let known = recent(
            &mut self.recent_kinds,
            &mut self.kinds,
            kind,
            KnownBirth { id: next, generation },
        );
        let kind = known.id;
        let id = if known.first.generation == generation {
            known.first.id
        } else if known.last.generation == generation {
            known.last.id
        } else {
            let birth = Birth { kind, generation };
            let id = *self.other_births.entry(birth).or_insert(next);
            known.last = KnownBirth { id, generation };
            id
        };
        if id == next {
            self.births.push(Birth { kind, generation });
        }
        id
    }

    fn kind(&mut self, fields: &HeapFields<'_>) -> Kind {
        let type_ = fields.type_;
        let label = fields.label();
        let file = fields.file.map(|text| self.file(text));
        let line = fields.line.unwrap_or(0);
        Kind {
            type_,
            internal: Internal::of(type_, label),
            type_name: match type_ {
                Type::Other => Some(self.text(fields.kind)),
                _ => None,
            },
            class: fields.class_of_object().into(),
            class_number: ObjectId::NONE,
            label: label.map(|text| self.label(text)),
            file,
            method: fields.method.map(|text| self.method(text, file, line)),
            context: fields.context.map(|text| self.text(text)),
            stack: fields.stack,
            slot: slot_of(fields.sampled_bytes),
            line,
            shape: shape_of(type_, fields.shape_id),
        }
    }

    fn file(&mut self, file: &[u8]) -> TextId {
        let end = file.last_chunk().copied().map_or(0, u64::from_le_bytes);
        let place = place_of(end.wrapping_add(file.len() as u64), RECENT_FILES);
        let id = match self.is_text(self.recent_files[place], file) {
            true => self.recent_files[place],
            false => self.text(file),
        };
        self.recent_files[place] = id;
        id
    }

    fn label(&mut self, label: &[u8]) -> TextId {
        let start = label.first_chunk().copied().map_or(0, u32::from_le_bytes);
        let place = place_of(u64::from(start).wrapping_add(label.len() as u64), RECENT_LABELS);
        let recent = self.recent_labels[place];
        if self.is_text(recent, label) {
            return recent;
        }
        let id = self.text(label);
        self.recent_labels[place] = id;
        id
    }

    #[inline]
    fn is_text(&self, id: TextId, text: &[u8]) -> bool {
        self.texts.get(id.index()).is_some_and(|it| it.as_bytes() == text)
    }

    /// The name of the method that a line is in.
    #[inline]
    fn method(&mut self, method: &[u8], file: Option<TextId>, line: u64) -> TextId {
        let file = file.map_or(0, TextId::index);
        let place = line.wrapping_add(file as u64 * 31) as usize % RECENT_METHODS;
        let recent = self.recent_methods[place];
        if self.is_text(recent, method) {
            return recent;
        }
        let id = self.text(method);
        self.recent_methods[place] = id;
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

    /// Takes over the kinds of another thread. A birth that both have stands here twice: each number still has one birth.
    fn add(&mut self, other: Self) {
        let texts: Vec<TextId> = other
            .texts
            .iter()
            .map(|text| self.text(text.as_bytes()))
            .collect();
        let text = |id: Option<TextId>| texts.get(id?.index()).copied();
        self.kinds.reserve(other.kinds.len());
        self.births.reserve(other.births.len());
        let same = |kind: Kind| Kind {
            type_name: text(kind.type_name),
            label: text(kind.label),
            file: text(kind.file),
            method: text(kind.method),
            context: text(kind.context),
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

/// A kind with its number, and with `birth` as the first one where it is not known yet.
#[inline]
fn recent<'a>(
    recent_kinds: &'a mut [Option<RecentKind>],
    kinds: &mut IndexMap<Kind, KnownBirth, RandomState>,
    kind: Kind,
    birth: KnownBirth,
) -> &'a mut RecentKind {
    let hash = kinds.hasher().hash_one(kind);
    let recent = &mut recent_kinds[hash as usize % RECENT_KINDS];
    if recent.as_ref().is_some_and(|known| known.kind != kind) {
        *recent = None;
    }
    recent.get_or_insert_with(|| {
        let entry = kinds.raw_entry_mut_v1().from_key_hashed_nocheck(hash, &kind);
        let id = KindId::new(entry.index() as u32);
        let first = match entry {
            RawEntryMut::Occupied(entry) => *entry.get(),
            RawEntryMut::Vacant(entry) => {
                entry.insert_hashed_nocheck(hash, kind, birth);
                birth
            }
        };
        RecentKind {
            kind,
            id,
            first,
            last: first,
        }
    })
}

/// One of so many places for what these bytes begin or end.
#[inline]
fn place_of(bytes: u64, places: usize) -> usize {
    // the high bits depend on all of them
    (bytes.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % places
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
    let mut whole = parts.next().unwrap_or_else(|| LocalKinds::of_bytes(0));
    for part in parts {
        whole.add(part);
    }
    let kinds = whole.kinds.into_keys().collect();
    Kinds::of(kinds, whole.births, whole.texts)
}
