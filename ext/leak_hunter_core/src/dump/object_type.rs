//! Ruby's internal types, as records name them.

/// Ruby's internal type of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Type {
    /// `OBJECT`: an instance of a class that Ruby code defines
    Object,
    /// `CLASS`
    Class,
    /// `MODULE`
    Module,
    /// `ICLASS`: an included module in a chain of superclasses
    IClass,
    /// `FLOAT`
    Float,
    /// `STRING`
    String,
    /// `REGEXP`
    Regexp,
    /// `ARRAY`
    Array,
    /// `HASH`
    Hash,
    /// `STRUCT`
    Struct,
    /// `BIGNUM`: an Integer of more than 62 bits
    Bignum,
    /// `FILE`: an IO
    File,
    /// `DATA`: an object of a C extension, or of the VM
    Data,
    /// `MATCH`
    Match,
    /// `COMPLEX`
    Complex,
    /// `RATIONAL`
    Rational,
    /// `SYMBOL`
    Symbol,
    /// `IMEMO`: internal to the VM
    Imemo,
    /// `NODE`: of a parsed program
    Node,
    /// `ZOMBIE`: freed, with a finalizer to run
    Zombie,
    /// `MOVED`: moved by compaction
    Moved,
    /// `NONE`: a free slot, in a full dump
    None,
    /// `SHAPE`: no object, but names of instance variables
    Shape,
    /// Any other, of a Ruby that is newer than this code. [`Heap::type_name`](crate::Heap::type_name) has its name.
    #[default]
    Other,
}

impl Type {
    /// All types with a name of their own.
    pub const NAMED: [Self; 23] = [
        Self::Object,
        Self::Class,
        Self::Module,
        Self::IClass,
        Self::Float,
        Self::String,
        Self::Regexp,
        Self::Array,
        Self::Hash,
        Self::Struct,
        Self::Bignum,
        Self::File,
        Self::Data,
        Self::Match,
        Self::Complex,
        Self::Rational,
        Self::Symbol,
        Self::Imemo,
        Self::Node,
        Self::Zombie,
        Self::Moved,
        Self::None,
        Self::Shape,
    ];

    /// The name, as in dumps; of others `UNKNOWN`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Object => "OBJECT",
            Self::Class => "CLASS",
            Self::Module => "MODULE",
            Self::IClass => "ICLASS",
            Self::Float => "FLOAT",
            Self::String => "STRING",
            Self::Regexp => "REGEXP",
            Self::Array => "ARRAY",
            Self::Hash => "HASH",
            Self::Struct => "STRUCT",
            Self::Bignum => "BIGNUM",
            Self::File => "FILE",
            Self::Data => "DATA",
            Self::Match => "MATCH",
            Self::Complex => "COMPLEX",
            Self::Rational => "RATIONAL",
            Self::Symbol => "SYMBOL",
            Self::Imemo => "IMEMO",
            Self::Node => "NODE",
            Self::Zombie => "ZOMBIE",
            Self::Moved => "MOVED",
            Self::None => "NONE",
            Self::Shape => "SHAPE",
            Self::Other => "UNKNOWN",
        }
    }

    /// The type with this name.
    #[inline]
    pub fn of(name: &[u8]) -> Self {
        match name {
            b"OBJECT" => Self::Object,
            b"CLASS" => Self::Class,
            b"MODULE" => Self::Module,
            b"ICLASS" => Self::IClass,
            b"FLOAT" => Self::Float,
            b"STRING" => Self::String,
            b"REGEXP" => Self::Regexp,
            b"ARRAY" => Self::Array,
            b"HASH" => Self::Hash,
            b"STRUCT" => Self::Struct,
            b"BIGNUM" => Self::Bignum,
            b"FILE" => Self::File,
            b"DATA" => Self::Data,
            b"MATCH" => Self::Match,
            b"COMPLEX" => Self::Complex,
            b"RATIONAL" => Self::Rational,
            b"SYMBOL" => Self::Symbol,
            b"IMEMO" => Self::Imemo,
            b"NODE" => Self::Node,
            b"ZOMBIE" => Self::Zombie,
            b"MOVED" => Self::Moved,
            b"NONE" => Self::None,
            b"SHAPE" => Self::Shape,
            _ => Self::Other,
        }
    }

    /// A class, a module, or an included module.
    #[inline]
    pub fn is_class(self) -> bool {
        matches!(self, Self::Class | Self::Module | Self::IClass)
    }

    /// An object of C code, above all of the VM's.
    pub(crate) fn is_internal(self) -> bool {
        matches!(self, Self::Data | Self::Imemo)
    }
}

/// What an object of the VM is, as far as an analysis distinguishes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Internal {
    /// An inline cache: there is one for each call site that runs.
    InlineCache,
    /// The table of call caches that a class has from Ruby 4.0 on.
    CallCacheTable,
    /// A thread: it has a stack of its own.
    Thread,
    /// A fiber or a continuation: it has a stack of its own, too.
    Execution,
    /// An entry of a class's methods: of its own, or one that it caches for its calls.
    MethodEntry,
    /// A block or a Binding, which has a scope.
    Closure,
    /// A table of allocation tracing.
    Tracing,
    /// A heap or a mark that LeakHunter has in memory.
    OwnHeap,
    /// A closure scope: local variables that a block or Binding captured.
    Scope,
    /// Where Ruby 4 keeps instance variables of objects that are no plain `OBJECT`s.
    Fields,
    /// What the VM refers to all along, from Ruby 3.4 on; before, roots refer to it.
    PinnedObjects,
    /// Anything else.
    #[default]
    Other,
}

impl Internal {
    /// What an object of this type and label is: `imemo_type` of an IMEMO, `struct` of DATA.
    #[inline]
    pub(crate) fn of(type_: Type, label: Option<&[u8]>) -> Self {
        match (type_, label) {
            (Type::Imemo, Some(b"constcache" | b"callcache" | b"callinfo" | b"cvar_entry")) => {
                Self::InlineCache
            }
            (Type::Imemo, Some(b"env")) => Self::Scope,
            (Type::Imemo, Some(b"fields")) => Self::Fields,
            (Type::Data, Some(b"VM/cc_table")) => Self::CallCacheTable,
            (Type::Data, Some(b"VM/pin_array_list")) => Self::PinnedObjects,
            (Type::Data, Some(b"VM/thread")) => Self::Thread,
            (Type::Data, Some(b"fiber" | b"VM/fiber" | b"continuation")) => Self::Execution,
            (Type::Data, Some(b"proc" | b"binding")) => Self::Closure,
            (Type::Imemo, Some(b"ment")) => Self::MethodEntry,
            (Type::Data, Some(b"LeakHunter::Native::Tracer")) => Self::Tracing,
            (Type::Data, Some(label)) if label.starts_with(b"ObjectTracing/") => Self::Tracing,
            (Type::Data, Some(b"LeakHunter::Native::Heap" | b"LeakHunter::Native::Mark")) => Self::OwnHeap,
            _ => Self::Other,
        }
    }

    /// Whether it has a stack of its own.
    #[inline]
    pub fn is_execution(self) -> bool {
        matches!(self, Self::Thread | Self::Execution)
    }

    /// Whether it is a cache of the VM. As a rule, something else holds what a cache refers to.
    #[inline]
    pub fn is_cache(self) -> bool {
        matches!(self, Self::InlineCache | Self::CallCacheTable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_its_name() {
        for type_ in Type::NAMED {
            assert_eq!(Type::of(type_.name().as_bytes()), type_);
        }
        assert_eq!(Type::of(Type::Other.name().as_bytes()), Type::Other);
    }
}
