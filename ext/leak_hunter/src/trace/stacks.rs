//! The stacks through which objects of the sites in focus are allocated: a tree of frames, each node once. A stack is the
//! number of the node of the frame that allocates.
//!
//! A frame is an object of the VM's, which the collector must leave alone and in its place until its text is read: the
//! tracer's owner marks all of them.
#![allow(unsafe_code)]

use std::cmp::Reverse;
use std::ffi::c_int;

use rb_sys::{VALUE, rb_trace_arg_t};

use super::captured::{Captured, FRAMES, Fingerprint, Known, Origin, Recent};
use super::numbers::Numbers;
use super::running::Reading;

/// As many nodes are kept. What comes later has no stack.
pub(super) const NODES: usize = 1 << 18;
/// So many are never given up, and so many frames: what allocates right now.
const FEW_NODES: usize = NODES / 2;
const FEW_FRAMES: usize = 1 << 14;
/// What is given up must be worth looking at all for.
const WORTH: usize = NODES / 16;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Node {
    /// The node of the caller; 0 for none.
    parent: u32,
    /// Row of the frame.
    frame: u32,
    line: i32,
}

impl Node {
    fn hash(&self) -> u32 {
        let mixed = u64::from(self.parent) << 32 ^ u64::from(self.frame) << 12 ^ self.line as u32 as u64;
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
    }
}

fn hash_of_frame(frame: VALUE) -> u32 {
    ((frame as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

pub(super) struct Stacks {
    /// By number; the first is no node.
    nodes: Vec<Node>,
    numbers: Numbers,
    /// How many objects were allocated through the stack that ends in the node.
    born: Vec<u64>,
    frames: Vec<VALUE>,
    frame_numbers: Numbers,
    /// Numbers that were given up.
    free: Vec<u32>,
    free_frames: Vec<u32>,
    recent: Recent,
    reading: Reading,
    /// With more than these it is time to give up what no object needs.
    most: usize,
    most_frames: usize,
}

// SAFETY: frames are numbers here; what they stand for is read with the GVL.
unsafe impl Send for Stacks {}

/// Asks the VM for the stack that runs.
///
/// # Safety
/// In the hook of an allocation.
unsafe fn ask<T>(take: impl FnOnce(&mut [VALUE], &[c_int]) -> T) -> T {
    let mut frames = [0 as VALUE; FRAMES];
    let mut lines = [0 as c_int; FRAMES];
    // SAFETY: room for as many as are asked for; it makes no object.
    let found =
        unsafe { rb_sys::rb_profile_frames(0, FRAMES as c_int, frames.as_mut_ptr(), lines.as_mut_ptr()) };
    let found = usize::try_from(found).unwrap_or(0).min(FRAMES);
    take(&mut frames[..found], &lines[..found])
}

/// Whether an allocation is among the last ones.
#[derive(Clone, Copy)]
pub(super) enum Seen {
    Before(Known),
    /// Its place is not known yet.
    First {
        /// 0 when there is no room for it.
        stack: u32,
        /// To be noted down with its place.
        fingerprint: Option<Fingerprint>,
    },
}

impl Stacks {
    pub(super) const fn new() -> Self {
        Self {
            nodes: Vec::new(),
            numbers: Numbers::new(),
            born: Vec::new(),
            frames: Vec::new(),
            frame_numbers: Numbers::new(),
            free: Vec::new(),
            free_frames: Vec::new(),
            recent: Recent::new(),
            reading: Reading::new(),
            most: FEW_NODES,
            most_frames: FEW_FRAMES,
        }
    }

    /// What is known of the allocation that goes on, which is counted.
    ///
    /// # Safety
    /// In the hook of an allocation, with its event.
    pub(super) unsafe fn seen(&mut self, event: *const rb_trace_arg_t, origin: Origin) -> Seen {
        // SAFETY: as promised by the caller.
        let seen = match unsafe { self.reading.fingerprint(event, origin) } {
            // SAFETY: the same.
            Some(fingerprint) => unsafe { self.recent_or_asked(event, fingerprint) },
            // SAFETY: the same.
            None => unsafe {
                ask(|frames, lines| self.recent_or_interned(Captured { frames, lines }, origin))
            },
        };
        let (Seen::Before(Known { stack, .. }) | Seen::First { stack, .. }) = seen;
        if stack != 0 {
            if let Some(born) = self.born.get_mut(stack as usize) {
                *born += 1;
            }
        }
        seen
    }

    /// Notes down the place of what was seen first.
    pub(super) fn note(&mut self, fingerprint: Option<Fingerprint>, known: Known) {
        if let Some(fingerprint) = fingerprint.filter(|_| known.stack != 0) {
            self.recent.put(fingerprint, known);
        }
    }

    /// Whether the running stack is read in place.
    pub(super) fn are_read_in_place(&self) -> bool {
        self.reading.is_on()
    }

    /// Places have other numbers from here on.
    pub(super) fn forget_places(&mut self) {
        self.recent.clear();
    }

    /// The VM is asked for a stack that is not among the last ones.
    ///
    /// # Safety
    /// As of [`Self::seen`].
    unsafe fn recent_or_asked(&mut self, event: *const rb_trace_arg_t, fingerprint: Fingerprint) -> Seen {
        let known = self.recent.find(fingerprint);
        if let Some(known) = known.filter(|_| !self.reading.checks()) {
            return Seen::Before(known);
        }
        // SAFETY: as promised by the caller.
        unsafe {
            ask(|frames, lines| {
                let agrees = self.reading.agrees(event, frames);
                let number = self.intern(Captured { frames, lines }).unwrap_or(0);
                let agrees = agrees && known.is_none_or(|known| known.stack == number);
                if !agrees {
                    self.reading.end();
                    self.recent.clear();
                }
                Seen::First {
                    stack: number,
                    fingerprint: agrees.then_some(fingerprint),
                }
            })
        }
    }

    /// Those that are among the last ones are not looked up frame by frame. Their place is: for code that is evaluated in a
    /// method the VM tells of the method.
    fn recent_or_interned(&mut self, stack: Captured<'_>, origin: Origin) -> Seen {
        let fingerprint = stack.fingerprint(origin);
        match fingerprint.and_then(|fingerprint| self.recent.find(fingerprint)) {
            Some(known) => Seen::First {
                stack: known.stack,
                fingerprint: None,
            },
            None => Seen::First {
                stack: self.intern(stack).unwrap_or(0),
                fingerprint,
            },
        }
    }

    /// `None` where there is no room for it.
    fn intern(&mut self, stack: Captured<'_>) -> Option<u32> {
        let mut parent = 0;
        for (frame, line) in stack.frames.iter().zip(stack.lines).rev() {
            let frame = self.frame(*frame);
            parent = self.node(Node {
                parent,
                frame,
                line: *line,
            })?;
        }
        Some(parent)
    }

    fn frame(&mut self, frame: VALUE) -> u32 {
        let hash = hash_of_frame(frame);
        let frames = &self.frames;
        let known = self
            .frame_numbers
            .find(hash, |number| frames[number as usize] == frame);
        known.unwrap_or_else(|| {
            let number = match self.free_frames.pop() {
                Some(number) => {
                    self.frames[number as usize] = frame;
                    number
                }
                None => {
                    self.frames.push(frame);
                    (self.frames.len() - 1) as u32
                }
            };
            let frames = &self.frames;
            self.frame_numbers
                .insert(hash, number, |number| hash_of_frame(frames[number as usize]));
            number
        })
    }

    fn node(&mut self, node: Node) -> Option<u32> {
        let hash = node.hash();
        let nodes = &self.nodes;
        let known = self.numbers.find(hash, |number| nodes[number as usize] == node);
        if known.is_some() {
            return known;
        }
        if self.nodes.is_empty() {
            self.nodes.push(Node {
                parent: 0,
                frame: 0,
                line: 0,
            });
            self.born.push(0);
        }
        let number = match self.free.pop() {
            Some(number) => {
                self.nodes[number as usize] = node;
                number
            }
            None if self.nodes.len() >= NODES => return None,
            None => {
                self.nodes.push(node);
                self.born.push(0);
                (self.nodes.len() - 1) as u32
            }
        };
        let nodes = &self.nodes;
        self.numbers
            .insert(hash, number, |number| nodes[number as usize].hash());
        Some(number)
    }

    /// Whether it is time to give up what no object needs.
    #[inline]
    pub(super) fn are_full(&self) -> bool {
        self.nodes.len() - self.free.len() > self.most
            || self.frames.len() - self.free_frames.len() > self.most_frames
    }

    /// Gives up all stacks but these, and how many objects came through them. The code of frames that are in no other can
    /// be collected then.
    #[cold]
    pub(super) fn keep(&mut self, used: impl Iterator<Item = u32>) {
        let mut keep = vec![false; self.nodes.len()];
        for number in used {
            let mut number = number as usize;
            while number != 0 && !keep[number] {
                keep[number] = true;
                number = self.nodes[number].parent as usize;
            }
        }
        let mut keep_frame = vec![false; self.frames.len()];
        self.numbers = Numbers::new();
        self.free.clear();
        for number in 1..self.nodes.len() {
            if keep[number] {
                let nodes = &self.nodes;
                keep_frame[nodes[number].frame as usize] = true;
                self.numbers
                    .insert(nodes[number].hash(), number as u32, |number| {
                        nodes[number as usize].hash()
                    });
            } else {
                self.born[number] = 0;
                self.free.push(number as u32);
            }
        }
        self.recent.clear();
        self.keep_frames(&keep_frame);
        let kept = self.nodes.len() - self.free.len();
        self.most = (kept * 2)
            .clamp(FEW_NODES, FEW_NODES.max(NODES - WORTH))
            .max(kept + WORTH);
        self.most_frames = FEW_FRAMES.max((self.frames.len() - self.free_frames.len()) * 2);
    }

    fn keep_frames(&mut self, keep: &[bool]) {
        self.frame_numbers = Numbers::new();
        self.free_frames.clear();
        for number in 0..self.frames.len() {
            if keep[number] {
                let frames = &self.frames;
                self.frame_numbers
                    .insert(hash_of_frame(frames[number]), number as u32, |number| {
                        hash_of_frame(frames[number as usize])
                    });
            } else {
                self.frames[number] = 0;
                self.free_frames.push(number as u32);
            }
        }
    }

    /// Objects count anew.
    pub(super) fn clear_counts(&mut self) {
        self.born.fill(0);
    }

    /// What the collector has to mark.
    pub(super) fn frames(&self) -> &[VALUE] {
        &self.frames
    }

    /// The stacks through which objects were allocated. `alive` are those of the living, by number. `most`: where there
    /// are too many stacks to tell of, so many of those with living objects, the ones with most.
    pub(super) fn counted(&self, alive: &[u64], most: Option<usize>) -> Vec<Counted> {
        let alive = |number: usize| alive.get(number).copied().unwrap_or(0);
        let born = self.born.iter().enumerate().filter(|(_, born)| **born > 0);
        let numbers = born.map(|(number, _)| number);
        let mut numbers: Vec<usize> = match most {
            None => numbers.collect(),
            Some(_) => numbers.filter(|number| alive(*number) > 0).collect(),
        };
        if let Some(most) = most.filter(|most| *most < numbers.len()) {
            numbers.select_nth_unstable_by_key(most, |number| Reverse(alive(*number)));
            numbers.truncate(most);
            numbers.sort_unstable();
        }
        let counted = numbers.into_iter().map(|number| Counted {
            number: number as u32,
            born: self.born.get(number).copied().unwrap_or(0),
            alive: alive(number),
            frames: self.path(number as u32),
        });
        counted.collect()
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    fn path(&self, number: u32) -> Vec<Frame> {
        let mut path = Vec::new();
        let mut number = number;
        while let Some(node) = self.nodes.get(number as usize).filter(|_| number != 0) {
            path.push(Frame {
                frame: self.frames.get(node.frame as usize).copied().unwrap_or(0),
                line: node.line,
            });
            number = node.parent;
        }
        path
    }

    pub(super) fn memory(&self) -> usize {
        self.nodes.capacity() * (size_of::<Node>() + size_of::<u64>())
            + self.frames.capacity() * size_of::<VALUE>()
            + (self.free.capacity() + self.free_frames.capacity()) * size_of::<u32>()
            + self.recent.memory()
            + self.numbers.memory()
            + self.frame_numbers.memory()
    }
}

/// A stack, and how many objects came through it.
pub(super) struct Counted {
    pub(super) number: u32,
    pub(super) born: u64,
    pub(super) alive: u64,
    /// The one that allocates first.
    pub(super) frames: Vec<Frame>,
}

pub(super) struct Frame {
    pub(super) frame: VALUE,
    pub(super) line: i32,
}
