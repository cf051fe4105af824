//! The text of stacks: read with the GVL, when nobody is paused any more.
#![allow(unsafe_code)]

use std::collections::HashMap;

use foldhash::fast::RandomState;
use leak_hunter_core::dump::StackLine;
use leak_hunter_core::ids::StackId;
use magnus::rb_sys::protect;
use rb_sys::VALUE;

use super::reader::Reader;
use super::stacks::Counted;
use super::state::{self, state};

/// The path of methods that are written in C.
const IN_C: &[u8] = b"<cfunc>";

/// What is known of the stacks at one moment.
pub(crate) struct KnownStacks {
    stacks: Vec<Counted>,
    /// The tracing that they are of: its frames are kept as long as it lasts.
    tracing: u64,
    _reader: Reader,
}

impl KnownStacks {
    /// With the GVL; makes no object.
    pub(crate) fn take() -> Self {
        let reader = Reader::new();
        let stacks = state().map_or_else(Vec::new, |mut state| {
            state.check();
            state.counted_stacks()
        });
        let tracing = state::tracing();
        Self {
            stacks,
            tracing,
            _reader: reader,
        }
    }

    /// With the GVL, which is kept; makes objects. None when tracing has ended meanwhile.
    pub(crate) fn lines(&self) -> Vec<StackLine> {
        if self.tracing != state::tracing() {
            return Vec::new();
        }
        let mut texts = Texts::default();
        let line = |counted: &Counted| {
            let mut frames = Vec::with_capacity(counted.frames.len());
            for it in &counted.frames {
                if let Some(text) = texts.of(it.frame) {
                    frames.push(match &text.label {
                        Some(label) => format!("{}:{}:in `{label}'", text.path, it.line),
                        None => format!("{}:{}", text.path, it.line),
                    });
                }
            }
            StackLine {
                stack: StackId::new(counted.number),
                frames,
                born: counted.born,
                alive: counted.alive,
            }
        };
        self.stacks.iter().map(line).collect()
    }

    /// The same, as a dump has them.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for line in self.lines() {
            line.write(&mut text);
        }
        text
    }
}

#[derive(Default)]
struct Texts(HashMap<VALUE, Option<Text>, RandomState>);

struct Text {
    path: String,
    label: Option<String>,
}

impl Texts {
    /// `None` of a method in C: as in a backtrace, the line of its caller says where it is.
    fn of(&mut self, frame: VALUE) -> Option<&Text> {
        self.0
            .entry(frame)
            .or_insert_with(|| {
                // SAFETY: a frame that the tracer's owner keeps. None of these calls a method.
                let (path, label) = unsafe {
                    (
                        string(|| rb_sys::rb_profile_frame_path(frame)),
                        string(|| rb_sys::rb_profile_frame_full_label(frame)),
                    )
                };
                let path = path.filter(|path| path.as_slice() != IN_C)?;
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                Some(Text {
                    path: text(path),
                    label: label.map(text),
                })
            })
            .as_ref()
    }
}

/// The bytes of the String that this returns, if it does.
///
/// # Safety
/// It returns a String or something false.
unsafe fn string(read: impl FnOnce() -> VALUE) -> Option<Vec<u8>> {
    let string = protect(read).ok().filter(|it| rb_sys::TEST(*it))?;
    // SAFETY: a String, whose bytes are copied before anything else of Ruby runs.
    unsafe {
        let length = usize::try_from(rb_sys::RSTRING_LEN(string)).ok()?;
        Some(std::slice::from_raw_parts(rb_sys::RSTRING_PTR(string).cast::<u8>(), length).to_vec())
    }
}
