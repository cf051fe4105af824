//! `LeakHunter::Native.diff`: arguments in, Hash out. `LeakHunter::Diff` checks the arguments before.

use std::sync::Arc;

use leak_hunter_core::diff::{DumpSummary, Evidence, Group, Identity, Key, Pattern, SCHEMA, Sort, Values};
use leak_hunter_core::diff::{Input, Mark, compare};
use leak_hunter_core::export::{Frame, FrameTree, Limits, View};
use leak_hunter_core::ids::Generation;
use leak_hunter_core::sampling::Estimate;
use leak_hunter_core::verdict::{Outcome, Provenance, Summary, Verdict};
use leak_hunter_core::{Options, PhaseTime, Report};
use magnus::{
    Error, Object, RArray, RHash, RModule, RString, Ruby, TryConvert, Value, function, typed_data::Obj,
};

use crate::convert::{Hash, array, fetch, path_of};
use crate::heap::NativeHeap;
use crate::mark::NativeMark;
use crate::recorded::{recorded_of, recorded_to_hash};
use crate::run::run;
use crate::{errors, holders, ledger, origin};

pub(crate) fn init(native: RModule) -> Result<(), Error> {
    native.define_singleton_method("diff", function!(call, 2))
}

fn call(ruby: &Ruby, moments: RArray, options: RHash) -> Result<RHash, Error> {
    let inputs = inputs_of(ruby, moments)?;
    let callable = fetch::<Option<Value>>(ruby, options, "progress")?;
    let timings: bool = fetch(ruby, options, "timings")?;
    let options = read_options(ruby, options)?;
    let low_priority = options.threads.is_none();
    let (report, times) = run(ruby, callable, low_priority, move |progress| {
        let report = compare(&inputs, &options, progress)?;
        Ok((report, progress.phase_times()))
    })?;
    let hash = to_hash(ruby, &report)?;
    if timings {
        hash.aset(ruby.to_symbol("timings"), array(ruby, &times, time_to_hash)?)?;
    }
    Ok(hash)
}

fn time_to_hash(ruby: &Ruby, time: &PhaseTime) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("phase", time.phase.name())?
        .set("dump", time.phase.dump())?
        .set("seconds", time.time.as_secs_f64())?;
    Ok(hash.hash)
}

/// The moments, the first of them first.
pub(crate) fn inputs_of(ruby: &Ruby, moments: RArray) -> Result<Vec<Input>, Error> {
    moments.into_iter().map(|moment| input_of(ruby, moment)).collect()
}

/// A path, a heap in memory, a mark, or the Hash of a mark that was not counted.
fn input_of(ruby: &Ruby, value: Value) -> Result<Input, Error> {
    if let Ok(heap) = <Obj<NativeHeap>>::try_convert(value) {
        return Ok(Input::Heap(Arc::clone(heap.heap())));
    }
    if let Ok(mark) = <Obj<NativeMark>>::try_convert(value) {
        return Ok(Input::Mark(Arc::clone(mark.mark())));
    }
    match RHash::from_value(value) {
        Some(hash) => Ok(Input::Mark(Arc::new(Mark {
            recorded: recorded_of(ruby, hash)?,
            heap: None,
        }))),
        None => Ok(Input::Path(path_of(RString::try_convert(value)?))),
    }
}

fn read_options(ruby: &Ruby, options: RHash) -> Result<Options, Error> {
    let raise = |error: leak_hunter_core::Error| errors::exception(ruby, &error);
    let patterns = |name| -> Result<Vec<Pattern>, Error> {
        let list: Option<Vec<(String, String)>> = fetch(ruby, options, name)?;
        let compile = |(kind, text): (String, String)| match kind.as_str() {
            "regex" => Pattern::regex(&text),
            _ => Pattern::text(&text),
        };
        list.unwrap_or_default()
            .into_iter()
            .map(compile)
            .collect::<Result<_, _>>()
            .map_err(raise)
    };
    let group_by: Vec<String> = fetch(ruby, options, "group_by")?;
    Ok(Options {
        identity: fetch::<String>(ruby, options, "identity")?
            .parse::<Identity>()
            .map_err(raise)?,
        group_by: group_by
            .iter()
            .map(|name| name.parse::<Key>())
            .collect::<Result<_, _>>()
            .map_err(raise)?,
        sort: fetch::<String>(ruby, options, "sort")?
            .parse::<Sort>()
            .map_err(raise)?,
        top: fetch(ruby, options, "top")?,
        only: patterns("only")?,
        ignore: patterns("ignore")?,
        own_paths: fetch::<Option<Vec<String>>>(ruby, options, "own_paths")?.unwrap_or_default(),
        threads: fetch(ruby, options, "threads")?,
        samples: fetch(ruby, options, "samples")?,
        holders: fetch(ruby, options, "holders")?,
        flame: fetch::<Option<bool>>(ruby, options, "flame")?
            .unwrap_or(false)
            .then_some(Limits::PART),
    })
}

fn to_hash(ruby: &Ruby, report: &Report) -> Result<RHash, Error> {
    let totals = &report.totals;
    let group_by: Vec<&str> = report.group_by.iter().map(|key| key.name()).collect();
    let totals = Hash::new(ruby)
        .set("groups", totals.groups)?
        .set("shown", totals.shown)?
        .set("count", totals.count)?
        .set("bytesize", totals.bytesize)?
        .set("memsize", totals.memsize)?
        .set("filtered_count", totals.filtered_count)?
        .set("filtered_memsize", totals.filtered_memsize)?
        .set("own_count", totals.own_count)?
        .set("cache_groups", totals.cache_groups)?
        .set("cache_count", totals.caches.count)?
        .set("cache_memsize", totals.caches.memsize)?
        .set("garbage_count", totals.garbage.count)?
        .set("garbage_memsize", totals.garbage.memsize)?
        .set("third_count", report.third.count)?
        .set("third_memsize", report.third.memsize)?;
    let holders = report
        .holders
        .as_ref()
        .map(|holders| {
            array(ruby, holders, |ruby, holder| {
                holders::to_hash(ruby, holder, &report.seconds)
            })
        })
        .transpose()?;
    let grown = report.grown_in_place.as_ref();
    let grown = grown
        .map(|grown| array(ruby, grown, holders::grown_to_hash))
        .transpose()?;
    let outcome = report.outcome.as_ref();
    let outcome = outcome
        .map(|outcome| outcome_to_hash(ruby, outcome))
        .transpose()?;
    let flame = report.flame.as_ref();
    let flame = flame.map(|trees| flame_to_array(ruby, trees)).transpose()?;
    let hash = Hash::new(ruby)
        .set("schema", SCHEMA)?
        .set("identity", report.evidence.identity.name())?
        .set("group_by", group_by)?
        .set("sort", report.sort.name())?
        .set("dumps", array(ruby, &report.dumps, dump_to_hash)?)?
        .set(
            "groups",
            array(ruby, &report.groups, |ruby, group| {
                group_to_hash(ruby, group, &report.group_by)
            })?,
        )?
        .set("totals", totals.hash)?
        .set("holders", holders)?
        .set("grown_in_place", grown)?
        .set("verdict", outcome)?
        .set("flame", flame)?
        .set("seconds", report.seconds.clone())?
        .set("ledger", ledger::to_hash(ruby, &report.ledger)?)?
        .set("evidence", evidence_to_hash(ruby, &report.evidence)?)?;
    Ok(hash.hash)
}

/// Frames by columns: a frame has a number in each.
fn flame_to_array(ruby: &Ruby, trees: &[FrameTree]) -> Result<RArray, Error> {
    let views = ruby.ary_new();
    for (view, tree) in View::ALL.iter().zip(trees) {
        let column = |of: fn(&Frame) -> u64| ruby.ary_from_iter(tree.frames.iter().map(of));
        let hash = Hash::new(ruby)
            .set("name", view.name())?
            .set("title", view.title())?
            .set(
                "labels",
                ruby.ary_from_iter(tree.labels.iter().map(|label| &**label)),
            )?
            .set("label", column(|frame| u64::from(frame.label)))?
            .set("parent", column(|frame| u64::from(frame.parent)))?
            .set("count", column(|frame| frame.count))?
            .set("bytes", column(|frame| frame.bytes))?;
        views.push(hash.hash)?;
    }
    Ok(views)
}

fn outcome_to_hash(ruby: &Ruby, outcome: &Outcome) -> Result<RHash, Error> {
    let summary = |summary: &Summary| -> Result<RHash, Error> {
        let hash = Hash::new(ruby)
            .set("holders", summary.holders)?
            .set("count", summary.count)?
            .set("memsize", summary.memsize)?;
        Ok(hash.hash)
    };
    let mut hash = Hash::new(ruby).set("name", outcome.finding.name())?;
    for (verdict, of_verdict) in Verdict::ALL.iter().zip(&outcome.by_verdict) {
        hash = hash.set(verdict.name(), summary(of_verdict)?)?;
    }
    let hash = hash
        .set("too_few", summary(&outcome.too_few)?)?
        .set("nothing_stayed", outcome.nothing_stayed)?
        .set("another_moment_settles", outcome.another_moment_settles)?;
    Ok(hash.hash)
}

fn dump_to_hash(ruby: &Ruby, dump: &DumpSummary) -> Result<RHash, Error> {
    let first = array(ruby, &dump.first_skipped, |ruby, skipped| {
        let hash = Hash::new(ruby)
            .set("line", skipped.line)?
            .set("byte", skipped.byte)?
            .set("reason", skipped.reason.name())?;
        Ok(hash.hash)
    })?;
    let skipped = Hash::new(ruby).set("count", dump.skipped)?.set("first", first)?;
    let recorded = dump
        .recorded
        .as_ref()
        .map(|recorded| recorded_to_hash(ruby, recorded))
        .transpose()?;
    let hash = Hash::new(ruby)
        .set(
            "path",
            dump.path
                .as_deref()
                .map(std::path::Path::to_string_lossy)
                .as_deref(),
        )?
        .set("bytes", dump.bytes)?
        .set("records", dump.records)?
        .set("memsize", dump.memsize)?
        .set("tracing_memsize", dump.tracing)?
        .set("own_memsize", dump.own)?
        .set("generation", dump.generation.map(Generation::get))?
        .set("traced", dump.traced)?
        .set("untraced", dump.untraced)?
        .set("free_slots", dump.free_slots)?
        .set("duplicates", dump.duplicates)?
        .set("skipped", skipped.hash)?
        .set("recorded", recorded)?;
    Ok(hash.hash)
}

fn group_to_hash(ruby: &Ruby, group: &Group, group_by: &[Key]) -> Result<RHash, Error> {
    let Values {
        kind,
        class,
        file,
        line,
        method,
        generation,
        gem,
        context,
    } = &group.values;
    let mut hash = Hash::new(ruby);
    for key in Key::ALL.into_iter().filter(|key| group_by.contains(key)) {
        hash = match key {
            Key::Type => hash.set("type", kind.as_deref())?,
            Key::Class => hash.set("class", class.as_deref())?,
            Key::File => hash.set("file", file.as_deref())?,
            Key::Line => hash.set("line", *line)?,
            Key::Method => hash.set("method", method.as_deref())?,
            Key::Generation => hash.set("generation", generation.map(Generation::get))?,
            Key::Context => hash.set("context", context.as_deref())?,
            Key::Gem => hash,
        };
    }
    if group_by.contains(&Key::Gem) || group_by.contains(&Key::File) {
        hash = hash.set("gem", gem.as_deref())?;
    }
    let addresses: Vec<String> = group.addresses.iter().map(|it| holders::hex(*it)).collect();
    let hash = hash
        .set("count", group.count)?
        .set("estimate", estimate_to_hash(ruby, group.estimate.as_ref())?)?
        .set("cache_count", group.caches.count)?
        .set("cache_memsize", group.caches.memsize)?
        .set("bytesize", group.bytesize)?
        .set("memsize", group.memsize)?
        .set(
            "generations",
            group
                .generations
                .map(|it| vec![it.lowest.get(), it.highest.get()]),
        )?
        .set("addresses", addresses)?
        .set("contexts", origin::contexts(ruby, &group.contexts)?)?
        .set("context_count", group.contexts.different)?
        .set("callers", array(ruby, &group.callers.shown, origin::caller)?)?
        .set("caller_totals", origin::caller_totals(ruby, &group.callers)?)?;
    Ok(hash.hash)
}

pub(crate) fn estimate_to_hash(ruby: &Ruby, estimate: Option<&Estimate>) -> Result<Option<RHash>, Error> {
    let Some(estimate) = estimate else {
        return Ok(None);
    };
    let hash = Hash::new(ruby)
        .set("sampled", estimate.sampled)?
        .set("lowest", estimate.lowest)?
        .set("highest", estimate.highest)?;
    Ok(Some(hash.hash))
}

fn evidence_to_hash(ruby: &Ruby, evidence: &Evidence) -> Result<RHash, Error> {
    let reasons: Vec<&str> = evidence.reasons.iter().map(|reason| reason.name()).collect();
    let survivors = Hash::new(ruby)
        .set("by_generation", evidence.by_generation)?
        .set("at_boundary", evidence.at_boundary)?
        .set("untraced", evidence.by_address)?;
    let withheld = Hash::new(ruby)
        .set("untraced_moved", evidence.untraced_moved)?
        .set("tracing_lost", evidence.tracing_lost)?
        .set("boundary", evidence.boundary)?;
    let compaction = Hash::new(ruby)
        .set("first_to_second", evidence.moved_first_to_second)?
        .set("second_to_third", evidence.moved_second_to_third)?
        .set("source", evidence.compaction_source.map(Provenance::name))?;
    let hash = Hash::new(ruby)
        .set("identity", evidence.identity.name())?
        .set("confidence", evidence.confidence.name())?
        .set("reasons", reasons)?
        .set("traced", evidence.traced)?
        .set("untraced", evidence.untraced)?
        .set("survivors", survivors.hash)?
        .set("withheld", withheld.hash)?
        .set("slots_reused", evidence.slots_reused)?
        .set("compaction", compaction.hash)?
        .set("same_process", evidence.same_process.name())?
        .set("skipped_lines", evidence.skipped_lines)?
        .set("one_in", evidence.one_in)?
        .set("sampled_by", evidence.sampled.map(|sampled| sampled.by.name()))?;
    Ok(hash.hash)
}
