//! The walk over all slots. Meanwhile no Ruby object may be made, and nothing may raise or panic through the VM's frames.
//! So addresses and numbers are appended to Rust's own vectors, and nothing is looked up.
#![allow(unsafe_code)]

use std::collections::HashSet;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

use foldhash::fast::RandomState;
use leak_hunter_core::code_path;
use leak_hunter_core::heap::{CodeLink, CodePath, Columns, FieldsOwner, Row, TracedObject};
use leak_hunter_core::ids::{Address, KindId, OptionalAddress, SiteId};
use rb_sys::VALUE;
use rb_sys::ruby_value_type as T;

use super::api::Api;
use super::flags::Flags;
use super::interned::{Interned, Kind, Site};
use super::sites::{Sites, TRACER};

const TYPE_MASK: u64 = 0x1f;
/// Where the flags of an IMEMO have its type.
const IMEMO_TYPE_SHIFT: u32 = 12;
const IMEMO_TYPE_MASK: u64 = 0xf;

/// How every object starts.
#[repr(C)]
pub(super) struct Basic {
    pub(super) flags: VALUE,
    pub(super) class: VALUE,
}

impl Basic {
    pub(super) fn kind(&self) -> u64 {
        self.flags as u64 & TYPE_MASK
    }

    /// What the slot has as its class; none of hidden objects.
    pub(super) fn class(&self) -> OptionalAddress {
        address_of(self.class).into()
    }
}

/// Where an object is.
#[inline]
pub(super) const fn address_of(object: VALUE) -> Address {
    Address::new(object as u64)
}

/// The object at an address.
#[inline]
pub(super) const fn object_at(address: Address) -> VALUE {
    address.get() as VALUE
}

/// Ruby's number of a type.
pub(super) const fn number(kind: T) -> u64 {
    kind as u32 as u64
}

/// Whether the slot has an object that the VM's functions accept. They abort the process on others.
#[inline]
pub(super) fn is_object(kind: u64) -> bool {
    const NOT: [u64; 4] = [
        number(T::RUBY_T_NONE),
        number(T::RUBY_T_ZOMBIE),
        number(T::RUBY_T_MOVED),
        number(T::RUBY_T_NODE),
    ];
    !NOT.contains(&kind)
}

/// Memory for the results, allocated and touched before the process is stopped.
pub(super) struct Buffers {
    rows: Vec<Row>,
    references: Vec<Address>,
    sites: Vec<TracedObject>,
    flags: Option<Flags>,
}

impl Buffers {
    /// `flags`: whether those are wanted.
    pub(super) fn for_objects(objects: usize, traced: bool, flags: bool) -> Self {
        let expected = objects + objects / 16 + 1024;
        let traced_object = TracedObject {
            address: Address::new(1),
            site: SiteId::new(0),
        };
        let mut buffers = Self {
            rows: vec![Row::default(); expected],
            // not zeros: those would leave the pages unmapped until the walk
            references: vec![Address::new(1); expected * 2],
            sites: vec![traced_object; if traced { expected } else { 0 }],
            flags: flags.then(|| Flags::for_objects(expected)),
        };
        for row in &mut buffers.rows {
            row.kind = KindId::new(1);
        }
        buffers.rows.clear();
        buffers.references.clear();
        buffers.sites.clear();
        buffers
    }
}

/// What a walk finds. The texts are read after it.
pub(super) struct Found {
    pub(super) columns: Columns,
    pub(super) kinds: Vec<Kind>,
    pub(super) sites: Vec<Site>,
    pub(super) classes: Vec<FoundClass>,
    pub(super) roots: Vec<FoundRoot>,
    /// Of all rows, where they were wanted.
    pub(super) flags: Option<Flags>,
}

/// A class or module.
#[derive(Clone, Copy)]
pub(super) struct FoundClass {
    pub(super) address: Address,
    pub(super) kind: KindId,
}

/// A category of roots.
pub(super) struct FoundRoot {
    /// Address of its name
    pub(super) category: u64,
    /// The objects it leads to
    pub(super) objects: Vec<Address>,
}

/// An object whose size does not fit into its row.
struct LargeObject {
    address: Address,
    memsize: u64,
}

/// Takes references.
struct Sink {
    references: Vec<Address>,
    /// Left out of the references, as in dumps: it has a column of its own.
    class: OptionalAddress,
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

/// What is read of code.
struct Code {
    /// Strings and Arrays that were looked at.
    seen: HashSet<VALUE, RandomState>,
    paths: Vec<CodePath>,
    links: Vec<CodeLink>,
}

impl Code {
    /// Notes down a String that is the path of code, and those in an Array of two, as code refers to its paths.
    ///
    /// # Safety
    /// An object, while the VM is paused.
    unsafe fn look_at(&mut self, object: VALUE) {
        // SAFETY: every object starts like that.
        let kind = unsafe { &*(object as *const Basic) }.kind();
        let is_string = kind == number(T::RUBY_T_STRING);
        if !(is_string || kind == number(T::RUBY_T_ARRAY)) || !self.seen.insert(object) {
            return;
        }
        if is_string {
            // SAFETY: a String, whose bytes nothing changes meanwhile.
            let text = unsafe {
                let length = rb_sys::RSTRING_LEN(object) as usize;
                match length {
                    0 => return,
                    _ => std::slice::from_raw_parts(rb_sys::RSTRING_PTR(object).cast::<u8>(), length),
                }
            };
            if let Some(path) = code_path::of_text(text) {
                self.paths.push(CodePath {
                    string: address_of(object),
                    path: String::from_utf8_lossy(path).into(),
                });
            }
            return;
        }
        // SAFETY: an Array; an element is an object, or no address of one.
        unsafe {
            if rb_sys::RARRAY_LEN(object) == 2 {
                for index in 0..2 {
                    let element = rb_sys::rb_ary_entry(object, index);
                    let is_string = !rb_sys::SPECIAL_CONST_P(element)
                        && (*(element as *const Basic)).kind() == number(T::RUBY_T_STRING);
                    if is_string {
                        self.look_at(element);
                    }
                }
            }
        }
    }
}

struct Walk<'a> {
    api: &'a Api,
    rows: Vec<Row>,
    large: Vec<LargeObject>,
    sink: Sink,
    kinds: Interned<Kind>,
    /// IMEMO `fields` and the objects whose variables they hold.
    fields_owners: Vec<FieldsOwner>,
    /// What an IMEMO is, by the number of its type, once one has been met.
    imemos: [Option<Imemo>; IMEMO_TYPE_MASK as usize + 1],
    code: Code,
    /// One object of each kind of DATA.
    data: Vec<VALUE>,
    classes: Vec<FoundClass>,
    roots: Vec<FoundRoot>,
    flags: Option<Flags>,
    panicked: bool,
}

/// Walks everything. With the GVL, other Ractors stopped, and garbage collection off. `ask_for_sites`: ask objspace about
/// each object, as where its table cannot be read. `None` when it panicked.
pub(super) fn run(api: &Api, buffers: Buffers, ask_for_sites: bool) -> Option<Found> {
    let mut walk = Walk {
        api,
        rows: buffers.rows,
        large: Vec::new(),
        sink: Sink {
            references: buffers.references,
            class: OptionalAddress::NONE,
        },
        kinds: Interned::new(),
        fields_owners: Vec::with_capacity(1 << 12),
        imemos: [None; IMEMO_TYPE_MASK as usize + 1],
        code: Code {
            seen: HashSet::with_capacity_and_hasher(1 << 14, RandomState::default()),
            paths: Vec::with_capacity(1 << 12),
            links: Vec::with_capacity(1 << 14),
        },
        data: Vec::with_capacity(1 << 10),
        classes: Vec::with_capacity(1 << 14),
        roots: Vec::new(),
        flags: buffers.flags,
        panicked: false,
    };
    let data: *mut c_void = std::ptr::from_mut(&mut walk).cast();
    // SAFETY: with the GVL, no collection in progress (it is disabled, which finishes one that was going on); the
    // callbacks neither raise nor make objects, and catch panics. `data` is theirs until the calls return.
    unsafe {
        (api.reachable_objects_from_root)(root, data);
        (api.each_objects)(page, data);
    }
    if walk.panicked {
        return None;
    }
    let mut sites = Sites::new(buffers.sites);
    // SAFETY: right after the walk, before other Ractors go on.
    unsafe { sites.read(api, walk.tracer(), &walk.rows, ask_for_sites) };
    let columns = Columns {
        rows: walk.rows,
        large: walk.large.iter().map(|it| (it.address, it.memsize)).collect(),
        references: walk.sink.references,
        sites: sites.by_object,
        fields_owners: walk.fields_owners,
        code_paths: walk.code.paths,
        code_links: walk.code.links,
    };
    Some(Found {
        columns,
        kinds: walk.kinds.all,
        sites: sites.interned.all,
        classes: walk.classes,
        roots: walk.roots,
        flags: walk.flags,
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

unsafe extern "C" fn page(start: *mut c_void, end: *mut c_void, stride: usize, data: *mut c_void) -> c_int {
    // SAFETY: as above.
    let walk = unsafe { &mut *data.cast::<Walk<'_>>() };
    let walked = catch_unwind(AssertUnwindSafe(|| {
        let mut slot = start as usize;
        if let Some(flags) = &mut walk.flags {
            flags.page(stride);
        }
        while slot < end as usize {
            // SAFETY: the VM says that slots are here.
            unsafe { walk.slot(slot as VALUE) };
            slot += stride;
        }
    }));
    if walked.is_err() {
        walk.panicked = true;
        return 1; // ends the walk
    }
    0
}

unsafe extern "C" fn reference(object: VALUE, data: *mut c_void) {
    // SAFETY: the `Sink` of `Walk::slot`, which nothing else uses meanwhile.
    let sink = unsafe { &mut *data.cast::<Sink>() };
    let object = address_of(object);
    if OptionalAddress::from(object) != sink.class {
        sink.references.push(object);
    }
}

impl Walk<'_> {
    /// What an IMEMO of the type with this number is. `fields` there are from Ruby 4.0 on.
    ///
    /// # Safety
    /// There must be an object of that type: newer Rubies abort when they are asked for the name of a number without one.
    unsafe fn imemo(&mut self, imemo_type: u64) -> Imemo {
        let api = self.api;
        *self.imemos[(imemo_type & IMEMO_TYPE_MASK) as usize].get_or_insert_with(|| {
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

    /// The object in which objspace keeps what it has traced.
    fn tracer(&self) -> Option<VALUE> {
        let is_tracer = |object: &&VALUE| {
            // SAFETY: DATA that was found, and the name of its struct, if it has one.
            unsafe {
                let name = (self.api.data_type_name)(**object);
                !name.is_null() && CStr::from_ptr(name).to_bytes() == TRACER
            }
        };
        self.data.iter().find(is_tracer).copied()
    }

    /// # Safety
    /// `object` must be a slot of the heap.
    #[inline]
    unsafe fn slot(&mut self, object: VALUE) {
        // SAFETY: every slot starts like that.
        let basic = unsafe { &*(object as *const Basic) };
        let kind = basic.kind();
        if !is_object(kind) {
            return;
        }
        let mut what = Kind {
            kind,
            class: basic.class(),
            label: 0,
        };
        self.sink.class = what.class;
        let mut imemo = Imemo::Other;
        if kind == number(T::RUBY_T_IMEMO) {
            what.label = basic.flags as u64 >> IMEMO_TYPE_SHIFT & IMEMO_TYPE_MASK;
            // SAFETY: the number of a type of which there is an object.
            imemo = unsafe { self.imemo(what.label) };
            let class = what.class.get();
            if imemo == Imemo::Fields {
                self.fields_owners.extend(class.map(|owner| FieldsOwner {
                    record: address_of(object),
                    owner,
                }));
            } else if cfg!(ruby_gte_3_2) {
                self.sink.class = OptionalAddress::NONE;
            }
            if imemo == Imemo::Linked {
                self.code.links.extend(class.map(|to| CodeLink {
                    from: address_of(object),
                    to,
                }));
            }
            // No class of an IMEMO is one: of `fields` it is the owner.
            what.class = OptionalAddress::NONE;
        } else if kind == number(T::RUBY_T_DATA) {
            // SAFETY: an object of that type.
            what.label = unsafe { (self.api.data_type_name)(object) } as u64;
        }
        let before = self.sink.references.len();
        let sink: *mut c_void = std::ptr::from_mut(&mut self.sink).cast();
        // SAFETY: an object of a type that the functions take.
        let memsize = unsafe {
            (self.api.reachable_objects_from)(object, reference, sink);
            (self.api.memsize_of)(object)
        };
        if imemo == Imemo::Iseq {
            for reference in &self.sink.references[before..] {
                // SAFETY: an object that the VM has just reported.
                unsafe { self.code.look_at(object_at(*reference)) };
            }
        }
        let address = address_of(object);
        let small = u32::try_from(memsize).unwrap_or(u32::MAX);
        if small == u32::MAX {
            self.large.push(LargeObject {
                address,
                memsize: memsize as u64,
            });
        }
        let interned = self.kinds.number(what);
        let what = KindId::new(interned.number);
        // SAFETY: an object of this kind.
        let length = unsafe { length(object, kind) };
        self.rows.push(Row {
            address,
            kind: what,
            memsize: small,
            references: (self.sink.references.len() - before) as u32,
            length: u32::try_from(length).unwrap_or(u32::MAX),
        });
        if let Some(flags) = &mut self.flags {
            // SAFETY: an object.
            unsafe { flags.look_at(self.api, object, basic) };
        }
        if interned.is_new && kind == number(T::RUBY_T_DATA) {
            self.data.push(object);
        }
        if kind == number(T::RUBY_T_CLASS)
            || kind == number(T::RUBY_T_MODULE)
            || kind == number(T::RUBY_T_ICLASS)
        {
            self.classes.push(FoundClass { address, kind: what });
        }
    }
}

/// Elements of an Array or Hash, where they are not few; bytes of a String.
///
/// # Safety
/// `object` must be one, of this kind.
#[inline]
unsafe fn length(object: VALUE, kind: u64) -> usize {
    if kind == number(T::RUBY_T_ARRAY) {
        // SAFETY: an Array.
        unsafe { rb_sys::RARRAY_LEN(object) as usize }
    } else if kind == number(T::RUBY_T_HASH) {
        // SAFETY: a Hash.
        unsafe { rb_sys::rb_hash_size_num(object) as usize }
    } else if kind == number(T::RUBY_T_STRING) {
        // SAFETY: a String.
        unsafe { rb_sys::RSTRING_LEN(object) as usize }
    } else {
        0
    }
}
