//! What tracing knows of objects: noted down as it is while the process stands still, and numbered when it goes on.

use leak_hunter_core::heap::TracedObject;
use leak_hunter_core::ids::{Address, SiteId};

use super::interned::{Birth, Interned, Site};
use super::mapped::Mapped;
use crate::trace::{self, Place};

/// Objects for each site and generation, in an application that was traced when it was loaded.
const OBJECTS_A_BIRTH: usize = 4;

/// Whose records the walk will find.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tracer {
    None,
    Own,
    Objspace,
}

impl Tracer {
    /// With the GVL. `traced`: whether there are any.
    pub(super) fn of(traced: bool) -> Self {
        match (traced, trace::knows_objects()) {
            (false, _) => Self::None,
            (true, true) => Self::Own,
            (true, false) => Self::Objspace,
        }
    }
}

/// What objspace has of an object.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub(super) address: Address,
    /// Of a C string.
    pub(super) path: u64,
    /// A Symbol.
    pub(super) method: u64,
    pub(super) line: i32,
    pub(super) generation: u32,
}

/// What LeakHunter's own tracer has of an object.
#[derive(Clone, Copy)]
struct Known {
    address: Address,
    /// The number of its place, and above it the generation.
    birth: u64,
}

impl Known {
    fn place(self) -> usize {
        self.birth as u32 as usize
    }
}

/// All there is. Some of the objects may be gone.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) records: Mapped<Record>,
    known: Mapped<Known>,
    /// By number.
    places: Vec<Option<Place>>,
}

/// The same with a number for each site and generation.
#[derive(Default)]
pub(super) struct Numbered {
    pub(super) sites: Vec<Site>,
    pub(super) by_object: Mapped<TracedObject>,
}

impl Notes {
    pub(super) fn for_objects(objects: usize, tracer: Tracer) -> Self {
        let room = |whose| if tracer == whose { objects } else { 0 };
        Self {
            records: Mapped::with_room_for(room(Tracer::Objspace)),
            known: Mapped::with_room_for(room(Tracer::Own)),
            places: Vec::with_capacity(if tracer == Tracer::Own { 1 << 16 } else { 0 }),
        }
    }

    /// Notes down what LeakHunter's own tracer knows. `new` is called with each place that is met, once.
    pub(super) fn read_known(&mut self, mut new: impl FnMut(&Place)) {
        trace::each_known(|address, birth, place| {
            let known = Known { address, birth };
            let number = known.place();
            if number >= self.places.len() {
                self.places.resize(number + 1, None);
            }
            if self.places[number].is_none() {
                let place = place();
                new(&place);
                self.places[number] = Some(place);
            }
            self.known.push(known);
        });
    }

    /// What LeakHunter's own tracer knows comes last, and the last one counts: before Ruby 3.4 objspace loses what was
    /// moved.
    pub(super) fn numbered(self) -> Numbered {
        let objects = self.records.len() + self.known.len();
        let room = objects / OBJECTS_A_BIRTH;
        let mut sites = Interned::<Site>::with_room_for(if self.records.is_empty() { 0 } else { room });
        let mut by_object = Mapped::with_room_for(objects);
        for record in self.records.iter() {
            let site = SiteId::new(sites.number(Site {
                path: record.path,
                line: i64::from(record.line) as u64,
                method: record.method,
                generation: u64::from(record.generation) + 1,
                context: 0,
                stack: 0,
                sampled_bytes: 0,
            }));
            let address = record.address;
            by_object.push(TracedObject { address, site });
        }
        let mut sites = sites.all;
        let first = sites.len();
        let mut births = Interned::<Birth>::with_room_for(if self.known.is_empty() { 0 } else { room });
        for known in self.known.iter() {
            let number = first + births.number(Birth(known.birth)) as usize;
            if number == sites.len() {
                sites.push(self.site(*known));
            }
            let address = known.address;
            let site = SiteId::new(number as u32);
            by_object.push(TracedObject { address, site });
        }
        Numbered { sites, by_object }
    }

    fn site(&self, known: Known) -> Site {
        let place = self.places.get(known.place()).copied().flatten();
        let place = place.unwrap_or_default();
        Site {
            path: place.path,
            line: place.line,
            method: place.method,
            generation: (known.birth >> 32) + 1,
            context: place.context,
            stack: place.stack,
            sampled_bytes: place.sampled_bytes,
        }
    }
}
