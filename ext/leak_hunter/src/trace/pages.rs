//! What is known of each slot: 8 bytes, in a table for each page of the VM's heap. Made and freed with Rust's own
//! allocator, so that it can grow in the hook of an allocation.

use std::ops::Range;

/// How large a page of the VM's heap is, as a power of two. All slots of a page are of one size.
const SHIFT: u32 = if cfg!(ruby_gte_3_2) { 16 } else { 14 };
const SPAN: u64 = 1 << SHIFT;
/// Of a table of pages.
const SMALLEST: usize = 64;

/// Where and when the object in a slot was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(super) struct Entry(u64);

impl Entry {
    const NONE: Self = Self(0);

    /// `place`: never 0.
    #[inline]
    pub(super) const fn new(place: u32, generation: u32) -> Self {
        Self(place as u64 | (generation as u64) << 32)
    }

    #[inline]
    pub(super) const fn place(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    pub(super) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline]
    pub(super) const fn bits(self) -> u64 {
        self.0
    }
}

/// An object that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) address: u64,
    pub(super) entry: Entry,
}

/// The slots of one page. The VM puts the first one anywhere; from there on they stand side by side, so that dividing by
/// their size numbers them.
#[derive(Clone)]
struct Page {
    /// Its address, divided by [`SPAN`].
    key: u64,
    /// Bytes from one slot to the next.
    stride: u32,
    /// For dividing by it: 2³² divided by it, and one more.
    reciprocal: u32,
    /// What is left of an address in the page when it is divided.
    phase: u32,
    /// Entries that are not empty.
    used: u32,
    entries: Vec<Entry>,
}

impl Page {
    /// `None` when there is no memory for it.
    fn new(address: u64, stride: u32) -> Option<Self> {
        let length = (SPAN / u64::from(stride)) as usize + 1;
        let mut entries = Vec::new();
        entries.try_reserve_exact(length).ok()?;
        entries.resize(length, Entry::NONE);
        Some(Self {
            key: address >> SHIFT,
            stride,
            reciprocal: ((1_u64 << 32) / u64::from(stride)) as u32 + 1,
            phase: ((address & (SPAN - 1)) % u64::from(stride)) as u32,
            used: 0,
            entries,
        })
    }

    #[inline]
    fn slot(&mut self, address: u64) -> &mut Entry {
        let index = self.index(address);
        &mut self.entries[index]
    }

    /// Exact below 2¹⁶, since strides are.
    #[inline]
    fn index(&self, address: u64) -> usize {
        (((address & (SPAN - 1)) * u64::from(self.reciprocal)) >> 32) as usize
    }

    /// Whether a slot of this size may be one of this page's.
    #[inline]
    fn has_slots_of(&self, stride: u32) -> bool {
        self.stride == stride
    }

    /// Where the slot with this number is.
    #[inline]
    fn address(&self, index: usize) -> u64 {
        (self.key << SHIFT) + u64::from(self.phase) + index as u64 * u64::from(self.stride)
    }

    fn objects(&self) -> impl Iterator<Item = Known> + '_ {
        let all = self.entries.iter().copied().enumerate();
        let known = all.filter(|(_, entry)| *entry != Entry::NONE);
        known.map(|(index, entry)| Known {
            address: self.address(index),
            entry,
        })
    }
}

/// Where in [`Pages::pages`] the page with this key is. The key of none is 0.
#[derive(Clone, Copy)]
struct Bucket {
    key: u64,
    page: u32,
}

impl Bucket {
    const EMPTY: Self = Self { key: 0, page: 0 };
}

/// All pages with known objects.
#[derive(Clone)]
pub(super) struct Pages {
    /// A hash table with open addressing.
    buckets: Vec<Bucket>,
    pages: Vec<Page>,
    /// The pages of the last allocation and of the last free: mostly the next one is there, too.
    last_new: Bucket,
    last_free: Bucket,
    /// Entries of pages that were given up by the VM and made again, without a word about what was in them.
    dropped: u64,
}

/// There is no memory left.
#[derive(Debug)]
pub(super) struct NoMemory;

impl Pages {
    pub(super) const fn new() -> Self {
        Self {
            buckets: Vec::new(),
            pages: Vec::new(),
            last_new: Bucket::EMPTY,
            last_free: Bucket::EMPTY,
            dropped: 0,
        }
    }

    /// An object was allocated. `stride`: how large its slot is.
    #[inline]
    pub(super) fn insert(&mut self, address: u64, stride: u32, entry: Entry) -> Result<(), NoMemory> {
        let key = address >> SHIFT;
        if self.last_new.key != key {
            self.last_new = self.find_or_make(address, stride)?;
        }
        let mut page = &mut self.pages[self.last_new.page as usize];
        if !page.has_slots_of(stride) {
            // the VM has made a new page where an old one was
            self.dropped += u64::from(page.used);
            *page = Page::new(address, stride).ok_or(NoMemory)?;
            page = &mut self.pages[self.last_new.page as usize];
        }
        let slot = page.slot(address);
        let is_new = *slot == Entry::NONE;
        *slot = entry;
        page.used += u32::from(is_new);
        Ok(())
    }

    /// An object was freed.
    #[inline]
    pub(super) fn remove(&mut self, address: u64) -> Option<Entry> {
        let key = address >> SHIFT;
        if self.last_free.key != key {
            self.last_free = self.find(key)?;
        }
        let number = self.last_free.page;
        let page = &mut self.pages[number as usize];
        let slot = page.slot(address);
        let entry = *slot;
        if entry == Entry::NONE {
            return None;
        }
        *slot = Entry::NONE;
        page.used -= 1;
        if page.used == 0 {
            self.remove_page(number);
        }
        Some(entry)
    }

    pub(super) fn get(&self, address: u64) -> Option<Entry> {
        let page = &self.pages[self.find(address >> SHIFT)?.page as usize];
        let index = page.index(address);
        let entry = *page.entries.get(index)?;
        (entry != Entry::NONE && page.address(index) == address).then_some(entry)
    }

    /// All of them, by address.
    pub(super) fn sorted(&self) -> impl Iterator<Item = Known> + '_ {
        let mut order: Vec<&Page> = self.pages.iter().collect();
        order.sort_unstable_by_key(|page| page.key);
        order.into_iter().flat_map(Page::objects)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let all = self.pages.iter().flat_map(|page| page.entries.iter().copied());
        all.filter(|entry| *entry != Entry::NONE)
    }

    /// Calls it with the known objects of each page, and where in memory the page is.
    pub(super) fn each_page(&self, mut see: impl FnMut(Range<u64>, &mut dyn Iterator<Item = Known>)) {
        for page in &self.pages {
            let start = page.key << SHIFT;
            see(start..start + SPAN, &mut page.objects());
        }
    }

    pub(super) fn len(&self) -> usize {
        self.pages.iter().map(|page| page.used as usize).sum()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn memory(&self) -> usize {
        let entries: usize = self.pages.iter().map(|page| page.entries.capacity()).sum();
        entries * size_of::<Entry>()
            + self.pages.capacity() * size_of::<Page>()
            + self.buckets.capacity() * size_of::<Bucket>()
    }

    fn home(&self, key: u64) -> usize {
        let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        hash as usize & (self.buckets.len() - 1)
    }

    fn find(&self, key: u64) -> Option<Bucket> {
        if self.buckets.is_empty() {
            return None;
        }
        let mut place = self.home(key);
        loop {
            let bucket = self.buckets[place];
            if bucket.key == key {
                return Some(bucket);
            }
            if bucket.key == 0 {
                return None;
            }
            place = (place + 1) & (self.buckets.len() - 1);
        }
    }

    #[cold]
    fn find_or_make(&mut self, address: u64, stride: u32) -> Result<Bucket, NoMemory> {
        let key = address >> SHIFT;
        if let Some(bucket) = self.find(key) {
            return Ok(bucket);
        }
        self.reserve()?;
        let bucket = Bucket {
            key,
            page: self.pages.len() as u32,
        };
        self.pages.push(Page::new(address, stride).ok_or(NoMemory)?);
        self.link(bucket);
        Ok(bucket)
    }

    fn link(&mut self, bucket: Bucket) {
        let mut place = self.home(bucket.key);
        while self.buckets[place].key != 0 {
            place = (place + 1) & (self.buckets.len() - 1);
        }
        self.buckets[place] = bucket;
    }

    /// Room for one more page.
    fn reserve(&mut self) -> Result<(), NoMemory> {
        self.pages.try_reserve(1).map_err(|_| NoMemory)?;
        if (self.pages.len() + 1) * 2 > self.buckets.len() {
            let length = (self.buckets.len() * 2).max(SMALLEST);
            let mut larger = Vec::new();
            larger.try_reserve_exact(length).map_err(|_| NoMemory)?;
            larger.resize(length, Bucket::EMPTY);
            let smaller = std::mem::replace(&mut self.buckets, larger);
            for bucket in smaller.into_iter().filter(|bucket| bucket.key != 0) {
                self.link(bucket);
            }
        }
        Ok(())
    }

    /// Frees a page's table. The last page takes its number.
    #[cold]
    fn remove_page(&mut self, number: u32) {
        let removed = self.pages.swap_remove(number as usize);
        self.unlink(removed.key);
        let moved = self.pages.len() as u32;
        if number < moved {
            let key = self.pages[number as usize].key;
            let mut place = self.home(key);
            while self.buckets[place].key != key {
                place = (place + 1) & (self.buckets.len() - 1);
            }
            self.buckets[place].page = number;
        }
        for last in [&mut self.last_new, &mut self.last_free] {
            if last.page == number || last.page == moved {
                *last = Bucket::EMPTY;
            }
        }
    }

    /// Takes a bucket out, and moves those up that stand behind it because it was taken.
    fn unlink(&mut self, key: u64) {
        let mask = self.buckets.len() - 1;
        let mut hole = self.home(key);
        while self.buckets[hole].key != key {
            hole = (hole + 1) & mask;
        }
        let mut place = hole;
        loop {
            place = (place + 1) & mask;
            let bucket = self.buckets[place];
            if bucket.key == 0 {
                break;
            }
            let distance = place.wrapping_sub(self.home(bucket.key)) & mask;
            if distance >= (place.wrapping_sub(hole) & mask) {
                self.buckets[hole] = bucket;
                hole = place;
            }
        }
        self.buckets[hole] = Bucket::EMPTY;
    }
}
