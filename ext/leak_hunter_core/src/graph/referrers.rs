//! The references the other way round: who refers to an object.

use super::CHECK_EVERY;
use crate::error::{Error, ErrorKind, Result};
use crate::heap::Heap;
use crate::ids::ObjectId;
use crate::progress::Progress;

/// For every object those that refer to it. Instances of a class are not listed as referring to it.
#[derive(Debug)]
pub struct Referrers {
    /// Where an object's list ends; it starts where the one before ends.
    ends: Vec<u32>,
    sources: Vec<ObjectId>,
}

impl Referrers {
    /// Turns all references of a heap round.
    pub fn new(heap: &Heap, progress: &Progress) -> Result<Self> {
        let length = heap.len() as usize;
        let mut ends = vec![0u32; length];
        each(heap, progress, |_, to| {
            ends[to] = ends[to].saturating_add(1);
        })?;
        let mut sum = 0u32;
        for end in &mut ends {
            let count = *end;
            *end = sum;
            sum = sum.checked_add(count).ok_or_else(too_large)?;
        }
        let mut sources = vec![ObjectId::default(); sum as usize];
        each(heap, progress, |from, to| {
            let end = &mut ends[to];
            sources[*end as usize] = from;
            *end += 1;
        })?;
        Ok(Self { ends, sources })
    }

    /// The objects that refer to this one, once each, in ascending order.
    pub fn of(&self, object: ObjectId) -> &[ObjectId] {
        let object = object.index();
        let start = if object == 0 { 0 } else { self.ends[object - 1] };
        &self.sources[start as usize..self.ends[object] as usize]
    }

    /// Bytes it takes.
    pub fn memory(&self) -> usize {
        (self.ends.len() + self.sources.len()) * 4
    }
}

/// Every reference once, however often it stands in its object.
fn each(heap: &Heap, progress: &Progress, mut visit: impl FnMut(ObjectId, ObjectId)) -> Result<()> {
    let mut list = Vec::new();
    for from in heap.objects() {
        if from.index() % CHECK_EVERY == 0 {
            progress.check()?;
        }
        list.clear();
        list.extend(heap.references(from));
        list.sort_unstable();
        list.dedup();
        for to in &list {
            visit(from, *to);
        }
    }
    Ok(())
}

fn too_large() -> Error {
    let message = "the heap has more references than can be held";
    Error::new(ErrorKind::TooLarge, message)
}
