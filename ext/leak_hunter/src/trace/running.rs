//! The running stack, read in place: what tells it apart from others, and nothing else. For the lines of 64 frames the VM
//! takes a microsecond or two, for which it looks each of them up; most stacks are among the last few, whose lines are
//! known.
//!
//! Of each frame there is its place in the code, and the entry of its method: as the VM finds them. The first stacks, some
//! of the others, and all new ones are asked for from the VM, too; when both differ, nothing is read in place any more.
#![allow(unsafe_code)]

use rb_sys::ruby_value_type as T;
use rb_sys::{VALUE, rb_trace_arg_t};

use super::captured::{FRAMES, Fingerprint, Origin};

/// Words of a frame; 0 where that is not known.
const WORDS: usize = match env!("LEAK_HUNTER_RUBY").as_bytes() {
    b"3.1" => 8,
    b"3.3" | b"3.4" => 7,
    _ => 0,
};
/// Bytes from one frame to its caller's.
const STRIDE: usize = WORDS * size_of::<VALUE>();
/// Where a frame has, from Ruby 3.2 on, the address at which compiled code goes on.
const JIT_RETURN: usize = WORDS.saturating_sub(1);
/// So many blocks around a block are looked at.
const MOST_BLOCKS: usize = 64;

/// Stacks for which the VM is asked, too: the first so many,
const CHECKED: u32 = 64;
/// and one of so many others.
const CHECKED_ONE_OF: u32 = 1024;

/// Whether stacks are read in place.
pub(super) struct Reading {
    is_right: bool,
    count: u32,
}

impl Reading {
    pub(super) const fn new() -> Self {
        Self {
            is_right: WORDS > 0,
            count: 0,
        }
    }

    /// What tells the stack that runs, and the origin, from others. `None` where it is not known how to read it, or it has too
    /// many frames.
    ///
    /// # Safety
    /// An event of the VM's, while it lasts.
    #[inline]
    pub(super) unsafe fn fingerprint(
        &self,
        event: *const rb_trace_arg_t,
        origin: Origin,
    ) -> Option<Fingerprint> {
        if !self.is_right {
            return None;
        }
        // SAFETY: as promised by the caller.
        unsafe { Frames::of(event) }?.fingerprint(origin)
    }

    /// Whether the VM is to be asked for this one, too.
    pub(super) fn checks(&mut self) -> bool {
        self.count = self.count.wrapping_add(1);
        self.count <= CHECKED || self.count % CHECKED_ONE_OF == 0
    }

    /// Whether the frames that run are those that the VM has told of, which are put right where it tells the method instead
    /// of the code.
    ///
    /// # Safety
    /// As of [`Self::fingerprint`].
    pub(super) unsafe fn agrees(&self, event: *const rb_trace_arg_t, told: &mut [VALUE]) -> bool {
        // SAFETY: as promised by the caller.
        unsafe { Frames::of(event).is_some_and(|frames| frames.are(told)) }
    }

    pub(super) fn is_on(&self) -> bool {
        self.is_right
    }

    /// Nothing is read in place from here on.
    #[cold]
    pub(super) fn end(&mut self) {
        self.is_right = false;
    }
}

/// How an event of the VM's begins.
#[repr(C)]
struct Event {
    event: u32,
    context: *const Context,
}

/// How what the VM has of a fiber begins.
#[repr(C)]
struct Context {
    stack: *const VALUE,
    /// In words.
    size: usize,
    frame: *const Frame,
}

#[repr(C)]
struct Frame {
    code_address: usize,
    stack_pointer: usize,
    code: VALUE,
    receiver: VALUE,
    environment: *const VALUE,
}

/// What is before the address of an environment, in words: the flags are at it.
const METHOD: usize = 2;
const AROUND: usize = 1;
const IS_OUTERMOST: VALUE = 0x2;
const IS_IN_C: VALUE = 0x80;
/// Bits of the address of the environment around.
const TAG: VALUE = 0x3;

/// What one frame runs.
#[derive(Clone, Copy)]
struct Running {
    code: VALUE,
    code_address: usize,
    /// 0 where there is none.
    method: VALUE,
    is_ruby: bool,
}

/// The frames of the running stack, the innermost first: as many as hold [`FRAMES`] of Ruby's code.
struct Frames {
    next: *const Frame,
    end: *const Frame,
    ruby: usize,
}

impl Frames {
    /// `None` where it is not known how to read them.
    ///
    /// # Safety
    /// An event of the VM's, while it lasts.
    #[inline]
    unsafe fn of(event: *const rb_trace_arg_t) -> Option<Self> {
        if WORDS == 0 {
            return None;
        }
        // SAFETY: an event begins like that, and the stack ends with its frames.
        unsafe {
            let context = (*event.cast::<Event>()).context.as_ref()?;
            if context.frame.is_null() || context.stack.is_null() {
                return None;
            }
            let end = context.stack.add(context.size).cast::<Frame>();
            // the outermost frame runs nothing, and newer Rubies do not tell of it
            let end = if cfg!(ruby_gte_3_2) {
                end.byte_sub(STRIDE)
            } else {
                end
            };
            Some(Self {
                next: context.frame,
                end,
                ruby: 0,
            })
        }
    }

    /// What tells this stack from others. `None` where it has too many frames.
    #[inline]
    fn fingerprint(self, origin: Origin) -> Option<Fingerprint> {
        // where compiled code runs, the VM does not believe the innermost frame's place in it
        // SAFETY: there is a frame; from Ruby 3.2 on it has this word.
        let innermost = unsafe {
            let is_compiled = cfg!(ruby_gte_3_2) && *self.next.cast::<usize>().add(JIT_RETURN) != 0;
            [(*self.next).code as u64, u64::from(is_compiled)]
        };
        let words = self.map(|it| [it.code_address as u64, it.method as u64]);
        Fingerprint::of(origin, std::iter::once(innermost).chain(words))
    }

    /// Whether these are the frames that the VM tells of. Of code that is evaluated in a method it tells the method, whose
    /// file may be another one: that is put right.
    ///
    /// # Safety
    /// In the event. Frames as the VM tells them.
    unsafe fn are(self, told: &mut [VALUE]) -> bool {
        let is_cut = told.len() == FRAMES;
        let mut told = told.iter_mut().peekable();
        for frame in self {
            let is_it = |next: &&mut VALUE| **next == frame.method || frame.is_ruby && **next == frame.code;
            if let Some(next) = told.next_if(is_it) {
                // SAFETY: a frame of Ruby's code and its method, of which no object is made here.
                if frame.is_ruby && unsafe { path_of(*next) != path_of(frame.code) } {
                    *next = frame.code;
                }
            } else if frame.is_ruby && frame.code_address != 0 {
                // methods in C are told of, and other things in C are not
                return told.peek().is_none() && is_cut;
            }
        }
        told.peek().is_none()
    }
}

/// The path of code, or of a method in Ruby.
///
/// # Safety
/// One of these.
unsafe fn path_of(frame: VALUE) -> VALUE {
    // SAFETY: as promised; the String is there already.
    unsafe { rb_sys::rb_profile_frame_path(frame) }
}

impl Iterator for Frames {
    type Item = Running;

    #[inline]
    fn next(&mut self) -> Option<Running> {
        if self.next >= self.end || self.ruby == FRAMES {
            return None;
        }
        // SAFETY: a frame, as it is before the end of the stack; all frames have an environment.
        unsafe {
            let frame = &*self.next;
            self.next = self.next.byte_add(STRIDE);
            let is_ruby = *frame.environment & IS_IN_C == 0;
            self.ruby += usize::from(is_ruby);
            Some(Running {
                code: frame.code,
                code_address: if is_ruby { frame.code_address } else { 0 },
                method: method_of(frame.environment),
                is_ruby,
            })
        }
    }
}

/// The entry of the method that is around an environment; 0 for none.
///
/// # Safety
/// The environment of a frame.
#[inline]
unsafe fn method_of(mut environment: *const VALUE) -> VALUE {
    // SAFETY: an environment has these words, and one that is not the outermost has another around it.
    unsafe {
        for _ in 0..MOST_BLOCKS {
            let is_outermost = *environment & IS_OUTERMOST != 0;
            let entry = entry_of(*environment.sub(METHOD), is_outermost);
            if entry != 0 || is_outermost {
                return entry;
            }
            environment = (*environment.sub(AROUND) & !TAG) as *const VALUE;
        }
    }
    0
}

/// An object of the VM's own.
#[repr(C)]
struct Imemo {
    flags: VALUE,
    /// Of special variables: what they stand before.
    first: VALUE,
}

const TYPE: VALUE = 0x1f;
const IMEMO_TYPE_SHIFT: u32 = 12;
const IMEMO_TYPE: VALUE = 0xf;
const SPECIAL_VARIABLES: VALUE = 2;
const METHOD_ENTRY: VALUE = 6;

/// The entry of a method, if that is what an environment has there, or what special variables like `$~` stand before.
///
/// # Safety
/// A word of an environment in the place of its method.
#[inline]
unsafe fn entry_of(word: VALUE, may_be_special: bool) -> VALUE {
    if word == 0 || rb_sys::SPECIAL_CONST_P(word) {
        return 0;
    }
    // SAFETY: an object.
    let imemo = unsafe { &*(word as *const Imemo) };
    if imemo.flags & TYPE != T::RUBY_T_IMEMO as u32 as VALUE {
        return 0;
    }
    match imemo.flags >> IMEMO_TYPE_SHIFT & IMEMO_TYPE {
        METHOD_ENTRY => word,
        // SAFETY: a word of the same kind.
        SPECIAL_VARIABLES if may_be_special => unsafe { entry_of(imemo.first, false) },
        _ => 0,
    }
}
