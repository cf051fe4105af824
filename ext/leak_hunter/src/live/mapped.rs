//! Memory for what a walk finds of each object: asked of the system itself, and given back to it at once. What malloc gets
//! back it may keep, and the process would look as if it had grown.
#![allow(unsafe_code)]

use std::alloc::{Layout, handle_alloc_error};
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

/// No system has smaller pages.
const PAGE: usize = 4096;

/// A list that is appended to.
pub(super) struct Mapped<T: Copy> {
    start: NonNull<T>,
    length: usize,
    /// 0: nothing is mapped.
    capacity: usize,
}

// SAFETY: it alone has its memory, as a Vec has.
unsafe impl<T: Copy + Send> Send for Mapped<T> {}

impl<T: Copy> Mapped<T> {
    /// With memory for so many, which is touched now: not when the process stands still.
    pub(super) fn with_room_for(capacity: usize) -> Self {
        let mut list = Self::default();
        if capacity > 0 {
            list.move_to(capacity);
            let start = list.start.as_ptr().cast::<u8>();
            for offset in (0..bytes::<T>(capacity)).step_by(PAGE) {
                // SAFETY: inside of what was mapped. Written in a way that is not left out.
                unsafe { start.add(offset).write_volatile(0) };
            }
        }
        list
    }

    #[inline]
    pub(super) fn push(&mut self, value: T) {
        if self.length == self.capacity {
            self.grow();
        }
        // SAFETY: there is room for one more.
        unsafe { self.start.add(self.length).write(value) };
        self.length += 1;
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
    }

    #[cold]
    fn grow(&mut self) {
        let least = PAGE / size_of::<T>().max(1);
        self.move_to(self.capacity.saturating_mul(2).max(least));
    }

    /// To memory for more.
    fn move_to(&mut self, capacity: usize) {
        let start = map::<T>(capacity);
        // SAFETY: as many are there, and there is room for more elsewhere.
        unsafe { ptr::copy_nonoverlapping(self.start.as_ptr(), start.as_ptr(), self.length) };
        self.unmap();
        self.start = start;
        self.capacity = capacity;
    }

    fn unmap(&mut self) {
        if self.capacity > 0 {
            // SAFETY: mapped with this size, and used by nobody else.
            unsafe { libc::munmap(self.start.as_ptr().cast(), bytes::<T>(self.capacity)) };
        }
    }
}

fn bytes<T>(capacity: usize) -> usize {
    capacity.saturating_mul(size_of::<T>())
}

/// Ends the process, as any allocation does, when there is no memory.
fn map<T>(capacity: usize) -> NonNull<T> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
    // SAFETY: new memory, of no file.
    let start = unsafe { libc::mmap(ptr::null_mut(), bytes::<T>(capacity), protection, flags, -1, 0) };
    match NonNull::new(start.cast::<T>()) {
        Some(found) if start != libc::MAP_FAILED => found,
        _ => handle_alloc_error(Layout::new::<T>()),
    }
}

impl<T: Copy> Default for Mapped<T> {
    fn default() -> Self {
        Self {
            start: NonNull::dangling(),
            length: 0,
            capacity: 0,
        }
    }
}

impl<T: Copy> Deref for Mapped<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: so many were written; pages begin where any type may.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl<T: Copy> DerefMut for Mapped<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: the same.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl<T: Copy> Drop for Mapped<T> {
    fn drop(&mut self) {
        self.unmap();
    }
}
