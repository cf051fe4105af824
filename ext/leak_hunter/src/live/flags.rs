//! What a record of a dump has of an object beside what the tables of a heap take: its flags, and a word by its type. It is
//! read only where the walk becomes a file, and understood when the process goes on.
#![allow(unsafe_code)]

use leak_hunter_core::dump::{CodeRange, Content, Detail, Text, Variables};
use leak_hunter_core::ids::Address;
use rb_sys::VALUE;
use rb_sys::ruby_value_type as T;

use super::api::Api;
use super::slot::{Basic, number};

const RUBY: &str = env!("LEAK_HUNTER_RUBY");

/// The first flag that each type uses as it likes.
const USER: u32 = 12;
const FROZEN: u64 = 1 << 11;
const NOEMBED: u64 = 1 << (USER + 1);
const EMBEDDED: u64 = 1 << (USER + 1);
/// Another object has the bytes of a String or the elements of an Array.
const SHARED: u64 = if cfg!(ruby_gte_3_4) {
    1 << USER
} else {
    1 << (USER + 2)
};
const FSTRING: u64 = 1 << (USER + 17);
/// Of a String from Ruby 3.4 on: a literal, or (from 4.0 on) a Symbol's, that warns when it is changed.
const CHILLED: u64 = 1 << (USER + 3) | 1 << (USER + 2);
const CODERANGE_SHIFT: u32 = USER + 8;
const ENCODING_SHIFT: u32 = USER + 10;
const ENCODING_MASK: u64 = 127;
/// Of a Hash: a Proc makes what is missing.
const DEFAULT_PROC: u64 = 1 << (USER + 2);
/// Where the flags have the shape, from Ruby 3.2 on; from Ruby 4.0 on they have more beside it.
const SHAPE_SHIFT: u32 = 32;
const SHAPE_OFFSET_MASK: u32 = (1 << 19) - 1;
/// Variables that an OBJECT of Ruby 3.1 has room for.
#[cfg(not(ruby_gte_3_2))]
const VARIABLES_IN_SLOT: u64 = 3;
const TOO_COMPLEX: u64 = 1 << 63;
/// The class of a call cache that is no longer used, from Ruby 3.2 on.
const UNDEFINED: u64 = 0x24;

/// Of all objects, in the order of the walk.
pub(super) struct Flags {
    objects: Vec<ObjectFlags>,
    pages: Vec<Page>,
    /// Which encodings Strings have.
    encodings: [bool; ENCODING_MASK as usize + 1],
}

#[derive(Clone, Copy)]
struct ObjectFlags {
    flags: u64,
    /// By type: capacity of a String that is its own, size and capacity of a dynamic Symbol's name, length of an Array,
    /// number of an OBJECT's variables, an open IO's descriptor, what an IMEMO has in the place of a class.
    word: u64,
}

/// Slots that are next to each other.
struct Page {
    /// The first object of it, by its place in the walk.
    first: usize,
    slot_size: u32,
}

/// How an IO's structure starts, from Ruby 3.1 to 4.0.
#[repr(C)]
struct Io {
    this: VALUE,
    stdio: *mut libc::FILE,
    descriptor: libc::c_int,
}

#[repr(C)]
struct File {
    basic: Basic,
    io: *const Io,
}

impl Flags {
    /// With memory for so many, which is touched now.
    pub(super) fn for_objects(objects: usize) -> Self {
        let mut flags = Self {
            objects: vec![ObjectFlags { flags: 1, word: 1 }; objects],
            pages: Vec::with_capacity(objects / 64 + 1024),
            encodings: [false; ENCODING_MASK as usize + 1],
        };
        flags.clear();
        flags
    }

    pub(super) fn clear(&mut self) {
        self.objects.clear();
        self.pages.clear();
    }

    /// The slots that follow are of this size.
    #[inline]
    pub(super) fn page(&mut self, slot_size: usize) {
        self.pages.push(Page {
            first: self.objects.len(),
            slot_size: slot_size as u32,
        });
    }

    /// # Safety
    /// `object` must be an object, which starts with `basic`, while the VM is paused.
    #[inline]
    pub(super) unsafe fn look_at(&mut self, api: &Api, object: VALUE, basic: &Basic) {
        let flags = basic.flags as u64;
        let kind = basic.kind();
        // SAFETY: an object of the type; none of these makes an object, raises, or calls a method.
        let word = unsafe {
            if kind == number(T::RUBY_T_STRING) {
                self.encodings[(flags >> ENCODING_SHIFT & ENCODING_MASK) as usize] = true;
                own_capacity(object, flags)
            } else if kind == number(T::RUBY_T_IMEMO) {
                basic.class as u64
            } else if kind == number(T::RUBY_T_ARRAY) {
                rb_sys::RARRAY_LEN(object) as u64
            } else if kind == number(T::RUBY_T_OBJECT) {
                variables(api, object, flags)
            } else if kind == number(T::RUBY_T_SYMBOL) {
                let name = rb_sys::rb_sym2str(object);
                let half = |size: usize| u64::from(u32::try_from(size).unwrap_or(u32::MAX));
                let capacity = own_capacity(name, (*(name as *const Basic)).flags as u64);
                half(capacity as usize) << 32 | half(rb_sys::RSTRING_LEN(name) as usize)
            } else if kind == number(T::RUBY_T_FILE) {
                let io = (*(object as *const File)).io.as_ref();
                io.map_or(0, |io| 1 << 32 | u64::from(io.descriptor as u32))
            } else {
                0
            }
        };
        self.objects.push(ObjectFlags { flags, word });
    }

    /// The encodings that Strings have, by number.
    pub(super) fn encodings(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.encodings.len()).filter(|number| self.encodings[*number])
    }

    /// What a record has of the object at this place in the walk. `imemo`: what an IMEMO is, by the number of its type.
    pub(super) fn detail(&self, place: usize, imemo: impl Fn(u64) -> ImemoClass) -> Detail {
        let Some(ObjectFlags { flags, word }) = self.objects.get(place).copied() else {
            return Detail::default();
        };
        let what = ObjectFlags { flags, word };
        let kind = flags & 0x1f;
        let imemo = (kind == number(T::RUBY_T_IMEMO)).then(|| imemo(flags >> USER & 0xf));
        let class = Some(word).filter(|word| *word != 0).map(Address::new);
        let has_shape =
            cfg!(ruby_gte_3_2) && (RUBY.starts_with("3.") || imemo.is_none_or(|it| it == ImemoClass::Owner));
        Detail {
            shape_id: has_shape.then(|| shape(flags)),
            slot_size: self.slot_size(place).filter(|_| cfg!(ruby_gte_3_2)),
            imemo_class: class.filter(|_| match imemo {
                Some(ImemoClass::Owner) => true,
                Some(_) => cfg!(not(ruby_gte_3_2)),
                None => false,
            }),
            frozen: flags & FROZEN != 0,
            content: match imemo {
                Some(ImemoClass::Receiver) if cfg!(ruby_gte_3_3) && word != 0 && word != UNDEFINED => {
                    Content::CallCache {
                        receiver_class: Address::new(word),
                    }
                }
                Some(_) => Content::None,
                None => content(kind, what),
            },
        }
    }

    fn slot_size(&self, place: usize) -> Option<u32> {
        let page = self.pages.partition_point(|page| page.first <= place);
        Some(self.pages.get(page.checked_sub(1)?)?.slot_size)
    }
}

/// What an IMEMO has in the place of a class, as far as records tell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ImemoClass {
    /// The object whose variables it has.
    Owner,
    /// A call cache: the class for which it is.
    Receiver,
    /// Ruby 3.1 writes it, whatever it is.
    Other,
}

/// Bytes that a String has room for, if it has its bytes outside of its slot and for itself; else 0.
///
/// # Safety
/// `string` must be one with these flags.
#[inline]
unsafe fn own_capacity(string: VALUE, flags: u64) -> u64 {
    if flags & NOEMBED == 0 || flags & SHARED != 0 {
        return 0;
    }
    // SAFETY: a String.
    unsafe { rb_sys::rb_str_capacity(string) as u64 }
}

/// # Safety
/// `object` must be an OBJECT with these flags.
#[cfg(not(ruby_gte_3_2))]
unsafe fn variables(_api: &Api, object: VALUE, flags: u64) -> u64 {
    if flags & EMBEDDED != 0 {
        return VARIABLES_IN_SLOT;
    }
    // SAFETY: an OBJECT that has its variables elsewhere.
    u64::from(unsafe { (*(object as *const rb_sys::RObject)).as_.heap.numiv })
}

/// # Safety
/// `object` must be an OBJECT.
#[cfg(ruby_gte_3_2)]
unsafe fn variables(api: &Api, object: VALUE, _flags: u64) -> u64 {
    // SAFETY: an object; both only read its shape.
    unsafe {
        let too_complex = api.is_too_complex.is_some_and(|ask| ask(object));
        rb_sys::rb_ivar_count(object) as u64 | if too_complex { TOO_COMPLEX } else { 0 }
    }
}

fn shape(flags: u64) -> u32 {
    let shape = (flags >> SHAPE_SHIFT) as u32;
    if RUBY.starts_with("3.") {
        shape
    } else {
        shape & SHAPE_OFFSET_MASK
    }
}

fn content(kind: u64, what: ObjectFlags) -> Content {
    let ObjectFlags { flags, word } = what;
    if kind == number(T::RUBY_T_STRING) {
        Content::String(text(what))
    } else if kind == number(T::RUBY_T_OBJECT) {
        Content::Object(Variables {
            embedded: cfg!(ruby_gte_3_3) && flags & EMBEDDED != 0,
            count: word & !TOO_COMPLEX,
            too_complex: word & TOO_COMPLEX != 0,
        })
    } else if kind == number(T::RUBY_T_ARRAY) {
        Content::Array {
            shared: word > 0 && flags & SHARED != 0,
            embedded: (cfg!(ruby_gte_3_2) || word > 0) && flags & EMBEDDED != 0,
        }
    } else if kind == number(T::RUBY_T_HASH) {
        Content::Hash {
            default_proc: flags & DEFAULT_PROC != 0,
        }
    } else if kind == number(T::RUBY_T_SYMBOL) {
        let (capacity, bytesize) = (word >> 32, word & u64::from(u32::MAX));
        Content::Symbol {
            bytesize,
            capacity: (capacity != 0).then_some(capacity),
        }
    } else if kind == number(T::RUBY_T_FILE) && word != 0 {
        Content::File {
            fd: word as u32 as i32,
        }
    } else {
        Content::None
    }
}

fn text(what: ObjectFlags) -> Text {
    let ObjectFlags { flags, word } = what;
    let encoding = (flags >> ENCODING_SHIFT & ENCODING_MASK) as u8;
    let coderange = flags >> CODERANGE_SHIFT & 3;
    Text {
        embedded: flags & NOEMBED == 0,
        fstring: flags & FSTRING != 0,
        chilled: cfg!(ruby_gte_3_4) && flags & CHILLED != 0,
        shared: flags & NOEMBED != 0 && flags & SHARED != 0,
        capacity: (word != 0).then_some(word),
        encoding: (encoding != 0).then_some(encoding),
        coderange: match coderange {
            3 if cfg!(not(ruby_gte_3_2)) => CodeRange::UnwrittenBroken,
            _ if cfg!(not(ruby_gte_3_2)) => CodeRange::Unwritten,
            0 => CodeRange::Unknown,
            1 => CodeRange::SevenBit,
            2 => CodeRange::Valid,
            _ => CodeRange::Broken,
        },
    }
}
