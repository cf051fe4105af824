//! `LeakHunter::Native.scan`: paths in, Hash out. `LeakHunter::Scan` checks the arguments before.

use leak_hunter_scan::{Finding, Location, Note, Options, scan};
use magnus::{Error, Object, RArray, RHash, RModule, RString, Ruby, TryConvert, Value, function};

use crate::convert::{Hash, array, fetch, path_of, path_to_ruby};
use crate::run::run;

pub(crate) fn init(native: RModule) -> Result<(), Error> {
    native.define_singleton_method("scan", function!(call, 2))
}

fn call(ruby: &Ruby, paths: RArray, options: RHash) -> Result<RHash, Error> {
    let paths = paths
        .into_iter()
        .map(|path| Ok(path_of(RString::try_convert(path)?)))
        .collect::<Result<Vec<_>, Error>>()?;
    let callable = fetch::<Option<Value>>(ruby, options, "progress")?;
    let threads = fetch(ruby, options, "threads")?;
    let root = fetch::<Option<RString>>(ruby, options, "root")?.map(path_of);
    let options = Options { threads, root };
    let result = run(ruby, callable, threads.is_none(), move |progress| {
        scan(&paths, &options, progress)
    })?;
    let hash = Hash::new(ruby)
        .set("findings", array(ruby, &result.findings, finding_to_hash)?)?
        .set("suppressed", result.suppressed)?
        .set("files", result.files)?
        .set("lines", result.lines)?
        .set("notes", array(ruby, &result.notes, note_to_hash)?)?;
    Ok(hash.hash)
}

fn finding_to_hash(ruby: &Ruby, finding: &Finding) -> Result<RHash, Error> {
    let at = &finding.location;
    let hash = Hash::new(ruby)
        .set("rule", finding.rule.name())?
        .set("severity", finding.severity.name())?
        .set("reach", finding.reach.name())?
        .set("path", path_to_ruby(ruby, &at.path))?
        .set("line", at.line)?
        .set("column", at.column)?
        .set("message", finding.message.as_str())?
        .set("variable", finding.variable.as_deref())?
        .set("also", finding.also.clone())?
        .set("method", finding.method.as_deref())?
        .set("grows", array(ruby, &finding.grows, location_to_hash)?)?
        .set("emptied_by", finding.emptied_by.clone())?
        .set("fingerprint", finding.fingerprint.as_str())?;
    Ok(hash.hash)
}

fn location_to_hash(ruby: &Ruby, location: &Location) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("path", path_to_ruby(ruby, &location.path))?
        .set("line", location.line)?
        .set("column", location.column)?;
    Ok(hash.hash)
}

fn note_to_hash(ruby: &Ruby, note: &Note) -> Result<RHash, Error> {
    let hash = Hash::new(ruby)
        .set("reason", note.gap.name())?
        .set("path", path_to_ruby(ruby, &note.path))?
        .set("line", note.line)?;
    Ok(hash.hash)
}
