//! What a use is, and how it is seen.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// How the use of a gem is seen.
    pub enum UseKind {
        /// Its method was called.
        Call = 0 => "call",
        /// A method was called of an object of its class, or of its class.
        Receiver = 1 => "receiver",
        /// Code that ran read its constant.
        Constant = 2 => "constant",
        /// A class inherits from its class.
        Inherits = 3 => "inherits",
        /// A class or module includes its module.
        Includes = 4 => "includes",
        /// An object is extended by its module.
        Extends = 5 => "extends",
        /// An object has an object of its class, its class or a block of its code in an instance variable.
        Holds = 6 => "holds",
    }
}

/// One owner's use of a gem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Whose code it is that uses it.
    pub user: String,
    /// How that is seen.
    pub kind: UseKind,
    /// How often.
    pub count: u64,
    /// One of those.
    pub example: Example,
}

/// Where a use is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Example {
    /// The file of the code that uses it; `None` of what classes inherit and include.
    pub file: Option<String>,
    /// The class that is used, or whose method is.
    pub class: Option<String>,
    /// The class that inherits or includes.
    pub by_class: Option<String>,
}
