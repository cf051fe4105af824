//! Who holds the survivors: the heap of the third moment, and how long the collections were at the first two.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::Run;
use super::census::Totals;
use super::input::Source;
use super::report::Group;
use crate::address_set::AddressSet;
use crate::dump::{Failure, Pass, Record};
use crate::error::Result;
use crate::heap::Heap;
use crate::holders::{Caches, Holder, Leaked, holders};
use crate::pool;

impl Run<'_> {
    /// The holders of the objects of `groups`, all of whose addresses are known. `addresses` are the third dump's; `moved`
    /// tells whether objects moved after the first dump and after the second.
    pub(super) fn holders(
        &self,
        groups: &[Group],
        addresses: AddressSet,
        totals: &[Totals; 3],
        moved: [Option<bool>; 2],
    ) -> Result<(Vec<Holder>, Caches)> {
        let heap = self.third_heap(addresses, totals[2].duplicates > 0)?;
        let leaked: Vec<Leaked> = groups
            .iter()
            .enumerate()
            .flat_map(|(index, group)| {
                group
                    .addresses
                    .iter()
                    .map(move |address| (index as u32, *address))
            })
            .filter_map(|(group, address)| {
                let object = heap.find(address)?;
                Some(Leaked { object, group })
            })
            .collect();
        let (mut holders, caches) = holders(&heap, &leaked, totals[0].generation, self.progress)?;
        // a report shows the largest first; of collections far down nobody asks for their growth
        for (index, totals) in totals.iter().enumerate().take(2) {
            if self.moved_to_third(index, moved) {
                continue;
            }
            self.measure(index, totals.generation, &heap, &mut holders)?;
        }
        Ok((holders, caches))
    }

    fn third_heap(&self, addresses: AddressSet, repeated: bool) -> Result<Arc<Heap>> {
        match &self.files[2] {
            Source::Heap(heap) => Ok(Arc::clone(heap)),
            Source::File(file) => {
                self.progress.add_total(file.bytes());
                let single;
                let pool = match repeated {
                    true => {
                        single = pool::of(1)?;
                        &single
                    }
                    false => &self.pool,
                };
                Ok(Arc::new(Heap::read(file, pool, addresses, self.progress)?))
            }
            Source::Mark(_) => Heap::empty().map(Arc::new),
        }
    }

    /// Whether objects moved after that moment, so that an address there may be another collection's.
    fn moved_to_third(&self, index: usize, moved: [Option<bool>; 2]) -> bool {
        match (self.files[index].recorded(), self.files[2].recorded()) {
            (Some(then), Some(now)) => then.compactions != now.compactions,
            _ => moved[index..].contains(&Some(true)),
        }
    }

    /// How long the collections of the third moment were at an earlier one, whose highest generation is given.
    fn measure(
        &self,
        index: usize,
        generation: Option<u64>,
        third: &Heap,
        holders: &mut [Holder],
    ) -> Result<()> {
        let wanted: Wanted = holders
            .iter()
            .filter_map(|holder| {
                let address = holder.collection?;
                Some((address, third.generation(third.find(address)?)))
            })
            .filter(|(_, born)| born.is_none() || *born <= generation)
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let lengths = match &self.files[index] {
            Source::Mark(_) => return Ok(()),
            Source::Heap(heap) => wanted
                .iter()
                .filter_map(|(address, born)| {
                    let object = heap.find(*address)?;
                    let length = heap.length(object).filter(|_| heap.generation(object) == *born)?;
                    Some((*address, u64::from(length)))
                })
                .collect(),
            source @ Source::File(file) => {
                self.progress.add_total(file.bytes());
                let (lengths, _) = source.visit(&self.pool, self.progress, || Lengths::new(&wanted))?;
                lengths.found
            }
        };
        for holder in holders {
            holder.lengths[index] = holder
                .collection
                .and_then(|address| lengths.get(&address).copied());
        }
        Ok(())
    }
}

/// Collections by address, with their generation, by which they are known to be the same.
type Wanted = HashMap<u64, Option<u64>, RandomState>;

/// The pass that reads how long some collections are.
struct Lengths<'a> {
    wanted: &'a Wanted,
    /// Quicker to ask, millions of times.
    set: AddressSet,
    found: HashMap<u64, u64, RandomState>,
}

impl<'a> Lengths<'a> {
    fn new(wanted: &'a Wanted) -> Self {
        let mut set = AddressSet::default();
        for address in wanted.keys() {
            set.insert(*address);
        }
        Self {
            wanted,
            set,
            found: HashMap::default(),
        }
    }
}

impl Pass for Lengths<'_> {
    #[inline]
    fn visit(&mut self, record: &Record<'_>) -> std::result::Result<(), Failure> {
        if self.set.contains(record.address)
            && matches!(record.kind, b"ARRAY" | b"HASH")
            && self.wanted.get(&record.address) == Some(&record.generation)
        {
            let length = record.fields().ok_or(Failure::Damaged)?.length;
            // an empty Array of Ruby 3.1 has none
            self.found.insert(record.address, length.unwrap_or(0));
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.found.extend(other.found);
    }
}
