//! The answer for the whole: does anything grow?

use super::{Because, Evidence, Judgement, Verdict};
use crate::holders::Holder;

/// The answer in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Something grows.
    Leak,
    /// Nothing does.
    NoLeak,
    /// The moments do not tell.
    Undecided,
}

impl Finding {
    /// The name, as in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::NoLeak => "no_leak",
            Self::Undecided => "undecided",
        }
    }
}

/// Holders of one verdict, taken together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many holders.
    pub holders: u64,
    /// Objects that stayed in them.
    pub count: u64,
    /// Their bytes.
    pub memsize: u64,
}

impl Summary {
    fn of<'a>(holders: impl Iterator<Item = &'a Holder>) -> Self {
        holders.fold(Self::default(), |sum, holder| Self {
            holders: sum.holders + 1,
            count: sum.count.saturating_add(holder.count),
            memsize: sum.memsize.saturating_add(holder.memsize),
        })
    }
}

/// Whether anything grows, and what does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The answer in a word.
    pub finding: Finding,
    /// Holders by verdict, in the order of [`Verdict::ALL`]; those that keep too little to judge apart.
    pub by_verdict: [Summary; Verdict::ALL.len()],
    /// Holders that keep too little to judge.
    pub too_few: Summary,
    /// Nothing stayed but caches of the VM, garbage, and a few objects here and there.
    pub nothing_stayed: bool,
    /// One more moment would settle what is undecided.
    pub another_moment_settles: bool,
}

impl Outcome {
    /// The outcome of a diff. `in_place` has the judgements on what grew without new objects.
    pub fn of(
        holders: &[Holder],
        in_place: impl Iterator<Item = Judgement> + Clone,
        evidence: &Evidence,
    ) -> Self {
        let is_few = |holder: &&Holder| holder.judgement.because == Because::TooFew;
        let few = holders.iter().filter(is_few);
        let others: Vec<&Holder> = holders.iter().filter(|holder| !is_few(holder)).collect();
        let with = |verdict| {
            let all = others.iter().copied();
            all.filter(move |holder| holder.judgement.verdict == verdict)
        };
        let undecided = with(Verdict::Inconclusive);
        let finding = match () {
            () if with(Verdict::Growing).next().is_some() => Finding::Leak,
            () if in_place.clone().any(|it| it.verdict == Verdict::Growing) => Finding::Leak,
            () if evidence.births_are_lost() => Finding::Undecided,
            () if evidence.partial || undecided.clone().next().is_some() => Finding::Undecided,
            () if in_place.clone().next().is_some() => Finding::Undecided,
            () => Finding::NoLeak,
        };
        Self {
            finding,
            by_verdict: Verdict::ALL.map(|verdict| Summary::of(with(verdict))),
            too_few: Summary::of(few),
            nothing_stayed: others.is_empty() && in_place.clone().next().is_none(),
            another_moment_settles: undecided
                .map(|holder| holder.judgement)
                .chain(in_place)
                .any(|judgement| judgement.because.another_moment_settles()),
        }
    }
}
