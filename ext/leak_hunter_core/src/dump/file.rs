//! A dump file: opened once, checked, read at any place by any thread.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind as Io};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use memchr::{memchr, memchr_iter, memrchr};

use super::compression::Compression;
use super::frames::Frames;
use super::header::DumpHeader;
use super::text::Text;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;

/// How much of both ends of a file is looked at when it is opened.
const PEEK: usize = 64 << 10;

/// Bytes of text for each byte of a compressed dump.
const USUAL_RATIO: u64 = 12;

/// How much is read at once to count lines, and to compare.
const CHUNK: usize = 1 << 20;

/// How the text of a dump is in its file.
#[derive(Debug)]
pub(crate) enum Form {
    /// As it is.
    Plain,
    /// In frames that can be read one without the other.
    Frames(Frames),
    /// In one piece, to be read from its beginning on.
    Stream(Compression),
}

/// An opened dump, compressed or not. Read with `pread`, never mapped: a file cut short under us must be an error, not a SIGBUS.
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
    form: Form,
    recorded: Option<Box<DumpHeader>>,
    /// The same with what the last line says, of a stream that was read to its end.
    ended: OnceLock<Box<DumpHeader>>,
    peek: Vec<u8>,
    last: Vec<u8>,
}

impl DumpFile {
    /// Opens a file and looks at its ends. Of a stream, only the beginning is read.
    ///
    /// # Errors
    /// Of the kind `Unreadable`, `Empty`, `NotADump`, or `Truncated` where a dump of LeakHunter's lacks its last line.
    pub fn open(path: &Path) -> Result<Self> {
        let mut dump = Self::open_unchecked(path)?;
        dump.peek = Text::of(&dump)?.range(0, PEEK)?;
        dump.check_start()?;
        if let Some(bytes) = dump.text_bytes() {
            dump.last = Text::of(&dump)?.range(bytes.saturating_sub(PEEK as u64), PEEK)?;
        }
        dump.read_recorded()?;
        Ok(dump)
    }

    fn open_unchecked(path: &Path) -> Result<Self> {
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
            form: Form::Plain,
            recorded: None,
            ended: OnceLock::new(),
            peek: Vec::new(),
            last: Vec::new(),
        };
        if dump.bytes == 0 {
            return Err(Error::of_file(ErrorKind::Empty, path, "is empty; take it again"));
        }
        dump.form = match Compression::of_start(&dump.raw_range(0, 4)?) {
            Compression::None => Form::Plain,
            Compression::Zstd => match Frames::of(&dump)? {
                Some(frames) => Form::Frames(frames),
                None => Form::Stream(Compression::Zstd),
            },
            Compression::Gzip => Form::Stream(Compression::Gzip),
        };
        Ok(dump)
    }

    /// Opens a file. Where its end is wrong, the error has the line too: to find it, all of the file is read.
    pub(crate) fn open_and_name_line(path: &Path, progress: &Progress) -> Result<Self> {
        Self::open(path).map_err(|error| match (error.byte(), error.line()) {
            (Some(byte), None) => match Self::line_at(path, byte, progress) {
                Some(line) => error.at(Some(line), byte),
                None => error,
            },
            _ => error,
        })
    }

    /// Line, from 1, that a byte of a text is in.
    fn line_at(path: &Path, byte: u64, progress: &Progress) -> Option<u64> {
        let file = Self::open_unchecked(path).ok()?;
        if byte > file.text_bytes()? {
            return None;
        }
        let mut text = Text::of(&file).ok()?;
        let mut buffer = vec![0; CHUNK];
        let (mut line, mut offset) = (1, 0);
        while offset < byte {
            progress.check().ok()?;
            let length = (byte - offset).min(CHUNK as u64) as usize;
            let read = text.read_at(&mut buffer[..length], offset).ok()?;
            line += memchr_iter(b'\n', &buffer[..read]).count() as u64;
            offset += read.max(1) as u64;
        }
        Some(line)
    }

    /// The path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Size of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How it is compressed.
    pub fn compression(&self) -> Compression {
        match self.form {
            Form::Plain => Compression::None,
            Form::Frames(_) => Compression::Zstd,
            Form::Stream(compression) => compression,
        }
    }

    pub(crate) fn form(&self) -> &Form {
        &self.form
    }

    /// Size of its text in bytes; `None` of a stream, where it is known when all was read.
    pub fn text_bytes(&self) -> Option<u64> {
        match &self.form {
            Form::Plain => Some(self.bytes),
            Form::Frames(frames) => Some(frames.text_bytes()),
            Form::Stream(_) => None,
        }
    }

    /// About so many bytes of text, for tables that are made beforehand.
    pub(crate) fn text_estimate(&self) -> u64 {
        self.text_bytes()
            .unwrap_or(self.bytes.saturating_mul(USUAL_RATIO))
    }

    /// What the dump says of itself, when LeakHunter took it.
    pub fn recorded(&self) -> Option<&DumpHeader> {
        self.ended.get().or(self.recorded.as_ref()).map(|it| &**it)
    }

    /// Whether both hold the same dump: one file, or copies of it.
    pub(crate) fn same_as(&self, other: &Self, progress: &Progress) -> Result<bool> {
        if let (Some(one), Some(two)) = (&self.recorded, &other.recorded) {
            return Ok(one.id == two.id);
        }
        let known = (self.text_bytes(), other.text_bytes());
        if matches!(known, (Some(one), Some(two)) if one != two || self.last != other.last)
            || self.peek != other.peek
        {
            return Ok(false);
        }
        let (mut mine, mut theirs) = (vec![0; CHUNK], vec![0; CHUNK]);
        let (mut one, mut two) = (Text::of(self)?, Text::of(other)?);
        let mut offset = 0;
        loop {
            progress.check()?;
            let read = one.read_at(&mut mine, offset)?;
            if read != two.read_at(&mut theirs, offset)? || mine[..read] != theirs[..read] {
                return Ok(false);
            }
            if read < CHUNK {
                return Ok(true);
            }
            offset += read as u64;
        }
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

    /// Fills `buffer` from `offset` of the file on; fewer bytes only where the file (as opened) ends.
    pub(crate) fn raw_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
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

    pub(crate) fn raw_range(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let mut buffer = vec![0; length];
        let read = self.raw_at(&mut buffer, offset)?;
        buffer.truncate(read);
        Ok(buffer)
    }

    /// Some bytes of the file from `offset` on; none only where the file (as opened) ends.
    pub(crate) fn raw_read(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.bytes.saturating_sub(offset);
        let length = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        if length == 0 {
            return Ok(0);
        }
        pread(&self.file, &mut buffer[..length], offset)
    }

    /// Tells what else the file may be before gigabytes of it are read.
    fn check_start(&self) -> Result<()> {
        if self.peek.trim_ascii_start().starts_with(b"{") {
            return Ok(());
        }
        let message = match self.compression() {
            Compression::None => {
                "is not a heap dump: its first line is no record of ObjectSpace.dump_all".into()
            }
            compression => format!(
                "is not a heap dump: unpacked with {}, its first line is no record of ObjectSpace.dump_all",
                compression.name()
            ),
        };
        Err(self.not_a_dump(message).at(Some(1), 0))
    }

    fn read_recorded(&mut self) -> Result<()> {
        let Some(end) = memchr(b'\n', &self.peek) else {
            return Ok(());
        };
        let Some(recorded) = DumpHeader::parse(self.peek[..end].trim_ascii_end()) else {
            return Ok(());
        };
        self.recorded = match self.text_bytes() {
            Some(bytes) => Some(self.ended_by(recorded, &self.last, bytes)?.into()),
            None => Some(recorded.into()),
        };
        Ok(())
    }

    /// What the dump says of itself, with what its last line says.
    fn ended_by(&self, recorded: DumpHeader, ending: &[u8], text_bytes: u64) -> Result<DumpHeader> {
        let last = ending.trim_ascii_end();
        let line = &last[memrchr(b'\n', last).map_or(0, |newline| newline + 1)..];
        recorded.ended_by(line).ok_or_else(|| {
            let message = "is cut short: the last line of a whole dump is missing; copy or take it again";
            self.truncated(message).at(None, text_bytes)
        })
    }

    /// Looks at the last line of a stream that was read to its end.
    pub(crate) fn end_of_stream(&self, ending: &[u8], text_bytes: u64) -> Result<()> {
        if let Some(recorded) = &self.recorded {
            let ended = self.ended_by(recorded.as_ref().clone(), ending, text_bytes)?;
            // the same each time it is read
            let _ = self.ended.set(ended.into());
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

fn explain(error: &io::Error) -> String {
    match error.kind() {
        Io::NotFound => "no such file".into(),
        Io::PermissionDenied => "no permission to read it".into(),
        _ => format!("cannot be read: {error}"),
    }
}
