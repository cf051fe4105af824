//! How one object refers to another: the fixed vocabulary of dumps and results.

/// The kinds of references. The numbers are part of fingerprints: they never change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum EdgeKind {
    /// From a category of roots.
    Root = 0,
    /// From an object to its class.
    Class = 1,
    /// A constant of a class or module.
    Constant = 2,
    /// An instance variable.
    InstanceVariable = 3,
    /// A class variable.
    ClassVariable = 4,
    /// A global variable.
    Global = 5,
    /// `Thread#[]`: local to a thread's current fiber.
    FiberLocal = 6,
    /// `Thread#thread_variable_get`
    ThreadVariable = 7,
    /// `Fiber.[]`: inherited by new fibers and threads.
    FiberStorage = 8,
    /// An element of an Array.
    ArrayElement = 9,
    /// A key or value of a Hash.
    HashEntry = 10,
    /// A member of a Struct.
    StructMember = 11,
    /// A local variable that a block or Binding captured.
    Captured = 12,
    /// From a class to the class it inherits from.
    Superclass = 13,
    /// From a singleton class to its only instance.
    AttachedObject = 14,
    /// Any other.
    #[default]
    Reference = 15,
    /// No reference: steps of the path are left out here.
    Gap = 16,
    /// The table of a thread's variables.
    ThreadVariables = 17,
}

impl EdgeKind {
    /// All kinds.
    pub const ALL: [Self; 18] = [
        Self::Root,
        Self::Class,
        Self::Constant,
        Self::InstanceVariable,
        Self::ClassVariable,
        Self::Global,
        Self::FiberLocal,
        Self::ThreadVariable,
        Self::FiberStorage,
        Self::ArrayElement,
        Self::HashEntry,
        Self::StructMember,
        Self::Captured,
        Self::Superclass,
        Self::AttachedObject,
        Self::Reference,
        Self::Gap,
        Self::ThreadVariables,
    ];

    /// The name, as in results and in the NAME lines of dumps.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Class => "class",
            Self::Constant => "constant",
            Self::InstanceVariable => "instance_variable",
            Self::ClassVariable => "class_variable",
            Self::Global => "global",
            Self::FiberLocal => "fiber_local",
            Self::ThreadVariable => "thread_variable",
            Self::FiberStorage => "fiber_storage",
            Self::ArrayElement => "array_element",
            Self::HashEntry => "hash_entry",
            Self::StructMember => "struct_member",
            Self::Captured => "captured",
            Self::Superclass => "superclass",
            Self::AttachedObject => "attached_object",
            Self::Reference => "reference",
            Self::Gap => "gap",
            Self::ThreadVariables => "thread_variables",
        }
    }

    /// Whether it belongs to a thread or a fiber.
    pub fn is_local(self) -> bool {
        matches!(
            self,
            Self::FiberLocal | Self::ThreadVariable | Self::FiberStorage | Self::ThreadVariables
        )
    }

    /// Whether the name is a key that an application chose, of its data as well as not.
    pub fn is_key(self) -> bool {
        matches!(self, Self::FiberLocal | Self::ThreadVariable | Self::FiberStorage)
    }

    /// The kind with this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is found by its name alone: which object it is in does not matter.
    pub fn is_global(self) -> bool {
        self == Self::Global || self.is_local()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = EdgeKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), EdgeKind::ALL.len());
        for kind in EdgeKind::ALL {
            assert_eq!(EdgeKind::of(kind.name()), Some(kind));
        }
    }
}
