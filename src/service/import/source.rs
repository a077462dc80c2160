//! The bytes of a transcript, unpacked where they are packed. Knows nothing of what they say.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder;

/// Bytes read from the file at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// The first bytes of every gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The first bytes of everything that zstd has packed.
pub const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The distance over which what zstd packed may refer back, as a power of two: its own programs write no more unless they
/// are told to, and that much of what was unpacked is in memory.
const ZSTD_WINDOW_LOG: u32 = 27;

/// What zstd says where that is more.
const TOO_MUCH_MEMORY: &str = "Frame requires too much memory for decoding";

/// Reads `input`, unpacking it if it is gzip or zstd: told by its first bytes, never by its name.
///
/// # Errors
/// When the first bytes cannot be read.
pub fn open(input: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut raw = BufReader::with_capacity(BUFFER_BYTES, input);
    // A single `fill_buf` may return one byte only, on a pipe; then there is no telling.
    let head = raw.fill_buf()?;
    if head.starts_with(&GZIP_MAGIC) {
        Ok(Box::new(Steady::new(MultiGzDecoder::new(raw))))
    } else if head.starts_with(&ZSTD_MAGIC) {
        Ok(Box::new(Steady::new(Zstd::new(raw)?)))
    } else {
        Ok(Box::new(Steady { inner: raw, failed: None }))
    }
}

/// What zstd has packed, in one frame or in several, unpacked as it is read: however long it is, little of it is in
/// memory.
pub struct Zstd<R>(Decoder<'static, R>);

impl<R: BufRead> Zstd<R> {
    /// Reads what is packed in `input`.
    ///
    /// # Errors
    /// When there is no memory to unpack it.
    pub fn new(input: R) -> io::Result<Self> {
        let mut decoder = Decoder::with_buffer(input)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG)?;
        Ok(Self(decoder))
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            // zstd tells what is wrong in words alone.
            io::ErrorKind::Other if error.to_string() == TOO_MUCH_MEMORY => io::Error::new(
                io::ErrorKind::OutOfMemory,
                "it takes more than 128 MiB of memory to unpack; pack it without zstd's option `--long`",
            ),
            io::ErrorKind::Other => io::Error::new(io::ErrorKind::InvalidData, error),
            _ => error,
        })
    }
}

/// A reader that stays failed once it has failed, so that a look ahead may swallow the first error.
struct Steady<R> {
    inner: R,
    failed: Option<(io::ErrorKind, String)>,
}

impl<R: Read> Steady<BufReader<R>> {
    fn new(unpacked: R) -> Self {
        Self { inner: BufReader::with_capacity(BUFFER_BYTES, unpacked), failed: None }
    }
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
