//! Where the frames of a zstd file are: the table at its end, of zstd's seekable format.
//!
//! The table is a frame that decoders skip, so `zstd -d` reads such a file as any other. With it, each frame can be read
//! without those before it, and so by all cores.

/// A frame that decoders skip begins so, and this one has a table.
const SKIPPED: u32 = 0x184d_2a5e;
/// How a table ends.
const TABLE: u32 = 0x8f92_eab1;
/// Whether each entry has a checksum of 4 bytes more.
const HAS_CHECKSUMS: u8 = 1 << 7;
/// Must be 0: for later versions of the format.
const RESERVED: u8 = 0b0111_1100;
/// Bytes before the entries: what begins a skipped frame, and its length.
const HEAD: usize = 8;
/// Bytes of what follows the entries: their number, flags, what ends a table.
pub(crate) const FOOTER: usize = 9;

/// One frame, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// As it is in the file.
    pub(crate) packed: u32,
    /// Of its text.
    pub(crate) text: u32,
}

/// What the last bytes of a file say about its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    entries: u32,
    entry_bytes: usize,
}

impl Footer {
    /// `None` when a file that ends so has no table.
    pub(crate) fn parse(end: &[u8]) -> Option<Self> {
        let footer = end.last_chunk::<FOOTER>()?;
        let [a, b, c, d, flags, magic @ ..] = *footer;
        let is_table = u32::from_le_bytes(magic) == TABLE && flags & RESERVED == 0;
        is_table.then_some(Self {
            entries: u32::from_le_bytes([a, b, c, d]),
            entry_bytes: if flags & HAS_CHECKSUMS == 0 { 8 } else { 12 },
        })
    }

    /// Length of the whole table.
    pub(crate) fn bytes(self) -> u64 {
        (HEAD + FOOTER) as u64 + u64::from(self.entries) * self.entry_bytes as u64
    }

    /// Reads a table, of [`bytes`](Self::bytes) bytes. `None` when it is none after all.
    pub(crate) fn entries(self, table: &[u8]) -> Option<Vec<Entry>> {
        let number = |bytes: &[u8]| bytes.first_chunk().map(|it| u32::from_le_bytes(*it));
        let length = table.len().checked_sub(HEAD)?;
        if number(table)? != SKIPPED || number(&table[4..])? as usize != length {
            return None;
        }
        let entries = table.get(HEAD..table.len() - FOOTER)?;
        let entry = |bytes: &[u8]| {
            Some(Entry {
                packed: number(bytes)?,
                text: number(&bytes[4..])?,
            })
        };
        entries.chunks_exact(self.entry_bytes).map(entry).collect()
    }
}

/// The table of these frames, as it stands in a file.
pub(crate) fn write(entries: &[Entry]) -> Vec<u8> {
    let length = entries.len() * 8 + FOOTER;
    let mut table = Vec::with_capacity(HEAD + length);
    table.extend_from_slice(&SKIPPED.to_le_bytes());
    table.extend_from_slice(&(length as u32).to_le_bytes());
    for entry in entries {
        table.extend_from_slice(&entry.packed.to_le_bytes());
        table.extend_from_slice(&entry.text.to_le_bytes());
    }
    table.extend_from_slice(&(entries.len() as u32).to_le_bytes());
    table.push(0);
    table.extend_from_slice(&TABLE.to_le_bytes());
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for count in [0, 1, 300] {
            let entries: Vec<Entry> = (0..count)
                .map(|index| Entry {
                    packed: index,
                    text: u32::MAX - index,
                })
                .collect();
            let table = write(&entries);
            let footer = Footer::parse(&table).unwrap();
            assert_eq!(footer.bytes(), table.len() as u64);
            assert_eq!(footer.entries(&table), Some(entries));
        }
    }

    #[test]
    fn a_table_with_checksums_is_read() {
        let mut table = vec![];
        table.extend_from_slice(&SKIPPED.to_le_bytes());
        table.extend_from_slice(&(2 * 12 + FOOTER as u32).to_le_bytes());
        for number in [10u32, 20, 0xffff_ffff, 30, 40, 0xffff_ffff, 2] {
            table.extend_from_slice(&number.to_le_bytes());
        }
        table.push(HAS_CHECKSUMS);
        table.extend_from_slice(&TABLE.to_le_bytes());
        let read = Footer::parse(&table).and_then(|footer| footer.entries(&table));
        let entries = [Entry { packed: 10, text: 20 }, Entry { packed: 30, text: 40 }];
        assert_eq!(read.as_deref(), Some(&entries[..]));
    }

    #[test]
    fn what_is_no_table_is_none() {
        let table = write(&[Entry { packed: 1, text: 2 }]);
        let footer = Footer::parse(&table).unwrap();
        assert_eq!(Footer::parse(&table[1..table.len() - 1]), None);
        assert_eq!(Footer::parse(b"}\n"), None);
        for byte in [0, 4] {
            let mut other = table.clone();
            other[byte] ^= 1;
            assert_eq!(footer.entries(&other), None, "byte {byte}");
        }
        let reserved = table.len() - 5;
        let mut later = table;
        later[reserved] = 1 << 3;
        assert_eq!(Footer::parse(&later), None);
    }
}
