//! What a file says that matters for the program as a whole.

use crate::rule::{Reach, Rule};

/// A variable, as far as one file tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Var {
    Ivar {
        owner: String,
        level: Level,
        name: String,
    },
    Cvar {
        owner: String,
        name: String,
    },
    /// Written in `nesting`; the program says which constant it is.
    Const {
        nesting: String,
        path: String,
    },
    Global(String),
    Thread(ThreadStore, String),
    /// What a method without arguments returns.
    Reader {
        on: On,
        name: String,
    },
    /// Of `class_attribute`.
    ClassAttribute {
        owner: String,
        name: String,
    },
}

/// Whether it belongs to the instances of a class or to the class itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    Instance,
    Class,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ThreadStore {
    Local,
    Variable,
    Fiber,
}

/// What a method is called on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum On {
    Own { owner: String, level: Level },
    Const { nesting: String, path: String },
}

/// Where something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) file: u32,
    /// Bytes from its beginning.
    pub(crate) at: u32,
}

/// A method, numbered within its file until files are put together.
pub(crate) type MethodIndex = Option<usize>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    /// Of what has none.
    None,
    /// One of a few: a literal, a class, what a list has.
    Bounded,
    /// Anything.
    Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Growth {
    /// `<<`, `push`.
    Append,
    /// `add`
    Add,
    /// `[]=`, `store`
    Store,
    /// `[k] ||=`
    Memo,
    /// `[k] +=`
    Count,
    Merge,
    Concat,
    /// `+=`, `|=`
    Plus,
    /// `puts`, `write`
    Write,
    /// A read of a Hash whose default block stores.
    Read,
    /// `info`, `warn` of a logger
    Log,
}

/// Where a collection gets longer.
#[derive(Clone, Debug)]
pub(crate) struct Sink {
    pub(crate) var: Var,
    pub(crate) how: Growth,
    pub(crate) key: Key,
    /// In an entry of the collection, not in itself.
    pub(crate) nested: bool,
    pub(crate) of_thread: bool,
    pub(crate) method: MethodIndex,
    pub(crate) place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Removal {
    /// `delete`, `shift`
    Some,
    /// `clear`, assigned anew
    All,
    /// Assigned nil.
    Nil,
    /// Its length is compared with something.
    Limit,
    /// `freeze`
    Freeze,
}

#[derive(Clone, Debug)]
pub(crate) struct Shrink {
    pub(crate) var: Var,
    pub(crate) how: Removal,
    pub(crate) method: MethodIndex,
}

/// What is assigned to a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Array,
    Hash,
    StoringHash,
    Set,
    Map,
    StoringMap,
    Text,
    Queue,
    StringIo,
    MemoryLogger,
    /// Has a limit of its own, is weak, or is frozen.
    Bounded,
    /// An object of this class.
    Instance(On),
    Other,
}

impl Type {
    pub(crate) fn is_collection(&self) -> bool {
        !matches!(self, Self::Bounded | Self::Instance(_) | Self::Other)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Assigned {
    pub(crate) var: Var,
    pub(crate) of: Type,
    /// `||=`, or while the program is loaded, or in `initialize`.
    pub(crate) once: bool,
    pub(crate) place: Place,
}

/// An instance variable that keeps what a call was given.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) var: Var,
    pub(crate) owner: String,
    pub(crate) method: MethodIndex,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) nesting: String,
    pub(crate) is_module: bool,
    pub(crate) superclass: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Mixin {
    pub(crate) owner: String,
    pub(crate) level: Level,
    pub(crate) nesting: String,
    pub(crate) path: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(crate) owner: String,
    pub(crate) level: Level,
    pub(crate) name: String,
    pub(crate) var: Var,
}

#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) owner: String,
    pub(crate) level: Level,
    pub(crate) name: String,
    pub(crate) params: Vec<String>,
    /// Where it is known to run.
    pub(crate) entry: Option<Reach>,
    pub(crate) returns: Option<Var>,
    /// `dup._call(env)`
    pub(crate) dups: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct CallOf {
    /// None while the program is loaded.
    pub(crate) from: MethodIndex,
    pub(crate) on: Option<On>,
    pub(crate) name: String,
    /// Named by a macro such as `after_save :name`.
    pub(crate) later: bool,
}

/// A finding that needs nothing but to run more than once.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) rule: Rule,
    pub(crate) what: String,
    pub(crate) why: &'static str,
    pub(crate) variable: Option<Var>,
    pub(crate) method: MethodIndex,
    pub(crate) place: Place,
    /// Even if it runs once.
    pub(crate) always: bool,
}

/// `Class.new(Parent)` in a method.
#[derive(Clone, Debug)]
pub(crate) struct MadeClass {
    pub(crate) nesting: String,
    pub(crate) parent: String,
    pub(crate) method: MethodIndex,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) classes: Vec<Class>,
    pub(crate) mixins: Vec<Mixin>,
    pub(crate) readers: Vec<Reader>,
    pub(crate) methods: Vec<Method>,
    pub(crate) calls: Vec<CallOf>,
    pub(crate) assigned: Vec<Assigned>,
    pub(crate) sinks: Vec<Sink>,
    pub(crate) shrinks: Vec<Shrink>,
    pub(crate) kept: Vec<Kept>,
    pub(crate) sites: Vec<Site>,
    pub(crate) made: Vec<MadeClass>,
}

impl Facts {
    /// Adds another file's.
    pub(crate) fn append(&mut self, mut other: Self) {
        let base = self.methods.len();
        let shift = |method: &mut MethodIndex| *method = method.map(|index| index + base);
        other.calls.iter_mut().for_each(|it| shift(&mut it.from));
        other.sinks.iter_mut().for_each(|it| shift(&mut it.method));
        other.shrinks.iter_mut().for_each(|it| shift(&mut it.method));
        other.kept.iter_mut().for_each(|it| shift(&mut it.method));
        other.sites.iter_mut().for_each(|it| shift(&mut it.method));
        other.made.iter_mut().for_each(|it| shift(&mut it.method));
        self.classes.append(&mut other.classes);
        self.mixins.append(&mut other.mixins);
        self.readers.append(&mut other.readers);
        self.methods.append(&mut other.methods);
        self.calls.append(&mut other.calls);
        self.assigned.append(&mut other.assigned);
        self.sinks.append(&mut other.sinks);
        self.shrinks.append(&mut other.shrinks);
        self.kept.append(&mut other.kept);
        self.sites.append(&mut other.sites);
        self.made.append(&mut other.made);
    }
}
