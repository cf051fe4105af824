//! The walk over all slots. Meanwhile no Ruby object may be made, and nothing may raise or panic through the VM's frames.
//! So addresses and numbers are appended to Rust's own vectors; what can wait is done when the process goes on.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use leak_hunter_core::heap::{CodeLink, FieldsOwner};
use leak_hunter_core::ids::{Address, OptionalAddress};
use rb_sys::VALUE;
use rb_sys::ruby_value_type as T;

use super::api::Api;
use super::code::Code;
use super::flags::Flags;
use super::iseqs::{self, Iseqs};
use super::labels::Labels;
use super::mapped::Mapped;
use super::notes::{Notes, Tracer};
use super::rows::{LargeObject, Slot, Slots};
use super::sink::Sink;
use super::sites::Sites;
use super::sizes::Sizes;
use super::slot::{Basic, IMEMO_TYPES, address_of, is_object, is_small_string, length, number, prefetch};
use super::texts::{self, FoundClass, Texts};

/// What the heap is walked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Tables of all objects and what they refer to.
    Heap,
    /// A file, which has flags of objects, too.
    File,
    /// Numbers of objects: what they refer to is left out.
    Count,
}

/// Memory for the results, allocated and touched before the process is stopped.
pub(super) struct Buffers {
    purpose: Purpose,
    slots: Mapped<Slot>,
    references: Vec<Address>,
    notes: Notes,
    code: Code,
    flags: Option<Flags>,
}

impl Buffers {
    pub(super) fn for_objects(objects: usize, tracer: Tracer, purpose: Purpose) -> Self {
        let expected = objects + objects / 16 + 1024;
        let references = if purpose == Purpose::Count {
            0
        } else {
            expected * 3
        };
        let mut buffers = Self {
            purpose,
            slots: Mapped::with_room_for(expected),
            // not zeros: those would leave the pages unmapped until the walk
            references: vec![Address::new(1); references],
            notes: Notes::for_objects(expected, tracer),
            code: Code::new(),
            flags: (purpose == Purpose::File).then(|| Flags::for_objects(expected)),
        };
        buffers.references.clear();
        buffers
    }
}

/// How the heap is walked.
#[derive(Clone, Copy)]
pub(super) struct How {
    /// Objspace is asked for the allocation site of each object, as where its table cannot be read.
    pub(super) ask_for_sites: bool,
    /// Compiled code is read in place, where that is known how.
    pub(super) code_in_place: bool,
}

/// What a walk finds.
pub(super) struct Found {
    pub(super) slots: Slots,
    pub(super) notes: Notes,
    pub(super) classes: Vec<FoundClass>,
    pub(super) roots: Vec<FoundRoot>,
    /// Which types of IMEMO there are.
    pub(super) imemo_types: Vec<u64>,
    pub(super) texts: Texts,
    /// Of all slots, where they were wanted.
    pub(super) flags: Option<Flags>,
    /// Names of structs of which objects have the size of their slots alone.
    pub(super) unmeasured: Vec<String>,
}

/// A category of roots.
pub(super) struct FoundRoot {
    /// Address of its name
    pub(super) category: u64,
    /// The objects it leads to
    pub(super) objects: Vec<Address>,
}

/// What an IMEMO is, as far as the walk distinguishes them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Imemo {
    /// Variables of another object, from Ruby 4.0 on.
    Fields,
    /// Compiled code.
    Iseq,
    /// An entry of methods or an inline cache: what it has in the place of a class says of which class it is.
    Linked,
    Other,
}

struct Walk<'a> {
    api: &'a Api,
    slots: Slots,
    sink: Sink,
    labels: Labels,
    sizes: Sizes,
    /// What an IMEMO is, by the number of its type, once one has been met.
    imemos: [Option<Imemo>; IMEMO_TYPES],
    iseqs: Iseqs,
    code: Code,
    texts: Texts,
    classes: Vec<FoundClass>,
    roots: Vec<FoundRoot>,
    flags: Option<Flags>,
    /// Whether it notes down what objects refer to.
    references: bool,
    panicked: bool,
}

/// Walks everything. With the GVL, other Ractors stopped, and garbage collection off. `None` when it panicked.
pub(super) fn run(api: &Api, buffers: Buffers, how: How) -> Option<Found> {
    let references = buffers.purpose != Purpose::Count;
    let mut walk = Walk {
        api,
        slots: Slots {
            all: buffers.slots,
            fields_owners: Vec::with_capacity(1 << 12),
            ..Slots::default()
        },
        sink: Sink {
            references: buffers.references,
            class: OptionalAddress::NONE,
        },
        labels: Labels::default(),
        sizes: Sizes::default(),
        imemos: [None; IMEMO_TYPES],
        // SAFETY: as below.
        iseqs: unsafe { Iseqs::new(api, how.code_in_place && references) },
        code: buffers.code,
        texts: Texts::default(),
        classes: Vec::with_capacity(1 << 14),
        roots: Vec::new(),
        flags: buffers.flags,
        references,
        panicked: false,
    };
    walk.all();
    if walk.iseqs.wrong {
        walk.clear();
        // SAFETY: as below.
        walk.iseqs = unsafe { Iseqs::new(api, false) };
        walk.all();
    }
    if walk.panicked {
        return None;
    }
    let mut sites = Sites {
        notes: buffers.notes,
        texts: &mut walk.texts,
    };
    // SAFETY: right after the walk, before other Ractors go on.
    unsafe { sites.read(api, walk.labels.tracer, &walk.slots.all, how.ask_for_sites) };
    let notes = sites.notes;
    // SAFETY: the same names.
    let unmeasured = unsafe { walk.sizes.given_up(&walk.labels.all) };
    let used = |(number, imemo): (usize, &Option<Imemo>)| imemo.map(|_| number as u64);
    Some(Found {
        slots: Slots {
            references: walk.sink.references,
            labels: walk.labels.all,
            code_paths: walk.code.paths,
            code_links: walk.code.links,
            ..walk.slots
        },
        notes,
        classes: walk.classes,
        roots: walk.roots,
        imemo_types: walk.imemos.iter().enumerate().filter_map(used).collect(),
        texts: walk.texts,
        flags: walk.flags,
        unmeasured,
    })
}

unsafe extern "C" fn root(category: *const c_char, object: VALUE, data: *mut c_void) {
    // SAFETY: the `Walk` of `run`, which nothing else uses meanwhile.
    let walk = unsafe { &mut *data.cast::<Walk<'_>>() };
    let category = category as u64;
    match walk.roots.last_mut() {
        Some(last) if last.category == category => last.objects.push(address_of(object)),
        _ => walk.roots.push(FoundRoot {
            category,
            objects: vec![address_of(object)],
        }),
    }
}

/// Slots that are begun to be fetched ahead.
const AHEAD: usize = 8;

unsafe extern "C" fn page(start: *mut c_void, end: *mut c_void, stride: usize, data: *mut c_void) -> c_int {
    // SAFETY: as above.
    let walk = unsafe { &mut *data.cast::<Walk<'_>>() };
    let walked = catch_unwind(AssertUnwindSafe(|| {
        let mut slot = start as usize;
        let end = end as usize;
        if let Some(flags) = &mut walk.flags {
            flags.page(stride);
        }
        while slot < end {
            let ahead = slot + AHEAD * stride;
            if ahead < end {
                // SAFETY: the VM says that slots are here.
                unsafe { fetch(ahead as VALUE, walk.references) };
            }
            let ahead = slot + AHEAD / 2 * stride;
            if ahead < end && walk.references {
                // SAFETY: the same.
                unsafe { walk.fetch_further(ahead as VALUE) };
            }
            // SAFETY: the same.
            unsafe { walk.slot(slot as VALUE, stride) };
            slot += stride;
        }
    }));
    if walked.is_err() {
        walk.panicked = true;
        return 1; // ends the walk
    }
    0
}

/// Begins to fetch what an object has outside of its slot, which the VM's functions will look at. The size of Arrays and
/// plain objects is known without it.
///
/// # Safety
/// `object` must be a slot of the heap.
#[inline]
unsafe fn fetch(object: VALUE, references: bool) {
    // SAFETY: every slot starts like that.
    let kind = unsafe { Basic::of(object) }.kind();
    let is_list = kind == number(T::RUBY_T_ARRAY) || kind == number(T::RUBY_T_OBJECT);
    if kind == number(T::RUBY_T_STRING) || is_list && !references {
        return;
    }
    if kind == number(T::RUBY_T_IMEMO) {
        // SAFETY: an IMEMO.
        unsafe { iseqs::fetch(object) };
        return;
    }
    // SAFETY: the smallest slots have five words.
    let words = unsafe { &*(object as *const [usize; 5]) };
    words[2..].iter().for_each(|word| prefetch(*word));
}

impl Walk<'_> {
    fn all(&mut self) {
        let data: *mut c_void = std::ptr::from_mut(self).cast();
        // SAFETY: with the GVL, no collection in progress (it is disabled, which finishes one that was going on); the
        // callbacks neither raise nor make objects, and catch panics. `data` is theirs until the calls return.
        unsafe {
            if self.references {
                (self.api.reachable_objects_from_root)(root, data);
            }
            (self.api.each_objects)(page, data);
        }
    }

    /// Begins to fetch what the code that an object is has.
    ///
    /// # Safety
    /// `object` must be a slot of the heap.
    #[inline]
    unsafe fn fetch_further(&self, object: VALUE) {
        // SAFETY: a slot of the heap; code.
        unsafe {
            let basic = Basic::of(object);
            if basic.kind() == number(T::RUBY_T_IMEMO)
                && self.imemos[basic.imemo_type() as usize] == Some(Imemo::Iseq)
            {
                iseqs::fetch_further(object);
            }
        }
    }

    /// Forgets what was found, to begin anew.
    fn clear(&mut self) {
        self.slots.all.clear();
        self.slots.large.clear();
        self.slots.fields_owners.clear();
        self.sink.references.clear();
        self.code.clear();
        self.texts = Texts::default();
        self.classes.clear();
        self.roots.clear();
        if let Some(flags) = &mut self.flags {
            flags.clear();
        }
    }

    /// What an IMEMO of the type with this number is. `fields` there are from Ruby 4.0 on.
    ///
    /// # Safety
    /// There must be an object of that type: newer Rubies abort when they are asked for the name of a number without one.
    #[inline]
    unsafe fn imemo(&mut self, imemo_type: u64) -> Imemo {
        let api = self.api;
        *self.imemos[imemo_type as usize % IMEMO_TYPES].get_or_insert_with(|| {
            // SAFETY: as promised by the caller; the name is a C string.
            let name = unsafe { CStr::from_ptr((api.imemo_name)(imemo_type as _)) };
            match name.to_bytes() {
                b"fields" => Imemo::Fields,
                b"iseq" => Imemo::Iseq,
                b"ment" | b"callcache" | b"constcache" => Imemo::Linked,
                _ => Imemo::Other,
            }
        })
    }

    /// # Safety
    /// `object` must be a slot of the heap, with `stride` bytes.
    #[inline]
    unsafe fn slot(&mut self, object: VALUE, stride: usize) {
        // SAFETY: a slot of the heap.
        let basic = unsafe { Basic::of(object) };
        let kind = basic.kind();
        if !is_object(kind) {
            return;
        }
        let address = address_of(object);
        let mut slot = Slot {
            address,
            class: basic.class(),
            kind: kind as u8,
            ..Slot::default()
        };
        self.sink.class = slot.class;
        let before = self.sink.references.len();
        // SAFETY: an object of a type that the functions take.
        let memsize = unsafe {
            if is_small_string(basic) {
                stride
            } else if kind == number(T::RUBY_T_IMEMO) {
                self.internal(object, basic, &mut slot);
                (self.api.memsize_of)(object)
            } else {
                if self.references {
                    self.sink.ask(self.api, object);
                }
                if kind == number(T::RUBY_T_DATA) {
                    slot.label = self.labels.of(self.api, object);
                    let name = self.labels.all[usize::from(slot.label)];
                    self.sizes.of(self.api, object, slot.label, name, stride)
                } else {
                    (self.api.memsize_of)(object)
                }
            }
        };
        slot.references = (self.sink.references.len() - before) as u32;
        slot.memsize = u32::try_from(memsize).unwrap_or(u32::MAX);
        if slot.memsize == u32::MAX {
            self.slots.large.push(LargeObject {
                address,
                memsize: memsize as u64,
            });
        }
        // SAFETY: an object of this kind.
        slot.length = u32::try_from(unsafe { length(object, kind) }).unwrap_or(u32::MAX);
        if kind == number(T::RUBY_T_CLASS)
            || kind == number(T::RUBY_T_MODULE)
            || kind == number(T::RUBY_T_ICLASS)
        {
            // SAFETY: a class or module.
            self.classes
                .push(unsafe { texts::class(&mut self.texts, object) });
        }
        self.slots.all.push(slot);
        if let Some(flags) = &mut self.flags {
            // SAFETY: an object.
            unsafe { flags.look_at(self.api, object, basic) };
        }
    }

    /// References of an object of the VM's own, and what it is.
    ///
    /// # Safety
    /// `object` must be an IMEMO.
    #[inline]
    unsafe fn internal(&mut self, object: VALUE, basic: &Basic, slot: &mut Slot) {
        let imemo_type = basic.imemo_type();
        // SAFETY: the number of a type of which there is an object.
        let imemo = unsafe { self.imemo(imemo_type) };
        let class = slot.class.get();
        slot.label = imemo_type as u16;
        // No class of an IMEMO is one: of `fields` it is the owner.
        slot.class = OptionalAddress::NONE;
        if !self.references {
            return;
        }
        if imemo == Imemo::Fields {
            let record = slot.address;
            let owner = class.map(|owner| FieldsOwner { record, owner });
            self.slots.fields_owners.extend(owner);
        } else if cfg!(ruby_gte_3_2) {
            self.sink.class = OptionalAddress::NONE;
        }
        if imemo == Imemo::Linked {
            let from = slot.address;
            self.code.links.extend(class.map(|to| CodeLink { from, to }));
        }
        if imemo != Imemo::Iseq {
            // SAFETY: an object that the function takes.
            unsafe { self.sink.ask(self.api, object) };
            return;
        }
        // SAFETY: a piece of code.
        unsafe {
            self.iseqs.read(self.api, object, &mut self.sink, &mut self.code);
        }
    }
}
