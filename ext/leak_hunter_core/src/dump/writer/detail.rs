//! What a record has beside what the tables of a heap take from it.

use crate::ids::Address;

/// Answers for the objects of a walk. Records are written by several threads.
pub trait Details: Sync {
    /// What is known of the object in this row.
    fn detail(&self, row: usize) -> Detail;

    /// Name of the encoding with this number.
    fn encoding(&self, number: u8) -> &[u8];
}

/// What a record has of one object beside its row and its kind. Ruby versions differ in what they have: `None` and
/// `false` are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// `shape_id`
    pub shape_id: Option<u32>,
    /// `slot_size`
    pub slot_size: Option<u32>,
    /// `class` of an IMEMO: whatever it has in that place
    pub imemo_class: Option<Address>,
    /// `frozen`
    pub frozen: bool,
    /// What only objects of its type have.
    pub content: Content,
}

/// What only objects of one type have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    #[default]
    None,
    /// An `OBJECT`.
    Object(Variables),
    /// A `STRING`.
    String(Text),
    /// A `SYMBOL`: its name, a String of its own.
    Symbol {
        /// `bytesize`
        bytesize: u64,
        /// `capacity`: written if it is another
        capacity: Option<u64>,
    },
    /// An `ARRAY`.
    Array {
        /// `shared`
        shared: bool,
        /// `embedded`
        embedded: bool,
    },
    /// A `HASH`.
    Hash {
        /// Whether its last reference is a Proc that makes what is missing.
        default_proc: bool,
    },
    /// A `FILE`.
    File {
        /// `fd`
        fd: i32,
    },
    /// An `IMEMO` that is a call cache.
    CallCache {
        /// `receiver_class`
        receiver_class: Address,
    },
}

/// Instance variables of an `OBJECT`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// `embedded`
    pub embedded: bool,
    /// `ivars`
    pub count: u64,
    /// `too_complex_shape`
    pub too_complex: bool,
}

/// How a String keeps its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// `embedded`
    pub embedded: bool,
    /// `fstring`
    pub fstring: bool,
    /// `chilled`
    pub chilled: bool,
    /// `shared`: another String has the bytes
    pub shared: bool,
    /// `capacity` of a String that has its bytes elsewhere: written if it is not the length
    pub capacity: Option<u64>,
    /// `encoding`, by its number; `None` of binary Strings
    pub encoding: Option<u8>,
    /// `coderange` and `broken`
    pub coderange: CodeRange,
}

/// What Ruby knows of the characters of a String.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodeRange {
    /// Ruby 3.1 does not write it.
    #[default]
    Unwritten,
    /// Ruby 3.1 does not write it, but that a String is broken.
    UnwrittenBroken,
    /// Nobody has looked yet.
    Unknown,
    /// ASCII
    SevenBit,
    /// Valid in its encoding.
    Valid,
    /// Invalid in its encoding.
    Broken,
}

impl CodeRange {
    /// As records have it.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Unwritten | Self::UnwrittenBroken => None,
            Self::Unknown => Some("unknown"),
            Self::SevenBit => Some("7bit"),
            Self::Valid => Some("valid"),
            Self::Broken => Some("broken"),
        }
    }
}
