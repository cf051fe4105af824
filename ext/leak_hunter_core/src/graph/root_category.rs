//! The categories of roots that an analysis distinguishes.

/// A category of roots. Which ones a dump has differs between versions of Ruby.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RootCategory {
    /// Any other: the VM's own.
    Other = 0,
    /// The stacks of the machine, which are scanned without knowing what is a reference.
    MachineContext = 1,
    /// Finalizers of objects. From Ruby 3.4 on dumps do not have them; the graph adds the category.
    Finalizers = 2,
    /// Blocks of `at_exit`.
    EndProc = 3,
    /// Global variables.
    GlobalTable = 4,
    /// No roots of Ruby's: the graph adds the category for what nothing leads to.
    Unreachable = 5,
}

impl RootCategory {
    const NAMED: [Self; 5] = [
        Self::MachineContext,
        Self::Finalizers,
        Self::EndProc,
        Self::GlobalTable,
        Self::Unreachable,
    ];

    /// The name, as in dumps and results; of others `vm`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Other => "vm",
            Self::MachineContext => "machine_context",
            Self::Finalizers => "finalizers",
            Self::EndProc => "end_proc",
            Self::GlobalTable => "global_tbl",
            Self::Unreachable => "unreachable",
        }
    }

    /// The category with this name.
    pub fn of(name: &str) -> Self {
        let named = Self::NAMED.into_iter().find(|category| category.name() == name);
        named.unwrap_or(Self::Other)
    }
}
