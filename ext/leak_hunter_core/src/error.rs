//! The one error type of the crate.

use std::fmt;
use std::path::{Path, PathBuf};

/// What went wrong, for callers who decide by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Missing, a folder, no permission, or the disk failed.
    Unreadable,
    /// The file has no bytes.
    Empty,
    /// The file holds no heap dump record.
    NotADump,
    /// The file ends in the middle of a dump.
    Truncated,
    /// The file was written to while it was read.
    Changed,
    /// The dumps are not in the order in which they were taken.
    WrongOrder,
    /// The dumps are of different processes.
    DifferentProcesses,
    /// The same dump was given twice.
    SameDump,
    /// An option has a value that cannot be used.
    Options,
    /// A heap is beyond what the tables can hold.
    TooLarge,
    /// What was to be written cannot be.
    Unwritable,
    /// The caller asked to stop.
    Cancelled,
    /// A fault of this crate.
    Internal,
}

/// An error with the place it came from. One pointer wide, so that `Result`s stay small.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Inner>);

#[derive(Debug, thiserror::Error)]
struct Inner {
    kind: ErrorKind,
    message: String,
    path: Option<PathBuf>,
    line: Option<u64>,
    byte: Option<u64>,
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        f.write_str(&self.message)?;
        match (self.line, self.byte) {
            // the file as a whole
            (_, Some(0)) => Ok(()),
            (Some(line), Some(byte)) => write!(f, " (line {line}, byte {byte})"),
            (None, Some(byte)) => write!(f, " (byte {byte})"),
            (Some(line), None) => write!(f, " (line {line})"),
            (None, None) => Ok(()),
        }
    }
}

impl Error {
    /// An error that concerns no file.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            path: None,
            line: None,
            byte: None,
        }))
    }

    /// An error of one file.
    pub fn of_file(kind: ErrorKind, path: &Path, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            path: Some(path.into()),
            line: None,
            byte: None,
        }))
    }

    /// The same error with the place in the file: line from 1, byte from 0.
    #[must_use]
    pub fn at(mut self, line: Option<u64>, byte: u64) -> Self {
        self.0.line = line;
        self.0.byte = Some(byte);
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file concerned.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// Line in that file, from 1.
    pub fn line(&self) -> Option<u64> {
        self.0.line
    }

    /// Offset in that file, in bytes from 0.
    pub fn byte(&self) -> Option<u64> {
        self.0.byte
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled")
    }
}

/// `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
