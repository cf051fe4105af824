//! A stack as the VM tells it, and the numbers of those that allocated not long ago.

use std::ffi::c_int;

use rb_sys::VALUE;

/// So many of the last stacks are remembered.
const STACKS: usize = 1 << 11;

/// The frame that allocates first.
#[derive(Clone, Copy)]
pub(super) struct Captured<'a> {
    pub(super) frames: &'a [VALUE],
    pub(super) lines: &'a [c_int],
}

impl Captured<'_> {
    pub(super) fn hash(&self) -> u64 {
        let all = self.frames.iter().zip(self.lines);
        all.fold(0, |hash: u64, (frame, line)| {
            let mixed = (hash ^ *frame as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (mixed ^ mixed >> 29 ^ *line as u32 as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9)
        })
    }
}

/// Numbers of stacks, by their hashes: of those that have the same place in the table, the last one's.
pub(super) struct Recent(Vec<Row>);

#[derive(Clone, Copy, Default)]
struct Row {
    hash: u64,
    /// 0 where there is none.
    number: u32,
}

impl Recent {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// A stack that may be the one with this hash.
    pub(super) fn find(&self, hash: u64) -> Option<u32> {
        let row = self.0.get(row_of(hash))?;
        (row.number != 0 && row.hash == hash).then_some(row.number)
    }

    pub(super) fn put(&mut self, hash: u64, number: u32) {
        if self.0.is_empty() {
            self.0.resize(STACKS, Row::default());
        }
        if let Some(row) = self.0.get_mut(row_of(hash)) {
            *row = Row { hash, number };
        }
    }

    /// Numbers stand for other stacks from here on.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn memory(&self) -> usize {
        self.0.capacity() * size_of::<Row>()
    }
}

fn row_of(hash: u64) -> usize {
    (hash >> 32) as usize % STACKS
}
