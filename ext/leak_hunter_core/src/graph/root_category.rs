//! The categories of roots that an analysis distinguishes.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// A category of roots. Which ones a dump has differs between versions of Ruby.
    pub enum RootCategory {
        /// Any other: the VM's own.
        Other = 0 => "other",
        /// The stacks of the machine, which are scanned without knowing what is a reference.
        MachineContext = 1 => "machine_context",
        /// Finalizers of objects. From Ruby 3.4 on dumps do not have them; the graph adds the category.
        Finalizers = 2 => "finalizers",
        /// Blocks of `at_exit`.
        EndProc = 3 => "end_proc",
        /// Global variables.
        GlobalTable = 4 => "global_tbl",
        /// No roots of Ruby's: the graph adds the category for what nothing leads to.
        Unreachable = 5 => "unreachable",
        /// The VM's own objects.
        Vm = 6 => "vm",
        /// The table of symbols.
        Symbols = 7 => "symbols",
        /// The table of symbols, as newer Rubies call it.
        GlobalSymbols = 8 => "global_symbols",
    }
}

impl RootCategory {
    /// The category with this name.
    pub fn of(name: &str) -> Self {
        Self::named(name).unwrap_or(Self::Other)
    }

    /// Its part in fingerprints, which never changes: of the VM's own categories, whose names differ between versions,
    /// the same.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Vm | Self::Symbols | Self::GlobalSymbols => Self::Other as u8,
            _ => self as u8,
        }
    }

    /// Whether the VM's tables of symbols hang on it.
    pub(crate) fn has_symbols(self) -> bool {
        matches!(self, Self::Vm | Self::Symbols | Self::GlobalSymbols)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_is_found_by_its_name() {
        for category in RootCategory::ALL {
            assert_eq!(RootCategory::of(category.name()), category);
        }
        assert_eq!(RootCategory::of("of a newer Ruby"), RootCategory::Other);
    }

    #[test]
    fn fingerprints_have_the_numbers_that_they_always_had() {
        let numbers = RootCategory::ALL.map(RootCategory::number);
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 0, 0, 0]);
    }
}
