//! What a holder is.

use super::class_names::CoreClass;

/// What a holder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolderKind {
    /// Array, Hash, Set, Queue …
    Collection,
    /// Proc, Method, Binding: what code captured.
    Closure,
    /// A class or module: its constants, instance variables and methods.
    Class,
    /// A thread: its locals and its stack.
    Thread,
    /// A fiber, or an enumerator, which has one.
    Fiber,
    /// Ruby's own roots: finalizers, `at_exit`, the VM.
    Root,
    /// Any other object.
    Object,
    /// No single object: this is one of several that hold.
    Shared,
    /// Threads that live, and so need nobody who holds them.
    Threads,
    /// The locals of a thread or a fiber, under keys of which there are ever more.
    ThreadLocals,
    /// Methods of a class, which are made while the program runs.
    Methods,
    /// What a class caches of calls of its methods, for each place that calls them.
    MethodCache,
    /// Names that the VM keeps for ever: of variables, methods, constants, and of symbols that code knows.
    Symbols,
    /// What a thread or a fiber that waits has on its stack from its last work.
    LastValue,
}

impl HolderKind {
    /// The name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Collection => "collection",
            Self::Closure => "closure",
            Self::Class => "class",
            Self::Thread => "thread",
            Self::Fiber => "fiber",
            Self::Root => "root",
            Self::Object => "object",
            Self::Shared => "shared",
            Self::Threads => "threads",
            Self::ThreadLocals => "thread_locals",
            Self::Methods => "methods",
            Self::MethodCache => "method_cache",
            Self::Symbols => "symbols",
            Self::LastValue => "last_value",
        }
    }

    /// What an instance of a class is.
    pub(super) fn of_class(class: Option<CoreClass>) -> Self {
        match class {
            Some(CoreClass::Set | CoreClass::Collection) => Self::Collection,
            Some(CoreClass::Closure) => Self::Closure,
            Some(CoreClass::Thread) => Self::Thread,
            Some(CoreClass::Fiber) => Self::Fiber,
            None => Self::Object,
        }
    }
}
