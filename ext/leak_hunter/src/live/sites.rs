//! What tracing has recorded, read from objspace's table in the order of the table. Asking objspace about each object
//! takes three times as long as the whole walk, because every answer is elsewhere in memory.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::mem::offset_of;

use leak_hunter_core::ids::Address;
use rb_sys::{VALUE, st_data_t, st_table};

use super::api::{AllocationInfo, Api};
use super::notes::{Notes, Record};
use super::rows::Slot;
use super::slot::{address_of, object_at, prefetch};
use super::texts::Texts;

/// The object in which objspace keeps its table, by the name of its struct.
pub(super) const TRACER: &[u8] = b"ObjectTracing/allocation_info_tracer";
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

/// Reads what tracing has recorded.
pub(super) struct Sites<'a> {
    pub(super) notes: Notes,
    pub(super) texts: &'a mut Texts,
}

impl Sites<'_> {
    /// # Safety
    /// With the GVL, right after the walk, other Ractors still stopped. `tracer`: the object of that name, if there is one.
    pub(super) unsafe fn read(&mut self, api: &Api, tracer: Option<VALUE>, slots: &[Slot], ask: bool) {
        // without it objspace has never traced
        if let (Some(lookup), Some(tracer)) = (api.allocation_info, tracer) {
            // SAFETY: what the caller promises.
            unsafe {
                if ask || !self.read_table(lookup, tracer) {
                    self.notes.records.clear();
                    self.ask(lookup, slots);
                }
                self.look_up();
            }
        }
        let texts = &mut *self.texts;
        self.notes.read_known(|place| {
            // SAFETY: what tracing has noted down is there as long as no object is made.
            unsafe {
                texts.add_c_string(place.path);
                texts.add_symbol(place.method);
            }
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
            // SAFETY: looks up a table.
            self.add(slot.address, unsafe { lookup(object_at(slot.address)) });
        }
    }

    /// Its record is looked at later: by then it has been fetched.
    #[inline]
    fn add(&mut self, address: Address, info: *const AllocationInfo) {
        if !info.is_null() {
            self.notes.records.push(Record {
                address,
                path: info as u64,
                method: 0,
                line: 0,
                generation: 0,
            });
        }
    }

    /// Puts what objspace's records say in the place of their addresses.
    ///
    /// # Safety
    /// The records must be there still: no collection since they were found.
    unsafe fn look_up(&mut self) {
        let mut paths = Recent::new();
        let mut methods = Recent::new();
        let records = &mut *self.notes.records;
        for number in 0..records.len() {
            if let Some(ahead) = records.get(number + AHEAD) {
                prefetch(ahead.path as usize + offset_of!(AllocationInfo, path));
                prefetch(ahead.path as usize + offset_of!(AllocationInfo, generation));
            }
            let record = &mut records[number];
            // SAFETY: objspace's own record; its texts are there as long as it is.
            unsafe {
                let info = &*(record.path as *const AllocationInfo);
                record.path = info.path as u64;
                record.method = info.method as u64;
                record.line = info.line as i32;
                record.generation = u32::try_from(info.generation).unwrap_or(u32::MAX);
                if paths.is_other(record.path) {
                    self.texts.add_c_string(record.path);
                }
                if methods.is_other(record.method) {
                    self.texts.add_symbol(record.method);
                }
            }
        }
    }
}

/// Records that are begun to be fetched ahead.
const AHEAD: usize = 16;

/// Texts that were met: the next one is mostly among them.
struct Recent(Box<[u64; 1024]>);

impl Recent {
    fn new() -> Self {
        Self(Box::new([0; 1024]))
    }

    /// Whether it may be one that was not met before.
    #[inline]
    fn is_other(&mut self, text: u64) -> bool {
        let place = text.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
        std::mem::replace(&mut self.0[place as usize], text) != text
    }
}

struct Reading<'a, 'b> {
    sites: &'a mut Sites<'b>,
    lookup: Lookup,
    unchecked: usize,
    wrong: bool,
}

unsafe extern "C" fn entry(object: st_data_t, info: st_data_t, data: st_data_t) -> c_int {
    const GO_ON: c_int = 0;
    const STOP: c_int = 1;

    // SAFETY: the `Reading` of `read_table`, which nothing else uses meanwhile.
    let reading = unsafe { &mut *(data as *mut Reading<'_, '_>) };
    let info = info as *const AllocationInfo;
    if reading.unchecked > 0 {
        reading.unchecked -= 1;
        // SAFETY: looks up a table.
        if unsafe { (reading.lookup)(object as VALUE) } != info {
            reading.wrong = true;
            return STOP;
        }
    }
    reading.sites.add(address_of(object as VALUE), info);
    GO_ON
}
