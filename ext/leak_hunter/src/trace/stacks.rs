//! The stacks through which objects of the sites in focus are allocated: a tree of frames, each node once. A stack is the
//! number of the node of the frame that allocates.
//!
//! A frame is an object of the VM's, which the collector must leave alone and in its place until its text is read: the
//! tracer's owner marks all of them.
#![allow(unsafe_code)]

use std::ffi::c_int;

use rb_sys::VALUE;

use super::numbers::Numbers;

/// As many frames of a stack are kept, the innermost.
const FRAMES: usize = 64;
/// As many nodes are kept. What comes later has no stack.
pub(super) const NODES: usize = 1 << 18;

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
}

// SAFETY: frames are numbers here; what they stand for is read with the GVL.
unsafe impl Send for Stacks {}

impl Stacks {
    pub(super) const fn new() -> Self {
        Self {
            nodes: Vec::new(),
            numbers: Numbers::new(),
            born: Vec::new(),
            frames: Vec::new(),
            frame_numbers: Numbers::new(),
        }
    }

    /// The number of the stack that allocates right now, which is counted; 0 when there is no room for it.
    ///
    /// # Safety
    /// In the hook of an allocation.
    pub(super) unsafe fn capture(&mut self) -> u32 {
        let mut frames = [0 as VALUE; FRAMES];
        let mut lines = [0 as c_int; FRAMES];
        // SAFETY: room for as many as are asked for; it makes no object.
        let found =
            unsafe { rb_sys::rb_profile_frames(0, FRAMES as c_int, frames.as_mut_ptr(), lines.as_mut_ptr()) };
        let found = usize::try_from(found).unwrap_or(0).min(FRAMES);
        let mut parent = 0;
        for (frame, line) in frames[..found].iter().zip(&lines[..found]).rev() {
            let frame = self.frame(*frame);
            parent = match self.node(Node {
                parent,
                frame,
                line: *line,
            }) {
                Some(number) => number,
                None => return 0,
            };
        }
        if let Some(born) = self.born.get_mut(parent as usize) {
            *born += 1;
        }
        parent
    }

    fn frame(&mut self, frame: VALUE) -> u32 {
        let hash = hash_of_frame(frame);
        let frames = &self.frames;
        let known = self
            .frame_numbers
            .find(hash, |number| frames[number as usize] == frame);
        known.unwrap_or_else(|| {
            let number = self.frames.len() as u32;
            self.frames.push(frame);
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
        if self.nodes.len() >= NODES {
            return None;
        }
        let number = self.nodes.len() as u32;
        self.nodes.push(node);
        self.born.push(0);
        let nodes = &self.nodes;
        self.numbers
            .insert(hash, number, |number| nodes[number as usize].hash());
        Some(number)
    }

    /// Objects count anew.
    pub(super) fn clear_counts(&mut self) {
        self.born.fill(0);
    }

    /// What the collector has to mark.
    pub(super) fn frames(&self) -> &[VALUE] {
        &self.frames
    }

    /// The stacks through which objects were allocated. `alive` are those of the living, by number.
    pub(super) fn counted(&self, alive: &[u64]) -> Vec<Counted> {
        let born = self.born.iter().enumerate().filter(|(_, born)| **born > 0);
        let counted = born.map(|(number, born)| Counted {
            number: number as u32,
            born: *born,
            alive: alive.get(number).copied().unwrap_or(0),
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
