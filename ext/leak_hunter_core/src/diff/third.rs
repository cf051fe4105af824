//! The pass over the last dump when holders are asked for: what it finds and what the heap is made of, read together.

use super::lengths::Lengths;
use super::survivors::Survivors;
use crate::dump::{Failure, Fields, NameLine, Pass, Record, StackLine, Type};
use crate::heap::Rows;
use crate::ids::Address;

/// One thread's part of the pass.
#[derive(Debug)]
pub(super) struct Third<'a> {
    survivors: Survivors<'a>,
    /// Where a heap is to be made of them.
    rows: Option<Rows>,
    /// Those of other threads.
    others: Vec<Rows>,
    /// Bytes of large Strings, where a heap is to be made, which does not have them.
    strings: Lengths,
}

/// What the pass has read.
pub(super) struct Read<'a> {
    pub(super) survivors: Survivors<'a>,
    /// Of all threads.
    pub(super) rows: Vec<Rows>,
    pub(super) strings: Lengths,
}

impl<'a> Third<'a> {
    pub(super) fn new(survivors: Survivors<'a>, rows: Option<Rows>) -> Self {
        Self {
            survivors,
            rows,
            others: Vec::new(),
            strings: Lengths::default(),
        }
    }

    pub(super) fn survivors(&self) -> &Survivors<'a> {
        &self.survivors
    }

    pub(super) fn finish(mut self) -> Read<'a> {
        self.strings.seal();
        let rows = self.rows.into_iter().chain(self.others);
        Read {
            survivors: self.survivors,
            rows: rows.collect(),
            strings: self.strings,
        }
    }
}

impl Pass for Third<'_> {
    const REFERENCES: bool = true;

    #[inline]
    fn visit(&mut self, record: &Record<'_>) -> Result<(), Failure> {
        let Some(rows) = &mut self.rows else {
            return self.survivors.visit(record);
        };
        // of a class all is wanted, here and there
        if record.type_.is_class() {
            if let Some(fields) = record.fields() {
                let record = record.with_fields(&fields);
                self.survivors.visit(&record)?;
                rows.record(&record, &fields);
                return Ok(());
            }
        }
        self.survivors.visit(record)?;
        self.strings.note_string(record);
        match record.type_ {
            Type::None => {}
            Type::Shape => {
                if let Some(fields) = record.fields() {
                    rows.shape(&fields);
                }
            }
            _ if rows.quick_record(record) => {}
            // whatever else is known of a damaged record, it has its place in the heap
            _ => {
                if let Some(fields) = record.fields() {
                    rows.record(record, &fields);
                }
            }
        }
        Ok(())
    }

    fn root(&mut self, root: &Fields<'_>, elided: &[Address]) {
        if let Some(rows) = &mut self.rows {
            rows.root(root, elided);
        }
    }

    fn name(&mut self, name: NameLine) {
        if let Some(rows) = &mut self.rows {
            rows.name(name);
        }
    }

    fn stack(&mut self, stack: StackLine) {
        if let Some(rows) = &mut self.rows {
            rows.stack(stack.clone());
        }
        self.survivors.stack(stack);
    }

    fn merge(&mut self, other: Self) {
        self.survivors.merge(other.survivors);
        self.strings.merge(other.strings);
        self.others.extend(other.rows);
        self.others.extend(other.others);
    }
}
