//! A stack as the VM tells it, and what is known of allocations that were not long ago.

use std::ffi::c_int;

use rb_sys::VALUE;

use crate::context;

/// As many frames of a stack are kept, the innermost.
pub(super) const FRAMES: usize = 64;
/// So many of the last allocations that have a stack are remembered.
const ROWS: usize = 1 << 14;

/// The frame that allocates first.
#[derive(Clone, Copy)]
pub(super) struct Captured<'a> {
    pub(super) frames: &'a [VALUE],
    pub(super) lines: &'a [c_int],
}

/// What tells stacks apart: two of them have the same one with a probability of about 2⁻⁶⁴ (like NH, of the message
/// authentication code UMAC: a sum of products, which do not wait for each other).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fingerprint(u128);

/// So many frames a stack that has a fingerprint may have: more than are kept, since some are not told of.
const MOST_FRAMES: usize = 4 * FRAMES;

/// What is added to the words of a frame, and how much more to those of the next.
const KEYS: [u64; 2] = [0x6c65_616b_6875_6e74, 0x3243_f6a8_885a_308d];
const STEPS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03];

/// What else there is of an allocation than its stack: its context, and the size of its slot where that counts.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) context: u32,
    pub(super) slot: u16,
}

impl Origin {
    /// `slot`: the size of the slot; 0 where allocations are not sampled by it.
    #[inline]
    pub(super) fn now(slot: u16) -> Self {
        Self {
            context: context::current(),
            slot,
        }
    }
}

impl Fingerprint {
    /// Of an origin, and two words for each frame. `None` for too many.
    #[inline]
    pub(super) fn of(origin: Origin, frames: impl Iterator<Item = [u64; 2]>) -> Option<Self> {
        let origin = [u64::from(origin.context), u64::from(origin.slot)];
        let mut words = std::iter::once(origin).chain(frames);
        let [mut first_key, mut second_key] = KEYS;
        let mut sum: u128 = 0;
        for [first, second] in words.by_ref().take(MOST_FRAMES) {
            let product =
                u128::from(first_key.wrapping_add(first)) * u128::from(second_key.wrapping_add(second));
            // one that has more frames is another one
            sum = sum.wrapping_add(product).wrapping_add(1);
            first_key = first_key.wrapping_add(STEPS[0]);
            second_key = second_key.wrapping_add(STEPS[1]);
        }
        words.next().is_none().then_some(Self(sum))
    }
}

impl Captured<'_> {
    pub(super) fn fingerprint(&self, origin: Origin) -> Option<Fingerprint> {
        let frames = self.frames.iter().zip(self.lines);
        Fingerprint::of(
            origin,
            frames.map(|(frame, line)| [*frame as u64, *line as u32 as u64]),
        )
    }
}

/// Where something was allocated: by number.
#[derive(Clone, Copy, Default)]
pub(super) struct Known {
    /// 0 for none.
    pub(super) stack: u32,
    pub(super) place: u32,
}

/// What is known of allocations, by their fingerprints: of those that have the same row in the table, the last one's.
pub(super) struct Recent(Vec<Row>);

#[derive(Clone, Copy, Default)]
struct Row {
    fingerprint: Fingerprint,
    known: Known,
}

impl Recent {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn find(&self, fingerprint: Fingerprint) -> Option<Known> {
        let row = self.0.get(row_of(fingerprint))?;
        (row.known.stack != 0 && row.fingerprint == fingerprint).then_some(row.known)
    }

    pub(super) fn put(&mut self, fingerprint: Fingerprint, known: Known) {
        if self.0.is_empty() {
            self.0.resize(ROWS, Row::default());
        }
        if let Some(row) = self.0.get_mut(row_of(fingerprint)) {
            *row = Row { fingerprint, known };
        }
    }

    /// Numbers stand for something else from here on.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn memory(&self) -> usize {
        self.0.capacity() * size_of::<Row>()
    }
}

fn row_of(fingerprint: Fingerprint) -> usize {
    (fingerprint.0 >> 48) as usize % ROWS
}
