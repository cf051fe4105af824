//! `LeakHunter::Native.mark`: what is alive, counted. The walk notes down no references; it is added up when the process
//! goes on.

use leak_hunter_core::Progress;
use leak_hunter_core::diff::{Mark, MarkedHeap, Objects};
use leak_hunter_core::dump::DumpHeader;
use leak_hunter_core::heap::Dictionary;
use magnus::{Error, Object, RHash, RModule, Ruby, function};

use super::interned::Interned;
use super::rows::row;
use super::texts::{Described, ImemoNames};
use super::walk::{Found, Purpose};
use super::{Moment, Walk, moment};
use crate::mark::NativeMark;
use crate::run::run;

pub(super) fn init(native: RModule) -> Result<(), Error> {
    native.define_singleton_method("mark", function!(mark, 1))
}

fn mark(ruby: &Ruby, facts: RHash) -> Result<NativeMark, Error> {
    let Moment {
        walk,
        recorded,
        collecting,
        ..
    } = moment(ruby, facts, Purpose::Count)?;
    let Walk {
        found, imemos, pause, ..
    } = walk;
    let mark = run(ruby, None, true, move |progress| {
        count(found, imemos, recorded, progress)
    })?;
    Ok(NativeMark::new(mark, pause, collecting))
}

fn count(
    found: Found,
    imemos: ImemoNames,
    recorded: DumpHeader,
    progress: &Progress,
) -> leak_hunter_core::Result<Mark> {
    let mut numbers = Interned::new();
    for slot in found.slots.all.iter() {
        row(slot, &mut numbers);
    }
    let described = Described::without_rows(found, imemos, numbers.all.clone());
    let [kinds, sites, classes] = described.fields();
    let dictionary = Dictionary {
        kinds: &kinds,
        sites: &sites,
        classes: &classes,
    };
    let slots = &described.found.slots;
    let large = slots.large();
    let objects = Objects {
        sites: &described.traced,
        large: &large,
        dictionary,
    };
    // once more: in less time than it takes to keep the rows
    let rows = slots.all.iter().map(|slot| row(slot, &mut numbers));
    let heap = MarkedHeap::count(rows, &objects, &recorded, progress)?;
    Ok(Mark {
        recorded,
        heap: Some(heap),
    })
}
