//! Which addresses are slots of the heap.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};

use rb_sys::VALUE;

use super::api::Api;

/// Pages begin at multiples of 16 KiB or more.
const PAGE_BITS: u32 = 14;
/// Bits by which most of what is no address in the heap is sorted out.
const FILTER: usize = 1 << 16;

/// The slots of a page; all zero for none.
#[derive(Clone, Copy, Default)]
struct Page {
    start: usize,
    end: usize,
    stride: usize,
}

/// The pages of the heap.
pub(super) struct HeapPages {
    /// A bit for each page, at the last bits of its number; several may share one.
    filter: Vec<u64>,
    /// Each page at the last bits of its number, or further on.
    table: Vec<Page>,
}

impl HeapPages {
    /// # Safety
    /// With the GVL, and no collection in progress.
    pub(super) unsafe fn read(api: &Api) -> Self {
        let mut pages: Vec<Page> = Vec::with_capacity(1 << 12);
        let data: *mut c_void = std::ptr::from_mut(&mut pages).cast();
        // SAFETY: the callback neither raises nor makes objects, nor does it panic.
        unsafe { (api.each_objects)(page, data) };
        let mut table = Self {
            filter: vec![0; FILTER / 64],
            table: vec![Page::default(); (pages.len() * 4).next_power_of_two().max(64)],
        };
        for page in pages {
            table.insert(page);
        }
        table
    }

    fn insert(&mut self, page: Page) {
        let number = page.start >> PAGE_BITS;
        let bit = number % FILTER;
        self.filter[bit / 64] |= 1 << (bit % 64);
        let mask = self.table.len() - 1;
        let mut place = number & mask;
        while self.table[place].start != 0 {
            place = (place + 1) & mask;
        }
        self.table[place] = page;
    }

    /// Whether it is the address of a slot.
    #[inline]
    pub(super) fn contains(&self, value: VALUE) -> bool {
        let number = value as usize >> PAGE_BITS;
        let bit = number % FILTER;
        self.filter[bit / 64] >> (bit % 64) & 1 == 1 && self.is_slot(value as usize, number)
    }

    #[inline]
    fn is_slot(&self, address: usize, number: usize) -> bool {
        let mask = self.table.len() - 1;
        let mut place = number & mask;
        loop {
            let page = self.table[place];
            if page.start >> PAGE_BITS == number {
                return (page.start..page.end).contains(&address)
                    && (address - page.start) % page.stride == 0;
            }
            if page.start == 0 {
                return false;
            }
            place = (place + 1) & mask;
        }
    }
}

/// Pages of this Ruby are 16 KiB.
unsafe extern "C" fn page(start: *mut c_void, end: *mut c_void, stride: usize, data: *mut c_void) -> c_int {
    // SAFETY: the pages of `read`, which nothing else uses meanwhile.
    let pages = unsafe { &mut *data.cast::<Vec<Page>>() };
    let (start, end) = (start as usize, end as usize);
    if stride > 0 && start < end {
        pages.push(Page { start, end, stride });
    }
    0
}
