//! The names of contexts: each stored once and for good, in a table with a bound.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::OnceLock;

use leak_hunter_core::lock::Mutex;

/// As many names as are stored. Endpoints, jobs and tests are some thousands; what has more is a name with data in it.
const LIMIT: usize = 4096;
/// The longest name, in bytes.
const LONGEST: usize = 200;
/// The name of all that came too late.
const OTHER: &str = "other";

/// A context that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct ContextId(NonZeroU32);

impl ContextId {
    /// `None` of 0 and of what is no context's number.
    pub(super) fn new(number: u32) -> Option<Self> {
        let id = Self(NonZeroU32::new(number)?);
        id.slot().get().map(|_| id)
    }

    /// Never 0.
    pub(crate) fn number(self) -> u32 {
        self.0.get()
    }

    /// The name. Takes no lock.
    pub(crate) fn name(self) -> &'static str {
        self.slot().get().copied().unwrap_or(OTHER)
    }

    fn slot(self) -> &'static OnceLock<&'static str> {
        static NONE: OnceLock<&'static str> = OnceLock::new();
        NAMES.get(self.0.get() as usize).unwrap_or(&NONE)
    }
}

/// By number. The first is not used, the second is [`OTHER`]'s.
static NAMES: [OnceLock<&'static str>; LIMIT + 2] = [const { OnceLock::new() }; LIMIT + 2];
const NUMBER_OF_OTHER: NonZeroU32 = NonZeroU32::MIN;

type Numbers = HashMap<&'static [u8], ContextId, foldhash::fast::RandomState>;

/// By the bytes as they were given, up to the longest. Locked with the GVL, by the main Ractor only: so never by a thread
/// that a forked child has not.
static NUMBERS: OnceLock<Mutex<Numbers>> = OnceLock::new();

/// To be called once, so that no child is forked in the middle of it.
pub(super) fn init() {
    NUMBERS.get_or_init(Mutex::default);
}

/// The number of a name; that of [`OTHER`] when there are too many.
pub(super) fn intern(name: &[u8]) -> ContextId {
    let other = ContextId(NUMBER_OF_OTHER);
    let name = name.get(..=LONGEST).unwrap_or(name);
    let mut numbers = NUMBERS.get_or_init(Mutex::default).lock();
    if let Some(id) = numbers.get(name) {
        return *id;
    }
    let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX).saturating_add(2);
    let (true, Some(number)) = (numbers.len() < LIMIT, NonZeroU32::new(next)) else {
        other.slot().get_or_init(|| OTHER);
        return other;
    };
    let id = ContextId(number);
    id.slot().get_or_init(|| leak(readable(name)));
    let key: &'static [u8] = Box::leak(name.into());
    numbers.insert(key, id);
    id
}

/// Whether some contexts are called [`OTHER`] for want of room.
pub(super) fn full() -> bool {
    ContextId(NUMBER_OF_OTHER).slot().get().is_some()
}

/// Valid UTF-8, not longer than the longest.
fn readable(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    if name.len() <= LONGEST {
        return text.into_owned();
    }
    let end = (0..=LONGEST - 3).rev().find(|end| text.is_char_boundary(*end));
    format!("{}…", text.get(..end.unwrap_or(0)).unwrap_or_default())
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}
