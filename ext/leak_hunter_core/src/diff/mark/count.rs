//! Counts what a walk has found, when the process goes on.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{Key, MarkedHeap, NumberedSite, largest_first};
use crate::address_set::AddressMap;
use crate::diff::census::{Guard, Totals};
use crate::diff::lengths::{Lengths, Measured};
use crate::dump::{Classes, DumpHeader, Fields, Internal, Type, lossy};
use crate::error::Result;
use crate::heap::{Dictionary, Row, Sum, Tally, TracedObject, tracing_name};
use crate::ids::{Address, Generation, SiteId, TextId};
use crate::progress::Progress;

/// Objects between two looks at whether to go on.
const SHARE: usize = 1 << 14;

/// What there is to know of the objects that are counted, beside their rows.
#[derive(Clone, Copy, Debug)]
pub struct Objects<'a> {
    /// Where some of them were allocated. Those of objects that are not among the rows are ignored; of two at one address
    /// the last counts.
    pub sites: &'a [TracedObject],
    /// Sizes that do not fit into the rows, by address.
    pub large: &'a HashMap<Address, u64>,
    /// What many of them have in common.
    pub dictionary: Dictionary<'a>,
}

impl MarkedHeap {
    /// Counts the objects of these rows. What they refer to is not asked.
    pub fn count(
        rows: impl Iterator<Item = Row>,
        objects: &Objects<'_>,
        recorded: &DumpHeader,
        progress: &Progress,
    ) -> Result<Self> {
        let dictionary = &objects.dictionary;
        let numbers = SiteNumbers::of(objects.sites);
        progress.check()?;
        let mut classes = Classes::default();
        for class in dictionary.classes {
            classes.add(&dictionary.site(class, numbers.get(class.address)));
        }
        let mut texts = Texts::default();
        let named = |kind| KindFacts::of(kind, &classes, recorded, &mut texts);
        let kinds: Vec<KindFacts> = dictionary.kinds.iter().map(named).collect();
        let mut sites = Sites::default();
        let numbered = |site| sites.facts(site, &mut texts);
        let births: Vec<SiteFacts> = dictionary.sites.iter().map(numbered).collect();
        let mut counted = Counted::default();
        for (index, row) in rows.enumerate() {
            if index % SHARE == 0 {
                progress.check()?;
            }
            let Some(kind) = kinds.get(row.kind.index()) else {
                continue;
            };
            let birth = numbers.get(row.address).and_then(|site| births.get(site.index()));
            let memsize = row.bytes(objects.large);
            counted.add(row, memsize, kind, birth.copied().unwrap_or_default());
        }
        progress.check()?;
        let mut heap = counted.into_heap(texts, sites);
        heap.sort();
        Ok(heap)
    }

    fn sort(&mut self) {
        let mut groups = std::mem::take(&mut self.groups);
        groups.sort_unstable_by(|one, two| {
            largest_first(one.tally, two.tally).then_with(|| self.named(one.of).cmp(&self.named(two.of)))
        });
        self.groups = groups;
    }
}

/// The rows of the allocation sites of objects.
struct SiteNumbers(AddressMap);

impl SiteNumbers {
    fn of(sites: &[TracedObject]) -> Self {
        let mut numbers = AddressMap::default();
        // the map keeps the first of two
        for traced in sites.iter().rev() {
            numbers.insert(traced.address, traced.site.get().into());
        }
        numbers.seal();
        Self(numbers)
    }

    #[inline]
    fn get(&self, address: Address) -> Option<SiteId> {
        let number = u32::try_from(self.0.get(address)?).ok()?;
        Some(SiteId::new(number))
    }
}

/// What all objects of a kind have in common.
struct KindFacts {
    class: Option<TextId>,
    type_: Type,
    internal: Internal,
    guard: Guard,
}

impl KindFacts {
    fn of(kind: &Fields<'_>, classes: &Classes, recorded: &DumpHeader, texts: &mut Texts) -> Self {
        let type_ = kind.type_();
        let label = kind.imemo_type.as_deref().or(kind.struct_name.as_deref());
        let internal = Internal::of(type_, label);
        let class = match internal {
            Internal::Tracing => Some(texts.id(tracing_name(Some(recorded)))),
            _ => {
                let class = kind.class_of_object().and_then(|class| classes.name(class));
                let name = class.or_else(|| label.map(|label| lossy(label).into_owned()));
                name.map(|name| texts.id(&name))
            }
        };
        Self {
            class,
            type_,
            internal,
            guard: Guard::of_class(&kind.kind, kind.class_of_object()),
        }
    }
}

/// What all objects of one allocation site and generation have in common.
#[derive(Clone, Copy, Debug, Default)]
struct SiteFacts {
    /// Which site it is, whatever the generation.
    site: Option<SiteId>,
    generation: Option<Generation>,
}

/// Allocation sites, each once.
#[derive(Default)]
struct Sites {
    numbers: HashMap<NumberedSite, SiteId, RandomState>,
    all: Vec<NumberedSite>,
}

impl Sites {
    fn facts(&mut self, fields: &Fields<'_>, texts: &mut Texts) -> SiteFacts {
        let site = fields.file.as_deref().map(|file| NumberedSite {
            file: texts.id(&lossy(file)),
            line: fields.line.unwrap_or(0),
            method: fields.method.as_deref().map(|method| texts.id(&lossy(method))),
        });
        SiteFacts {
            site: site.map(|site| self.number(site)),
            generation: fields.generation,
        }
    }

    fn number(&mut self, site: NumberedSite) -> SiteId {
        let next = SiteId::new(self.all.len() as u32);
        let number = *self.numbers.entry(site).or_insert(next);
        if number == next {
            self.all.push(site);
        }
        number
    }
}

/// Texts, each once.
#[derive(Default)]
struct Texts {
    numbers: HashMap<Box<str>, TextId, RandomState>,
    all: Vec<Box<str>>,
}

impl Texts {
    fn id(&mut self, text: &str) -> TextId {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = TextId::new(self.all.len() as u32);
        self.all.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }
}

#[derive(Default)]
struct Counted {
    totals: Totals,
    tallies: HashMap<Key, Tally, RandomState>,
    lengths: Lengths,
    untraced: AddressMap,
}

impl Counted {
    fn add(&mut self, row: Row, memsize: u64, kind: &KindFacts, birth: SiteFacts) {
        self.totals.count_object(memsize, birth.generation);
        self.totals.count_internal(kind.internal, memsize);
        let key = Key {
            class: kind.class,
            site: birth.site,
        };
        self.tallies
            .entry(key)
            .or_default()
            .add(Tally { count: 1, memsize });
        let object = Measured {
            address: row.address,
            type_: kind.type_,
            generation: birth.generation,
            length: row.length.into(),
            memsize,
        };
        if self.lengths.note_object(&object) && birth.generation.is_none() {
            self.untraced.insert(row.address, kind.guard.raw());
        }
    }

    fn into_heap(mut self, mut texts: Texts, mut sites: Sites) -> MarkedHeap {
        self.lengths.seal();
        self.untraced.seal();
        texts.all.shrink_to_fit();
        sites.all.shrink_to_fit();
        let groups = self.tallies.into_iter().map(|(of, tally)| Sum { of, tally });
        MarkedHeap {
            totals: self.totals,
            texts: texts.all,
            sites: sites.all,
            groups: groups.collect(),
            lengths: self.lengths,
            untraced: self.untraced,
        }
    }
}
