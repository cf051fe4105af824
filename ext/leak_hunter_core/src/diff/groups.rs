//! Objects that leaked, added up: first by all that is known of them, then by what the caller asked for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;

use super::callers::{Callers, StacksBySite, StayedByStack};
use super::extrapolate::{self, StandsFor};
use super::options::{Key, Options};
use super::report::{GenerationRange, Group, GroupTotals, Values};
use crate::dump::{Classes, Fields, Internal, StackLine, Type, lossy};
use crate::gem;
use crate::heap::Stacks;
use crate::holders::{Amount, OF_ONE_LINE};
use crate::ids::{Address, Generation, StackId};
use crate::origin::ContextTally;
use crate::sampling::Sampled;

/// LeakHunter's own classes.
const OURS: &str = "LeakHunter";
const OUR_NAMESPACE: &str = "LeakHunter::";

/// Sums over objects.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(super) count: u64,
    pub(super) bytesize: u64,
    pub(super) memsize: u64,
    generations: Option<GenerationRange>,
    /// What of it is caches of code, which is decided last.
    caches: Amount,
    /// What it stands for, where the last moment was sampled.
    stands_for: Option<StandsFor>,
    /// The lowest addresses, so that the choice does not hang on the order of reading.
    samples: Vec<Address>,
}

impl Tally {
    fn of(fields: &Fields<'_>) -> Self {
        Self {
            count: 1,
            bytesize: fields.bytesize,
            memsize: fields.memsize,
            generations: fields.generation.map(|generation| GenerationRange {
                lowest: generation,
                highest: generation,
            }),
            caches: Amount::default(),
            stands_for: None,
            samples: vec![fields.address],
        }
    }

    fn merge(&mut self, other: &Self, samples: usize) {
        self.count += other.count;
        self.bytesize = self.bytesize.saturating_add(other.bytesize);
        self.memsize = self.memsize.saturating_add(other.memsize);
        self.caches.merge(other.caches);
        if let (Some(known), Some(more)) = (&mut self.stands_for, &other.stands_for) {
            known.merge(more);
        }
        self.generations = match (self.generations, other.generations) {
            (Some(one), Some(two)) => Some(GenerationRange {
                lowest: one.lowest.min(two.lowest),
                highest: one.highest.max(two.highest),
            }),
            (one, two) => one.or(two),
        };
        self.samples.extend_from_slice(&other.samples);
        // Twice as many as wanted may gather, so that sorting is rare.
        if self.samples.len() > samples.saturating_mul(2) {
            self.keep_lowest(samples);
        }
    }

    fn keep_lowest(&mut self, samples: usize) {
        self.samples.sort_unstable();
        self.samples.truncate(samples);
    }
}

/// All that is known of objects of one kind and one allocation site, before class addresses have names.
#[derive(Clone, Debug)]
struct Site {
    kind: String,
    class: Option<Address>,
    /// `struct` or `imemo_type`, for objects without a class of their own.
    label: Option<String>,
    file: Option<String>,
    line: Option<u64>,
    method: Option<String>,
    generation: Option<Generation>,
    context: Option<String>,
    stack: Option<StackId>,
    sampled_bytes: Option<u32>,
}

/// A line of code.
#[derive(PartialEq, Eq, Hash)]
struct Line {
    file: String,
    line: Option<u64>,
}

/// The objects of one site.
#[derive(Clone, Debug)]
struct OfSite {
    site: Site,
    tally: Tally,
}

/// The objects of one group.
struct OfGroup {
    tally: Tally,
    contexts: ContextTally<String>,
    stacks: StayedByStack,
}

/// The groups the caller asked for.
pub(crate) struct Grouped {
    /// Sorted.
    pub(crate) groups: Vec<Group>,
    /// The sums of all, and of what the filters left out.
    pub(crate) totals: GroupTotals,
}

/// What a site's objects are called.
struct Named {
    /// The class's name, for filters.
    class: Option<String>,
    /// What the caller groups by.
    values: Values,
}

/// Objects by site.
#[derive(Debug)]
pub(crate) struct Sites {
    by_key: HashMap<Box<[u8]>, OfSite, RandomState>,
    stacks: Stacks,
    scratch: Vec<u8>,
    by_generation: bool,
    samples: usize,
}

impl Sites {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            by_key: HashMap::default(),
            stacks: Stacks::default(),
            scratch: Vec::new(),
            by_generation: options.group_by.contains(&Key::Generation),
            // the holders of all of them are to be found
            samples: if options.holders {
                usize::MAX
            } else {
                options.samples
            },
        }
    }

    pub(crate) fn add(&mut self, fields: &Fields<'_>) {
        let class = fields.class_of_object();
        let label = fields.label();
        let generation = fields.generation.filter(|_| self.by_generation);
        self.scratch.clear();
        let numbers = [
            class.map(Address::get),
            fields.line,
            generation.map(Generation::get),
        ];
        for number in numbers {
            self.scratch.push(u8::from(number.is_some()));
            self.scratch.extend_from_slice(&number.unwrap_or(0).to_le_bytes());
        }
        fields.append_texts(&mut self.scratch);
        let tally = Tally::of(fields);
        if let Some(known) = self.by_key.get_mut(self.scratch.as_slice()) {
            known.tally.merge(&tally, self.samples);
            return;
        }
        let text = |bytes: Option<&std::borrow::Cow<'_, [u8]>>| bytes.map(|bytes| lossy(bytes).into_owned());
        let site = Site {
            kind: lossy(&fields.kind).into_owned(),
            class,
            label: text(label),
            file: text(fields.file.as_ref()),
            line: fields.line,
            method: text(fields.method.as_ref()),
            generation,
            context: text(fields.context.as_ref()),
            stack: fields.stack,
            sampled_bytes: fields.sampled_bytes,
        };
        self.by_key
            .insert(self.scratch.as_slice().into(), OfSite { site, tally });
    }

    /// Takes a stack that objects may have come through.
    pub(crate) fn stack(&mut self, stack: StackLine) {
        self.stacks.add(stack);
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.stacks.merge(other.stacks);
        for (key, of_site) in other.by_key {
            match self.by_key.get_mut(&key) {
                Some(known) => known.tally.merge(&of_site.tally, self.samples),
                None => drop(self.by_key.insert(key, of_site)),
            }
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.by_key.values().map(|it| it.tally.count).sum()
    }

    /// How many inline caches of each line of code leaked.
    fn caches_by_line(&self) -> HashMap<Line, u64, RandomState> {
        let mut by_line = HashMap::default();
        for OfSite { site, tally } in self.by_key.values().filter(|it| it.site.is_cache()) {
            if let Some(line) = site.line_of_code() {
                *by_line.entry(line).or_default() += tally.count;
            }
        }
        by_line
    }

    /// The groups the caller asked for.
    pub(crate) fn into_groups(
        self,
        classes: &Classes,
        options: &Options,
        own_paths: &[String],
        sampled: Option<&Sampled>,
    ) -> Grouped {
        let mut totals = GroupTotals::default();
        let samples = self.samples;
        let mut groups: HashMap<Values, OfGroup, RandomState> = HashMap::default();
        let caches = self.caches_by_line();
        let stacks = StacksBySite::of(&self.stacks);
        for OfSite { site, mut tally } in self.by_key.into_values() {
            let named = site.named(classes, options);
            let (class, file) = (named.class.as_deref(), site.file.as_deref());
            let is_in_own_path = |file: &str| own_paths.iter().any(|own| file.starts_with(own));
            let is_of_own_class = |class: &str| class == OURS || class.starts_with(OUR_NAMESPACE);
            let is_own = file.is_some_and(is_in_own_path) || class.is_some_and(is_of_own_class);
            if is_own && !own_paths.is_empty() {
                totals.own_count += tally.count;
                continue;
            }
            let wanted = options.only.is_empty() || options.only.iter().any(|it| it.matches(class, file));
            if !wanted || options.ignore.iter().any(|it| it.matches(class, file)) {
                totals.filtered_count += tally.count;
                totals.filtered_memsize = totals.filtered_memsize.saturating_add(tally.memsize);
                continue;
            }
            let has_few = |line: &Line| caches.get(line).is_none_or(|count| *count < OF_ONE_LINE);
            if site.is_cache() && site.line_of_code().as_ref().is_none_or(has_few) {
                tally.caches = Amount {
                    count: tally.count,
                    memsize: tally.memsize,
                };
            }
            tally.stands_for =
                sampled.map(|sampled| StandsFor::of(&tally, sampled.one_in(site.sampled_bytes)));
            totals.count += tally.count;
            totals.bytesize = totals.bytesize.saturating_add(tally.bytesize);
            totals.memsize = totals.memsize.saturating_add(tally.memsize);
            match groups.entry(named.values) {
                Entry::Occupied(known) => known.into_mut().add(&site, &tally, samples),
                Entry::Vacant(place) => drop(place.insert(OfGroup::new(&site, tally))),
            }
        }
        let mut groups: Vec<Group> = groups
            .into_iter()
            .map(|(values, of_group)| of_group.into_group(values, samples, &stacks))
            .collect();
        if let Some(sampled) = sampled {
            extrapolate::totals(&groups, sampled, &mut totals);
        }
        groups.sort_by(|one, two| {
            let key = |group: &Group| group.sizes(options.sort);
            key(two).cmp(&key(one)).then_with(|| one.values.cmp(&two.values))
        });
        totals.groups = groups.len() as u64;
        totals.count_caches(&groups);
        Grouped { groups, totals }
    }
}

impl Site {
    /// Whether it is of the VM's caches, of which there is one for each place in the code that runs.
    fn is_cache(&self) -> bool {
        Internal::of(
            Type::of(self.kind.as_bytes()),
            self.label.as_deref().map(str::as_bytes),
        )
        .is_cache()
    }

    fn line_of_code(&self) -> Option<Line> {
        Some(Line {
            file: self.file.clone()?,
            line: self.line,
        })
    }

    fn named(&self, classes: &Classes, options: &Options) -> Named {
        let class = self
            .class
            .and_then(|address| classes.name(address))
            .or_else(|| self.label.clone());
        let has = |key| options.group_by.contains(&key);
        let gem = if has(Key::Gem) || has(Key::File) {
            self.file.as_deref().and_then(gem::of_path)
        } else {
            None
        };
        let values = Values {
            kind: has(Key::Type).then(|| self.kind.clone()),
            class: class.clone().filter(|_| has(Key::Class)),
            file: self.file.clone().filter(|_| has(Key::File)),
            line: self.line.filter(|_| has(Key::Line)),
            method: self.method.clone().filter(|_| has(Key::Method)),
            generation: self.generation,
            gem,
            context: self.context.clone().filter(|_| has(Key::Context)),
        };
        Named { class, values }
    }
}

impl OfGroup {
    fn new(site: &Site, tally: Tally) -> Self {
        let mut of_group = Self {
            tally,
            contexts: ContextTally::default(),
            stacks: StayedByStack::default(),
        };
        of_group.note(site, of_group.tally.count);
        of_group
    }

    fn add(&mut self, site: &Site, tally: &Tally, samples: usize) {
        self.tally.merge(tally, samples);
        self.note(site, tally.count);
    }

    /// Notes down through what so many objects were allocated.
    fn note(&mut self, site: &Site, count: u64) {
        if let Some(context) = &site.context {
            self.contexts.add(context.clone(), count);
        }
        if let Some(stack) = site.stack {
            *self.stacks.entry(stack).or_default() += count;
        }
    }

    fn into_group(self, values: Values, samples: usize, stacks: &StacksBySite<'_>) -> Group {
        let Self {
            mut tally,
            contexts,
            stacks: stayed,
        } = self;
        tally.keep_lowest(samples);
        let stands_for = tally.stands_for.take();
        let mut group = Group {
            caches: tally.caches,
            values,
            count: tally.count,
            estimate: None,
            stands_for: StandsFor::default(),
            bytesize: tally.bytesize,
            memsize: tally.memsize,
            generations: tally.generations,
            contexts: contexts.report(tally.count, Clone::clone),
            callers: match stayed.is_empty() {
                true => Callers::default(),
                false => stacks.callers(&stayed),
            },
            addresses: tally.samples,
        };
        if let Some(all) = stands_for {
            extrapolate::group(&mut group, all);
        }
        group
    }
}
