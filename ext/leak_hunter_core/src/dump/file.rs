//! A dump file: opened once, checked, read at any place by any thread.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind as Io, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use memchr::{memchr, memchr_iter, memrchr};

use super::header::DumpHeader;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;

/// How much of both ends of a file is looked at when it is opened.
const PEEK: usize = 64 << 10;

/// How much is read at once to count lines.
const CHUNK: usize = 1 << 20;

/// An opened dump. Read with `pread`, never mapped: a file cut short under us must be an error, not a SIGBUS.
///
/// ```
/// use leak_hunter_core::DumpFile;
///
/// let dump = tempfile::NamedTempFile::new()?;
/// std::fs::write(dump.path(), "{\"address\":\"0x10\", \"type\":\"OBJECT\"}\n")?;
/// let file = DumpFile::open(dump.path())?;
/// assert_eq!(file.bytes(), 36);
/// assert!(file.recorded().is_none(), "LeakHunter did not take it");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DumpFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    modified: Option<SystemTime>,
    recorded: Option<DumpHeader>,
    peek: Vec<u8>,
    last: Vec<u8>,
}

impl DumpFile {
    /// Opens a file and looks at its ends.
    ///
    /// # Errors
    /// Of the kind `Unreadable`, `Empty`, `NotADump`, or `Truncated` where a dump of LeakHunter's lacks its last line.
    pub fn open(path: &Path) -> Result<Self> {
        let unreadable = |error: io::Error| Error::of_file(ErrorKind::Unreadable, path, explain(&error));
        // Asked before opening: opening a pipe would wait for its writer.
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(Error::of_file(
                ErrorKind::Unreadable,
                path,
                "is a folder, not a heap dump",
            ));
        }
        if !metadata.is_file() {
            let message = "is not a regular file; a dump is read at several places at once";
            return Err(Error::of_file(ErrorKind::Unreadable, path, message));
        }
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let mut dump = Self {
            path: path.into(),
            file,
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
            recorded: None,
            peek: Vec::new(),
            last: Vec::new(),
        };
        if dump.bytes == 0 {
            return Err(Error::of_file(ErrorKind::Empty, path, "is empty; take it again"));
        }
        dump.peek = dump.read_range(0, PEEK)?;
        dump.check_start()?;
        dump.last = dump.read_range(dump.bytes.saturating_sub(PEEK as u64), PEEK)?;
        dump.read_recorded()?;
        Ok(dump)
    }

    /// Opens a file. Where its end is wrong, the error has the line too: to find it, all of the file is read.
    pub(crate) fn open_and_name_line(path: &Path, progress: &Progress) -> Result<Self> {
        Self::open(path).map_err(|error| match (error.byte(), error.line()) {
            (Some(byte), None) => match line_at(path, byte, progress) {
                Ok(line) => error.at(Some(line), byte),
                Err(_) => error,
            },
            _ => error,
        })
    }

    /// The path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What the dump says of itself, when LeakHunter took it.
    pub fn recorded(&self) -> Option<&DumpHeader> {
        self.recorded.as_ref()
    }

    /// Whether both hold the same dump: one file, or copies of it.
    pub(crate) fn same_as(&self, other: &Self, progress: &Progress) -> Result<bool> {
        if let (Some(one), Some(two)) = (&self.recorded, &other.recorded) {
            return Ok(one.id == two.id);
        }
        if self.bytes != other.bytes || self.peek != other.peek || self.last != other.last {
            return Ok(false);
        }
        let (mut mine, mut theirs) = (vec![0; PEEK], vec![0; PEEK]);
        let mut offset = 0;
        while offset < self.bytes {
            progress.check()?;
            let read = self.read_at(&mut mine, offset)?;
            if read != other.read_at(&mut theirs, offset)? || mine[..read] != theirs[..read] {
                return Ok(false);
            }
            offset += read as u64;
        }
        Ok(true)
    }

    /// Fails when the file is no longer what was opened.
    pub(crate) fn check_unchanged(&self) -> Result<()> {
        let now = self.file.metadata().map_err(|error| self.unreadable(&error))?;
        if self.is_changed(&now) {
            return Err(self.changed());
        }
        Ok(())
    }

    fn is_changed(&self, now: &Metadata) -> bool {
        now.len() != self.bytes || now.modified().ok() != self.modified
    }

    pub(crate) fn changed(&self) -> Error {
        let message = "changed while it was read; wait until the dump is written, then compare";
        Error::of_file(ErrorKind::Changed, &self.path, message)
    }

    pub(crate) fn unreadable(&self, error: &io::Error) -> Error {
        Error::of_file(ErrorKind::Unreadable, &self.path, explain(error))
    }

    pub(crate) fn truncated(&self, message: &str) -> Error {
        Error::of_file(ErrorKind::Truncated, &self.path, message)
    }

    pub(crate) fn not_a_dump(&self, message: impl Into<String>) -> Error {
        Error::of_file(ErrorKind::NotADump, &self.path, message)
    }

    /// Fills `buffer` from `offset` on; fewer bytes only where the file (as opened) ends.
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        let wanted = usize::try_from(self.bytes.saturating_sub(offset))
            .map_or(buffer.len(), |rest| rest.min(buffer.len()));
        let mut filled = 0;
        while filled < wanted {
            match pread(&self.file, &mut buffer[filled..wanted], offset + filled as u64) {
                Ok(0) => return Err(self.changed()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == Io::Interrupted => {}
                Err(error) => return Err(self.unreadable(&error)),
            }
        }
        Ok(filled)
    }

    fn read_range(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let mut buffer = vec![0; length];
        let read = self.read_at(&mut buffer, offset)?;
        buffer.truncate(read);
        Ok(buffer)
    }

    /// Tells what else the file may be before gigabytes of it are read.
    fn check_start(&self) -> Result<()> {
        let hint = match self.peek.as_slice() {
            [0x1f, 0x8b, ..] => "is compressed with gzip; decompress it first (gunzip)",
            [0x28, 0xb5, 0x2f, 0xfd, ..] => "is compressed with zstd; decompress it first (unzstd)",
            start if start.trim_ascii_start().starts_with(b"{") => return Ok(()),
            _ => "is not a heap dump: its first line is no record of ObjectSpace.dump_all",
        };
        Err(self.not_a_dump(hint).at(Some(1), 0))
    }

    fn read_recorded(&mut self) -> Result<()> {
        let Some(end) = memchr(b'\n', &self.peek) else {
            return Ok(());
        };
        let Some(recorded) = DumpHeader::parse(self.peek[..end].trim_ascii_end()) else {
            return Ok(());
        };
        let last = self.last.trim_ascii_end();
        let line = &last[memrchr(b'\n', last).map_or(0, |newline| newline + 1)..];
        self.recorded = recorded.ended_by(line);
        if self.recorded.is_none() {
            let message = "is cut short: the last line of a whole dump is missing; copy or take it again";
            return Err(self.truncated(message).at(None, self.bytes));
        }
        Ok(())
    }
}

#[cfg(unix)]
fn pread(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn pread(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// Line, from 1, that the byte is in.
fn line_at(path: &Path, byte: u64, progress: &Progress) -> io::Result<u64> {
    let mut text = File::open(path)?.take(byte);
    let mut buffer = vec![0; CHUNK];
    let mut line = 1;
    loop {
        if progress.is_cancelled() {
            return Err(Io::Interrupted.into());
        }
        let read = text.read(&mut buffer)?;
        if read == 0 {
            return Ok(line);
        }
        line += memchr_iter(b'\n', &buffer[..read]).count() as u64;
    }
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        Io::NotFound => "no such file".into(),
        Io::PermissionDenied => "no permission to read it".into(),
        _ => format!("cannot be read: {error}"),
    }
}
