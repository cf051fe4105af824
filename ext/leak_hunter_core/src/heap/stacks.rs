//! The stacks through which objects were allocated, where a tracer has recorded them.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use crate::dump::StackLine;
use crate::ids::StackId;

/// Stacks by number. Frames that several have in common are stored once.
#[derive(Clone, Debug, Default)]
pub struct Stacks {
    by_id: HashMap<StackId, Entry, RandomState>,
    frames: IndexSet<Box<str>, RandomState>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// Rows of the frames, the one that allocates first.
    frames: Box<[u32]>,
    born: u64,
    alive: u64,
}

/// A stack, and what became of the objects allocated through it.
#[derive(Clone, Copy, Debug)]
pub struct Stack<'a> {
    /// Its number.
    pub id: StackId,
    entry: &'a Entry,
    all: &'a Stacks,
}

impl<'a> Stack<'a> {
    /// Its frames as in a backtrace, the one that allocates first.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = &'a str> + DoubleEndedIterator + use<'a> {
        let all = self.all;
        self.entry.frames.iter().map(|row| {
            let frame = all.frames.get_index(*row as usize);
            frame.map_or("", AsRef::as_ref)
        })
    }

    /// How many objects were allocated through it.
    pub fn born(&self) -> u64 {
        self.entry.born
    }

    /// How many of them are gone.
    pub fn died(&self) -> u64 {
        self.entry.born - self.entry.alive
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
        if self.by_id.contains_key(&stack) {
            return;
        }
        let row = |frame: String| self.frames.insert_full(frame.into()).0 as u32;
        let entry = Entry {
            frames: frames.into_iter().map(row).collect(),
            born,
            alive: alive.min(born),
        };
        self.by_id.insert(stack, entry);
    }

    /// Takes over those of another thread.
    pub(crate) fn merge(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        for stack in other.iter() {
            self.add(stack.to_line());
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The stack of this number.
    pub fn get(&self, id: StackId) -> Option<Stack<'_>> {
        let entry = self.by_id.get(&id)?;
        Some(Stack { id, entry, all: self })
    }

    /// All of them, in no set order.
    pub fn iter(&self) -> impl Iterator<Item = Stack<'_>> {
        self.by_id.iter().map(|(id, entry)| Stack {
            id: *id,
            entry,
            all: self,
        })
    }

    /// Bytes that they take.
    pub(crate) fn memory(&self) -> usize {
        let frames: usize = self.frames.iter().map(|frame| frame.len() + 32).sum();
        let rows: usize = self.by_id.values().map(|entry| entry.frames.len() * 4 + 48).sum();
        frames + rows
    }
}

impl Stack<'_> {
    /// As a line of a dump has it.
    pub(crate) fn to_line(self) -> StackLine {
        StackLine {
            stack: self.id,
            frames: self.frames().map(Into::into).collect(),
            born: self.entry.born,
            alive: self.entry.alive,
        }
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
        assert_eq!(
            one.get(StackId::new(2)).unwrap().frames().collect::<Vec<_>>(),
            ["c.rb:1", "main.rb:9"]
        );
    }
}
