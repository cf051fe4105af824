//! Three dumps in, what leaked out.

mod by_address;
mod census;
mod groups;
mod held;
mod identity;
mod input;
mod lengths;
mod moves;
mod options;
mod report;
mod survivor_addresses;
mod survivors;
#[cfg(test)]
mod tests;
mod third;

use std::path::PathBuf;

use rayon::ThreadPool;

pub use input::Input;
pub use options::{Identity, Key, Options, Pattern, Sort};
pub use report::{DumpSummary, GenerationRange, Group, GroupTotals, HeapSize, Report, SCHEMA, Values};
pub use survivor_addresses::survivor_addresses;

use self::by_address::{Addresses, NewAndKept};
use self::census::Census;
pub(crate) use self::census::Totals;
use self::groups::Sites;
use self::identity::Judge;
pub(crate) use self::input::Source;
use self::moves::{SiteHashes, SitesOf};
pub(crate) use self::survivors::Counts;
use self::survivors::Survivors;
use self::third::Third;
use crate::dump::{Classes, Pass, Seen};
use crate::error::Result;
use crate::pool;
use crate::progress::{Phase, Progress};
pub use crate::verdict::Evidence;
use crate::verdict::{self, Continuity, Facts, Move, Provenance};

/// Compares three dumps of one process. See [`compare`].
pub fn diff(paths: &[PathBuf; 3], options: &Options, progress: &Progress) -> Result<Report> {
    let [first, second, third] = paths.each_ref().map(|path| Input::Path(path.clone()));
    compare(&[first, second, third], options, progress)
}

/// Compares three moments of one process: what was born after the first and before the second and is still there in the
/// third. Time is linear in the bytes of the dumps; memory in what is untraced and in what leaked, plus a bit for each
/// 8 bytes of Ruby's heap. With holders, also in the objects and references of the third (see [`crate::heap`]) and in the
/// collections of the first two, 10 bytes each.
pub fn compare(inputs: &[Input; 3], options: &Options, progress: &Progress) -> Result<Report> {
    let [first, second, third] = inputs;
    let sources = [
        Source::open(first, progress)?,
        Source::open(second, progress)?,
        Source::open(third, progress)?,
    ];
    verdict::check_distinct(&sources, progress)?;
    verdict::check_recorded(&sources)?;
    verdict::check_marks(&sources, options.identity)?;
    let mut work: u64 = sources.iter().map(Source::bytes).sum();
    if options.holders {
        work = work.saturating_add(sources.last().map_or(0, Source::bytes));
    }
    progress.set_total(work);
    let run = Run {
        files: &sources,
        options,
        progress,
        pool: pool::of(pool::threads(options.threads))?,
    };
    match options.identity {
        Identity::Auto => run.by_generation(),
        Identity::Address => run.by_address(),
    }
}

struct Run<'a> {
    files: &'a [Source; 3],
    options: &'a Options,
    progress: &'a Progress,
    pool: ThreadPool,
}

impl Run<'_> {
    fn by_generation(&self) -> Result<Report> {
        let (first, first_seen) = self.census(0)?;
        let (second, second_seen) = self.census(1)?;
        // Dumps of different processes may be in any order.
        let first_to_second = self.continuity(0, 1, &first.classes, &second.classes)?;
        self.check_order([&first.totals, &second.totals, &Totals::default()])?;

        let mut judge = Judge {
            first: &first,
            second: &second,
            moved: first_to_second.moved == Some(true),
            sites: None,
        };
        let new = || Third::new(Survivors::new(&judge, self.options), self.wants_rows());
        let (third, third_seen) = self.pass(2, new)?;
        let (mut third, rows) = third.finish();
        let second_to_third = self.continuity(1, 2, &second.classes, &third.classes)?;
        self.check_order([&first.totals, &second.totals, &third.totals])?;

        // Only a move makes the boundary generations need more than addresses, and only then is it looked up.
        let moves = [first_to_second, second_to_third];
        if moves.iter().any(|it| it.moved == Some(true)) {
            judge.sites = Some([self.sites_of(0, &first)?, self.sites_of(1, &second)?]);
            third = self.pass(2, || Survivors::new(&judge, self.options))?.0;
        }
        third.decide();

        let totals = [first.totals, second.totals, third.totals];
        let seen = [first_seen, second_seen, third_seen];
        let mut evidence = Facts {
            moves,
            counts: third.counts,
            totals,
        }
        .evidence(self.files);
        evidence.conclude(&seen);
        let mut report = self.finish(third.sites, &third.classes, totals, seen, evidence);
        if self.options.holders {
            let heap = self.third_heap(rows, third.addresses, third.classes, &totals[2])?;
            let moved = moves.map(|it| it.moved);
            let (holders, caches) = self.holders(&report.groups, &heap, [&first, &second], moved)?;
            report.holders = Some(holders);
            for share in &caches.groups {
                report.groups[share.group as usize].caches = share.count;
            }
            report.totals.caches = caches;
        }
        report.shorten(self.options);
        Ok(report)
    }

    fn census(&self, index: usize) -> Result<(Census, Seen)> {
        let lengths = self.options.holders && matches!(self.files[index], Source::File(_));
        let (mut census, seen) = self.pass(index, || Census::new(lengths))?;
        census.seal();
        if let Source::Mark(recorded) = &self.files[index] {
            census.is_mark = true;
            census.totals.generation = Some(recorded.generation);
        }
        Ok((census, seen))
    }

    /// Dumps that say when they were taken need no guess.
    fn check_order(&self, totals: [&Totals; 3]) -> Result<()> {
        if self.files.iter().all(|file| file.recorded().is_some()) {
            return Ok(());
        }
        verdict::check_generations(totals.map(|it| it.generation))
    }

    fn sites_of(&self, index: usize, census: &Census) -> Result<SiteHashes> {
        self.progress.enter(Phase::Read(index));
        let new = || SitesOf::new(census.totals.generation);
        let (collected, _) = self.files[index].visit(&self.pool, self.progress, new)?;
        Ok(collected.sites)
    }

    fn by_address(&self) -> Result<Report> {
        let (first, first_seen) = self.pass(0, Addresses::default)?;
        let (third, third_seen) = self.pass(2, Addresses::default)?;
        let (second, second_seen) = self.pass(1, || NewAndKept::new(&first.set, &third.set, self.options))?;
        let totals = [first.totals, second.seen.totals, third.totals];
        let mut evidence = Facts::by_address(&totals[2], second.sites.count());
        let seen = [first_seen, second_seen, third_seen];
        evidence.conclude(&seen);
        // What LeakHunter itself allocated stays in: this answer is for comparing with the script's.
        let mut report = self.finish(second.sites, &second.classes, totals, seen, evidence);
        report.shorten(self.options);
        Ok(report)
    }

    /// One pass over a dump; again on one thread when records share an address, so that the first of them counts.
    fn pass<P: Counting>(&self, index: usize, new: impl Fn() -> P + Sync) -> Result<(P, Seen)> {
        self.progress.enter(Phase::Read(index));
        let (pass, seen) = self.files[index].visit(&self.pool, self.progress, &new)?;
        if pass.totals().duplicates > 0 && self.pool.current_num_threads() > 1 {
            return self.files[index].visit(&pool::of(1)?, self.progress, &new);
        }
        Ok((pass, seen))
    }

    /// Whether objects moved between two dumps, how that is known, and whether it is known to be one process.
    fn continuity(&self, one: usize, two: usize, before: &Classes, after: &Classes) -> Result<Move> {
        let inferred = Continuity::of(before, after);
        let known = verdict::moved(&self.files[one], &self.files[two], inferred);
        if known.source != Provenance::Recorded {
            verdict::check_inferred(self.files, one, two, inferred)?;
        }
        Ok(known)
    }

    fn finish(
        &self,
        sites: Sites,
        classes: &Classes,
        totals: [Totals; 3],
        seen: [Seen; 3],
        evidence: Evidence,
    ) -> Report {
        self.progress.enter(Phase::Groups);
        let (groups, group_totals) = sites.into_groups(classes, self.options);
        let dumps = self
            .files
            .iter()
            .zip(&totals)
            .zip(seen)
            .map(|((file, totals), seen)| DumpSummary {
                path: file.path().map(Into::into),
                bytes: file.bytes(),
                records: totals.records,
                memsize: totals.memsize,
                generation: file
                    .recorded()
                    .map(|recorded| recorded.generation)
                    .or(totals.generation),
                traced: totals.traced,
                untraced: totals.records - totals.traced,
                free_slots: totals.free_slots,
                duplicates: totals.duplicates,
                skipped: seen.skipped,
                first_skipped: seen.first_skipped,
                recorded: file.recorded().cloned(),
            });
        Report {
            group_by: self.options.group_by.clone(),
            sort: self.options.sort,
            dumps: dumps.collect(),
            groups,
            totals: group_totals,
            third: HeapSize {
                count: totals[2].records,
                memsize: totals[2].memsize,
            },
            holders: None,
            evidence,
        }
    }
}

/// A pass that counts what it sees.
trait Counting: Pass {
    fn totals(&self) -> &Totals;
}

impl Counting for Census {
    fn totals(&self) -> &Totals {
        &self.totals
    }
}

impl Counting for Survivors<'_> {
    fn totals(&self) -> &Totals {
        &self.totals
    }
}

impl Counting for Third<'_> {
    fn totals(&self) -> &Totals {
        &self.survivors().totals
    }
}

impl Counting for Addresses {
    fn totals(&self) -> &Totals {
        &self.totals
    }
}

impl Counting for NewAndKept<'_> {
    fn totals(&self) -> &Totals {
        &self.seen.totals
    }
}
