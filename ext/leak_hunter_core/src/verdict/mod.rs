//! Does it grow, and how sure is that: [`History::judge`] says whether what a holder keeps grows. The rest is about the
//! comparison itself: whether the dumps are of one process, whether objects moved between them, by what objects were
//! matched, and what that is worth.

mod continuity;
mod evidence;
mod growth;
mod outcome;
mod rates;

pub(crate) use self::continuity::{
    Continuity, Move, check_distinct, check_generations, check_inferred, check_marks, check_recorded, moved,
};
pub(crate) use self::evidence::{Facts, any_moved};
pub use self::growth::{Because, Births, History, Judgement, Level, Sample, Verdict};
pub use self::outcome::{Finding, Outcome, Summary};
pub use self::rates::Rate;
use crate::sampling::Sampled;

/// By what objects of different dumps were matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MatchedBy {
    /// Allocation generation alone.
    #[default]
    Generation,
    /// Generation where objects were traced, else address, type and class.
    GenerationAndAddress,
    /// Address, type and class: nothing was traced.
    AddressAndClass,
    /// Address alone, as the classic script does.
    Address,
}

impl MatchedBy {
    /// The name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Generation => "generation",
            Self::GenerationAndAddress => "generation+address",
            Self::AddressAndClass => "address+class",
            Self::Address => "address",
        }
    }
}

/// How sure an answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Confidence {
    /// Every object is known to be one that leaked.
    Exact,
    /// Something small is not known; [`Evidence::reasons`] names it.
    High,
    /// Much rests on addresses, which other objects may have had.
    #[default]
    Low,
}

impl Confidence {
    /// The name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::High => "high",
            Self::Low => "low",
        }
    }
}

/// What keeps an answer from being exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Objects were matched by address alone.
    AddressOnly,
    /// No object was traced.
    NoTracing,
    /// More than half of the survivors were not traced.
    MostlyUntraced,
    /// Tracing was cleared or stopped between the dumps.
    TracingLost,
    /// Objects moved, so untraced ones could not be matched.
    Compaction,
    /// Objects moved on a Ruby that loses or mixes up what was traced of moved objects.
    TracingUnreliable,
    /// Some survivors were not traced.
    Untraced,
    /// That objects moved was inferred from addresses of classes.
    CompactionInferred,
    /// Objects of a boundary generation may have moved.
    Boundary,
    /// Of a mark no addresses are known, so nothing is said of untraced objects.
    Marks,
    /// One allocation in so many was remembered: numbers are estimates.
    Sampled,
    /// Objects that were sampled were given up: numbers are too low.
    SamplesLost,
    /// Some moments were sampled and others not.
    MixedTracers,
    /// Some lines could not be read.
    SkippedLines,
    /// It is not known whether the dumps are of one process.
    ProcessUnknown,
    /// The last dump does not have all objects.
    PartialDump,
}

impl Reason {
    /// The name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::AddressOnly => "address_only",
            Self::NoTracing => "no_tracing",
            Self::MostlyUntraced => "mostly_untraced",
            Self::TracingLost => "tracing_lost",
            Self::Compaction => "compaction",
            Self::TracingUnreliable => "tracing_unreliable",
            Self::Untraced => "untraced",
            Self::CompactionInferred => "compaction_inferred",
            Self::Boundary => "boundary",
            Self::Marks => "marks",
            Self::Sampled => "sampled",
            Self::SamplesLost => "samples_lost",
            Self::MixedTracers => "mixed_tracers",
            Self::SkippedLines => "skipped_lines",
            Self::ProcessUnknown => "process_unknown",
            Self::PartialDump => "partial_dump",
        }
    }
}

/// How something is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provenance {
    /// The dumps say so.
    Recorded,
    /// The addresses of classes say so.
    Inferred,
    /// It is not known.
    #[default]
    Unknown,
}

impl Provenance {
    /// The name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Inferred => "inferred",
            Self::Unknown => "unknown",
        }
    }
}

/// What the answer rests on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// By what objects were matched.
    pub identity: MatchedBy,
    /// How sure the answer is.
    pub confidence: Confidence,
    /// What keeps it from being exact, the weightiest first.
    pub reasons: Vec<Reason>,
    /// Traced objects of the last moment.
    pub traced: u64,
    /// Untraced objects of the last moment.
    pub untraced: u64,
    /// Survivors known by generation alone.
    pub by_generation: u64,
    /// Survivors of a boundary generation.
    pub at_boundary: u64,
    /// Untraced survivors.
    pub by_address: u64,
    /// Untraced candidates withheld because objects moved.
    pub untraced_moved: u64,
    /// Untraced candidates withheld because tracing data was lost.
    pub tracing_lost: u64,
    /// Traced candidates withheld because they may have moved.
    pub boundary: u64,
    /// Survivors in a slot that held another object in the first dump.
    pub slots_reused: u64,
    /// Whether objects moved between the first dump and the last but one.
    pub moved_first_to_second: Option<bool>,
    /// Whether objects moved between the last two dumps.
    pub moved_second_to_third: Option<bool>,
    /// How it is known whether objects moved; `None` when it is not known.
    pub compaction_source: Option<Provenance>,
    /// Whether this Ruby forgets or mixes up where moved objects were made.
    pub moves_spoil_tracing: bool,
    /// How it is known that the dumps are of one process.
    pub same_process: Provenance,
    /// Moments of which only the GC count is known, so that nothing can be said of untraced objects.
    pub marks: u64,
    /// Of how many allocations one is known in the last moment, where that is not all.
    pub sampled: Option<Sampled>,
    /// For how many objects each known one stands then, on the average.
    pub one_in: Option<f64>,
    /// Objects that were sampled and given up between the first and the last moment.
    pub samples_lost: u64,
    /// Whether some moments were sampled and others not.
    pub mixed_tracers: bool,
    /// The last dump does not have all objects: it was taken with `since:`.
    pub partial: bool,
    /// Lines of all dumps that are no record.
    pub skipped_lines: u64,
}
