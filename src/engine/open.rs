//! Opening a database directory: which engine made it, whether it is one at all, and whether anyone else
//! has it open.
//!
//! A directory holds `DENDRO`, which names the engine; `LOCK`, held while the database is open; and a
//! folder named like the engine, with the engine's own files.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use tokio::sync::watch;

use super::{
    EngineError, EngineKind, EngineResult, MemoryEngine, SharedEngine, blocking::Blocking, disk, fjall, sled,
};

const MARKER: &str = "DENDRO";
const NEW_MARKER: &str = "DENDRO.new";
const LOCK: &str = "LOCK";

/// The first line of a marker: the layout of the directory, not of what the store keeps in it.
const LAYOUT: &str = "dendro database, layout 1";

/// What may lie in a directory that holds no database yet: our own files from a start that was cut
/// short, and the folder that file systems put at the root of a disk.
const NO_CONTENT: [&str; 3] = [NEW_MARKER, LOCK, "lost+found"];

/// Which engine to open, and what it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineConfig {
    /// The engine.
    pub kind: EngineKind,
    /// Bytes of what is on disk that the engine keeps in memory. sled takes more: some 150 MB while it
    /// writes, and up to 450 MB when much is read at random.
    pub cache_bytes: u64,
    /// Bytes of new entries of one tree that fjall gathers in memory before it writes a table.
    pub write_buffer_bytes: u64,
    /// Bytes of the disk that stay free: a batch that could use them is refused as
    /// [`EngineError::Full`]. Running into a full disk instead would stop the engine.
    pub reserve_bytes: u64,
}

impl EngineConfig {
    /// An engine with the defaults, which fit a small machine.
    #[must_use]
    pub fn new(kind: EngineKind) -> Self {
        Self { kind, cache_bytes: 32 << 20, write_buffer_bytes: 8 << 20, reserve_bytes: 64 << 20 }
    }
}

/// Opens the database in `dir`, making the directory and the database where there is none. It blocks:
/// sled reads its log from the last time it was opened or closed.
///
/// # Errors
/// [`EngineError::WrongEngine`], [`EngineError::NotADatabase`] and [`EngineError::Locked`] say that the
/// directory is not for this call; others that its files could not be read or made.
pub fn open(config: &EngineConfig, dir: &Path) -> EngineResult<SharedEngine> {
    if config.kind == EngineKind::Memory {
        check_marker(dir, config.kind)?;
        return Ok(Arc::new(MemoryEngine::new()));
    }
    make_dir(dir)?;
    if !check_marker(dir, config.kind)? {
        refuse_other_content(dir)?;
    }
    let lock = DirLock::take(dir)?;
    // Someone else may have made the database before the lock was ours.
    if !check_marker(dir, config.kind)? {
        write_marker(dir, config.kind).map_err(|error| EngineError::from_io("marking", dir, &error))?;
    }
    let files = dir.join(config.kind.to_string());
    make_dir(&files)?;
    match config.kind {
        EngineKind::Sled => Ok(Arc::new(Blocking::new(sled::Store::open(&files, config, lock)?))),
        EngineKind::Fjall => Ok(Arc::new(Blocking::new(fjall::Store::open(&files, config, lock)?))),
        EngineKind::Memory => Ok(Arc::new(MemoryEngine::new())),
    }
}

/// The right to use a directory, until dropped. It goes with the process, however that ends.
#[derive(Debug)]
pub(super) struct DirLock {
    _file: File,
    /// Whose receivers learn that it is dropped: after the file, so that others can have the directory then.
    held: watch::Sender<()>,
}

impl DirLock {
    pub(super) fn take(dir: &Path) -> EngineResult<Self> {
        let path = dir.join(LOCK);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| EngineError::from_io("opening", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file, held: watch::Sender::new(()) }),
            Err(TryLockError::WouldBlock) => Err(EngineError::Locked(dir.display().to_string())),
            Err(TryLockError::Error(error)) => Err(EngineError::from_io("locking", &path, &error)),
        }
    }
}

impl DirLock {
    /// Comes when it is dropped.
    pub(super) fn let_go(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut held = self.held.subscribe();
        // Nothing is ever sent.
        async move { while held.changed().await.is_ok() {} }
    }
}

/// Makes a directory durably where there is none.
fn make_dir(dir: &Path) -> EngineResult<()> {
    let failed = |error| EngineError::from_io("making the directory", dir, &error);
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(dir).map_err(failed)?;
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => disk::sync_dir(parent).map_err(failed),
        _ => Ok(()),
    }
}

/// Whether `dir` has a marker, which must name `asked`.
fn check_marker(dir: &Path, asked: EngineKind) -> EngineResult<bool> {
    let path = dir.join(MARKER);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(EngineError::from_io("reading", &path, &error)),
    };
    let found = parse_marker(&text).ok_or_else(|| {
        not_a_database(dir, format!("its `{MARKER}` is not of a kind that this version knows"))
    })?;
    if found == asked {
        return Ok(true);
    }
    Err(EngineError::WrongEngine { path: dir.display().to_string(), found, asked })
}

fn parse_marker(text: &str) -> Option<EngineKind> {
    text.strip_prefix(LAYOUT)?.trim().strip_prefix("engine ")?.parse().ok()
}

/// Writes the marker whole or not at all.
fn write_marker(dir: &Path, kind: EngineKind) -> io::Result<()> {
    let new = dir.join(NEW_MARKER);
    let mut file = File::create(&new)?;
    file.write_all(format!("{LAYOUT}\nengine {kind}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, dir.join(MARKER))?;
    disk::sync_dir(dir)
}

/// A directory without a marker may become a database only if nothing of anyone's is in it.
fn refuse_other_content(dir: &Path) -> EngineResult<()> {
    let failed = |error| EngineError::from_io("reading", dir, &error);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if !NO_CONTENT.iter().any(|known| name == *known) {
            let name = name.display();
            return Err(not_a_database(
                dir,
                format!("it holds `{name}` and no `{MARKER}`; name an empty or a new directory"),
            ));
        }
    }
    Ok(())
}

fn not_a_database(dir: &Path, why: String) -> EngineError {
    EngineError::NotADatabase { path: dir.display().to_string(), why }
}
