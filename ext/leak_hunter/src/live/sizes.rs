//! Sizes of DATA. Those of the VM's own structs are known at once; other extensions may take any time to add theirs up,
//! while the process stands still. So their time is measured and limited, and an object whose extension has used it up
//! has the size of its slot. A single call cannot be cut short.
//!
//! The clock is read in tens of nanoseconds, the thread's processor time in hundreds. So the clock is what raises a
//! suspicion, and the processor time, which other processes take nothing of, decides.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::time::{Duration, Instant};

use rb_sys::VALUE;

use super::api::Api;
use crate::system::processor_time;

/// So long for all objects of one struct.
const OF_A_STRUCT: Duration = Duration::from_millis(5);

/// So long for all structs together.
const OF_ALL: Duration = Duration::from_millis(20);

/// What waits takes no processor time, so the clock decides there, too, later.
const OF_A_STRUCT_THAT_WAITS: Duration = Duration::from_millis(50);

#[derive(Clone, Copy)]
enum Struct {
    /// Of the VM.
    Known,
    /// Of an extension, which has taken so long by the clock.
    Timed(Duration),
    /// Of an extension that seems to be slow.
    Suspected(Taken),
    /// Of an extension that is no longer asked.
    GivenUp,
}

#[derive(Clone, Copy, Default)]
struct Taken {
    processor: Duration,
    clock: Duration,
}

pub(super) struct Sizes {
    /// By the number of their names.
    structs: Vec<Option<Struct>>,
    /// Where the VM's library begins, once it was asked for.
    vm: Option<Option<*mut c_void>>,
    /// By all, while they were not suspected.
    clock: Duration,
    /// By those that were.
    processor: Duration,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            // what has no name has no function for its size either
            structs: vec![Some(Struct::Known)],
            vm: None,
            clock: Duration::ZERO,
            processor: Duration::ZERO,
        }
    }
}

impl Sizes {
    /// The size of `object`, whose struct has the name at address `name`, the one with the number `label`.
    ///
    /// # Safety
    /// `object` must be DATA, with a slot of `slot` bytes.
    #[inline]
    pub(super) unsafe fn of(
        &mut self,
        api: &Api,
        object: VALUE,
        label: u16,
        name: u64,
        slot: usize,
    ) -> usize {
        let number = usize::from(label);
        if number >= self.structs.len() {
            self.structs.resize(number + 1, None);
        }
        let known = self.structs[number].unwrap_or_else(|| self.of_name(api, name));
        // SAFETY: an object of a type that the function takes.
        let ask = || unsafe { (api.memsize_of)(object) };
        let (size, now) = match known {
            Struct::Known => (ask(), known),
            Struct::GivenUp => (slot, known),
            Struct::Timed(before) => {
                let start = Instant::now();
                let size = ask();
                let taken = start.elapsed();
                self.clock += taken;
                (size, timed(before + taken, self.clock))
            }
            Struct::Suspected(_) if self.processor >= OF_ALL => (slot, Struct::GivenUp),
            Struct::Suspected(before) => {
                let (start, processor) = (Instant::now(), processor_time());
                let size = ask();
                let taken = processor_time().saturating_sub(processor);
                self.processor += taken;
                let taken = Taken {
                    processor: before.processor + taken,
                    clock: before.clock + start.elapsed(),
                };
                (size, suspected(taken))
            }
        };
        self.structs[number] = Some(now);
        size
    }

    /// A struct's name is written where its functions are: in the VM's library, or in another.
    fn of_name(&mut self, api: &Api, name: u64) -> Struct {
        let vm = *self
            .vm
            .get_or_insert_with(|| library_of(api.memsize_of as *const c_void));
        if vm.is_some() && vm == library_of(name as *const c_void) {
            Struct::Known
        } else {
            Struct::Timed(Duration::ZERO)
        }
    }

    /// The names of the structs that were given up, by the addresses of all names.
    ///
    /// # Safety
    /// `names` must be those that [`Sizes::of`] was called with, by number.
    pub(super) unsafe fn given_up(&self, names: &[u64]) -> Vec<String> {
        let given_up = self.structs.iter().zip(names);
        let given_up = given_up.filter(|(known, _)| matches!(known, Some(Struct::GivenUp)));
        given_up
            // SAFETY: C strings that stay: none is 0, whose struct is known.
            .map(|(_, name)| unsafe { CStr::from_ptr(*name as *const _) })
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }
}

fn timed(of_struct: Duration, of_all: Duration) -> Struct {
    if of_struct >= OF_A_STRUCT || of_all >= OF_ALL {
        Struct::Suspected(Taken::default())
    } else {
        Struct::Timed(of_struct)
    }
}

fn suspected(taken: Taken) -> Struct {
    if taken.processor >= OF_A_STRUCT || taken.clock >= OF_A_STRUCT_THAT_WAITS {
        Struct::GivenUp
    } else {
        Struct::Suspected(taken)
    }
}

/// Where the library begins that has this address.
fn library_of(address: *const c_void) -> Option<*mut c_void> {
    // SAFETY: plain data, which may be 0.
    let mut found: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: any address may be asked for.
    let known = unsafe { libc::dladdr(address, &raw mut found) } != 0;
    known.then_some(found.dli_fbase)
}
