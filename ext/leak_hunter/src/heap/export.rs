//! A heap in the formats of other programs. `LeakHunter::Heap::Export` checks the arguments.

use std::sync::Arc;

use leak_hunter_core::diff::survivor_addresses;
use leak_hunter_core::export::{Export, FlameParts, Format, Limits, Neighbourhood, Relation, View};
use leak_hunter_core::ids::{Address, ObjectId};
use magnus::{
    Error, Module, Object, RArray, RClass, RHash, RModule, Ruby, TryConvert, Value, function, method,
};

use super::NativeHeap;
use crate::convert::{Hash, file_of};
use crate::diff::inputs_of;
use crate::errors;
use crate::run::run;

fn export_of(ruby: &Ruby, format: &str, options: RHash) -> Result<Export, Error> {
    fn fetch<T: TryConvert>(ruby: &Ruby, options: RHash, name: &str) -> Result<Option<T>, Error> {
        options.lookup(ruby.to_symbol(name))
    }
    let raise = |error: leak_hunter_core::Error| errors::exception(ruby, &error);
    let default = Limits::default();
    let object: Option<u32> = fetch(ruby, options, "object")?;
    let relation: Option<String> = fetch(ruby, options, "relation")?;
    let relation: Relation = relation.as_deref().unwrap_or("any").parse().map_err(raise)?;
    let limit = fetch(ruby, options, "limit")?.unwrap_or(60);
    let view: Option<String> = fetch(ruby, options, "view")?;
    let only: Option<Vec<u64>> = fetch(ruby, options, "only")?;
    Ok(Export {
        format: format.parse().map_err(raise)?,
        title: fetch(ruby, options, "title")?.unwrap_or_default(),
        view: view.as_deref().unwrap_or("retained").parse().map_err(raise)?,
        limits: Limits {
            depth: fetch(ruby, options, "depth")?.unwrap_or(default.depth),
            frames: fetch(ruby, options, "frames")?.unwrap_or(default.frames),
            ..default
        },
        only: only.map(|only| only.into_iter().map(Address::new).collect()),
        neighbourhood: object.map(|object| Neighbourhood {
            object: ObjectId::new(object),
            relation,
            limit,
        }),
    })
}

/// What is decided about formats in the core: by name, which options each takes, whether it shows one object, and
/// whether people can read it.
fn formats(ruby: &Ruby) -> Result<RHash, Error> {
    let formats = ruby.hash_new();
    for format in Format::ALL {
        let options = format.options().iter().map(|name| ruby.to_symbol(*name));
        let facts = Hash::new(ruby)
            .set("options", ruby.ary_from_iter(options))?
            .set("needs_object", format.needs_object())?
            .set("readable", format.is_readable())?;
        formats.aset(format.name(), facts.hash)?;
    }
    Ok(formats)
}

/// What a page draws a flame graph with.
fn flame_parts(ruby: &Ruby) -> Result<RHash, Error> {
    let parts = FlameParts::NEW;
    let hash = Hash::new(ruby)
        .set("graph", parts.graph)?
        .set("style", parts.style)?
        .set("style_hash", parts.style_hash)?
        .set("script", parts.script)?
        .set("script_hash", parts.script_hash)?;
    Ok(hash.hash)
}

/// Names of views.
fn views(ruby: &Ruby) -> RArray {
    ruby.ary_from_iter(View::ALL.map(View::name))
}

/// Names of relations.
fn relations(ruby: &Ruby) -> RArray {
    ruby.ary_from_iter(Relation::ALL.map(Relation::name))
}

impl NativeHeap {
    fn export(
        ruby: &Ruby,
        this: &Self,
        format: String,
        descriptor: i32,
        options: RHash,
    ) -> Result<(), Error> {
        let export = export_of(ruby, &format, options)?;
        if let Some(neighbourhood) = &export.neighbourhood {
            this.check(ruby, neighbourhood.object.get())?;
        }
        let file = file_of(ruby, descriptor)?;
        let analyses = Arc::clone(&this.analyses);
        run(ruby, None, false, move |progress| {
            export.write(&analyses, file, progress)
        })?;
        this.report();
        Ok(())
    }

    fn label(ruby: &Ruby, this: &Self, number: u32) -> Result<String, Error> {
        let number = this.check(ruby, number)?;
        let named = this.analyse(ruby, leak_hunter_core::graph::Analyses::named)?;
        Ok(named.label(this.heap(), number))
    }
}

/// The addresses of all that leaked between moments.
fn survivors(
    ruby: &Ruby,
    moments: RArray,
    own_paths: Vec<String>,
    threads: Option<usize>,
    callable: Option<Value>,
) -> Result<RArray, Error> {
    let inputs = inputs_of(ruby, moments)?;
    let addresses = run(ruby, callable, threads.is_none(), move |progress| {
        survivor_addresses(&inputs, own_paths, threads, progress)
    })?;
    Ok(ruby.ary_from_iter(addresses.into_iter().map(Address::get)))
}

pub(super) fn init(native: RModule, class: RClass) -> Result<(), Error> {
    native.define_singleton_method("survivors", function!(survivors, 4))?;
    native.define_singleton_method("export_formats", function!(formats, 0))?;
    native.define_singleton_method("flame_parts", function!(flame_parts, 0))?;
    native.define_singleton_method("export_views", function!(views, 0))?;
    native.define_singleton_method("export_relations", function!(relations, 0))?;
    class.define_method("label_of", method!(NativeHeap::label, 1))?;
    class.define_method("export", method!(NativeHeap::export, 3))
}
