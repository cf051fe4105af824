//! All that the tracer knows, behind a lock for which nobody ever waits.
//!
//! Up to Ruby 4.0 hooks run with the VM's lock, so nobody ever finds it taken. An event that could not be recorded is
//! counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};
use rb_sys::rb_trace_arg_t;

use super::books::{Books, Counters};
use super::captured::{Known, Origin};
use super::countdown;
use super::pages::{self, Entry, Pages};
use super::places::{Caller, Numbered, Places};
use super::reader::Reader;
use super::remembered::Remembered;
use super::sampling::Sampling;
use super::stacks::{Counted, Seen, Stacks};
use super::vm::{self, Slots};

/// So many stacks of what was sampled are told of.
const SAMPLED_STACKS: usize = 2_000;

static STATE: Mutex<State> = Mutex::new(State::new());
static NOT_RECORDED: AtomicU64 = AtomicU64::new(0);
/// How often tracing has ended.
static ENDED: AtomicU64 = AtomicU64::new(0);

/// Events that were counted since tracing began.
#[derive(Clone, Copy, Default)]
pub(super) struct Events {
    pub(super) allocations: u64,
    pub(super) frees: u64,
}

pub(super) struct State {
    pub(super) on: bool,
    pub(super) pages: Pages,
    pub(super) places: Places,
    pub(super) events: Events,
    /// The VM's counters when tracing began.
    pub(super) start: Books,
    /// These two are never `None` while tracing is on.
    pub(super) slots: Option<Slots>,
    pub(super) counters: Option<Counters>,
    /// Frees that were not reported, and that are made up for.
    pub(super) reconciled: u64,
    /// The GC count of the last collection of which was reported that it began.
    pub(super) collections: u64,
    /// Entries that were given up because what they stood for was gone without a word.
    pub(super) dropped: u64,
    /// Of the sites in focus, or of what was sampled.
    pub(super) stacks: Stacks,
    /// Where one allocation in so many is remembered, and nothing in `pages`.
    pub(super) sampling: Option<Sampling>,
}

/// The state, if nobody has it.
#[inline]
pub(super) fn state() -> Option<MutexGuard<'static, State>> {
    let state = STATE.try_lock();
    if state.is_none() {
        NOT_RECORDED.fetch_add(1, Ordering::Relaxed);
    }
    state
}

/// A number of its own for each time that tracing goes on.
pub(super) fn tracing() -> u64 {
    ENDED.load(Ordering::Relaxed)
}

/// Events that could not be recorded.
pub(super) fn not_recorded() -> u64 {
    NOT_RECORDED.load(Ordering::Relaxed)
}

impl State {
    const fn new() -> Self {
        Self {
            on: false,
            pages: Pages::new(),
            places: Places::new(),
            events: Events {
                allocations: 0,
                frees: 0,
            },
            start: Books::new(),
            slots: None,
            counters: None,
            reconciled: 0,
            collections: 0,
            dropped: 0,
            stacks: Stacks::new(),
            sampling: None,
        }
    }

    /// Starts from nothing.
    pub(super) fn begin(&mut self, slots: Slots, counters: Counters) {
        self.clear();
        self.slots = Some(slots);
        self.counters = Some(counters);
        self.places.prepare();
        self.dropped = 0;
        NOT_RECORDED.store(0, Ordering::Relaxed);
        self.on = true;
    }

    /// Counts events from here on.
    pub(super) fn count(&mut self) {
        self.start = self.counters.map_or(Books::new(), |counters| counters.read());
        self.events = Events::default();
        self.reconciled = 0;
    }

    /// Gives all memory back.
    pub(super) fn end(&mut self) {
        ENDED.fetch_add(1, Ordering::Relaxed);
        countdown::end();
        *self = Self::new();
    }

    /// Forgets all objects.
    pub(super) fn clear(&mut self) {
        self.pages = Pages::new();
        self.stacks.clear_counts();
        if let Some(sampling) = &mut self.sampling {
            sampling.clear();
        }
    }

    /// To be called before anything is read, with the GVL and in no collection: gives up what is in doubt.
    pub(super) fn check(&mut self) {
        if let Some(sampling) = &mut self.sampling {
            sampling.check();
        }
    }

    /// Where one allocation in so many is remembered, what is.
    pub(super) fn remembered(&self) -> Option<&Remembered> {
        self.sampling.as_ref().map(Sampling::remembered)
    }

    /// What is known of the object at an address.
    pub(super) fn get(&self, address: u64) -> Option<Entry> {
        self.pages
            .get(address)
            .or_else(|| self.remembered()?.get(address))
    }

    /// All objects that are known, by address.
    pub(super) fn sorted(&self) -> impl Iterator<Item = pages::Known> + '_ {
        let remembered = self.remembered().map_or_else(Vec::new, Remembered::sorted);
        self.pages.sorted().chain(remembered)
    }

    fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let remembered = self.remembered().into_iter().flat_map(Remembered::entries);
        self.pages.entries().chain(remembered)
    }

    /// How many of those that were sampled were given up.
    pub(super) fn lost(&self) -> u64 {
        self.sampling.as_ref().map_or(0, Sampling::lost)
    }

    /// How many objects are known.
    pub(super) fn len(&self) -> usize {
        self.pages.len() + self.remembered().map_or(0, Remembered::len)
    }

    /// The stacks of the sites in focus, or of what was sampled.
    pub(super) fn counted_stacks(&self) -> Vec<Counted> {
        let texts = self.places.texts();
        let mut alive = vec![0; self.stacks.len()];
        if !alive.is_empty() {
            for entry in self.entries() {
                if let Some(count) = alive.get_mut(texts.place(entry.place()).stack as usize) {
                    *count += 1;
                }
            }
        }
        // each of them is up to 64 lines of text, for which the GVL is kept
        let most = self.sampling.is_some().then_some(SAMPLED_STACKS);
        self.stacks.counted(&alive, most)
    }

    /// An object was allocated.
    ///
    /// # Safety
    /// In the event.
    #[inline]
    #[allow(unsafe_code)]
    pub(super) unsafe fn allocated(
        &mut self,
        address: u64,
        stride: u32,
        generation: u32,
        event: *mut rb_trace_arg_t,
    ) {
        self.events.allocations += 1;
        if self.places.is_full() {
            let pages = &self.pages;
            self.places.keep(pages.entries().map(Entry::place));
            self.stacks.forget_places();
        }
        let origin = Origin::now(0);
        // SAFETY: as promised by the caller.
        let caller = unsafe { vm::caller(event, origin) };
        let Numbered { number, in_focus } = self.places.number(&caller);
        let place = match in_focus {
            // SAFETY: the same.
            true => unsafe { self.with_stack(event, origin, || caller) }.place,
            false => number,
        };
        if self
            .pages
            .insert(address, stride, Entry::new(place, generation))
            .is_err()
        {
            NOT_RECORDED.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether somebody asks how long remembering takes.
    #[inline]
    pub(super) fn counts_time(&self) -> bool {
        self.sampling.as_ref().is_some_and(Sampling::counts_time)
    }

    /// An object was allocated that is to be remembered, as was found out at `since`. Whether the pulse is over, so that
    /// nothing more is to be reported.
    ///
    /// # Safety
    /// In the event.
    #[cold]
    #[allow(unsafe_code)]
    pub(super) unsafe fn sampled(
        &mut self,
        born: &Born,
        event: *mut rb_trace_arg_t,
        origin: Origin,
        since: Option<Instant>,
    ) -> bool {
        if self.places.is_full() || self.stacks.are_full() {
            self.make_room();
        }
        // SAFETY: as promised by the caller.
        let place = unsafe {
            // A stack keeps its code, and code keeps its caches: nothing would ever give up code with the stacks of its
            // caches.
            match born.is_internal {
                true => self.places.number(&vm::caller(event, origin)).number,
                false => self.with_stack(event, origin, || vm::caller(event, origin)).place,
            }
        };
        let (Some(sampling), Some(counters)) = (&mut self.sampling, &self.counters) else {
            return true;
        };
        sampling.remember(born.address, Entry::new(place, born.generation), since);
        let is_overdue = sampling.is_overdue();
        if is_overdue {
            sampling.pulse_ends(counters);
        }
        is_overdue
    }

    /// Gives up the places and stacks of what is gone. Not while somebody reads them.
    fn make_room(&mut self) {
        let Some(sampling) = &self.sampling else { return };
        if Reader::is_there() {
            return;
        }
        let remembered = sampling.remembered();
        self.places.keep(remembered.entries().map(Entry::place));
        let texts = self.places.texts();
        let stacks = remembered.entries().map(|entry| texts.place(entry.place()).stack);
        self.stacks.keep(stacks);
    }

    /// The stack that allocates, and the number of its place with it.
    ///
    /// # Safety
    /// In the event.
    #[cold]
    #[allow(unsafe_code)]
    unsafe fn with_stack<'a>(
        &mut self,
        event: *mut rb_trace_arg_t,
        origin: Origin,
        caller: impl FnOnce() -> Caller<'a>,
    ) -> Known {
        // SAFETY: as promised by the caller.
        match unsafe { self.stacks.seen(event, origin) } {
            Seen::Before(known) => known,
            Seen::First { stack, fingerprint } => {
                let place = self.places.number(&Caller { stack, ..caller() }).number;
                let known = Known { stack, place };
                self.stacks.note(fingerprint, known);
                known
            }
        }
    }

    #[inline]
    pub(super) fn freed(&mut self, address: u64) {
        self.events.frees += 1;
        self.pages.remove(address);
    }

    /// Objects were moved. All are taken out before one is put in: where one goes to, another may have been.
    pub(super) fn moved(&mut self, moves: &[Move]) {
        for it in moves {
            self.pages.remove(it.known.address);
        }
        for Move { known, to, stride } in moves {
            if self.pages.insert(*to, *stride, known.entry).is_err() {
                NOT_RECORDED.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn memory(&self) -> usize {
        let remembered = self.sampling.as_ref().map_or(0, Sampling::memory);
        self.pages.memory() + self.places.memory() + self.stacks.memory() + remembered
    }
}

/// An object that was allocated.
#[derive(Clone, Copy)]
pub(super) struct Born {
    pub(super) address: u64,
    pub(super) generation: u32,
    /// Whether it is one of the VM's own.
    pub(super) is_internal: bool,
}

/// An object that is elsewhere now.
#[derive(Clone, Copy)]
pub(super) struct Move {
    pub(super) known: pages::Known,
    pub(super) to: u64,
    /// How large the slot there is.
    pub(super) stride: u32,
}
