//! The names of classes. Those that have to be put together are made once for all that ask.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::dump::KnownName;
use crate::heap::Heap;
use crate::ids::{Address, ObjectId};

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

/// Names of anonymous classes, by address.
#[derive(Debug)]
pub(super) struct ClassNames(HashMap<Address, Box<str>, RandomState>);

impl ClassNames {
    pub(super) fn new(heap: &Heap) -> Self {
        let classes = heap.classes();
        let anonymous = classes.made_at_sites();
        Self(
            anonymous
                .filter_map(|address| Some((address, classes.name(address)?.into())))
                .collect(),
        )
    }

    /// The name of an object's class, as [`Heap::class_name`] has it.
    pub(super) fn of<'a>(&'a self, heap: &'a Heap, object: ObjectId) -> Option<&'a str> {
        let kind = heap.kind(object)?;
        let name = match kind.class().and_then(|class| heap.classes().known_name(class)) {
            Some(KnownName::Own(name)) => Some(name),
            Some(KnownName::MadeAt(address)) => self.0.get(&address).map(AsRef::as_ref),
            None => None,
        };
        name.or_else(|| heap.label_of_kind(kind))
    }

    /// The class of an object, if it is one of Ruby's own that matter here.
    pub(super) fn core_class(&self, heap: &Heap, object: ObjectId) -> Option<CoreClass> {
        CoreClass::of(self.of(heap, object)?)
    }
}
