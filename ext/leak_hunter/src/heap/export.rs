//! A heap in the formats of other programs. `LeakHunter::Heap::Export` checks the arguments.

use std::fs::File;
use std::sync::Arc;

use leak_hunter_core::diff::{Key, compare};
use leak_hunter_core::export::{
    Limits, Neighbourhood, ObjectSet, Relation, Subject, View, dot, flame, folded, heapsnapshot, speedscope,
};
use leak_hunter_core::{Error, ErrorKind, Options, Progress, Result};
use magnus::{Module, Object, RArray, RClass, RHash, RModule, Ruby, TryConvert, Value, function, method};

use super::{Whole, Wrapped};
use crate::convert::file_of;
use crate::diff::input_of;
use crate::errors;
use crate::run::run;

/// What to write, and of what.
struct Wanted {
    format: String,
    title: String,
    view: View,
    limits: Limits,
    only: Option<Vec<u64>>,
    neighbourhood: Option<Neighbourhood>,
}

impl Wanted {
    fn of(ruby: &Ruby, format: String, options: RHash) -> std::result::Result<Self, magnus::Error> {
        fn fetch<T: TryConvert>(
            ruby: &Ruby,
            options: RHash,
            name: &str,
        ) -> std::result::Result<Option<T>, magnus::Error> {
            options.lookup(ruby.to_symbol(name))
        }
        let raise = |error: Error| errors::exception(ruby, &error);
        let default = Limits::default();
        let object: Option<u32> = fetch(ruby, options, "object")?;
        let relation: Option<String> = fetch(ruby, options, "relation")?;
        let relation: Relation = relation.as_deref().unwrap_or("any").parse().map_err(raise)?;
        let limit = fetch(ruby, options, "limit")?.unwrap_or(60);
        let view: Option<String> = fetch(ruby, options, "view")?;
        Ok(Self {
            format,
            title: fetch(ruby, options, "title")?.unwrap_or_default(),
            view: view.as_deref().unwrap_or("retained").parse().map_err(raise)?,
            limits: Limits {
                depth: fetch(ruby, options, "depth")?.unwrap_or(default.depth),
                frames: fetch(ruby, options, "frames")?.unwrap_or(default.frames),
                ..default
            },
            only: fetch(ruby, options, "only")?,
            neighbourhood: object.map(|object| Neighbourhood {
                object,
                relation,
                limit,
            }),
        })
    }

    fn write(&self, subject: &Subject<'_>, file: File, progress: &Progress) -> Result<()> {
        let Self { title, limits, .. } = self;
        match (self.format.as_str(), &self.neighbourhood) {
            ("folded", _) => folded(subject, self.view, limits, file, progress),
            ("speedscope", _) => speedscope(subject, title, limits, file, progress),
            ("flame", _) => flame(subject, title, limits, file, progress),
            ("heapsnapshot", _) => heapsnapshot(subject, file, progress),
            ("dot", Some(neighbourhood)) => dot(subject, neighbourhood, file, progress),
            (format, _) => {
                let message = format!("there is no export as {format} of this");
                Err(Error::new(ErrorKind::Options, message))
            }
        }
    }
}

fn set_of(whole: &Whole, addresses: &[u64]) -> ObjectSet {
    ObjectSet::of(addresses.iter().filter_map(|address| whole.heap.find(*address)))
}

impl Wrapped {
    fn export(
        ruby: &Ruby,
        this: &Self,
        format: String,
        descriptor: i32,
        options: RHash,
    ) -> std::result::Result<(), magnus::Error> {
        let wanted = Wanted::of(ruby, format, options)?;
        if let Some(neighbourhood) = &wanted.neighbourhood {
            this.check(ruby, neighbourhood.object)?;
        }
        let file = file_of(ruby, descriptor)?;
        let reach = this.reach(ruby)?;
        let dominators = this.dominators(ruby)?;
        let whole = Arc::clone(&this.whole);
        run(ruby, None, false, move |progress| {
            let counted = wanted.only.as_ref().map(|addresses| set_of(&whole, addresses));
            let graph = whole.graph(&reach);
            let subject = Subject {
                graph: &graph,
                dominators: &dominators,
                counted: counted.as_ref(),
            };
            wanted.write(&subject, file, progress)
        })
    }

    fn label(ruby: &Ruby, this: &Self, number: u32) -> std::result::Result<String, magnus::Error> {
        let number = this.check(ruby, number)?;
        let named = this.named(ruby)?;
        Ok(named.label(this.heap(), number))
    }
}

/// The addresses of all that leaked between three dumps or heaps.
fn survivors(
    ruby: &Ruby,
    first: Value,
    second: Value,
    third: Value,
    own_paths: Vec<String>,
    threads: Option<usize>,
    callable: Option<Value>,
) -> std::result::Result<RArray, magnus::Error> {
    let inputs = [
        input_of(ruby, first)?,
        input_of(ruby, second)?,
        input_of(ruby, third)?,
    ];
    let options = Options {
        group_by: vec![Key::Type],
        samples: usize::MAX,
        own_paths,
        threads,
        ..Options::default()
    };
    let report = run(ruby, callable, threads.is_none(), move |progress| {
        compare(&inputs, &options, progress)
    })?;
    let addresses = report.groups.iter().flat_map(|group| &group.addresses);
    Ok(ruby.ary_from_iter(addresses.copied()))
}

pub(super) fn init(native: RModule, class: RClass) -> std::result::Result<(), magnus::Error> {
    native.define_singleton_method("survivors", function!(survivors, 6))?;
    class.define_method("label_of", method!(Wrapped::label, 1))?;
    class.define_method("export", method!(Wrapped::export, 3))
}
