//! The names of classes by kind of object, made once for all that ask.

use crate::heap::Heap;
use crate::ids::ObjectId;

#[derive(Debug)]
pub(super) struct ClassNames(Vec<Option<Box<str>>>);

impl ClassNames {
    pub(super) fn new(heap: &Heap) -> Self {
        let name = |kind| heap.class_name_of_kind(kind).map(Into::into);
        Self(heap.all_kinds().iter().map(name).collect())
    }

    /// The name of an object's class, as [`Heap::class_name`] says it.
    pub(super) fn of(&self, heap: &Heap, object: ObjectId) -> Option<&str> {
        self.0[heap.kind_number(object)?.index()].as_deref()
    }
}
