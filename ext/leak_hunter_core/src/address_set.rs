//! Sets of addresses, shaped like a Ruby heap: pages of 64 KiB with objects at multiples of 8.
//!
//! A dump lists the objects of a page one after the other, so the page used last is looked at first.

use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};

use crate::ids::Address;

pub(crate) const PAGE_SHIFT: u32 = 16;
const SLOTS: usize = 1 << (PAGE_SHIFT - 3);
/// Words of a page's bitmap.
pub(crate) const WORDS: usize = SLOTS / 64;
/// A page with fewer addresses keeps a list: one address must not cost a kilobyte.
const FEW: usize = 48;

/// A set of addresses. A full heap page costs 1 KiB.
#[derive(Debug, Default)]
pub struct AddressSet {
    numbers: HashMap<u64, u32, RandomState>,
    pages: Vec<Page>,
    last: Option<LastPage>,
    /// Addresses that are no multiple of 8 (32-bit Rubies, damaged dumps).
    odd: HashSet<Address, RandomState>,
    length: u64,
}

/// The page that was used last.
#[derive(Clone, Copy, Debug)]
struct LastPage {
    page: u64,
    /// Its index in `pages`.
    number: u32,
}

/// A page and its addresses.
#[derive(Debug)]
pub(crate) struct NumberedPage {
    pub(crate) page: u64,
    pub(crate) slots: Page,
}

/// The addresses of a page, as multiples of 8 from its start.
#[derive(Debug)]
pub(crate) enum Page {
    Few(Vec<u16>),
    Bits(Box<[u64; WORDS]>),
}

impl Page {
    fn insert(&mut self, slot: u16) -> bool {
        match self {
            Self::Few(slots) => {
                if slots.contains(&slot) {
                    return false;
                }
                if slots.len() < FEW {
                    slots.push(slot);
                    return true;
                }
                let mut bits = Box::new([0u64; WORDS]);
                for slot in slots.iter().copied().chain([slot]) {
                    bits[usize::from(slot / 64)] |= 1 << (slot % 64);
                }
                *self = Self::Bits(bits);
                true
            }
            Self::Bits(bits) => {
                let word = &mut bits[usize::from(slot / 64)];
                let bit = 1 << (slot % 64);
                let new = *word & bit == 0;
                *word |= bit;
                new
            }
        }
    }

    fn contains(&self, slot: u16) -> bool {
        match self {
            Self::Few(slots) => slots.contains(&slot),
            Self::Bits(bits) => bits[usize::from(slot / 64)] & 1 << (slot % 64) != 0,
        }
    }

    fn slots(&self) -> Vec<u16> {
        match self {
            Self::Few(slots) => slots.clone(),
            Self::Bits(_) => (0..SLOTS as u16).filter(|slot| self.contains(*slot)).collect(),
        }
    }
}

/// Where an address that is a multiple of 8 is.
pub(crate) struct Place {
    pub(crate) page: u64,
    pub(crate) slot: u16,
}

#[inline]
pub(crate) fn place(address: Address) -> Option<Place> {
    let address = address.get();
    (address & 7 == 0).then_some(Place {
        page: address >> PAGE_SHIFT,
        slot: (address >> 3) as u16 & (SLOTS as u16 - 1),
    })
}

/// The addresses of a set.
pub(crate) struct Pages {
    /// Ascending.
    pub(crate) pages: Vec<NumberedPage>,
    /// The addresses that are no multiple of 8.
    pub(crate) odd: Vec<Address>,
}

impl AddressSet {
    /// Adds an address; `false` when it was there.
    #[inline]
    pub fn insert(&mut self, address: Address) -> bool {
        let new = match place(address) {
            Some(Place { page, slot }) => {
                let number = match self.last {
                    Some(last) if last.page == page => last.number,
                    _ => self.number(page),
                };
                self.pages[number as usize].insert(slot)
            }
            None => self.odd.insert(address),
        };
        self.length += u64::from(new);
        new
    }

    fn number(&mut self, page: u64) -> u32 {
        let next = self.pages.len() as u32;
        let number = *self.numbers.entry(page).or_insert(next);
        if number == next {
            self.pages.push(Page::Few(Vec::new()));
        }
        self.last = Some(LastPage { page, number });
        number
    }

    /// Whether the address is in the set.
    #[inline]
    pub fn contains(&self, address: Address) -> bool {
        match place(address) {
            Some(Place { page, slot }) => self
                .numbers
                .get(&page)
                .is_some_and(|number| self.pages[*number as usize].contains(slot)),
            None => !self.odd.is_empty() && self.odd.contains(&address),
        }
    }

    /// How many addresses are in the set.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// All addresses, by page.
    pub(crate) fn into_pages(mut self) -> Pages {
        let mut numbers: Vec<_> = self.numbers.into_iter().collect();
        numbers.sort_unstable();
        let pages = numbers
            .into_iter()
            .map(|(page, number)| {
                let slots = std::mem::replace(&mut self.pages[number as usize], Page::Few(Vec::new()));
                NumberedPage { page, slots }
            })
            .collect();
        Pages {
            pages,
            odd: self.odd.into_iter().collect(),
        }
    }

    /// Takes over all of `other`; returns how many were in both.
    pub fn merge(&mut self, mut other: Self) -> u64 {
        if self.length < other.length {
            std::mem::swap(self, &mut other);
        }
        self.last = None;
        let mut both = 0;
        for (page, number) in other.numbers {
            let theirs = &mut other.pages[number as usize];
            if let Some(number) = self.numbers.get(&page) {
                let mine = &mut self.pages[*number as usize];
                let slots = theirs.slots();
                let new = slots.iter().filter(|slot| mine.insert(**slot)).count();
                both += (slots.len() - new) as u64;
            } else {
                self.numbers.insert(page, self.pages.len() as u32);
                self.pages.push(std::mem::replace(theirs, Page::Few(Vec::new())));
            }
        }
        both += other
            .odd
            .into_iter()
            .filter(|address| !self.odd.insert(*address))
            .count() as u64;
        self.length += other.length - both;
        both
    }
}

/// Addresses with a number each: what kind of object an untraced record was.
#[derive(Debug, Default)]
pub(crate) struct AddressMap {
    pages: HashMap<u64, Slots, RandomState>,
}

#[derive(Debug, Default)]
struct Slots {
    offsets: Vec<u16>,
    values: Vec<u64>,
    unsorted: bool,
}

impl AddressMap {
    #[inline]
    pub(crate) fn insert(&mut self, address: Address, value: u64) {
        let address = address.get();
        let slots = self.pages.entry(address >> PAGE_SHIFT).or_default();
        let offset = address as u16;
        slots.unsorted |= slots.offsets.last().is_some_and(|last| *last >= offset);
        slots.offsets.push(offset);
        slots.values.push(value);
    }

    pub(crate) fn get(&self, address: Address) -> Option<u64> {
        let address = address.get();
        let slots = self.pages.get(&(address >> PAGE_SHIFT))?;
        let offset = address as u16;
        let index = match slots.unsorted {
            false => slots.offsets.binary_search(&offset).ok()?,
            true => slots.offsets.iter().position(|it| *it == offset)?,
        };
        Some(slots.values[index])
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (page, mut theirs) in other.pages {
            let mine = self.pages.entry(page).or_default();
            mine.unsorted = !mine.offsets.is_empty() || theirs.unsorted;
            mine.offsets.append(&mut theirs.offsets);
            mine.values.append(&mut theirs.values);
        }
    }

    /// Bytes it takes.
    pub(crate) fn memory(&self) -> usize {
        let of_page = |slots: &Slots| {
            slots.offsets.capacity() * size_of::<u16>() + slots.values.capacity() * size_of::<u64>()
        };
        let pages = self.pages.capacity() * (size_of::<u64>() + size_of::<Slots>() + 1);
        pages + self.pages.values().map(of_page).sum::<usize>()
    }

    /// Makes look-ups quick once everything is in.
    pub(crate) fn seal(&mut self) {
        for slots in self.pages.values_mut() {
            if slots.unsorted {
                let mut pairs: Vec<_> = slots
                    .offsets
                    .iter()
                    .copied()
                    .zip(slots.values.iter().copied())
                    .collect();
                // Stable: of one address that comes twice, the first stays first.
                pairs.sort_by_key(|(offset, _)| *offset);
                pairs.dedup_by_key(|(offset, _)| *offset);
                (slots.offsets, slots.values) = pairs.into_iter().unzip();
                slots.unsorted = false;
            }
            slots.offsets.shrink_to_fit();
            slots.values.shrink_to_fit();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    /// Clustered like a heap, with strays and odd ones.
    pub(crate) fn addresses() -> impl Strategy<Value = Vec<Address>> {
        let address = prop_oneof![
            8 => (0..3u64, 0..1600u64).prop_map(|(page, slot)| 0x7f00_0000_0000 + (page << 16) + slot * 40),
            1 => any::<u64>(),
            1 => 0..200u64,
        ];
        proptest::collection::vec(address.prop_map(Address::new), 0..400)
    }

    proptest! {
        #[test]
        fn a_set_holds_what_was_put_in(one in addresses(), two in addresses(), asked in addresses()) {
            let mut sets = [AddressSet::default(), AddressSet::default()];
            let mut plain = [BTreeSet::new(), BTreeSet::new()];
            for (index, list) in [&one, &two].into_iter().enumerate() {
                for address in list {
                    prop_assert_eq!(sets[index].insert(*address), plain[index].insert(*address));
                }
            }
            let [mut first, second] = sets;
            prop_assert_eq!(first.merge(second), plain[0].intersection(&plain[1]).count() as u64);
            plain[0].extend(plain[1].clone());
            prop_assert_eq!(first.len(), plain[0].len() as u64);
            for address in asked.iter().chain(&one).chain(&two) {
                prop_assert_eq!(first.contains(*address), plain[0].contains(address));
            }
        }

        #[test]
        fn a_map_answers_with_the_first_value_put_in(one in addresses(), two in addresses(), asked in addresses()) {
            let mut map = AddressMap::default();
            let mut other = AddressMap::default();
            let mut plain = BTreeMap::new();
            for (value, address) in one.iter().enumerate() {
                map.insert(*address, value as u64);
                plain.entry(*address).or_insert(value as u64);
            }
            for (value, address) in two.iter().enumerate() {
                other.insert(*address, 1000 + value as u64);
                plain.entry(*address).or_insert(1000 + value as u64);
            }
            map.merge(other);
            map.seal();
            for address in asked.iter().chain(&one).chain(&two) {
                prop_assert_eq!(map.get(*address), plain.get(address).copied());
            }
        }
    }
}
