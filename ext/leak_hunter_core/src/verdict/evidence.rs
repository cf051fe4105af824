//! How sure an answer is, and what keeps it from being surer.

use super::continuity::Move;
use super::{Confidence, Evidence, MatchedBy, Provenance, Reason};
use crate::diff::{Counts, Source, Totals};
use crate::dump::{DumpHeader, Seen};

/// With more than one in so many survivors untraced, most of the answer rests on addresses.
const MOSTLY: u64 = 2;

/// What a run by generation found out besides the survivors.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    /// From each moment to the next.
    pub(crate) moves: &'a [Move],
    pub(crate) counts: Counts,
    /// Of the last moment.
    pub(crate) last: Totals,
}

impl Facts<'_> {
    pub(crate) fn evidence(&self, files: &[Source]) -> Evidence {
        let counts = &self.counts;
        let recorded = files.iter().all(|file| file.recorded().is_some());
        let inferred = self.moves.iter().all(|it| it.same_process == Some(true));
        let third = &self.last;
        let (to_last, before) = self.moves.split_last().unwrap_or((&Move::UNKNOWN, &[]));
        let known = |source| {
            self.moves
                .iter()
                .any(|it| it.moved.is_some() && it.source == source)
        };
        Evidence {
            identity: match (third.traced, counts.by_address) {
                (0, _) => MatchedBy::AddressAndClass,
                (_, 0) => MatchedBy::Generation,
                _ => MatchedBy::GenerationAndAddress,
            },
            traced: third.traced,
            untraced: third.records - third.traced,
            by_generation: counts.by_generation,
            at_boundary: counts.at_boundary,
            by_address: counts.by_address,
            untraced_moved: counts.moved,
            tracing_lost: counts.tracing_lost,
            boundary: counts.boundary,
            slots_reused: counts.slots_reused,
            moved_first_to_second: any_moved(before),
            moved_second_to_third: to_last.moved,
            compaction_source: [Provenance::Inferred, Provenance::Recorded]
                .into_iter()
                .find(|source| known(*source)),
            marks: files.iter().filter(|file| file.is_mark()).count() as u64,
            same_process: match (recorded, inferred) {
                (true, _) => Provenance::Recorded,
                (false, true) => Provenance::Inferred,
                (false, false) => Provenance::Unknown,
            },
            moves_spoil_tracing: files
                .iter()
                .filter_map(Source::recorded)
                .any(DumpHeader::moves_spoil_tracing),
            ..Evidence::default()
        }
    }

    pub(crate) fn by_address(third: &Totals, survivors: u64) -> Evidence {
        Evidence {
            identity: MatchedBy::Address,
            traced: third.traced,
            untraced: third.records - third.traced,
            by_address: survivors,
            ..Evidence::default()
        }
    }
}

/// Whether objects moved in any of the windows.
pub(crate) fn any_moved(moves: &[Move]) -> Option<bool> {
    match moves.iter().any(|it| it.moved == Some(true)) {
        true => Some(true),
        false => moves
            .iter()
            .map(|it| it.moved)
            .collect::<Option<Vec<bool>>>()
            .map(|_| false),
    }
}

impl Evidence {
    /// Whether objects moved on a Ruby that then forgets where and when they were allocated: what leaked may be among
    /// those.
    pub(crate) fn births_are_lost(&self) -> bool {
        self.reasons.contains(&Reason::TracingUnreliable)
    }

    /// Draws the conclusion from the figures.
    pub(crate) fn conclude(&mut self, seen: &[Seen]) {
        self.skipped_lines = seen.iter().map(|seen| seen.skipped).sum();
        let survivors = self.by_generation + self.at_boundary + self.by_address;
        let moved = [self.moved_first_to_second, self.moved_second_to_third].contains(&Some(true));
        let partly_traced = self.identity == MatchedBy::GenerationAndAddress;
        let when = |holds: bool, reason: Reason| holds.then_some(reason);
        let weak = [
            when(self.partial, Reason::PartialDump),
            when(self.identity == MatchedBy::Address, Reason::AddressOnly),
            when(self.identity == MatchedBy::AddressAndClass, Reason::NoTracing),
            when(
                self.by_address * MOSTLY > survivors && partly_traced,
                Reason::MostlyUntraced,
            ),
            when(self.tracing_lost > survivors, Reason::TracingLost),
            when(self.untraced_moved > survivors, Reason::Compaction),
            when(moved && self.moves_spoil_tracing, Reason::TracingUnreliable),
            when(self.samples_lost > 0, Reason::SamplesLost),
        ];
        let mild = [
            when(self.by_address > 0 && partly_traced, Reason::Untraced),
            when(self.untraced_moved > 0, Reason::Compaction),
            when(
                moved && self.compaction_source == Some(Provenance::Inferred),
                Reason::CompactionInferred,
            ),
            when(self.tracing_lost > 0, Reason::TracingLost),
            when(self.boundary > 0, Reason::Boundary),
            // what was not sampled says nothing, of whatever moment
            when(
                self.marks > 0 && self.untraced > 0 && self.sampled.is_none(),
                Reason::Marks,
            ),
            when(self.sampled.is_some(), Reason::Sampled),
            when(self.mixed_tracers, Reason::MixedTracers),
            when(self.skipped_lines > 0, Reason::SkippedLines),
            when(
                self.same_process == Provenance::Unknown && self.identity != MatchedBy::Address,
                Reason::ProcessUnknown,
            ),
        ];
        let weak: Vec<Reason> = weak.into_iter().flatten().collect();
        let mild: Vec<Reason> = mild.into_iter().flatten().collect();
        self.confidence = match (weak.is_empty(), mild.is_empty()) {
            (false, _) => Confidence::Low,
            (true, false) => Confidence::High,
            (true, true) => Confidence::Exact,
        };
        self.reasons = weak;
        for reason in mild {
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
    }
}
