//! How sure an answer is, and what keeps it from being surer.

use super::census::Totals;
use super::input::Source;
use super::report::Evidence;
use super::survivors::Counts;
use crate::dump::{Recorded, Seen};

/// Whether objects moved, how that is known, and whether the classes say that it is one process.
pub(crate) type Move = (Option<bool>, &'static str, Option<bool>);

/// With more than one in so many survivors untraced, most of the answer rests on addresses.
const MOSTLY: u64 = 2;

/// What a run by generation found out besides the survivors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) moves: [Move; 2],
    pub(crate) counts: Counts,
    pub(crate) totals: [Totals; 3],
}

impl Facts {
    pub(crate) fn evidence(&self, files: &[Source; 3]) -> Evidence {
        let counts = &self.counts;
        let recorded = files.iter().all(|file| file.recorded().is_some());
        let inferred = self.moves.iter().all(|it| it.2 == Some(true));
        let third = &self.totals[2];
        let known = |source: &str| self.moves.iter().any(|it| it.0.is_some() && it.1 == source);
        Evidence {
            identity: match (third.traced, counts.by_address) {
                (0, _) => "address+class",
                (_, 0) => "generation",
                _ => "generation+address",
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
            moved_first_to_second: self.moves[0].0,
            moved_second_to_third: self.moves[1].0,
            compaction_source: match () {
                () if known("inferred") => Some("inferred"),
                () if known("recorded") => Some("recorded"),
                () => None,
            },
            marks: files.iter().filter(|file| file.is_mark()).count() as u64,
            same_process: match (recorded, inferred) {
                (true, _) => "recorded",
                (false, true) => "inferred",
                (false, false) => "unknown",
            },
            moves_spoil_tracing: files
                .iter()
                .filter_map(Source::recorded)
                .any(Recorded::moves_spoil_tracing),
            ..Evidence::default()
        }
    }

    pub(crate) fn by_address(third: &Totals, survivors: u64) -> Evidence {
        Evidence {
            identity: "address",
            traced: third.traced,
            untraced: third.records - third.traced,
            by_address: survivors,
            same_process: "unknown",
            ..Evidence::default()
        }
    }
}

impl Evidence {
    /// Draws the conclusion from the figures.
    pub(crate) fn conclude(&mut self, seen: &[Seen; 3]) {
        self.skipped_lines = seen.iter().map(|seen| seen.skipped).sum();
        let survivors = self.by_generation + self.at_boundary + self.by_address;
        let moved = [self.moved_first_to_second, self.moved_second_to_third].contains(&Some(true));
        let weak = [
            (self.identity == "address", "address_only"),
            (self.identity == "address+class", "no_tracing"),
            (
                self.by_address * MOSTLY > survivors && self.identity == "generation+address",
                "mostly_untraced",
            ),
            (self.tracing_lost > survivors, "tracing_lost"),
            (self.untraced_moved > survivors, "compaction"),
            (moved && self.moves_spoil_tracing, "tracing_unreliable"),
        ];
        let mild = [
            (
                self.by_address > 0 && self.identity == "generation+address",
                "untraced",
            ),
            (self.untraced_moved > 0, "compaction"),
            (
                moved && self.compaction_source == Some("inferred"),
                "compaction_inferred",
            ),
            (self.tracing_lost > 0, "tracing_lost"),
            (self.boundary > 0, "boundary"),
            (self.marks > 0 && self.untraced > 0, "marks"),
            (self.skipped_lines > 0, "skipped_lines"),
            (
                self.same_process == "unknown" && self.identity != "address",
                "process_unknown",
            ),
        ];
        let names = |list: &[(bool, &'static str)]| -> Vec<&'static str> {
            list.iter()
                .filter(|(holds, _)| *holds)
                .map(|(_, name)| *name)
                .collect()
        };
        let (weak, mild) = (names(&weak), names(&mild));
        self.confidence = match (weak.is_empty(), mild.is_empty()) {
            (false, _) => "low",
            (true, false) => "high",
            (true, true) => "exact",
        };
        self.reasons = weak;
        for reason in mild {
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
    }
}
