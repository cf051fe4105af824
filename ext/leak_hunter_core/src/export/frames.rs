//! The bytes of a heap as a tree of frames: objects of one class below one frame are one frame.
//!
//! Each object's own bytes count once, at its place, so the frames add up to the heap. What is too small, too deep or
//! too much is folded into a frame that says so, never dropped.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::labels::{Label, Labels};
use super::{Subject, View};
use crate::error::Result;
use crate::gem;
use crate::graph::NodeId;
use crate::heap::{Site, Tally};
use crate::ids::ObjectId;
use crate::progress::Progress;

mod fold;

const UNPLACED: u32 = u32::MAX;
/// Frames while the tree is built; then the largest are chosen.
const MOST: usize = 1 << 20;
const CHECK_EVERY: usize = 1 << 15;
/// What the first frame is called, which is all of them.
pub const HEAP: &str = "heap";
/// The same where not all of a heap counts.
pub const LEAKED: &str = "all that leaked";
/// What the frame is called into which others are folded.
pub const REST: &str = "…";

/// How much of a tree to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Frames below each other.
    pub depth: u32,
    /// The largest so many.
    pub frames: usize,
    /// Frames with less of all bytes than one part in so many are folded.
    pub parts: u64,
}

impl Limits {
    /// Of a graph that is a part of a page.
    pub const PART: Self = Self {
        depth: 60,
        frames: 4_000,
        parts: 4_000,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 100,
            frames: 20_000,
            parts: 20_000,
        }
    }
}

/// Objects of one class, made or held at one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Index in [`FrameTree::labels`].
    pub label: u32,
    /// Index of the frame above; the first frame's own.
    pub parent: u32,
    /// How many above it.
    pub depth: u32,
    /// Objects at this place.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects at this place and below.
    pub total_count: u64,
    /// Their bytes.
    pub total_bytes: u64,
}

/// A tree of frames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameTree {
    /// Names of the frames.
    pub labels: Vec<Box<str>>,
    /// The first is the whole heap. Each comes after the one above; the larger of two in one frame comes first.
    pub frames: Vec<Frame>,
}

impl FrameTree {
    /// Lays out what `subject` counts.
    pub fn new(subject: &Subject<'_>, view: View, limits: &Limits, progress: &Progress) -> Result<Self> {
        let whole = if subject.counted.is_some() { LEAKED } else { HEAP };
        let mut growing = Growing::new(Labels::new(subject.graph), whole, limits.depth.max(1));
        match view {
            View::Retained => growing.add_nodes(subject, progress, |node| subject.dominators.of(node))?,
            View::Paths => {
                let parents = subject.graph.parents(progress)?;
                growing.add_nodes(subject, progress, |node| parents.get(node.index()).copied())?;
            }
            View::Sites => growing.add_sites(subject, progress)?,
        }
        progress.check()?;
        Ok(growing.finish(limits))
    }

    /// The labels from below the whole heap down to a frame.
    pub fn stack(&self, frame: usize) -> Vec<u32> {
        let mut labels = Vec::new();
        let mut at = frame;
        while at != 0 {
            labels.push(self.frames[at].label);
            at = self.frames[at].parent as usize;
        }
        labels.reverse();
        labels
    }
}

/// A tree while objects come in.
struct Growing<'a> {
    labels: Labels<'a>,
    rest: Label,
    depth: u32,
    frames: Vec<Frame>,
    children: HashMap<Place, u32, RandomState>,
}

/// Where a frame is: its label, in the frame above.
#[derive(PartialEq, Eq, Hash)]
struct Place {
    parent: u32,
    label: Label,
}

impl<'a> Growing<'a> {
    fn new(mut labels: Labels<'a>, whole: &str, depth: u32) -> Self {
        let whole = Frame {
            label: labels.number(whole),
            ..Frame::default()
        };
        Self {
            rest: labels.number(REST),
            labels,
            depth,
            frames: vec![whole],
            children: HashMap::default(),
        }
    }

    /// The frame with this label in another. A run of one label, such as a linked list, is one frame.
    fn child(&mut self, parent: u32, label: Label) -> u32 {
        let above = self.frames[parent as usize];
        if above.label == label || above.label == self.rest {
            return parent;
        }
        let full = above.depth + 1 >= self.depth || self.frames.len() >= MOST;
        let label = if full { self.rest } else { label };
        let next = self.frames.len() as u32;
        let frame = *self.children.entry(Place { parent, label }).or_insert(next);
        if frame == next {
            self.frames.push(Frame {
                label,
                parent,
                depth: above.depth + 1,
                ..Frame::default()
            });
        }
        frame
    }

    fn add(&mut self, frame: u32, tally: Tally) {
        let frame = &mut self.frames[frame as usize];
        frame.count = frame.count.saturating_add(tally.count);
        frame.bytes = frame.bytes.saturating_add(tally.memsize);
    }

    /// Adds every object that counts at its place in a tree of nodes.
    fn add_nodes(
        &mut self,
        subject: &Subject<'_>,
        progress: &Progress,
        parent: impl Fn(NodeId) -> Option<NodeId>,
    ) -> Result<()> {
        let graph = subject.graph;
        self.labels.add_names();
        let mut placed = vec![UNPLACED; graph.len() as usize];
        placed[graph.top()] = 0;
        let mut way = Vec::new();
        let mut steps = 0usize;
        for object in graph.heap().objects() {
            if !subject.counts(object) {
                continue;
            }
            let mut node = NodeId::from(object);
            while placed[node] == UNPLACED {
                way.push(node);
                // every node has a way up to the top
                node = parent(node).unwrap_or(graph.top());
            }
            let mut frame = placed[node];
            while let Some(below) = way.pop() {
                steps += 1;
                if steps % CHECK_EVERY == 0 {
                    progress.check()?;
                }
                let label = self.labels.below(parent(below).unwrap_or(graph.top()), below);
                frame = self.child(frame, label);
                placed[below] = frame;
            }
            let memsize = graph.heap().memsize(object);
            self.add(frame, Tally { count: 1, memsize });
        }
        Ok(())
    }

    fn add_sites(&mut self, subject: &Subject<'_>, progress: &Progress) -> Result<()> {
        let heap = subject.graph.heap();
        let mut sums = vec![Tally::default(); heap.all_kinds().len()];
        let mut samples = vec![ObjectId::default(); sums.len()];
        for object in heap.objects() {
            if object.index() % CHECK_EVERY == 0 {
                progress.check()?;
            }
            if let Some(kind) = heap.kind_number(object).filter(|_| subject.counts(object)) {
                sums[kind.index()].add(Tally {
                    count: 1,
                    memsize: heap.memsize(object),
                });
                samples[kind.index()] = object;
            }
        }
        for ((kind, sum), sample) in heap.all_kinds().iter().zip(sums).zip(samples) {
            if sum.count == 0 {
                continue;
            }
            let mut frame = 0;
            let site = heap.site_of_kind(kind);
            for text in site_frames(site) {
                let label = self.labels.number(&text);
                frame = self.child(frame, label);
            }
            // a class is called by its class here: where it was made says the rest
            let class = heap
                .row_name(kind)
                .unwrap_or_else(|| super::labels::class_label(heap, sample));
            let label = self.labels.number(&class);
            frame = self.child(frame, label);
            self.add(frame, sum);
        }
        Ok(())
    }

    fn finish(self, limits: &Limits) -> FrameTree {
        fold::tree(self.frames, self.labels.into_texts(), self.rest, limits)
    }
}

fn site_frames(site: Option<Site<'_>>) -> Vec<String> {
    let Some(Site {
        file: Some(file),
        line,
        method,
    }) = site
    else {
        return vec!["not traced".into()];
    };
    let line = line.map_or("?".into(), |line| (line as i64).to_string());
    vec![
        gem::of_path(file).unwrap_or_else(|| "no gem".into()),
        file.into(),
        method.map_or_else(|| format!("line {line}"), |method| format!("{method}:{line}")),
    ]
}
