//! The classes and modules of a dump, for turning class addresses into names.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use foldhash::fast::RandomState;

use super::grammar::Fields;
use super::object_type::Type;
use crate::ids::Address;

/// No chain of singleton classes is that long; a damaged dump may hold a circle.
const LONGEST_CHAIN: usize = 64;

#[derive(Debug)]
struct Class {
    superclass: Option<Address>,
    /// A singleton class, or what stands for an included module in the chain of superclasses.
    hidden: bool,
    name: Option<Box<str>>,
    site: Option<Box<str>>,
}

/// The name of a class of which nothing is known.
const ANONYMOUS: &str = "#<Class>";
/// How the names begin that stand for one: no constant is called so.
const NO_CONSTANT: &str = "#<";

/// Whether a class with this name has none of its own.
pub(crate) fn is_anonymous(name: &str) -> bool {
    name.starts_with(NO_CONSTANT)
}

/// The name of a class as far as it needs no new text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KnownName<'a> {
    Own(&'a str),
    /// That of the anonymous class at this address is made of where it was made.
    MadeAt(Address),
}

/// Classes and modules by address.
#[derive(Debug, Default)]
pub struct Classes {
    by_address: HashMap<Address, Class, RandomState>,
}

impl Classes {
    /// Adds a class, a module or an included module ([`Type::is_class`]).
    pub(crate) fn add(&mut self, fields: &Fields<'_>) {
        let site = || {
            let file = lossy(fields.file.as_ref()?);
            Some(match fields.line {
                Some(line) => format!("{file}:{line}").into(),
                None => file.into(),
            })
        };
        let name = fields.name.as_ref().map(|name| lossy(name).into());
        let hidden = fields.singleton || fields.type_() == Type::IClass;
        let site = if name.is_none() && !hidden { site() } else { None };
        let class = Class {
            superclass: fields.superclass,
            hidden,
            name,
            site,
        };
        self.by_address.insert(fields.address, class);
    }

    /// What the class at this address inherits from.
    pub fn superclass(&self, address: Address) -> Option<Address> {
        self.by_address.get(&address)?.superclass
    }

    /// Whether it is a singleton class, or stands for an included module.
    pub(crate) fn is_hidden(&self, address: Address) -> bool {
        self.by_address.get(&address).is_some_and(|class| class.hidden)
    }

    /// The name of the class or module at this address itself: `#<Class:#<Job>>` of the singleton class of a Job.
    pub fn own_name(&self, address: Address) -> Option<String> {
        let name = self.name(address)?;
        let singleton = self.by_address.get(&address).is_some_and(|class| class.hidden);
        Some(match singleton {
            true => format!("#<Class:#<{name}>>"),
            false => name,
        })
    }

    /// Fills in what the record of this class had.
    pub(crate) fn describe<'a>(&'a self, address: Address, fields: &mut Fields<'a>) {
        if let Some(class) = self.by_address.get(&address) {
            fields.superclass = class.superclass;
            fields.singleton = class.hidden && fields.type_() != Type::IClass;
            fields.name = class.name.as_ref().map(|name| name.as_bytes().into());
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.by_address.extend(other.by_address);
    }

    /// The class as `Object#class` would answer: past singleton classes and included modules.
    pub(crate) fn real(&self, mut address: Address) -> Address {
        for _ in 0..LONGEST_CHAIN {
            match self.by_address.get(&address) {
                Some(Class {
                    hidden: true,
                    superclass: Some(superclass),
                    ..
                }) => address = *superclass,
                _ => break,
            }
        }
        address
    }

    /// The name of the class at this address: of an anonymous one, where it was made. `None` when the dump does not
    /// have it.
    pub fn name(&self, address: Address) -> Option<String> {
        let class = self.by_address.get(&self.real(address))?;
        Some(match (&class.name, &class.site) {
            (Some(name), _) => name.to_string(),
            (None, Some(site)) => format!("#<Class:{site}>"),
            (None, None) => ANONYMOUS.into(),
        })
    }

    /// The name, as [`Self::name`] has it, of a class that has one of its own or a place where it was made.
    pub(crate) fn known_name(&self, address: Address) -> Option<KnownName<'_>> {
        let address = self.real(address);
        let class = self.by_address.get(&address)?;
        Some(match (&class.name, &class.site) {
            (Some(name), _) => KnownName::Own(name),
            (None, Some(_)) => KnownName::MadeAt(address),
            (None, None) => KnownName::Own(ANONYMOUS),
        })
    }

    /// The anonymous classes of which it is known where they were made.
    pub(crate) fn made_at_sites(&self) -> impl Iterator<Item = Address> + '_ {
        let made = |class: &Class| class.name.is_none() && class.site.is_some();
        self.by_address
            .iter()
            .filter(move |(_, class)| made(class))
            .map(|(address, _)| *address)
    }

    /// Addresses of the class or module with this name and of all in its namespace.
    pub(crate) fn named_under<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = Address> + 'a {
        let under = move |name: &str| {
            name.strip_prefix(namespace)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        self.by_address
            .iter()
            .filter(move |(_, class)| class.name.as_deref().is_some_and(under))
            .map(|(address, _)| *address)
    }

    /// Classes and modules that have a name in common, by that name.
    pub(crate) fn namesakes(&self) -> impl Iterator<Item = (&str, Vec<Address>)> {
        let mut names: HashMap<&str, Address, RandomState> = HashMap::default();
        let mut several: HashMap<&str, Vec<Address>, RandomState> = HashMap::default();
        for (address, class) in &self.by_address {
            if let (Some(name), false) = (&class.name, class.hidden) {
                match names.entry(name) {
                    Entry::Vacant(entry) => {
                        entry.insert(*address);
                    }
                    Entry::Occupied(first) => several
                        .entry(name)
                        .or_insert_with(|| vec![*first.get()])
                        .push(*address),
                }
            }
        }
        several.into_iter()
    }

    /// Named classes and their addresses; a name that several have is left out.
    pub(crate) fn unique_names(&self) -> HashMap<&str, Address, RandomState> {
        let mut names: HashMap<&str, Option<Address>, RandomState> = HashMap::default();
        for (address, class) in &self.by_address {
            if let (Some(name), false) = (&class.name, class.hidden) {
                names
                    .entry(name)
                    .and_modify(|known| *known = None)
                    .or_insert(Some(*address));
            }
        }
        names
            .into_iter()
            .filter_map(|(name, address)| Some((name, address?)))
            .collect()
    }
}

/// Names and paths as text: what is no UTF-8 in them becomes U+FFFD.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
