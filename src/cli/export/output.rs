//! Where an export goes: a file or standard output, packed or not.

use std::{
    fs::File,
    io::{self, BufWriter, ErrorKind, Write},
    path::Path,
};

use anyhow::Context as _;
use flate2::{Compression, write::GzEncoder};

pub(super) fn is_standard(output: &Path) -> bool {
    output == Path::new("-")
}

/// Whether whoever reads has seen enough, as `head` has.
pub(super) fn is_closed(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Where the bytes go.
pub(super) enum Output {
    Plain(BufWriter<Box<dyn Write>>),
    Packed(Box<GzEncoder<BufWriter<Box<dyn Write>>>>),
}

impl Output {
    pub(super) fn open(path: &Path, gzip: bool) -> anyhow::Result<Self> {
        let name = path.display();
        let inner: Box<dyn Write> = if is_standard(path) {
            Box::new(io::stdout())
        } else {
            Box::new(File::create(path).with_context(|| format!("cannot write {name}"))?)
        };
        let inner = BufWriter::new(inner);
        Ok(if gzip {
            Self::Packed(Box::new(GzEncoder::new(inner, Compression::default())))
        } else {
            Self::Plain(inner)
        })
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(bytes),
            Self::Packed(out) => out.write_all(bytes),
        }
    }

    /// Writes what is left.
    pub(super) fn end(self) -> io::Result<()> {
        match self {
            Self::Plain(mut out) => out.flush(),
            Self::Packed(out) => out.finish()?.flush(),
        }
    }
}
