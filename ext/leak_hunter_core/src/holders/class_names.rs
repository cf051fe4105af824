//! The names of classes by kind of object, made once for all that ask.

use crate::heap::Heap;
use crate::ids::ObjectId;

/// Classes of Ruby's own whose instances hold objects in a way of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CoreClass {
    /// `Set`; before Ruby 4.0 its elements are in a Hash of its own.
    Set,
    /// A queue or a weak map.
    Collection,
    /// Code, with the variables that it captured.
    Closure,
    Thread,
    /// `Fiber`, or an enumerator, which has one.
    Fiber,
}

impl CoreClass {
    fn of(name: &str) -> Option<Self> {
        match name {
            "Set" => Some(Self::Set),
            "Thread::Queue" | "Thread::SizedQueue" | "ObjectSpace::WeakMap" => Some(Self::Collection),
            "Proc" | "Method" | "UnboundMethod" | "Binding" => Some(Self::Closure),
            "Thread" => Some(Self::Thread),
            "Fiber" | "Enumerator" | "Enumerator::Lazy" => Some(Self::Fiber),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct ClassNames(Vec<ClassOfKind>);

#[derive(Debug)]
struct ClassOfKind {
    name: Option<Box<str>>,
    core_class: Option<CoreClass>,
}

impl ClassNames {
    pub(super) fn new(heap: &Heap) -> Self {
        let class = |kind| {
            let name: Option<Box<str>> = heap.class_name_of_kind(kind).map(Into::into);
            let core_class = name.as_deref().and_then(CoreClass::of);
            ClassOfKind { name, core_class }
        };
        Self(heap.all_kinds().iter().map(class).collect())
    }

    fn class(&self, heap: &Heap, object: ObjectId) -> Option<&ClassOfKind> {
        Some(&self.0[heap.kind_number(object)?.index()])
    }

    /// The name of an object's class, as [`Heap::class_name`] has it.
    pub(super) fn of(&self, heap: &Heap, object: ObjectId) -> Option<&str> {
        self.class(heap, object)?.name.as_deref()
    }

    /// The class of an object, if it is one of Ruby's own that matter here.
    pub(super) fn core_class(&self, heap: &Heap, object: ObjectId) -> Option<CoreClass> {
        self.class(heap, object)?.core_class
    }
}
