//! Names of DATA's structs, each once, by their addresses.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::ffi::CStr;

use foldhash::fast::RandomState;
use rb_sys::VALUE;

use super::api::Api;
use super::sites::TRACER;

/// Which structs there are.
pub(super) struct Labels {
    /// Addresses of the names; the first is 0, of what has none.
    pub(super) all: Vec<u64>,
    numbers: HashMap<u64, u16, RandomState>,
    /// The object in which objspace keeps what it has traced.
    pub(super) tracer: Option<VALUE>,
}

impl Default for Labels {
    fn default() -> Self {
        Self {
            all: vec![0],
            numbers: HashMap::from_iter([(0, 0)]),
            tracer: None,
        }
    }
}

impl Labels {
    /// Which name an object's struct has.
    ///
    /// # Safety
    /// `object` must be DATA.
    pub(super) unsafe fn of(&mut self, api: &Api, object: VALUE) -> u16 {
        // SAFETY: an object of that type.
        let name = unsafe { (api.data_type_name)(object) };
        if let Some(number) = self.numbers.get(&(name as u64)) {
            return *number;
        }
        // none has so many; the rest have no name
        let number = u16::try_from(self.all.len()).unwrap_or(0);
        if number > 0 {
            self.all.push(name as u64);
        }
        self.numbers.insert(name as u64, number);
        // SAFETY: the name is a C string: 0 was found above.
        if unsafe { CStr::from_ptr(name) }.to_bytes() == TRACER {
            self.tracer = Some(object);
        }
        number
    }
}
