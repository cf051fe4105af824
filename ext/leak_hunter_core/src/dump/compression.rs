//! How a file is compressed, told by its first bytes, never by its name.

/// How the text of a dump is compressed in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// Zstandard.
    Zstd,
    /// gzip.
    Gzip,
}

impl Compression {
    /// Of a file that begins like this.
    pub fn of_start(bytes: &[u8]) -> Self {
        match bytes {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // a frame, or one that decoders skip: sixteen numbers stand for such
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// Its name, as in options and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell() {
        for (start, compression) in [
            (&b""[..], Compression::None),
            (b"{\"address\":", Compression::None),
            (b"\x1f", Compression::None),
            (b"\x1f\x8b\x08", Compression::Gzip),
            (b"\x28\xb5\x2f\xfd\x04", Compression::Zstd),
            (b"\x5e\x2a\x4d\x18\x00", Compression::Zstd),
            (b"\x60\x2a\x4d\x18\x00", Compression::None),
        ] {
            assert_eq!(Compression::of_start(start), compression, "{start:?}");
        }
    }
}
