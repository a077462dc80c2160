//! The bytes of a transcript, unpacked where they are packed. Knows nothing of what they say.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// Bytes read from the file at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// The first bytes of every gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads `input`, unpacking it if it is gzip: told by its first bytes, never by its name.
///
/// # Errors
/// When the first bytes cannot be read.
pub fn open(input: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut raw = BufReader::with_capacity(BUFFER_BYTES, input);
    // A single `fill_buf` may return one byte only, on a pipe; then there is no telling.
    let packed = raw.fill_buf()?.starts_with(&GZIP_MAGIC);
    if packed {
        let unpacked = BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(raw));
        Ok(Box::new(Steady { inner: unpacked, failed: None }))
    } else {
        Ok(Box::new(Steady { inner: raw, failed: None }))
    }
}

/// A reader that stays failed once it has failed, so that a look ahead may swallow the first error.
struct Steady<R> {
    inner: R,
    failed: Option<(io::ErrorKind, String)>,
}

impl<R: BufRead> Read for Steady<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), available.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Steady<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some((kind, text)) = &self.failed {
            return Err(io::Error::new(*kind, text.clone()));
        }
        match self.inner.fill_buf() {
            Ok(bytes) => Ok(bytes),
            Err(error) => {
                self.failed = Some((error.kind(), error.to_string()));
                Err(error)
            }
        }
    }

    fn consume(&mut self, count: usize) {
        self.inner.consume(count);
    }
}
