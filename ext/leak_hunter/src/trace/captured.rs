//! A stack as the VM tells it, and the numbers of those that allocated not long ago.

use std::ffi::c_int;

use leak_hunter_core::sampling::splitmix64;
use rb_sys::VALUE;

/// As many frames of a stack are kept, the innermost.
pub(super) const FRAMES: usize = 64;
/// So many of the last stacks are remembered.
const STACKS: usize = 1 << 11;

/// The frame that allocates first.
#[derive(Clone, Copy)]
pub(super) struct Captured<'a> {
    pub(super) frames: &'a [VALUE],
    pub(super) lines: &'a [c_int],
}

/// What tells stacks apart: two of them have the same one with a probability of 2⁻⁶⁴ (NH, of the message authentication code
/// UMAC: a sum of products, which do not wait for each other).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fingerprint(u128);

/// For each frame, and its line.
const KEYS: [[u64; 2]; FRAMES] = keys();

const fn keys() -> [[u64; 2]; FRAMES] {
    let mut keys = [[0; 2]; FRAMES];
    let mut state: u64 = 0x6c65_616b;
    let mut index = 0;
    while index < FRAMES * 2 {
        keys[index / 2][index % 2] = splitmix64(&mut state);
        index += 1;
    }
    keys
}

impl Captured<'_> {
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let frames = self.frames.iter().zip(self.lines).zip(&KEYS);
        // one that has no more frames is another one
        let start = self.frames.len() as u128;
        Fingerprint(frames.fold(start, |sum, ((frame, line), [key, line_key])| {
            let frame = key.wrapping_add(*frame as u64);
            let line = line_key.wrapping_add(*line as u32 as u64);
            sum.wrapping_add(u128::from(frame) * u128::from(line))
        }))
    }
}

/// Numbers of stacks, by their fingerprints: of those that have the same place in the table, the last one's.
pub(super) struct Recent(Vec<Row>);

#[derive(Clone, Copy, Default)]
struct Row {
    fingerprint: Fingerprint,
    /// 0 where there is none.
    number: u32,
}

impl Recent {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn find(&self, fingerprint: Fingerprint) -> Option<u32> {
        let row = self.0.get(row_of(fingerprint))?;
        (row.number != 0 && row.fingerprint == fingerprint).then_some(row.number)
    }

    pub(super) fn put(&mut self, fingerprint: Fingerprint, number: u32) {
        if self.0.is_empty() {
            self.0.resize(STACKS, Row::default());
        }
        if let Some(row) = self.0.get_mut(row_of(fingerprint)) {
            *row = Row { fingerprint, number };
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

fn row_of(fingerprint: Fingerprint) -> usize {
    (fingerprint.0 >> 48) as usize % STACKS
}
