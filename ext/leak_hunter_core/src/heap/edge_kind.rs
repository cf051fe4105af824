//! How one object refers to another: the fixed vocabulary of dumps and results.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// The kinds of references. The numbers are part of fingerprints: they never change.
    #[derive(Default)]
    pub enum EdgeKind {
        /// From a category of roots.
        Root = 0 => "root",
        /// From an object to its class.
        Class = 1 => "class",
        /// A constant of a class or module.
        Constant = 2 => "constant",
        /// An instance variable.
        InstanceVariable = 3 => "instance_variable",
        /// A class variable.
        ClassVariable = 4 => "class_variable",
        /// A global variable.
        Global = 5 => "global",
        /// `Thread#[]`: local to a thread's current fiber.
        FiberLocal = 6 => "fiber_local",
        /// `Thread#thread_variable_get`
        ThreadVariable = 7 => "thread_variable",
        /// `Fiber.[]`: inherited by new fibers and threads.
        FiberStorage = 8 => "fiber_storage",
        /// An element of an Array.
        ArrayElement = 9 => "array_element",
        /// A key or value of a Hash.
        HashEntry = 10 => "hash_entry",
        /// A member of a Struct.
        StructMember = 11 => "struct_member",
        /// A local variable that a block or Binding captured.
        Captured = 12 => "captured",
        /// From a class to the class it inherits from.
        Superclass = 13 => "superclass",
        /// From a singleton class to its only instance.
        AttachedObject = 14 => "attached_object",
        /// Any other.
        #[default]
        Reference = 15 => "reference",
        /// No reference: steps of the path are left out here.
        Gap = 16 => "gap",
        /// The table of a thread's variables.
        ThreadVariables = 17 => "thread_variables",
    }
}

impl EdgeKind {
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
            assert_eq!(EdgeKind::named(kind.name()), Some(kind));
        }
    }
}
