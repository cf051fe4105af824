//! The texts of what a walk has found. They are copied right after it, each once, before anything can be collected.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::{CStr, c_char};
use std::ops::Range;

use foldhash::fast::RandomState;
use leak_hunter_core::dump::{Fields, Type};
use leak_hunter_core::ids::{Generation, OptionalAddress};
use rb_sys::VALUE;
use rb_sys::ruby_value_type as T;

use super::api::Api;
use super::interned::{Kind, Site};
use super::walk::{Basic, Found, address_of, number, object_at};
use crate::context;

/// All texts, one after the other, and their positions.
#[derive(Default)]
struct Texts {
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
    unsafe fn add_c_string(&mut self, address: u64) {
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
    unsafe fn add_symbol(&mut self, symbol: u64) {
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

struct Class {
    superclass: OptionalAddress,
    singleton: bool,
    name: Option<Range<usize>>,
}

/// The texts of everything that was found.
pub(super) struct Named {
    texts: Texts,
    /// In the order in which they were found.
    classes: Vec<Class>,
    /// Names of the types of IMEMO, by their numbers.
    imemos: HashMap<u64, Range<usize>, RandomState>,
}

/// Right after the walk: with the GVL, other Ractors still stopped, and garbage collection off.
pub(super) fn read(api: &Api, found: &Found) -> Named {
    let mut texts = Texts::default();
    let mut imemos = HashMap::default();
    for site in &found.sites {
        // SAFETY: what was read of objspace's records, which are all still there.
        unsafe {
            texts.add_c_string(site.path);
            texts.add_symbol(site.method);
        }
    }
    for kind in &found.kinds {
        if kind.kind == number(T::RUBY_T_DATA) {
            // SAFETY: the name of a struct, or 0.
            unsafe { texts.add_c_string(kind.label) };
        } else if kind.kind == number(T::RUBY_T_IMEMO) {
            // Newer Rubies abort when they are asked for the name of a number that no type has.
            // SAFETY: the number of a type of which there is an object; the name is a C string.
            let name = unsafe { CStr::from_ptr((api.imemo_name)(kind.label as _)) };
            imemos.insert(kind.label, texts.add(name.to_bytes()));
        }
    }
    for root in &found.roots {
        // SAFETY: the VM's own C string.
        unsafe { texts.add_c_string(root.category) };
    }
    // SAFETY: classes that the walk has found.
    let classes = found
        .classes
        .iter()
        .map(|it| unsafe { class(&mut texts, object_at(it.address)) });
    let classes = classes.collect();
    Named {
        texts,
        classes,
        imemos,
    }
}

/// # Safety
/// A class, a module, or an included module (ICLASS).
unsafe fn class(texts: &mut Texts, class: VALUE) -> Class {
    // SAFETY: every object starts like that.
    let basic = unsafe { &*(class as *const Basic) };
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
        Class {
            superclass: address_of(rb_sys::rb_class_get_superclass(class)).into(),
            singleton,
            name,
        }
    }
}

impl Named {
    /// Kinds, sites and classes as a dump's records would have them.
    pub(super) fn fields<'a>(&'a self, found: &Found) -> [Vec<Fields<'a>>; 3] {
        let kinds: Vec<Fields<'a>> = found.kinds.iter().map(|kind| self.kind(kind)).collect();
        let sites = found.sites.iter().map(|site| self.site(site)).collect();
        let classes = found.classes.iter().zip(&self.classes);
        let classes = classes.map(|(found, class)| Fields {
            address: found.address,
            superclass: class.superclass.get(),
            singleton: class.singleton,
            name: class.name.as_ref().map(|name| self.texts.at(name)),
            ..kinds[found.kind.index()].clone()
        });
        let classes = classes.collect();
        [kinds, sites, classes]
    }

    /// The names of the categories of roots, in the order in which they were found.
    pub(super) fn categories(&self, found: &Found) -> Vec<String> {
        let name = |category| self.texts.of(category).unwrap_or_default();
        let roots = found.roots.iter();
        roots
            .map(|root| String::from_utf8_lossy(&name(root.category)).into_owned())
            .collect()
    }

    /// The name of an IMEMO's type, by its number.
    pub(super) fn imemo(&self, number: u64) -> Option<Cow<'_, [u8]>> {
        self.imemos.get(&number).map(|place| self.texts.at(place))
    }

    fn kind(&self, kind: &Kind) -> Fields<'_> {
        let imemo = kind.kind == number(T::RUBY_T_IMEMO);
        let imemo_type = imemo.then(|| self.imemos.get(&kind.label)).flatten();
        Fields {
            kind: type_of(kind.kind).name().as_bytes().into(),
            class: kind.class.get(),
            struct_name: if imemo { None } else { self.texts.of(kind.label) },
            imemo_type: imemo_type.map(|place| self.texts.at(place)),
            ..Fields::default()
        }
    }

    fn site(&self, site: &Site) -> Fields<'_> {
        Fields {
            file: self.texts.of(site.path),
            line: (site.line != 0).then_some(site.line),
            method: self.texts.of(site.method),
            generation: site.generation.checked_sub(1).map(Generation::new),
            context: context::name(site.context).map(|name| name.as_bytes().into()),
            ..Fields::default()
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
