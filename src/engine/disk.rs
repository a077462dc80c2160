//! The few things that engines need of the file system and the standard library does not name: making
//! a change to a directory durable, how full the disk is, and what files really take.

use std::{
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
};

use super::{EngineError, EngineResult};

/// A batch may take this many times its size before old versions of what it changes are given back.
const WRITE_AMPLIFICATION: u64 = 4;

/// Makes the content of a file durable.
pub(super) fn sync_file(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes the names in a directory durable: a new file is safe only after its directory is synced too.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    // Only Unix opens a directory as a file; elsewhere names are durable with the file itself.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Syncs every file of a directory, and then the directory.
pub(super) fn sync_all(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            sync_file(&entry.path())?;
        }
    }
    sync_dir(dir)
}

/// Bytes that all files under `dir` take on disk. Files that vanish meanwhile take none.
pub(super) fn allocated_bytes(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        bytes += match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => allocated_bytes(&entry.path())?,
            Ok(metadata) => allocated(&metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
    }
    Ok(bytes)
}

#[cfg(unix)]
fn allocated(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.blocks() * 512
}

#[cfg(not(unix))]
fn allocated(metadata: &Metadata) -> u64 {
    metadata.len()
}

/// Room on the disk, asked for before a batch is begun: a batch refused then changed nothing, while one
/// that runs out of room halfway stops the engine.
#[derive(Debug)]
pub(super) struct Room {
    dir: PathBuf,
    reserve_bytes: u64,
}

impl Room {
    /// Keeps `reserve_bytes` free on the disk of `dir`.
    pub(super) fn new(dir: &Path, reserve_bytes: u64) -> Self {
        Self { dir: dir.to_owned(), reserve_bytes }
    }

    /// Answers [`EngineError::Full`] when a batch of `bytes` could fill the disk.
    pub(super) fn require(&self, bytes: u64) -> EngineResult<()> {
        let needed = bytes.saturating_mul(WRITE_AMPLIFICATION).saturating_add(self.reserve_bytes);
        let free = free_bytes(&self.dir)
            .map_err(|error| EngineError::from_io("asking for the free space of", &self.dir, &error))?;
        if free < needed {
            let dir = self.dir.display();
            return Err(EngineError::Full(format!("{dir} has {free} bytes free, and {needed} are needed")));
        }
        Ok(())
    }
}

#[cfg(unix)]
fn free_bytes(dir: &Path) -> io::Result<u64> {
    let stats = rustix::fs::statvfs(dir)?;
    Ok(stats.f_bavail.saturating_mul(stats.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_dir: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}
