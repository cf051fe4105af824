//! Reading what is known: by the walk over the heap, for one object, or as a copy for other threads.
#![allow(unsafe_code)]

use std::collections::HashMap;

use foldhash::fast::RandomState;
use leak_hunter_core::dump::rewrite::{Birth, Births, PlaceText};
use leak_hunter_core::ids::{Address, Generation, PlaceId, StackId};
use parking_lot::Mutex;
use rb_sys::VALUE;

use super::pages::Pages;
use super::places::{Copied, Place as Stored};
use super::reader::Reader;
use super::remembered::Remembered;
use super::state::state;
use crate::context;

/// A place, with addresses for texts, as objspace's records have them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    /// Of a C string; 0 where there is none.
    pub(crate) path: u64,
    /// 0 where there is none; 2⁶⁴ − n for n lines before the first.
    pub(crate) line: u64,
    /// A Symbol, or something false.
    pub(crate) method: u64,
    /// Of [`crate::context`]; 0 for none.
    pub(crate) context: u32,
    /// 0 for none.
    pub(crate) stack: u32,
    /// The bytes of the slot, where allocations are sampled by these; else 0.
    pub(crate) sampled_bytes: u32,
}

/// A line as ObjectSpace writes it.
fn line_of(place: Stored) -> u64 {
    i64::from(place.line) as u64
}

/// Whether there are any, with the GVL.
pub(crate) fn knows_objects() -> bool {
    state().is_some_and(|state| state.pages.len() > 0)
}

/// Calls it with each known object, by address; with the number of its place and, above it, its generation; and with what
/// tells the place. The addresses of texts are good until an object is made.
pub(crate) fn each_known(mut see: impl FnMut(Address, u64, &dyn Fn() -> Place)) {
    let Some(mut state) = state() else { return };
    state.check();
    let texts = state.places.texts();
    for known in state.sorted() {
        let tell = || {
            let place = texts.place(known.entry.place());
            Place {
                path: texts.path(place).map_or(0, |path| path.as_ptr() as u64),
                line: line_of(place),
                method: place.method,
                context: u32::from(place.context),
                stack: place.stack,
                sampled_bytes: u32::from(place.slot),
            }
        };
        see(Address::new(known.address), known.entry.bits(), &tell);
    }
}

/// Where and when one object was allocated.
pub(super) struct Allocation {
    pub(super) path: Option<Vec<u8>>,
    pub(super) line: u64,
    pub(super) method: u64,
    pub(super) generation: u32,
    pub(super) context: Option<&'static str>,
}

pub(super) fn allocation(address: u64) -> Option<Allocation> {
    let mut state = state()?;
    state.check();
    let entry = state.get(address)?;
    let texts = state.places.texts();
    let place = texts.place(entry.place());
    Some(Allocation {
        path: texts.path(place).map(|path| path.to_bytes().to_vec()),
        line: line_of(place),
        method: place.method,
        generation: entry.generation(),
        context: context::name(u32::from(place.context)),
    })
}

/// All that is known at one moment: a copy, for threads without the GVL.
pub(crate) struct KnownBirths {
    pages: Pages,
    remembered: Option<Remembered>,
    copied: Copied,
    /// The names of methods, by their Symbols.
    methods: HashMap<u64, Vec<u8>, RandomState>,
    /// Stacks are told of by their numbers.
    _reader: Reader,
}

/// What was known at the moment of the dump that is being taken. Nobody ever waits for it: with the GVL it is free.
static NOTED: Mutex<Option<KnownBirths>> = Mutex::new(None);

/// Copies what is known, for [`noted`]: 8 bytes for each slot. To be called in the pause of a dump, with the GVL; makes no
/// Ruby object. Nothing when the tracer is off.
pub(crate) fn note() {
    let known = state().filter(|state| state.on).map(|mut state| {
        state.check();
        KnownBirths {
            pages: state.pages.clone(),
            remembered: state.remembered().cloned(),
            copied: state.places.texts().copied(),
            methods: HashMap::default(),
            _reader: Reader::new(),
        }
    });
    if let Some(mut noted) = NOTED.try_lock() {
        *noted = known;
    }
}

/// What [`note`] has copied, with the names of methods, once. With the GVL.
pub(crate) fn noted() -> Option<KnownBirths> {
    let mut known = NOTED.try_lock()?.take()?;
    known.name_methods();
    Some(known)
}

impl KnownBirths {
    /// The Symbols of methods live for ever.
    fn name_methods(&mut self) {
        for symbol in self.copied.methods() {
            // SAFETY: a Symbol, or something false.
            let name = || unsafe { name_of(symbol) }.unwrap_or_default();
            self.methods.entry(symbol).or_insert_with(name);
        }
    }

    /// No method has an empty name.
    fn method(&self, place: Stored) -> Option<&[u8]> {
        let name = self.methods.get(&place.method)?;
        (!name.is_empty()).then_some(name)
    }
}

impl Births for KnownBirths {
    fn birth(&self, address: Address) -> Option<Birth> {
        let address = address.get();
        let remembered = || self.remembered.as_ref()?.get(address);
        let entry = self.pages.get(address).or_else(remembered)?;
        Some(Birth {
            place: PlaceId::new(entry.place()),
            generation: Generation::new(u64::from(entry.generation())),
        })
    }

    fn place(&self, place: PlaceId) -> PlaceText<'_> {
        let texts = self.copied.texts();
        let place = texts.place(place.get());
        PlaceText {
            path: texts.path(place).map(|path| path.to_bytes()),
            line: (place.line != 0).then(|| line_of(place)),
            method: self.method(place),
            context: context::name(u32::from(place.context)).map(str::as_bytes),
            stack: (place.stack != 0).then(|| StackId::new(place.stack)),
            sampled_bytes: (place.slot != 0).then_some(u32::from(place.slot)),
        }
    }
}

/// The name of a method.
///
/// # Safety
/// With the GVL. A Symbol, or something false.
unsafe fn name_of(symbol: u64) -> Option<Vec<u8>> {
    if !rb_sys::TEST(symbol as VALUE) {
        return None;
    }
    // SAFETY: a Symbol; its String is there already, and nothing changes its bytes.
    unsafe {
        let name = rb_sys::rb_sym2str(symbol as VALUE);
        rb_sys::TEST(name).then(|| {
            let length = rb_sys::RSTRING_LEN(name) as usize;
            std::slice::from_raw_parts(rb_sys::RSTRING_PTR(name).cast::<u8>(), length).to_vec()
        })
    }
}
