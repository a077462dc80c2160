//! sled's files: opening them, putting right what a crash can leave behind, and syncing them for good.
//!
//! What sled calls a flush writes its log out without waiting for the disk to have it: on Linux it ends
//! with `sync_file_range`, which moves neither the length of the file nor the cache of the disk. So the
//! log is synced here, through a descriptor of our own.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use ::sled::{Config, Db};

use super::values::SEGMENT_BYTES;
use crate::engine::{EngineError, EngineResult, disk};

/// How long sled may take to let go of a database that this process just closed.
const LOCK_PATIENCE: u32 = 500;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Bytes written since sled last summed up its log, from which on closing takes the time to do so.
const CHECKPOINT_BYTES: u64 = 16 << 20;

/// How to open the files of one database.
#[derive(Debug, Clone)]
pub(super) struct Location {
    pub dir: PathBuf,
    pub cache_bytes: u64,
}

impl Location {
    /// Opens the database, or makes it.
    pub(super) fn open(&self) -> EngineResult<Db> {
        self.remove_leftovers().map_err(|error| EngineError::from_io("repairing", &self.dir, &error))?;
        let mut patience = LOCK_PATIENCE;
        loop {
            match self.config().open() {
                Ok(db) => return Ok(db),
                // The directory is locked by us, so a lock on the file is of this process: sled's threads
                // may hold it for a moment after a close.
                Err(error) if is_locked(&error) && patience > 0 => {
                    patience -= 1;
                    thread::sleep(LOCK_PAUSE);
                }
                Err(error) if is_locked(&error) => {
                    return Err(EngineError::Locked(self.dir.display().to_string()));
                }
                Err(error) => return Err(from_sled(&error)),
            }
        }
    }

    fn config(&self) -> Config {
        Config::new()
            .path(&self.dir)
            .cache_capacity(self.cache_bytes)
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(None)
    }

    /// Removes what sled would trip over: half of a summary of its log, which it takes for the newest and
    /// then for damage; and its settings without a log, which may be cut short.
    fn remove_leftovers(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.extension() == Some(OsStr::new("generating")) {
                fs::remove_file(path)?;
            }
        }
        let settings = self.dir.join("conf");
        if settings.exists() && !self.dir.join("db").exists() {
            fs::remove_file(settings)?;
        }
        Ok(())
    }
}

fn is_locked(error: &::sled::Error) -> bool {
    matches!(error, ::sled::Error::Io(error) if error.to_string().starts_with("could not acquire lock"))
}

/// What an error of sled means to a caller.
pub(super) fn from_sled(error: &::sled::Error) -> EngineError {
    match error {
        ::sled::Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
            EngineError::Full(error.to_string())
        }
        ::sled::Error::Io(error) => EngineError::Io(error.to_string()),
        other => EngineError::Corrupt(other.to_string()),
    }
}

/// Syncs what sled wrote.
#[derive(Debug)]
pub(super) struct Syncer {
    log: File,
    blobs: PathBuf,
    newest_blob: AtomicI64,
}

impl Syncer {
    /// Makes durable that the database exists, and gets ready to sync it.
    pub(super) fn new(dir: &Path) -> io::Result<Self> {
        disk::sync_all(dir)?;
        Ok(Self {
            log: File::open(dir.join("db"))?,
            blobs: dir.join("blobs"),
            newest_blob: AtomicI64::new(-1),
        })
    }

    /// Makes all that was flushed durable. Blobs come first: a log that names one that is not there
    /// would be read without it.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.sync_blobs()?;
        self.log.sync_data()
    }

    /// Pages that are too large for the log lie in files of their own, named by ever larger numbers. Our
    /// pages do not get that large, so this finds an empty directory; if one ever does, it is safe too.
    fn sync_blobs(&self) -> io::Result<()> {
        let synced = self.newest_blob.load(Ordering::Acquire);
        let mut newest = synced;
        for entry in fs::read_dir(&self.blobs)? {
            let entry = entry?;
            let number = entry.file_name().to_str().and_then(|name| name.parse().ok()).unwrap_or(i64::MAX);
            if number > synced {
                ignore_missing(disk::sync_file(&entry.path()))?;
                newest = newest.max(number);
            }
        }
        if newest > synced {
            disk::sync_dir(&self.blobs)?;
            self.newest_blob.store(newest, Ordering::Release);
        }
        Ok(())
    }
}

/// A blob may be removed while we look, when nothing needs it any more.
fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Shortens the next opening. sled sums up its log only while it opens, and reads all that was written
/// since: so, when much was, the database is opened once more after it was closed.
///
/// It is to be dropped after the database and before the lock of the directory.
#[derive(Debug)]
pub(super) struct Checkpoint {
    location: Location,
    written: AtomicU64,
}

impl Checkpoint {
    pub(super) fn new(location: Location) -> Self {
        Self { location, written: AtomicU64::new(0) }
    }

    /// Takes note of a commit.
    pub(super) fn add(&self, bytes: u64) {
        self.written.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        if *self.written.get_mut() < CHECKPOINT_BYTES {
            return;
        }
        if let Err(error) = self.location.open() {
            tracing::warn!(%error, "the next start will take longer: the log could not be summed up");
        }
    }
}
