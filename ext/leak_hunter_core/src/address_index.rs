//! Dense numbers for addresses: objects are numbered in ascending order of their address.
//!
//! Built from an [`AddressSet`]: a bitmap for each 64 KiB page of the heap, and how many addresses lie before it. A number
//! costs about a byte, where a sorted list of addresses would cost eight.

use crate::address_set::{AddressSet, NumberedPage, PAGE_SHIFT, Page, Pages, Place, WORDS, place};
use crate::heap::NONE;
use crate::ids::{Address, ObjectId};

/// Addresses and their numbers, both ways.
#[derive(Debug, Default)]
pub struct AddressIndex {
    /// In ascending order. A heap has a few.
    runs: Vec<Run>,
    /// In ascending order.
    pages: Vec<Ranked>,
    /// Addresses that are no multiple of 8, in ascending order. They are numbered after all others.
    odd: Vec<Address>,
    length: u32,
}

/// Pages that are next to each other, or nearly so.
#[derive(Debug)]
struct Run {
    first_page: u64,
    /// Index in `pages` of each page; [`NONE`] where a page has no address.
    pages: Vec<u32>,
}

/// Pages without an address that a run may have one after the other: a page must not cost much more than itself.
const GAP: u64 = 64;

#[derive(Debug)]
struct Ranked {
    page: u64,
    /// Number of the page's first address.
    first: u32,
    slots: Slots,
}

#[derive(Debug)]
enum Slots {
    Few(Box<[u16]>),
    Bits {
        bits: Box<[u64; WORDS]>,
        /// How many addresses lie before each word.
        before: Box<[u16; WORDS]>,
    },
}

impl Slots {
    fn of(page: Page) -> Self {
        match page {
            Page::Few(mut slots) => {
                slots.sort_unstable();
                Self::Few(slots.into())
            }
            Page::Bits(bits) => {
                let mut before = Box::new([0; WORDS]);
                let mut sum = 0;
                for (before, word) in before.iter_mut().zip(bits.iter()) {
                    *before = sum;
                    sum += word.count_ones() as u16;
                }
                Self::Bits { bits, before }
            }
        }
    }

    fn len(&self) -> u32 {
        match self {
            Self::Few(slots) => slots.len() as u32,
            Self::Bits { bits, .. } => bits.iter().map(|word| word.count_ones()).sum(),
        }
    }

    /// How many of the page's addresses lie before this one, if this one is among them.
    #[inline]
    fn rank(&self, slot: u16) -> Option<u32> {
        match self {
            Self::Few(slots) => slots.binary_search(&slot).ok().map(|rank| rank as u32),
            Self::Bits { bits, before } => {
                let (word, bit) = (usize::from(slot / 64), slot % 64);
                if bits[word] >> bit & 1 == 0 {
                    return None;
                }
                let part = (bits[word] & ((1 << bit) - 1)).count_ones();
                Some(u32::from(before[word]) + part)
            }
        }
    }

    /// The slot with so many others of the page before it.
    fn select(&self, rank: u32) -> u16 {
        match self {
            Self::Few(slots) => slots[rank as usize],
            Self::Bits { bits, before } => {
                let word = before.partition_point(|count| u32::from(*count) <= rank) - 1;
                let mut rest = bits[word];
                for _ in u32::from(before[word])..rank {
                    rest &= rest - 1;
                }
                (word * 64) as u16 + rest.trailing_zeros() as u16
            }
        }
    }
}

impl AddressIndex {
    /// Numbers the addresses of a set. `None` when there are more than 2³¹ of them.
    pub fn new(set: AddressSet) -> Option<Self> {
        let length = u32::try_from(set.len()).ok().filter(|length| *length < 1 << 31)?;
        let Pages { pages, mut odd } = set.into_pages();
        odd.sort_unstable();
        let mut index = Self {
            runs: Vec::new(),
            pages: Vec::with_capacity(pages.len()),
            odd,
            length,
        };
        let mut first = 0;
        for NumberedPage { page, slots } in pages {
            let slots = Slots::of(slots);
            index.add_to_run(page);
            let next = first + slots.len();
            index.pages.push(Ranked { page, first, slots });
            first = next;
        }
        Some(index)
    }

    /// `page` is above all others, and the next one in `pages`.
    fn add_to_run(&mut self, page: u64) {
        let number = self.pages.len() as u32;
        if let Some(run) = self.runs.last_mut() {
            let gap = page - run.first_page - run.pages.len() as u64;
            if gap <= GAP {
                run.pages.resize(run.pages.len() + gap as usize, NONE);
                run.pages.push(number);
                return;
            }
        }
        self.runs.push(Run {
            first_page: page,
            pages: vec![number],
        });
    }

    #[inline]
    fn page(&self, page: u64) -> Option<&Ranked> {
        let run = self.runs.partition_point(|run| run.first_page <= page);
        let run = &self.runs[run.checked_sub(1)?];
        let number = run.pages.get((page - run.first_page) as usize)?;
        self.pages.get(*number as usize)
    }

    /// The number of an address; `None` when the set does not have it.
    #[inline]
    pub fn number(&self, address: Address) -> Option<ObjectId> {
        let number = match place(address) {
            Some(Place { page, slot }) => {
                let ranked = self.page(page)?;
                ranked.first + ranked.slots.rank(slot)?
            }
            None => {
                let rank = self.odd.binary_search(&address).ok()?;
                self.length - self.odd.len() as u32 + rank as u32
            }
        };
        Some(ObjectId::new(number))
    }

    /// The address with this number.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn address(&self, object: ObjectId) -> Address {
        let number = object.get();
        let even = self.length - self.odd.len() as u32;
        if number >= even {
            return self.odd[(number - even) as usize];
        }
        let page = self.pages.partition_point(|ranked| ranked.first <= number) - 1;
        let ranked = &self.pages[page];
        let slot = ranked.slots.select(number - ranked.first);
        Address::new(ranked.page << PAGE_SHIFT | u64::from(slot) << 3)
    }

    /// How many addresses have a number.
    pub fn len(&self) -> u32 {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Bytes it takes.
    pub fn memory(&self) -> usize {
        let slots = |ranked: &Ranked| match &ranked.slots {
            Slots::Few(slots) => slots.len() * 2,
            Slots::Bits { .. } => WORDS * (8 + 2),
        };
        let runs = self.runs.iter();
        let runs: usize = runs.map(|run| size_of::<Run>() + run.pages.len() * 4).sum();
        runs + self
            .pages
            .iter()
            .map(|ranked| size_of::<Ranked>() + slots(ranked))
            .sum::<usize>()
            + self.odd.len() * 8
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::address_set::tests::addresses;

    proptest! {
        #[test]
        fn numbers_are_dense_and_lead_back_to_their_addresses(list in addresses(), asked in addresses()) {
            let mut set = AddressSet::default();
            for address in &list {
                set.insert(*address);
            }
            let plain: BTreeSet<Address> = list.iter().copied().collect();
            let index = AddressIndex::new(set).unwrap();
            prop_assert_eq!(index.len() as usize, plain.len());
            let (even, odd): (Vec<Address>, Vec<Address>) = plain.iter().partition(|address| address.get() & 7 == 0);
            for (number, address) in even.iter().chain(&odd).enumerate() {
                prop_assert_eq!(index.number(*address), Some(ObjectId::new(number as u32)));
                prop_assert_eq!(index.address(ObjectId::new(number as u32)), *address);
            }
            for address in asked {
                prop_assert_eq!(index.number(address).is_some(), plain.contains(&address));
            }
        }
    }
}
