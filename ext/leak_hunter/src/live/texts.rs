//! The texts of what a walk has found. They are copied right after it, each once, before anything can be collected.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::{CStr, c_char};
use std::ops::Range;

use foldhash::fast::RandomState;
use leak_hunter_core::dump::{Fields, Type};
use leak_hunter_core::heap::{Columns, TracedObject};
use leak_hunter_core::ids::{Address, Generation, OptionalAddress, StackId};
use rb_sys::VALUE;
use rb_sys::ruby_value_type as T;

use super::api::Api;
use super::interned::{Kind, Site};
use super::mapped::Mapped;
use super::notes::Numbered;
use super::rows::Rows;
use super::slot::{Basic, address_of, number};
use super::walk::Found;
use crate::context;

/// All texts, one after the other, and their positions.
#[derive(Default)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    places: HashMap<u64, Range<usize>, RandomState>,
}

impl Texts {
    fn add(&mut self, text: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        start..self.bytes.len()
    }

    /// # Safety
    /// The address of a C string, or 0.
    pub(super) unsafe fn add_c_string(&mut self, address: u64) {
        if address == 0 || self.places.contains_key(&address) {
            return;
        }
        // SAFETY: as promised.
        let text = unsafe { CStr::from_ptr(address as *const c_char) };
        let place = self.add(text.to_bytes());
        self.places.insert(address, place);
    }

    /// # Safety
    /// A Symbol, or something false.
    pub(super) unsafe fn add_symbol(&mut self, symbol: u64) {
        if self.places.contains_key(&symbol) || !rb_sys::TEST(symbol as VALUE) {
            return;
        }
        // SAFETY: a Symbol; its String is there already.
        let name = unsafe { rb_sys::rb_sym2str(symbol as VALUE) };
        // SAFETY: a String or something false.
        if let Some(place) = unsafe { self.add_string(name) } {
            self.places.insert(symbol, place);
        }
    }

    /// # Safety
    /// A String, or something false.
    unsafe fn add_string(&mut self, string: VALUE) -> Option<Range<usize>> {
        if !rb_sys::TEST(string) {
            return None;
        }
        // SAFETY: the bytes of a String, which nothing changes before they are copied.
        let text = unsafe {
            let length = rb_sys::RSTRING_LEN(string) as usize;
            std::slice::from_raw_parts(rb_sys::RSTRING_PTR(string).cast::<u8>(), length)
        };
        Some(self.add(text))
    }

    fn at(&self, place: &Range<usize>) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.bytes.get(place.clone()).unwrap_or_default())
    }

    fn of(&self, address: u64) -> Option<Cow<'_, [u8]>> {
        self.places.get(&address).map(|place| self.at(place))
    }
}

/// A class or module.
pub(super) struct FoundClass {
    address: Address,
    kind: Kind,
    superclass: OptionalAddress,
    singleton: bool,
    name: Option<Range<usize>>,
}

/// Names of the types of IMEMO, by their numbers.
pub(super) type ImemoNames = HashMap<u64, Range<usize>, RandomState>;

/// The texts that are left to read right after the walk: with the GVL, other Ractors still stopped, and garbage collection
/// off.
pub(super) fn read(api: &Api, found: &mut Found) -> ImemoNames {
    let texts = &mut found.texts;
    for label in &found.slots.labels {
        // SAFETY: the name of a struct, or 0.
        unsafe { texts.add_c_string(*label) };
    }
    for root in &found.roots {
        // SAFETY: the VM's own C string.
        unsafe { texts.add_c_string(root.category) };
    }
    let name = |number: &u64| {
        // Newer Rubies abort when they are asked for the name of a number that no type has.
        // SAFETY: the number of a type of which there is an object; the name is a C string.
        let name = unsafe { CStr::from_ptr((api.imemo_name)(*number as _)) };
        (*number, texts.add(name.to_bytes()))
    };
    found.imemo_types.iter().map(name).collect()
}

/// What there is to know of a class, a module, or an included module (ICLASS).
///
/// # Safety
/// `class` must be one.
pub(super) unsafe fn class(texts: &mut Texts, class: VALUE) -> FoundClass {
    // SAFETY: an object.
    let basic = unsafe { Basic::of(class) };
    let stand_in = basic.kind() == number(T::RUBY_T_ICLASS);
    // SAFETY: none of these makes an object or calls a method.
    unsafe {
        // dumps have neither of a hidden class
        let shown = basic.class != 0;
        let is_class = basic.kind() == number(T::RUBY_T_CLASS);
        let singleton = shown && is_class && rb_sys::rb_class_real(class) != class;
        let name = if stand_in || singleton || !shown {
            None
        } else {
            texts.add_string(rb_sys::rb_mod_name(class))
        };
        FoundClass {
            address: address_of(class),
            kind: Kind {
                kind: basic.kind(),
                class: basic.class(),
                label: 0,
            },
            superclass: address_of(rb_sys::rb_class_get_superclass(class)).into(),
            singleton,
            name,
        }
    }
}

/// What a walk has found, as a dump's records would have it.
pub(super) struct Described {
    pub(super) rows: Rows,
    /// Which objects were made where and when, where there are no rows.
    pub(super) traced: Mapped<TracedObject>,
    /// All but the slots, where there are rows of them.
    pub(super) found: Found,
    imemos: ImemoNames,
    /// Addresses of the names of DATA's structs.
    labels: Vec<u64>,
    sites: Vec<Site>,
}

impl Described {
    pub(super) fn new(mut found: Found, imemos: ImemoNames) -> Self {
        let mut slots = std::mem::take(&mut found.slots);
        let labels = std::mem::take(&mut slots.labels);
        let Numbered { sites, by_object } = std::mem::take(&mut found.notes).numbered();
        Self {
            rows: slots.into_rows(&by_object),
            traced: Mapped::default(),
            found,
            imemos,
            labels,
            sites,
        }
    }

    /// The same without rows: the slots stay where they are. `kinds`: of all slots.
    pub(super) fn without_rows(mut found: Found, imemos: ImemoNames, kinds: Vec<Kind>) -> Self {
        let Numbered { sites, by_object } = std::mem::take(&mut found.notes).numbered();
        Self {
            labels: std::mem::take(&mut found.slots.labels),
            traced: by_object,
            sites,
            rows: Rows {
                columns: Columns::default(),
                kinds,
            },
            found,
            imemos,
        }
    }

    /// Kinds, sites and classes as a dump's records would have them.
    pub(super) fn fields(&self) -> [Vec<Fields<'_>>; 3] {
        let kinds: Vec<Fields<'_>> = self.rows.kinds.iter().map(|kind| self.kind(kind)).collect();
        let sites = self.sites.iter().map(|site| self.site(site)).collect();
        let class = |class| self.class(class);
        let classes = self.found.classes.iter().map(class).collect();
        [kinds, sites, classes]
    }

    /// The names of the categories of roots, in the order in which they were found.
    pub(super) fn categories(&self) -> Vec<String> {
        let name = |category| self.found.texts.of(category).unwrap_or_default();
        let roots = self.found.roots.iter();
        roots
            .map(|root| String::from_utf8_lossy(&name(root.category)).into_owned())
            .collect()
    }

    /// The name of an IMEMO's type, by its number.
    pub(super) fn imemo(&self, number: u64) -> Option<Cow<'_, [u8]>> {
        self.imemos.get(&number).map(|place| self.found.texts.at(place))
    }

    fn kind(&self, kind: &Kind) -> Fields<'_> {
        let imemo = kind.kind == number(T::RUBY_T_IMEMO);
        let struct_name = || self.found.texts.of(*self.labels.get(kind.label as usize)?);
        Fields {
            kind: type_of(kind.kind).name().as_bytes().into(),
            class: kind.class.get(),
            struct_name: if imemo { None } else { struct_name() },
            imemo_type: imemo.then(|| self.imemo(kind.label)).flatten(),
            ..Fields::default()
        }
    }

    fn site(&self, site: &Site) -> Fields<'_> {
        Fields {
            file: self.found.texts.of(site.path),
            line: (site.line != 0).then_some(site.line),
            method: self.found.texts.of(site.method),
            generation: site.generation.checked_sub(1).map(Generation::new),
            context: context::name(site.context).map(|name| name.as_bytes().into()),
            stack: (site.stack != 0).then(|| StackId::new(site.stack)),
            sampled_bytes: (site.sampled_bytes != 0).then_some(site.sampled_bytes),
            ..Fields::default()
        }
    }

    fn class<'a>(&'a self, class: &FoundClass) -> Fields<'a> {
        Fields {
            address: class.address,
            superclass: class.superclass.get(),
            singleton: class.singleton,
            name: class.name.as_ref().map(|name| self.found.texts.at(name)),
            ..self.kind(&class.kind)
        }
    }
}

/// The type with this number.
fn type_of(kind: u64) -> Type {
    let has_number = |type_: &Type| number_of(*type_) == Some(kind);
    Type::NAMED.into_iter().find(has_number).unwrap_or(Type::Other)
}

/// The number of a type that the walk reports.
fn number_of(type_: Type) -> Option<u64> {
    let number_of_type = match type_ {
        Type::Object => T::RUBY_T_OBJECT,
        Type::Class => T::RUBY_T_CLASS,
        Type::Module => T::RUBY_T_MODULE,
        Type::Float => T::RUBY_T_FLOAT,
        Type::String => T::RUBY_T_STRING,
        Type::Regexp => T::RUBY_T_REGEXP,
        Type::Array => T::RUBY_T_ARRAY,
        Type::Hash => T::RUBY_T_HASH,
        Type::Struct => T::RUBY_T_STRUCT,
        Type::Bignum => T::RUBY_T_BIGNUM,
        Type::File => T::RUBY_T_FILE,
        Type::Data => T::RUBY_T_DATA,
        Type::Match => T::RUBY_T_MATCH,
        Type::Complex => T::RUBY_T_COMPLEX,
        Type::Rational => T::RUBY_T_RATIONAL,
        Type::Symbol => T::RUBY_T_SYMBOL,
        Type::Imemo => T::RUBY_T_IMEMO,
        Type::IClass => T::RUBY_T_ICLASS,
        Type::Node | Type::Zombie | Type::Moved | Type::None | Type::Shape | Type::Other => return None,
    };
    Some(number(number_of_type))
}
