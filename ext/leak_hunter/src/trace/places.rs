//! The places that allocate, each once: path, line, method, context. An object has the number of its place.
//!
//! There are as many as living objects need, and at most twice as many: code that is compiled again and again under ever
//! new names does not make them grow. When the table is full, what no object refers to is given up, and only what is
//! left decides how large it may grow until the next time.

use std::ffi::CStr;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::focus::Focus;
use super::numbers::Numbers;

/// So many places, and so many bytes of paths, are never given up.
const PLACES: usize = 1 << 16;
const PATH_BYTES: usize = 1 << 24;
/// What is remembered of the last allocations.
const RECENT_PATHS: usize = 1 << 10;
const RECENT_PLACES: usize = 1 << 11;
/// Room for so many at once, at least.
const SMALLEST: usize = 1 << 8;
/// The number of no path.
const NO_PATH: u32 = u32::MAX;

/// The Ruby code that allocates, as the VM says it.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    /// The String that is the path, and its bytes. Another path may have its address later.
    pub(super) path: Option<PathString<'a>>,
    pub(super) line: i32,
    /// A Symbol, or something false. The names of methods are kept for ever, so it stands for its text.
    pub(super) method: u64,
    pub(super) context: u32,
    /// Where the site is in focus, the number of the stack; 0 for none.
    pub(super) stack: u32,
    /// Where allocations are sampled by their bytes, those of the slot; else 0.
    pub(super) slot: u16,
}

/// The number of a place.
#[derive(Clone, Copy)]
pub(super) struct Numbered {
    /// Never 0.
    pub(super) number: u32,
    /// Whether the stack is to be looked at, too.
    pub(super) in_focus: bool,
}

#[derive(Clone, Copy)]
pub(super) struct PathString<'a> {
    pub(super) address: u64,
    pub(super) bytes: &'a [u8],
}

/// A path's bytes, and a NUL.
pub(super) type Path = Arc<[u8]>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    path: u32,
    pub(super) line: i32,
    pub(super) method: u64,
    pub(super) context: u16,
    pub(super) slot: u16,
    pub(super) stack: u32,
}

impl Place {
    #[inline]
    fn mix(&self) -> u64 {
        let mixed = u64::from(self.path) << 32 ^ self.line as u32 as u64 ^ self.method.rotate_left(23);
        let origin = u64::from(self.context) << 48 ^ u64::from(self.stack) << 17;
        (mixed ^ origin ^ u64::from(self.slot) << 35).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// The same, as it is stored: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packed {
    path: u32,
    line: i32,
    /// A row of the methods, and the slot.
    method: u32,
    /// Context and stack.
    origin: u32,
}

/// Of the bits of an origin, those of the stack. There are fewer stacks, and contexts, than their bits can count.
const STACK_BITS: u32 = super::stacks::NODES.ilog2();
const STACK_MASK: u32 = (1 << STACK_BITS) - 1;
/// Of those of a method, the bits of its row: there are fewer than eight million. Above are the bytes of the slot, by four.
const METHOD_BITS: u32 = 23;
const METHOD_MASK: u32 = (1 << METHOD_BITS) - 1;
const LARGEST_SLOT: u16 = ((1 << (32 - METHOD_BITS)) - 1) * SLOT_UNIT;
const SLOT_UNIT: u16 = 4;

impl Packed {
    fn hash(&self) -> u32 {
        let mixed = u64::from(self.path) << 32 ^ self.line as u32 as u64 ^ u64::from(self.method) << 20;
        hash_of_number(mixed ^ u64::from(self.origin) << 31)
    }
}

/// A path that was the caller's not long ago.
#[derive(Clone, Copy)]
struct RecentPath {
    address: u64,
    path: u32,
}

#[derive(Clone, Copy)]
struct RecentPlace {
    place: Place,
    /// 0 where there is none.
    number: u32,
    in_focus: bool,
}

pub(super) struct Places {
    /// By number; the first is no place.
    places: Vec<Packed>,
    numbers: Numbers,
    free: Vec<u32>,
    /// The Symbols of methods. They live for ever, so these do, too.
    methods: Vec<u64>,
    method_numbers: Numbers,
    paths: Vec<Option<Path>>,
    path_numbers: Numbers,
    free_paths: Vec<u32>,
    path_bytes: usize,
    recent_paths: Vec<RecentPath>,
    recent_places: Vec<RecentPlace>,
    focus: Focus,
    /// By number.
    in_focus: Vec<bool>,
    most_places: usize,
    most_bytes: usize,
}

impl Places {
    pub(super) const fn new() -> Self {
        Self {
            places: Vec::new(),
            numbers: Numbers::new(),
            free: Vec::new(),
            methods: Vec::new(),
            method_numbers: Numbers::new(),
            paths: Vec::new(),
            path_numbers: Numbers::new(),
            free_paths: Vec::new(),
            path_bytes: 0,
            recent_paths: Vec::new(),
            recent_places: Vec::new(),
            focus: Focus::none(),
            in_focus: Vec::new(),
            most_places: PLACES,
            most_bytes: PATH_BYTES,
        }
    }

    /// To be called before anything else.
    pub(super) fn prepare(&mut self) {
        if self.places.is_empty() {
            let nothing = Place {
                path: NO_PATH,
                ..Place::default()
            };
            let nothing = self.packed(nothing);
            self.places.push(nothing);
        }
        self.forget_recent();
    }

    /// The number of the caller's place, which is never 0.
    #[inline]
    pub(super) fn number(&mut self, caller: &Caller<'_>) -> Numbered {
        let path = match caller.path {
            Some(path) => self.path(path),
            None => NO_PATH,
        };
        let place = Place {
            path,
            line: caller.line,
            method: caller.method,
            context: caller.context as u16,
            slot: caller.slot.min(LARGEST_SLOT),
            stack: caller.stack,
        };
        let row = place.mix() >> 53;
        let recent = &self.recent_places[row as usize % RECENT_PLACES];
        if recent.place == place && recent.number != 0 {
            return Numbered {
                number: recent.number,
                in_focus: recent.in_focus,
            };
        }
        self.find_or_make(place, row as usize % RECENT_PLACES)
    }

    /// The bytes are compared each time: the path of code that was compiled at run time is freed with the code, and
    /// another String may take its place in memory.
    #[inline]
    fn path(&mut self, path: PathString<'_>) -> u32 {
        let row = (path.address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize % RECENT_PATHS;
        let recent = self.recent_paths[row];
        if recent.address == path.address && self.has_bytes(recent.path, path.bytes) {
            return recent.path;
        }
        self.find_or_make_path(path, row)
    }

    #[inline]
    fn has_bytes(&self, path: u32, bytes: &[u8]) -> bool {
        match self.paths.get(path as usize) {
            Some(Some(known)) => known.len() == bytes.len() + 1 && known[..bytes.len()] == *bytes,
            _ => false,
        }
    }

    #[cold]
    fn find_or_make_path(&mut self, path: PathString<'_>, row: usize) -> u32 {
        let hash = hash_of(path.bytes);
        let known = self
            .path_numbers
            .find(hash, |number| self.has_bytes(number, path.bytes));
        let number = known.unwrap_or_else(|| {
            let with_nul: Path = path.bytes.iter().copied().chain([0]).collect();
            self.path_bytes += with_nul.len();
            let number = put(&mut self.paths, &mut self.free_paths, Some(with_nul));
            let paths = &self.paths;
            self.path_numbers
                .insert(hash, number, |number| hash_of_path(&paths[number as usize]));
            number
        });
        self.recent_paths[row] = RecentPath {
            address: path.address,
            path: number,
        };
        number
    }

    #[cold]
    fn find_or_make(&mut self, place: Place, row: usize) -> Numbered {
        let packed = self.packed(place);
        let hash = packed.hash();
        let known = self
            .numbers
            .find(hash, |number| self.places[number as usize] == packed);
        let number = known.unwrap_or_else(|| {
            let number = put(&mut self.places, &mut self.free, packed);
            let places = &self.places;
            self.numbers
                .insert(hash, number, |number| places[number as usize].hash());
            self.look_at_focus(number);
            number
        });
        let in_focus = self.in_focus.get(number as usize) == Some(&true);
        self.recent_places[row] = RecentPlace {
            place,
            number,
            in_focus,
        };
        Numbered { number, in_focus }
    }

    /// What is allocated at these sites from here on has its stack.
    pub(super) fn set_focus(&mut self, focus: Focus) {
        self.focus = focus;
        for number in 0..self.places.len() {
            self.look_at_focus(number as u32);
        }
        self.forget_recent();
    }

    fn look_at_focus(&mut self, number: u32) {
        let texts = self.texts();
        let place = texts.place(number);
        let path = texts
            .path(place)
            .filter(|_| place.stack == 0 && !self.focus.is_empty());
        let in_focus = path.is_some_and(|path| self.focus.has(path.to_bytes(), place.line));
        if self.in_focus.len() <= number as usize {
            self.in_focus.resize(number as usize + 1, false);
        }
        self.in_focus[number as usize] = in_focus;
    }

    fn packed(&mut self, place: Place) -> Packed {
        let hash = hash_of_method(place.method);
        let methods = &self.methods;
        let known = self
            .method_numbers
            .find(hash, |number| methods[number as usize] == place.method);
        let method = known.unwrap_or_else(|| {
            self.methods.push(place.method);
            let methods = &self.methods;
            let number = (methods.len() - 1) as u32;
            self.method_numbers
                .insert(hash, number, |number| hash_of_method(methods[number as usize]));
            number
        });
        Packed {
            path: place.path,
            line: place.line,
            method: u32::from(place.slot / SLOT_UNIT) << METHOD_BITS | method & METHOD_MASK,
            origin: u32::from(place.context) << STACK_BITS | place.stack & STACK_MASK,
        }
    }

    /// Whether it is time to give up what no object refers to.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.places.len() - self.free.len() >= self.most_places || self.path_bytes >= self.most_bytes
    }

    /// Gives up what is not among these numbers.
    #[cold]
    pub(super) fn keep(&mut self, used: impl Iterator<Item = u32>) {
        let mut keep = vec![false; self.places.len()];
        for number in used {
            if let Some(keep) = keep.get_mut(number as usize) {
                *keep = true;
            }
        }
        let mut keep_path = vec![false; self.paths.len()];
        self.numbers = Numbers::new();
        self.free.clear();
        for (number, place) in self.places.iter().enumerate().skip(1) {
            if keep[number] {
                let places = &self.places;
                self.numbers.insert(place.hash(), number as u32, |number| {
                    places[number as usize].hash()
                });
                if let Some(keep) = keep_path.get_mut(place.path as usize) {
                    *keep = true;
                }
            } else {
                self.free.push(number as u32);
            }
        }
        self.keep_paths(&keep_path);
        self.most_places = PLACES.max((self.places.len() - self.free.len()) * 2);
        self.most_bytes = PATH_BYTES.max(self.path_bytes * 2);
        self.forget_recent();
    }

    fn keep_paths(&mut self, keep: &[bool]) {
        self.path_numbers = Numbers::new();
        self.free_paths.clear();
        self.path_bytes = 0;
        for (number, path) in self.paths.iter_mut().enumerate() {
            if !keep[number] {
                *path = None;
                self.free_paths.push(number as u32);
            }
        }
        let paths = &self.paths;
        for (number, path) in paths.iter().enumerate() {
            if let Some(bytes) = path {
                self.path_bytes += bytes.len();
                self.path_numbers
                    .insert(hash_of_path(path), number as u32, |number| {
                        hash_of_path(&paths[number as usize])
                    });
            }
        }
    }

    fn forget_recent(&mut self) {
        let no_path = RecentPath {
            address: 0,
            path: NO_PATH,
        };
        let no_place = RecentPlace {
            place: Place::default(),
            number: 0,
            in_focus: false,
        };
        self.recent_paths.clear();
        self.recent_paths.resize(RECENT_PATHS, no_path);
        self.recent_places.clear();
        self.recent_places.resize(RECENT_PLACES, no_place);
    }

    /// By number.
    pub(super) fn texts(&self) -> Texts<'_> {
        Texts {
            places: &self.places,
            methods: &self.methods,
            paths: &self.paths,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn memory(&self) -> usize {
        self.places.capacity() * size_of::<Packed>()
            + self.numbers.memory()
            + self.methods.capacity() * size_of::<u64>()
            + self.method_numbers.memory()
            + self.path_numbers.memory()
            + (self.free.capacity() + self.free_paths.capacity()) * size_of::<u32>()
            + self.paths.capacity() * size_of::<Option<Path>>()
            + self.path_bytes
            + self.in_focus.capacity()
            + self.recent_paths.capacity() * size_of::<RecentPath>()
            + self.recent_places.capacity() * size_of::<RecentPlace>()
    }
}

/// What the places are.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    places: &'a [Packed],
    methods: &'a [u64],
    paths: &'a [Option<Path>],
}

impl<'a> Texts<'a> {
    pub(super) fn place(&self, number: u32) -> Place {
        let nothing = Place {
            path: NO_PATH,
            ..Place::default()
        };
        self.places.get(number as usize).map_or(nothing, |packed| Place {
            path: packed.path,
            line: packed.line,
            method: self
                .methods
                .get((packed.method & METHOD_MASK) as usize)
                .copied()
                .unwrap_or(0),
            context: (packed.origin >> STACK_BITS) as u16,
            slot: (packed.method >> METHOD_BITS) as u16 * SLOT_UNIT,
            stack: packed.origin & STACK_MASK,
        })
    }

    /// Its path, as a C string: what comes after a NUL in it is not shown, as ObjectSpace does.
    pub(super) fn path(&self, place: Place) -> Option<&'a CStr> {
        let bytes = self.paths.get(place.path as usize)?.as_ref()?;
        CStr::from_bytes_until_nul(bytes).ok()
    }

    /// A copy, for which nothing of what is large is copied.
    pub(super) fn copied(&self) -> Copied {
        Copied {
            places: self.places.to_vec(),
            methods: self.methods.to_vec(),
            paths: self.paths.to_vec(),
        }
    }
}

/// Texts of a moment.
pub(super) struct Copied {
    places: Vec<Packed>,
    methods: Vec<u64>,
    paths: Vec<Option<Path>>,
}

impl Copied {
    pub(super) fn texts(&self) -> Texts<'_> {
        Texts {
            places: &self.places,
            methods: &self.methods,
            paths: &self.paths,
        }
    }

    /// The methods of all places.
    pub(super) fn methods(&self) -> impl Iterator<Item = u64> + '_ {
        self.methods.iter().copied()
    }
}

/// Puts it where one was given up, or at the end.
fn put<T>(all: &mut Vec<T>, free: &mut Vec<u32>, it: T) -> u32 {
    match free.pop() {
        Some(number) => {
            all[number as usize] = it;
            number
        }
        None => {
            if all.len() == all.capacity() {
                // half as much again, not twice
                all.reserve_exact(SMALLEST.max(all.len() / 2));
            }
            all.push(it);
            (all.len() - 1) as u32
        }
    }
}

fn hash_of(bytes: &[u8]) -> u32 {
    FixedState::default().hash_one(bytes) as u32
}

/// With the NUL at the end.
fn hash_of_path(path: &Option<Path>) -> u32 {
    path.as_deref()
        .map_or(0, |bytes| hash_of(&bytes[..bytes.len() - 1]))
}

fn hash_of_method(symbol: u64) -> u32 {
    hash_of_number(symbol)
}

fn hash_of_number(number: u64) -> u32 {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}
