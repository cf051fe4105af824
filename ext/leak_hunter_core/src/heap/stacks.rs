//! The stacks through which objects were allocated, where a tracer has recorded them.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use indexmap::{IndexMap, IndexSet};

use crate::dump::StackLine;
use crate::ids::StackId;

/// Stacks by number. Frames that several have in common are stored once, and stacks of the same frames are one: a tracer
/// may tell them apart by methods in C, which have no line.
#[derive(Clone, Debug, Default)]
pub struct Stacks {
    rows: HashMap<StackId, u32, RandomState>,
    /// By their frames: rows of those, the one that allocates first.
    counts: IndexMap<Box<[u32]>, Counts, RandomState>,
    frames: IndexSet<Box<str>, RandomState>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    born: u64,
    alive: u64,
}

/// A stack, and what became of the objects allocated through it.
#[derive(Clone, Copy, Debug)]
pub struct Stack<'a> {
    /// The same for all numbers of the same frames.
    pub(crate) row: u32,
    frames: &'a [u32],
    counts: Counts,
    all: &'a Stacks,
}

impl<'a> Stack<'a> {
    /// Its frames as in a backtrace, the one that allocates first.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = &'a str> + DoubleEndedIterator + use<'a> {
        let all = self.all;
        self.frames.iter().map(|row| {
            let frame = all.frames.get_index(*row as usize);
            frame.map_or("", AsRef::as_ref)
        })
    }

    /// How many objects were allocated through it.
    pub fn born(&self) -> u64 {
        self.counts.born
    }

    /// How many of them are gone.
    pub fn died(&self) -> u64 {
        self.counts.born - self.counts.alive
    }

    /// Where it allocates: the path and line of its first frame.
    pub fn site(&self) -> &'a str {
        site_of(self.frames().next().unwrap_or_default())
    }
}

impl Stacks {
    /// Adds a stack. Of two of one number the first counts.
    pub fn add(&mut self, line: StackLine) {
        let StackLine {
            stack,
            frames,
            born,
            alive,
        } = line;
        if self.rows.contains_key(&stack) {
            return;
        }
        let row = |frame: String| self.frames.insert_full(frame.into()).0 as u32;
        let frames: Box<[u32]> = frames.into_iter().map(row).collect();
        let entry = self.counts.entry(frames);
        self.rows.insert(stack, entry.index() as u32);
        let counts = entry.or_default();
        counts.born = counts.born.saturating_add(born);
        counts.alive = counts.alive.saturating_add(alive.min(born)).min(counts.born);
    }

    /// Takes over those of another thread.
    pub(crate) fn merge(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        for line in other.lines() {
            self.add(line);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The stack of this number.
    pub fn get(&self, id: StackId) -> Option<Stack<'_>> {
        self.at(*self.rows.get(&id)?)
    }

    pub(crate) fn at(&self, row: u32) -> Option<Stack<'_>> {
        let (frames, counts) = self.counts.get_index(row as usize)?;
        Some(Stack {
            row,
            frames,
            counts: *counts,
            all: self,
        })
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Stack<'_>> {
        (0..self.counts.len()).filter_map(|row| self.at(row as u32))
    }

    /// As a dump has them: a line for each number. What is counted of the same frames is in the line of one of them.
    pub(crate) fn lines(&self) -> impl Iterator<Item = StackLine> {
        let mut counted = vec![false; self.counts.len()];
        self.rows.iter().filter_map(move |(id, row)| {
            let stack = self.at(*row)?;
            let is_counted = std::mem::replace(&mut counted[*row as usize], true);
            let Counts { born, alive } = match is_counted {
                true => Counts::default(),
                false => stack.counts,
            };
            Some(StackLine {
                stack: *id,
                frames: stack.frames().map(Into::into).collect(),
                born,
                alive,
            })
        })
    }

    /// Bytes that they take.
    pub(crate) fn memory(&self) -> usize {
        let frames: usize = self.frames.iter().map(|frame| frame.len() + 32).sum();
        let stacks: usize = self.counts.keys().map(|frames| frames.len() * 4 + 48).sum();
        frames + stacks + self.rows.len() * 12
    }
}

/// `app/order.rb:12` of ``app/order.rb:12:in `Order#initialize'``. A path may have colons, too.
fn site_of(frame: &str) -> &str {
    path_and_label(frame).0
}

/// The label of a frame, without what says that it is in a block: ``Order#initialize`` of ``…:12:in `block in Order#initialize'``.
pub(crate) fn method_of(frame: &str) -> Option<&str> {
    let label = path_and_label(frame).1?;
    Some(label.rsplit_once(" in ").map_or(label, |(_, method)| method))
}

/// The path of a frame's file.
pub(crate) fn path_of(frame: &str) -> &str {
    let site = site_of(frame);
    match site.rsplit_once(':') {
        Some((path, line)) if !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit()) => path,
        _ => site,
    }
}

fn path_and_label(frame: &str) -> (&str, Option<&str>) {
    match frame.rsplit_once(":in `") {
        Some((site, label)) => (site, Some(label.strip_suffix('\'').unwrap_or(label))),
        None => (frame, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_they_stand_in_backtraces() {
        let frame = "C:/a/b.rb:12:in `block (2 levels) in Order#initialize'";
        assert_eq!(site_of(frame), "C:/a/b.rb:12");
        assert_eq!(path_of(frame), "C:/a/b.rb");
        assert_eq!(method_of(frame), Some("Order#initialize"));
        assert_eq!((site_of("a.rb:1"), method_of("a.rb:1")), ("a.rb:1", None));
        assert_eq!(path_of("a.rb"), "a.rb");
    }

    #[test]
    fn of_one_number_the_first_counts_also_between_threads() {
        let line = |stack, frame: &str, born| StackLine {
            stack: StackId::new(stack),
            frames: vec![frame.into(), "main.rb:9".into()],
            born,
            alive: 1,
        };
        let (mut one, mut two) = (Stacks::default(), Stacks::default());
        one.add(line(1, "a.rb:1", 5));
        two.add(line(1, "b.rb:1", 6));
        two.add(line(2, "c.rb:1", 7));
        one.merge(two);
        let stack = one.get(StackId::new(1)).unwrap();
        assert_eq!((stack.site(), stack.born(), stack.died()), ("a.rb:1", 5, 4));
        assert_eq!(one.iter().count(), 2);
        one.add(line(3, "c.rb:1", 2));
        let both = one.get(StackId::new(3)).unwrap();
        assert_eq!((one.iter().count(), both.born(), both.died()), (2, 9, 7));
        let mut copy = Stacks::default();
        one.lines().for_each(|line| copy.add(line));
        assert_eq!(copy.get(StackId::new(2)).unwrap().born(), 9);
        assert_eq!(
            one.get(StackId::new(2)).unwrap().frames().collect::<Vec<_>>(),
            ["c.rb:1", "main.rb:9"]
        );
    }
}
