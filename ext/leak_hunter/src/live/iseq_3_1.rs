//! What compiled code of Ruby 3.1 refers to, read in place. That Ruby looks every instruction up to find the objects in
//! code, a microsecond for each piece: a third of the walk of an application. Newer ones have a bitmap of them.
//!
//! A word of code is an object exactly if it is an address in a page of the heap: other operands are small numbers, or
//! addresses of what malloc or the linker gave, which is never there. The structures are those of the last release of this
//! Ruby, whose series has ended. The first pieces of code of each walk, and some of the others, are read by the VM's
//! function, too; when both differ, the walk begins anew without this.
#![allow(unsafe_code)]

use rb_sys::VALUE;
use rb_sys::ruby_value_type as T;

use super::api::Api;
use super::pages::HeapPages;
use super::sink::Sink;
use super::slot::{Basic, number};

/// Pieces of code that are read by the VM's function, too: the first so many,
const CHECKED: u32 = 64;
/// and one of so many others.
const CHECKED_ONE_OF: u32 = 512;

const FLAG: u64 = 1 << 16;
const NOT_LOADED_YET: u64 = FLAG << 1;
const USE_COMPILE_DATA: u64 = FLAG << 2;
const MARKABLE: u64 = FLAG << 4;
/// Of a call cache: not to be marked.
const UNMARKABLE: u64 = FLAG;
/// Of an entry of methods.
const INVALIDATED: u64 = FLAG << 5;

#[repr(C)]
struct Iseq {
    flags: VALUE,
    wrapper: VALUE,
    body: *const Body,
    local_hooks: usize,
    trace_events: usize,
}

#[repr(C)]
struct Body {
    type_: u32,
    iseq_size: u32,
    iseq_encoded: *const VALUE,
    param: Param,
    location: Location,
    insns_info: [usize; 4],
    local_table: usize,
    catch_table: *const CatchTable,
    parent_iseq: VALUE,
    local_iseq: VALUE,
    is_entries: *const Inline,
    call_data: *const CallData,
    flip_count: usize,
    script_lines: VALUE,
    coverage: VALUE,
    pc2branchindex: VALUE,
    original_iseq: usize,
    local_table_size: u32,
    is_size: u32,
    ci_size: u32,
    stack_max: u32,
    catch_except: bool,
    builtin_inline: bool,
    outer_variables: usize,
    mandatory_only_iseq: VALUE,
}

#[repr(C)]
struct Param {
    flags: u32,
    size: u32,
    numbers: [i32; 6],
    opt_table: usize,
    keyword: *const Keyword,
}

/// Of the flags of parameters: there are keywords.
const HAS_KEYWORDS: u32 = 1 << 4;

#[repr(C)]
struct Keyword {
    num: i32,
    required_num: i32,
    bits_start: i32,
    rest_start: i32,
    table: usize,
    default_values: *const VALUE,
}

#[repr(C)]
struct Location {
    pathobj: VALUE,
    base_label: VALUE,
    label: VALUE,
    first_lineno: VALUE,
    node_id: i32,
    code_location: [i32; 4],
}

#[repr(C, packed(4))]
struct CatchTable {
    size: u32,
    entries: [CatchEntry; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct CatchEntry {
    type_: u32,
    iseq: VALUE,
    numbers: [u32; 4],
}

#[repr(C)]
struct CallData {
    info: VALUE,
    cache: VALUE,
}

#[repr(C)]
struct CallCache {
    flags: VALUE,
    class: VALUE,
    method: VALUE,
}

/// What an instruction keeps for the next time: of a constant, a variable, or of what is evaluated once.
#[repr(C)]
struct Inline {
    first: VALUE,
    second: VALUE,
}

/// Where the class is in what an instruction keeps for a variable.
const CLASS_OF_ENTRY: usize = 2;

/// Reads code in place.
pub(super) struct InPlace {
    pages: HeapPages,
    count: u32,
}

impl InPlace {
    /// # Safety
    /// With the GVL, and no collection in progress.
    pub(super) unsafe fn new(api: &Api) -> Self {
        Self {
            // SAFETY: as promised by the caller.
            pages: unsafe { HeapPages::read(api) },
            count: 0,
        }
    }

    /// Whether the next piece of code is to be compared with what the VM says.
    #[inline]
    pub(super) fn checks(&mut self) -> bool {
        self.count += 1;
        self.count <= CHECKED || self.count % CHECKED_ONE_OF == 0
    }

    /// `false`: the VM has to be asked; some references may have been added.
    ///
    /// # Safety
    /// `object` must be code, while the VM is paused.
    #[inline]
    pub(super) unsafe fn read(&self, object: VALUE, sink: &mut Sink) -> bool {
        // SAFETY: as promised by the caller.
        unsafe { references(object, &self.pages, |value| sink.add(value)) }
    }
}

/// Whether a piece of code can be read here: what is being compiled, not loaded yet, or watched has more to it.
///
/// # Safety
/// `iseq` must be one.
#[inline]
unsafe fn is_plain(iseq: &Iseq) -> bool {
    iseq.flags as u64 & (NOT_LOADED_YET | USE_COMPILE_DATA) == 0 && iseq.local_hooks == 0
}

/// Appends the objects that a piece of code refers to, in the order of the VM. `false`: it has to be asked.
///
/// # Safety
/// `object` must be code, while the VM is paused.
#[inline]
unsafe fn references(object: VALUE, pages: &HeapPages, mut found: impl FnMut(VALUE)) -> bool {
    // SAFETY: code of this Ruby has this structure; what its pointers lead to is there as long as it is.
    unsafe {
        let iseq = &*(object as *const Iseq);
        if !is_plain(iseq) {
            return false;
        }
        let mut add = |value: VALUE| {
            if pages.contains(value) {
                found(value);
            }
        };
        add(iseq.wrapper);
        let Some(body) = iseq.body.as_ref() else {
            return true;
        };
        if iseq.flags as u64 & MARKABLE != 0 && !code(body, pages, &mut add) {
            return false;
        }
        for value in [
            body.coverage,
            body.pc2branchindex,
            body.script_lines,
            body.location.label,
            body.location.base_label,
            body.location.pathobj,
            body.mandatory_only_iseq,
            body.parent_iseq,
        ] {
            add(value);
        }
        if !body.call_data.is_null() {
            for call in std::slice::from_raw_parts(body.call_data, body.ci_size as usize) {
                add(call.info);
                // the cache of a call that was never made is no object
                if pages.contains(call.cache) && is_valid(call.cache) {
                    add(call.cache);
                }
            }
        }
        if body.param.flags & HAS_KEYWORDS != 0 {
            if let Some(keyword) = body.param.keyword.as_ref() {
                let optional = usize::try_from(keyword.num - keyword.required_num).unwrap_or(0);
                (0..optional).for_each(|index| add(*keyword.default_values.add(index)));
            }
        }
        if let Some(table) = body.catch_table.as_ref() {
            let entries = (&raw const table.entries).cast::<CatchEntry>();
            (0..table.size as usize).for_each(|index| add(entries.add(index).read_unaligned().iseq));
        }
    }
    true
}

/// What instructions refer to.
///
/// # Safety
/// As of [`references`].
#[inline]
unsafe fn code(body: &Body, pages: &HeapPages, mut add: impl FnMut(VALUE)) -> bool {
    // SAFETY: as promised.
    unsafe {
        let inline = body.is_entries as usize;
        let inline_bytes = body.is_size as usize * size_of::<Inline>();
        for word in std::slice::from_raw_parts(body.iseq_encoded, body.iseq_size as usize) {
            if (*word as usize).wrapping_sub(inline) < inline_bytes {
                let Some(value) = kept(&*(*word as *const Inline), pages) else {
                    return false;
                };
                add(value);
            } else {
                add(*word);
            }
        }
    }
    true
}

/// The object that an instruction keeps; 0 for none. `None`: it is not known which word is the object.
///
/// # Safety
/// As of [`references`].
#[inline]
unsafe fn kept(inline: &Inline, pages: &HeapPages) -> Option<VALUE> {
    match inline.first {
        0 => Some(inline.second).filter(|value| !pages.contains(*value)),
        // evaluated once, and done
        1 => Some(inline.second),
        // of a constant
        first if pages.contains(first) => Some(first),
        // Of a variable: the structure is not in the heap, but the class in it is. Or of a thread that evaluates something
        // once: what is in the place of the class is a Thread.
        first => {
            // SAFETY: both structures are long enough.
            let class = unsafe { *(first as *const VALUE).add(CLASS_OF_ENTRY) };
            if !pages.contains(class) {
                return Some(0).filter(|_| class == 0);
            }
            // SAFETY: an object.
            let kind = unsafe { Basic::of(class) }.kind();
            let classes = [T::RUBY_T_CLASS, T::RUBY_T_MODULE, T::RUBY_T_ICLASS].map(number);
            classes.contains(&kind).then_some(class)
        }
    }
}

/// Whether the VM still uses a call's cache.
///
/// # Safety
/// It must be one.
#[inline]
unsafe fn is_valid(cache: VALUE) -> bool {
    // SAFETY: the structures of this Ruby.
    unsafe {
        let cache = &*(cache as *const CallCache);
        cache.flags as u64 & UNMARKABLE == 0
            && cache.class != 0
            && cache.method != 0
            && Basic::of(cache.method).flags as u64 & INVALIDATED == 0
    }
}
