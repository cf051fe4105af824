//! What a diff compares: dump files, heaps in memory, or marks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::ThreadPool;

use super::mark::Mark;
use crate::dump::{DumpFile, DumpHeader, Failure, Fields, Pass, Record, Scanned, Seen, scan};
use crate::error::Result;
use crate::heap::{Heap, Kind, Type};
use crate::ids::ObjectId;
use crate::progress::Progress;

/// One of the moments of a diff.
#[derive(Clone, Debug)]
pub enum Input {
    /// A dump file.
    Path(PathBuf),
    /// A heap that is in memory.
    Heap(Arc<Heap>),
    /// A moment of which no addresses are known: everything born up to its GC count was there or is gone.
    Mark(Arc<Mark>),
}

/// An input that was opened.
#[derive(Debug)]
pub(crate) enum Source {
    File(DumpFile),
    Heap(Arc<Heap>),
    Mark(Arc<Mark>),
}

/// Objects of a heap in memory between two looks at whether to go on.
const SHARE: u32 = 1 << 14;

impl Source {
    pub(crate) fn open(input: &Input, progress: &Progress) -> Result<Self> {
        Ok(match input {
            Input::Path(path) => Self::File(DumpFile::open_and_name_line(path, progress)?),
            Input::Heap(heap) => Self::Heap(Arc::clone(heap)),
            Input::Mark(mark) => Self::Mark(Arc::clone(mark)),
        })
    }

    /// What the moment says of itself.
    pub(crate) fn recorded(&self) -> Option<&DumpHeader> {
        match self {
            Self::File(file) => file.recorded(),
            Self::Heap(heap) => heap.recorded(),
            Self::Mark(mark) => Some(&mark.recorded),
        }
    }

    pub(crate) fn is_mark(&self) -> bool {
        matches!(self, Self::Mark(_))
    }

    /// Bytes to read.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::File(file) => file.bytes(),
            _ => 0,
        }
    }

    /// About so many bytes of text.
    pub(crate) fn text_estimate(&self) -> u64 {
        match self {
            Self::File(file) => file.text_estimate(),
            _ => 0,
        }
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file.path()),
            _ => None,
        }
    }

    /// Whether both are the same moment.
    pub(crate) fn same_as(&self, other: &Self, progress: &Progress) -> Result<bool> {
        match (self, other) {
            (Self::File(one), Self::File(two)) => one.same_as(two, progress),
            (Self::Heap(one), Self::Heap(two)) => Ok(Arc::ptr_eq(one, two)),
            _ => Ok(self
                .recorded()
                .zip(other.recorded())
                .is_some_and(|(one, two)| one.id == two.id)),
        }
    }

    /// One pass over every object, on every thread of the pool.
    pub(crate) fn visit<P: Pass>(
        &self,
        pool: &ThreadPool,
        progress: &Progress,
        new: impl Fn() -> P + Sync,
    ) -> Result<Scanned<P>> {
        match self {
            Self::File(file) => scan(file, pool, progress, new),
            Self::Heap(heap) => Ok(Scanned {
                pass: visit_heap(heap, pool, progress, new)?,
                seen: Seen::default(),
            }),
            Self::Mark(_) => Ok(Scanned {
                pass: new(),
                seen: Seen::default(),
            }),
        }
    }
}

fn visit_heap<P: Pass>(
    heap: &Heap,
    pool: &ThreadPool,
    progress: &Progress,
    new: impl Fn() -> P + Sync,
) -> Result<P> {
    let parts = pool.broadcast(|thread| -> Result<P> {
        let mut part = new();
        let share = heap.len().div_ceil(thread.num_threads() as u32);
        let start = share * thread.index() as u32;
        for object in (start..(start + share).min(heap.len())).map(ObjectId::new) {
            if object.get() % SHARE == 0 {
                progress.check()?;
            }
            let fields = fields_of(heap, object);
            match part.visit(&Record::parsed(&fields)) {
                // What a heap in memory has is whole.
                Ok(()) | Err(Failure::Damaged) => {}
                Err(Failure::Failed(error)) => return Err(error),
            }
        }
        Ok(part)
    });
    let mut parts = parts.into_iter().collect::<Result<Vec<P>>>()?.into_iter();
    let mut whole = parts.next().unwrap_or_else(&new);
    for stack in heap.stacks().lines() {
        whole.stack(stack);
    }
    for part in parts {
        progress.check()?;
        whole.merge(part);
    }
    Ok(whole)
}

/// An object as its record would tell it.
fn fields_of<'a>(heap: &'a Heap, object: ObjectId) -> Fields<'a> {
    let address = heap.address(object);
    let site = heap.site(object).unwrap_or_default();
    let bytes = |text: Option<&'a str>| text.map(|text| text.as_bytes().into());
    let mut fields = Fields {
        address,
        kind: heap.type_name(object).as_bytes().into(),
        class: heap.kind(object).and_then(Kind::class),
        file: bytes(site.file),
        line: site.line,
        method: bytes(site.method),
        generation: heap.generation(object),
        context: bytes(heap.context(object)),
        stack: heap.kind(object).and_then(|kind| kind.stack),
        sampled_bytes: heap.kind(object).and_then(Kind::sampled_bytes),
        memsize: heap.memsize(object),
        bytesize: heap.bytesize(object).map_or(0, u64::from),
        ..Fields::default()
    };
    let label = bytes(heap.label(object));
    match heap.kind(object).map(|kind| kind.type_) {
        Some(Type::Imemo) => fields.imemo_type = label,
        Some(Type::Class | Type::Module | Type::IClass) => heap.classes().describe(address, &mut fields),
        _ => fields.struct_name = label,
    }
    fields
}
