//! What tracing has recorded, read from objspace's table in the order of the table. Asking objspace about each object
//! takes three times as long as the whole walk, because every answer is elsewhere in memory.
#![allow(unsafe_code)]

use std::ffi::c_int;

use leak_hunter_core::heap::TracedObject;
use leak_hunter_core::ids::{Address, SiteId};
use rb_sys::{VALUE, st_data_t, st_table};

use super::api::{AllocationInfo, Api};
use super::interned::{Birth, Interned, Site};
use super::mapped::Mapped;
use super::rows::Slot;
use super::slot::{address_of, object_at};
use crate::trace::{self, Place};

/// The object in which objspace keeps its table, by the name of its struct.
pub(super) const TRACER: &[u8] = b"ObjectTracing/allocation_info_tracer";
/// Objects for each site and generation, in an application that was traced when it was loaded.
const OBJECTS_A_BIRTH: usize = 4;
/// Entries that are compared with what objspace itself answers.
const CHECKED: usize = 64;

/// The start of what is in that object.
#[repr(C)]
struct Tracer {
    running: c_int,
    keep_remains: c_int,
    newobj_trace: VALUE,
    rest: TracerRest,
}

#[repr(C)]
union TracerRest {
    /// Ruby 3.1 to 4.0.
    with_freeobj_trace: WithFreeobjTrace,
    /// Ruby 4.1, where the collector itself removes what has died.
    objects: *mut st_table,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct WithFreeobjTrace {
    freeobj_trace: VALUE,
    objects: *mut st_table,
}

impl Tracer {
    /// The table of all traced objects, on Rubies whose layout is known.
    fn objects(&self) -> Option<*mut st_table> {
        let plausible = (0..=1).contains(&self.keep_remains) && self.running >= 0;
        let objects = match env!("LEAK_HUNTER_RUBY") {
            // SAFETY: these versions have this field there.
            "3.1" | "3.2" | "3.3" | "3.4" | "4.0" => unsafe { self.rest.with_freeobj_trace.objects },
            // SAFETY: the same.
            "4.1" => unsafe { self.rest.objects },
            _ => return None,
        };
        (plausible && !objects.is_null() && objects.is_aligned()).then_some(objects)
    }
}

type Lookup = unsafe extern "C" fn(VALUE) -> *const AllocationInfo;

pub(super) struct Sites {
    pub(super) interned: Interned<Site>,
    /// Some of the objects may be gone.
    pub(super) by_object: Mapped<TracedObject>,
}

impl Sites {
    /// `objects`: how many the heap has.
    pub(super) fn new(by_object: Mapped<TracedObject>, objects: usize) -> Self {
        Self {
            interned: Interned::with_room_for(objects / OBJECTS_A_BIRTH),
            by_object,
        }
    }

    /// # Safety
    /// With the GVL, right after the walk, other Ractors still stopped. `tracer`: the object of that name, if there is one.
    pub(super) unsafe fn read(&mut self, api: &Api, tracer: Option<VALUE>, slots: &[Slot], ask: bool) {
        // without it objspace has never traced
        if let (Some(lookup), Some(tracer)) = (api.allocation_info, tracer) {
            // SAFETY: what the caller promises.
            unsafe {
                if ask || !self.read_table(lookup, tracer) {
                    self.by_object.clear();
                    self.ask(lookup, slots);
                }
            }
        }
        // The last one counts: before Ruby 3.4 objspace loses what was moved.
        self.read_own(slots.len() / OBJECTS_A_BIRTH);
    }

    /// What LeakHunter's own tracer knows.
    fn read_own(&mut self, expected: usize) {
        let mut births = Interned::<Birth>::with_room_for(expected);
        let mut numbers: Vec<SiteId> = Vec::with_capacity(expected);
        trace::each_known(|address, birth, place| {
            let number = births.number(Birth(birth));
            if number as usize == numbers.len() {
                let Place {
                    path,
                    line,
                    method,
                    context,
                    stack,
                } = place();
                let site = self.interned.append(Site {
                    path,
                    line,
                    method,
                    generation: (birth >> 32) + 1,
                    context,
                    stack,
                });
                numbers.push(SiteId::new(site));
            }
            let site = numbers[number as usize];
            self.by_object.push(TracedObject { address, site });
        });
    }

    /// `false` when the layout is not known, or the table is not what is expected.
    unsafe fn read_table(&mut self, lookup: Lookup, tracer: VALUE) -> bool {
        // SAFETY: DATA of that name has this struct.
        let tracer = unsafe {
            rb_sys::macros::RTYPEDDATA_GET_DATA(tracer)
                .cast::<Tracer>()
                .as_ref()
        };
        let Some(objects) = tracer.and_then(Tracer::objects) else {
            return false;
        };
        let mut reading = Reading {
            sites: self,
            lookup,
            unchecked: CHECKED,
            wrong: false,
        };
        let data = std::ptr::from_mut(&mut reading) as st_data_t;
        // SAFETY: the table, which nothing changes meanwhile. `entry` gets the `Reading` above.
        unsafe { rb_sys::rb_st_foreach(objects, Some(entry), data) };
        !reading.wrong
    }

    unsafe fn ask(&mut self, lookup: Lookup, slots: &[Slot]) {
        for slot in slots {
            // SAFETY: looks up a table; what it finds stays while collections are off.
            if let Some(info) = unsafe { lookup(object_at(slot.address)).as_ref() } {
                self.add(slot.address, info);
            }
        }
    }

    #[inline]
    fn add(&mut self, address: Address, info: &AllocationInfo) {
        let site = self.interned.number(Site {
            path: info.path as u64,
            line: info.line as u64,
            method: info.method as u64,
            generation: info.generation as u64 + 1,
            context: 0,
            stack: 0,
        });
        let site = SiteId::new(site);
        self.by_object.push(TracedObject { address, site });
    }
}

struct Reading<'a> {
    sites: &'a mut Sites,
    lookup: Lookup,
    unchecked: usize,
    wrong: bool,
}

unsafe extern "C" fn entry(object: st_data_t, info: st_data_t, data: st_data_t) -> c_int {
    const GO_ON: c_int = 0;
    const STOP: c_int = 1;

    // SAFETY: the `Reading` of `read_table`, which nothing else uses meanwhile.
    let reading = unsafe { &mut *(data as *mut Reading<'_>) };
    let info = info as *const AllocationInfo;
    if reading.unchecked > 0 {
        reading.unchecked -= 1;
        // SAFETY: looks up a table.
        if unsafe { (reading.lookup)(object as VALUE) } != info {
            reading.wrong = true;
            return STOP;
        }
    }
    // SAFETY: objspace's own entry.
    if let Some(info) = unsafe { info.as_ref() } {
        reading.sites.add(address_of(object as VALUE), info);
    }
    GO_ON
}
