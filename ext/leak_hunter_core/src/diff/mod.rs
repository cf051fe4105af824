//! Three dumps or more in, what leaked out.

mod by_address;
mod callers;
mod census;
mod extrapolate;
mod groups;
mod grown;
mod held;
mod identity;
mod input;
mod lengths;
mod mark;
mod moments;
mod moves;
mod named;
mod options;
mod report;
mod survivor_addresses;
mod survivors;
#[cfg(test)]
mod tests;
mod third;

use std::path::PathBuf;

use rayon::ThreadPool;

pub use callers::{Caller, Callers};
pub use grown::{GrownInPlace, Unit};
pub use input::Input;
pub use mark::{ClassAndSite, Mark, MarkedHeap, Objects};
pub use options::{Identity, Key, Options, Pattern, Sort};
pub use report::{DumpSummary, GenerationRange, Group, GroupTotals, HeapSize, Report, SCHEMA, Values};
pub use survivor_addresses::survivor_addresses;

use self::by_address::{Addresses, NewAndKept};
use self::census::Census;
pub(crate) use self::census::Totals;
use self::extrapolate::Extrapolation;
use self::groups::{Grouped, Sites};
use self::identity::Judge;
pub(crate) use self::input::Source;
use self::moves::{SiteHashes, SitesOf};
pub(crate) use self::survivors::Counts;
use self::survivors::Survivors;
use self::third::{Read, Third};
use crate::dump::{Classes, DumpHeader, Pass, Scanned, Seen};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::Generation;
use crate::ledger::Ledger;
use crate::pool;
use crate::progress::{Phase, Progress};
use crate::sampling::{By, Sampled};
pub use crate::verdict::Evidence;
use crate::verdict::{self, Continuity, Facts, Move, Outcome, Provenance};

/// Compares dumps of one process. See [`compare`].
pub fn diff(paths: &[PathBuf], options: &Options, progress: &Progress) -> Result<Report> {
    let inputs: Vec<Input> = paths.iter().cloned().map(Input::Path).collect();
    compare(&inputs, options, progress)
}

/// Compares three or more moments of one process: what was born after the first and before the last but one, and is still
/// there in the last. Time is linear in the bytes of the dumps; memory in what is untraced and in what leaked, plus a bit
/// for each 8 bytes of Ruby's heap. With holders, also in the objects and references of the last (see [`crate::heap`]) and
/// in the collections of the others, 10 bytes each.
pub fn compare(inputs: &[Input], options: &Options, progress: &Progress) -> Result<Report> {
    check_count(inputs.len(), options.identity)?;
    let sources = inputs
        .iter()
        .map(|input| Source::open(input, progress))
        .collect::<Result<Vec<_>>>()?;
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

fn check_count(moments: usize, identity: Identity) -> Result<()> {
    let message = match identity {
        _ if moments < 3 => "a diff takes three moments or more",
        Identity::Address if moments > 3 => "identity \"address\" takes three dumps",
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Options, message))
}

struct Run<'a> {
    files: &'a [Source],
    options: &'a Options,
    progress: &'a Progress,
    pool: ThreadPool,
}

impl Run<'_> {
    fn by_generation(&self) -> Result<Report> {
        let last = self.files.len() - 1;
        let mut censuses: Vec<Census> = Vec::with_capacity(last);
        let mut all_seen = Vec::with_capacity(self.files.len());
        let mut moves = Vec::with_capacity(last);
        for index in 0..last {
            let Scanned { pass: census, seen } = self.census(index)?;
            // Dumps of different processes may be in any order.
            if let Some(before) = censuses.last() {
                moves.push(self.continuity(index - 1, index, &before.classes, &census.classes)?);
            }
            censuses.push(census);
            all_seen.push(seen);
            self.check_order(&censuses, None)?;
        }
        let (Some((second, before)), Some(first)) = (censuses.split_last(), censuses.first()) else {
            return Err(Error::new(
                ErrorKind::Options,
                "a diff takes three moments or more",
            ));
        };
        let mut judge = Judge {
            first,
            second,
            between: before.get(1..).unwrap_or_default(),
            moved: verdict::any_moved(&moves) == Some(true),
            untraced_came: false,
            sampled: self.sampled().is_some(),
            sites: None,
        };
        let new = || Third::new(Survivors::new(&judge, self.options), self.rows());
        let third = self.pass(last, new)?;
        all_seen.push(third.seen);
        let Read {
            survivors: mut third,
            rows,
            strings,
        } = third.pass.finish();
        moves.push(self.continuity(last - 1, last, &second.classes, &third.classes)?);
        self.check_order(&censuses, Some(&third.totals))?;
        // Only a move makes the boundary generations need more than addresses, and only then is it looked up.
        if moves.iter().any(|it| it.moved == Some(true)) {
            let moved_last = moves.last().is_some_and(|it| it.moved == Some(true));
            judge.untraced_came = moved_last && moments::is_traced_all_along(self.files);
            judge.sites = Some([self.sites_of(0, first)?, self.sites_of(last - 1, second)?]);
            third = self.pass(last, || Survivors::new(&judge, self.options))?.pass;
        }
        third.decide();
        let mut evidence = Facts {
            moves: &moves,
            counts: third.counts,
            last: third.totals,
        }
        .evidence(self.files);
        evidence.partial = is_partial(&censuses, &third);
        evidence.sampled = self.sampled();
        evidence.mixed_tracers = self.has_mixed_tracers();
        evidence.samples_lost = self.samples_lost();
        evidence.conclude(&all_seen);
        let totals: Vec<Totals> = censuses
            .iter()
            .map(|it| it.totals)
            .chain([third.totals])
            .collect();
        let mut report = self.finish(third.sites, &third.classes, &totals, all_seen, evidence);
        if self.options.holders {
            let heap = self.third_heap(rows, third.addresses, third.classes, &third.totals)?;
            let moved: Vec<Option<bool>> = moves.iter().map(|it| it.moved).collect();
            let mut held = self.held(&report.groups, &heap, &censuses, &moved, &strings)?;
            if let Some(sampled) = &report.evidence.sampled {
                held.extrapolate(&Extrapolation::of(&report.groups, sampled));
            }
            let grows_in_place = held.grown.iter().map(|it| it.judgement);
            report.outcome = Some(Outcome::of(&held.holders, grows_in_place, &report.evidence));
            report.holders = Some(held.holders);
            report.grown_in_place = Some(held.grown);
            report
                .totals
                .set_caches(&mut report.groups, &held.set_aside.caches);
            report.totals.garbage = held.set_aside.garbage;
            report.flame = held.flame;
        }
        report.shorten(self.options);
        Ok(report)
    }

    fn census(&self, index: usize) -> Result<Scanned<Census>> {
        let lengths = self.options.holders && matches!(self.files[index], Source::File(_));
        let names = lengths && self.is_known_to_move();
        let mut read = self.pass(index, || Census::new(lengths, names))?;
        let census = &mut read.pass;
        census.seal();
        if let Source::Mark(mark) = &self.files[index] {
            census.is_mark = true;
            census.totals = mark.totals();
        }
        if let Some(recorded) = self.files[index].recorded() {
            census.taken_in(recorded.generation);
        }
        Ok(read)
    }

    /// Whether the dumps say that objects moved between them.
    fn is_known_to_move(&self) -> bool {
        let compactions = |pair: &[Source]| {
            let (one, two) = (pair[0].recorded()?, pair[1].recorded()?);
            Some(one.compactions != two.compactions)
        };
        self.files.windows(2).any(|pair| compactions(pair) == Some(true))
    }

    /// Of how many allocations one is known in the last moment.
    fn sampled(&self) -> Option<Sampled> {
        self.files.last()?.recorded()?.sampled()
    }

    /// Objects that were sampled and given up between the first and the last moment.
    fn samples_lost(&self) -> u64 {
        let lost = |file: Option<&Source>| Some(file?.recorded()?.sampled()?.lost);
        let now = lost(self.files.last()).unwrap_or(0);
        now.saturating_sub(lost(self.files.first()).unwrap_or(0))
    }

    /// Whether some moments were sampled and others not.
    fn has_mixed_tracers(&self) -> bool {
        let recorded: Vec<&DumpHeader> = self.files.iter().filter_map(Source::recorded).collect();
        let sampled = recorded.iter().filter(|it| it.sampled().is_some()).count();
        sampled > 0 && sampled < self.files.len()
    }

    /// Dumps that say when they were taken need no guess.
    fn check_order(&self, censuses: &[Census], last: Option<&Totals>) -> Result<()> {
        if self.files.iter().all(|file| file.recorded().is_some()) {
            return Ok(());
        }
        let generations: Vec<Option<Generation>> = censuses
            .iter()
            .map(|census| &census.totals)
            .chain(last)
            .map(|totals| totals.generation)
            .collect();
        verdict::check_generations(&generations)
    }

    /// Seconds from each moment to the next.
    fn seconds(&self) -> Vec<Option<f64>> {
        let taken_at: Vec<Option<f64>> = self
            .files
            .iter()
            .map(|file| file.recorded().and_then(DumpHeader::seconds))
            .collect();
        let between = |pair: &[Option<f64>]| Some(pair[1]? - pair[0]?).filter(|seconds| *seconds > 0.0);
        taken_at.windows(2).map(between).collect()
    }

    fn sites_of(&self, index: usize, census: &Census) -> Result<SiteHashes> {
        self.progress.enter(Phase::Read(index));
        let new = || SitesOf::new(census.totals.generation);
        let collected = self.files[index].visit(&self.pool, self.progress, new)?;
        Ok(collected.pass.sites)
    }

    fn by_address(&self) -> Result<Report> {
        let Scanned {
            pass: first,
            seen: first_seen,
        } = self.pass(0, Addresses::default)?;
        let Scanned {
            pass: third,
            seen: third_seen,
        } = self.pass(2, Addresses::default)?;
        let new = || NewAndKept::new(&first.set, &third.set, self.options);
        let Scanned {
            pass: second,
            seen: second_seen,
        } = self.pass(1, new)?;
        let totals = [first.totals, second.seen.totals, third.totals];
        let mut evidence = Facts::by_address(&totals[2], second.sites.count());
        let seen = [first_seen, second_seen, third_seen];
        evidence.conclude(&seen);
        // What LeakHunter itself allocated stays in: this answer is for comparing with the script's.
        let mut report = self.finish(second.sites, &second.classes, &totals, seen.into(), evidence);
        report.shorten(self.options);
        Ok(report)
    }

    /// One pass over a dump; again on one thread when records share an address, so that the first of them counts.
    fn pass<P: Counting>(&self, index: usize, new: impl Fn() -> P + Sync) -> Result<Scanned<P>> {
        self.progress.enter(Phase::Read(index));
        let read = self.files[index].visit(&self.pool, self.progress, &new)?;
        if read.pass.totals().duplicates > 0 && self.pool.current_num_threads() > 1 {
            return self.files[index].visit(&pool::of(1)?, self.progress, &new);
        }
        Ok(read)
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

    /// Where LeakHunter's own code is, here and in the process that was recorded.
    fn own_paths(&self) -> Vec<String> {
        let mut paths = self.options.own_paths.clone();
        if !paths.is_empty() {
            let recorded = self
                .files
                .iter()
                .filter_map(|file| file.recorded()?.own_path.as_deref());
            paths.extend(recorded.flat_map(|path| [format!("{path}/"), format!("{path}.rb")]));
        }
        paths
    }

    fn finish(
        &self,
        sites: Sites,
        classes: &Classes,
        totals: &[Totals],
        seen: Vec<Seen>,
        mut evidence: Evidence,
    ) -> Report {
        self.progress.enter(Phase::Groups);
        let Grouped {
            groups,
            totals: group_totals,
        } = sites.into_groups(
            classes,
            self.options,
            &self.own_paths(),
            evidence.sampled.as_ref(),
        );
        evidence.one_in = evidence.sampled.as_ref().map(|sampled| match sampled.by {
            By::Allocations => sampled.one_in(None),
            By::Bytes => Extrapolation::of(&groups, sampled).one_in(),
        });
        let dumps = self
            .files
            .iter()
            .zip(totals)
            .zip(seen)
            .map(|((file, totals), seen)| DumpSummary {
                path: file.path().map(Into::into),
                bytes: file.bytes(),
                records: totals.records,
                memsize: totals.memsize,
                tracing: totals.tracing,
                own: totals.own,
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
        let dumps: Vec<_> = dumps.collect();
        let new_objects = group_totals.memsize.saturating_add(group_totals.filtered_memsize);
        let ledger = Ledger::of(dumps.iter().map(DumpSummary::ledger_entry).collect(), new_objects);
        Report {
            group_by: self.options.group_by.clone(),
            sort: self.options.sort,
            dumps,
            groups,
            totals: group_totals,
            third: totals.last().map_or(HeapSize::default(), |last| HeapSize {
                count: last.records,
                memsize: last.memsize,
            }),
            holders: None,
            flame: None,
            grown_in_place: None,
            outcome: None,
            seconds: self.seconds(),
            ledger,
            evidence,
        }
    }
}

/// Whether the last dump has objects of some generations only (`dump_all since:`): it lacks the class that every other
/// dump has.
fn is_partial(censuses: &[Census], last: &Survivors<'_>) -> bool {
    let has = |classes: &Classes| classes.unique_names().contains_key("Object");
    last.totals.records > 0 && !has(&last.classes) && censuses.iter().any(|census| has(&census.classes))
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
