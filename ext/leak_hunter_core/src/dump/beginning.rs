//! The beginning of a dump's text, from the first bytes of its file.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder;

use super::compression::Compression;

/// The first `length` bytes of the text of a file that begins like this; fewer where these bytes have no more, or are
/// damaged.
pub fn beginning(bytes: &[u8], length: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let limit = length as u64;
    // what was unpacked before an error is what there is
    let _ = match Compression::of_start(bytes) {
        Compression::None => bytes.take(limit).read_to_end(&mut text),
        Compression::Gzip => MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut text),
        Compression::Zstd => Decoder::with_buffer(bytes).and_then(|mut decoder| {
            decoder.window_log_max(WINDOW)?;
            decoder.take(limit).read_to_end(&mut text)
        }),
    };
    text
}

/// As a power of 2: the beginning needs no more.
const WINDOW: u32 = 23;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_read_of_the_first_bytes() {
        let text = b"{\"type\":\"DUMP\"}\n".repeat(40_000);
        let zstd = zstd::bulk::compress(&text, 1).unwrap();
        for bytes in [&text[..], &zstd, &zstd[..zstd.len() - 1]] {
            assert_eq!(beginning(bytes, 16), b"{\"type\":\"DUMP\"}\n");
        }
        assert_eq!(beginning(b"\x28\xb5\x2f\xfd\xff\xff", 16), b"");
        assert_eq!(beginning(b"", 16), b"");
    }
}
