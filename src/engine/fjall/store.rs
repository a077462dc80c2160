//! The fjall engine without its asynchronous coat: every method here blocks.
//!
//! A batch goes to the journal as one record with a checksum, is synced, and only then shows itself: its
//! entries carry a number that snapshots learn of last. `commits` is held from the first precondition to
//! the end of the batch, so there is one commit at a time. Reads are of a snapshot and take no lock but
//! the short one on the list of trees.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use ::fjall::{
    Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode, Readable, Slice, Snapshot,
};
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use super::journal::{self, CutJournal, Trimmed};
use crate::engine::{
    Batch, Direction, EngineConfig, EngineError, EngineKind, EngineResult, Entry, MAX_KEY_BYTES,
    Precondition, ScanPage, ScanRequest, Tree,
    blocking::BlockingStore,
    disk::{self, Room},
    health::Health,
    open::DirLock,
    page,
    writes::by_tree,
};

/// Bytes of journals after which trees that are seldom written are flushed too. It bounds what opening
/// the database reads and what all write buffers hold together.
const MAX_JOURNAL_BYTES: u64 = 64 << 20;

/// Values of this length and more lie in files of their own, which compaction does not rewrite.
const SEPARATE_BYTES: u32 = 2 << 10;

/// One thread flushes and compacts. With more of them, one leaves what is to be compacted to the others, and
/// asks for it without a pause as long as they are busy.
const WORKERS: usize = 1;

/// Bytes of the journal from which on what is in it is moved into tables when the database is closed. It is there
/// twice otherwise, and read again when the database is opened.
const JOURNAL_LEFT_BYTES: u64 = 1 << 20;

/// Bytes committed since write buffers were last put into tables, from which on that is done while nothing is written:
/// they are free then, and so is the journal.
const GATHERED_BYTES: u64 = 8 << 20;

/// How long closing, or resting, waits until what was gathered is in tables. What is not done by then stays in the
/// journal, where it was all the time.
const MOVING: Duration = Duration::from_secs(20);

/// The name of a keyspace that is no tree, and that no tree can have.
const NO_TREE: &str = "#";

/// An open database. The order of the fields is the order in which they are dropped.
pub(in crate::engine) struct Store {
    trees: RwLock<BTreeMap<Tree, Keyspace>>,
    db: Database,
    journal: Trimmed,
    dir: PathBuf,
    write_buffer_bytes: u64,
    room: Room,
    commits: Mutex<()>,
    /// Bytes committed since [`BlockingStore::rest`] last put them into tables.
    gathered: AtomicU64,
    health: Health,
    lock: DirLock,
}

impl Store {
    /// Opens the database whose files are in `dir`, and holds `lock` as long as it is open.
    pub(in crate::engine) fn open(dir: &Path, config: &EngineConfig, lock: DirLock) -> EngineResult<Self> {
        let db = open_database(dir, config.cache_bytes)?;
        let store = Self {
            trees: RwLock::default(),
            db,
            journal: Trimmed::new(dir),
            dir: dir.to_owned(),
            write_buffer_bytes: config.write_buffer_bytes,
            room: Room::new(dir, config.reserve_bytes),
            commits: Mutex::new(()),
            gathered: AtomicU64::new(0),
            health: Health::default(),
            lock,
        };
        for name in store.db.list_keyspace_names().iter().filter(|name| name.as_ref() != NO_TREE) {
            let tree = tree_of(name);
            let keyspace = store.open_keyspace(&tree).map_err(|error| from_fjall(&error))?;
            store.trees.write().insert(tree, keyspace);
        }
        Ok(store)
    }
}

impl BlockingStore for Store {
    const KIND: EngineKind = EngineKind::Fjall;

    fn health(&self) -> EngineResult<()> {
        self.health.check()
    }

    fn get_many(&self, tree: &Tree, keys: &[Vec<u8>]) -> EngineResult<Vec<Option<Bytes>>> {
        self.health.check()?;
        let Some(keyspace) = self.keyspace(tree) else { return Ok(vec![None; keys.len()]) };
        let snapshot = self.db.snapshot();
        keys.iter().map(|key| get(&snapshot, &keyspace, key)).collect()
    }

    fn scan_many(&self, requests: &[ScanRequest]) -> EngineResult<Vec<ScanPage>> {
        self.health.check()?;
        let snapshot = self.db.snapshot();
        requests
            .iter()
            .map(|request| match self.keyspace(&request.tree) {
                Some(keyspace) => scan(&snapshot, &keyspace, request),
                None => Ok(ScanPage::default()),
            })
            .collect()
    }

    fn commit(&self, batch: Batch) -> EngineResult<()> {
        batch.check()?;
        let _commit = self.commits.lock();
        self.health.check()?;
        self.check_preconditions(&batch.preconditions)?;
        if batch.is_empty() {
            return Ok(());
        }
        let bytes = batch.bytes();
        self.room.require(bytes)?;
        self.journal.set_needed(true);
        self.gathered.fetch_add(bytes, Ordering::Relaxed);
        self.health.guard("committing a batch", || self.write(batch))
    }

    fn tree_names(&self) -> EngineResult<Vec<Tree>> {
        self.health.check()?;
        Ok(self.trees.read().keys().cloned().collect())
    }

    fn drop_tree(&self, tree: &Tree) -> EngineResult<()> {
        let _commit = self.commits.lock();
        self.health.check()?;
        let Some(keyspace) = self.trees.write().remove(tree) else { return Ok(()) };
        self.journal.set_needed(true);
        self.health.guard("dropping a tree", || self.db.delete_keyspace(keyspace))
    }

    /// The journal stays a journal: what cannot be moved is there as before.
    fn finish(&self) -> EngineResult<()> {
        let _commit = self.commits.lock();
        self.health.check()?;
        let written = journal::written_bytes(&self.dir)
            .map_err(|error| EngineError::from_io("reading the journal of", &self.dir, &error))?;
        if written >= JOURNAL_LEFT_BYTES && self.move_into_tables() {
            self.journal.set_needed(false);
        }
        Ok(())
    }

    /// What is gathered stays readable, and in the journal, until it is in tables. Whoever commits waits for none of it.
    fn rest(&self) -> EngineResult<()> {
        let commit = self.commits.lock();
        self.health.check()?;
        if self.gathered.load(Ordering::Relaxed) < GATHERED_BYTES {
            return Ok(());
        }
        let Some(trees) = self.begin_tables() else { return Ok(()) };
        self.gathered.store(0, Ordering::Relaxed);
        drop(commit);
        if are_in_tables(&trees) {
            let _commit = self.commits.lock();
            if let Err(error) = self.forget_buffers() {
                tracing::debug!(%error, "write buffers stay in memory for now");
            }
        }
        Ok(())
    }

    fn dir_lock(&self) -> &DirLock {
        &self.lock
    }

    fn size_on_disk(&self) -> EngineResult<u64> {
        disk::allocated_bytes(&self.dir).map_err(|error| EngineError::from_io("measuring", &self.dir, &error))
    }
}

impl Store {
    fn keyspace(&self, tree: &Tree) -> Option<Keyspace> {
        self.trees.read().get(tree).cloned()
    }

    fn check_preconditions(&self, preconditions: &[Precondition]) -> EngineResult<()> {
        let snapshot = self.db.snapshot();
        for Precondition { tree, key, expected } in preconditions {
            let found = match self.keyspace(tree) {
                Some(keyspace) => get(&snapshot, &keyspace, key)?,
                None => None,
            };
            if found != *expected {
                return Err(EngineError::Conflict { tree: tree.clone(), key: key.clone() });
            }
        }
        Ok(())
    }

    fn write(&self, batch: Batch) -> ::fjall::Result<()> {
        let mut changes = self.db.batch().durability(Some(PersistMode::SyncData));
        for (tree, writes) in by_tree(batch.writes) {
            let known = self.keyspace(&tree);
            if known.is_none() && writes.values().all(Option::is_none) {
                continue;
            }
            let keyspace = match known {
                Some(keyspace) => keyspace,
                None => self.make_keyspace(&tree)?,
            };
            for (key, value) in writes {
                match value {
                    Some(value) => changes.insert(&keyspace, key, Slice::from(value)),
                    None => changes.remove(&keyspace, key),
                }
            }
        }
        changes.commit()
    }

    fn make_keyspace(&self, tree: &Tree) -> ::fjall::Result<Keyspace> {
        let keyspace = self.open_keyspace(tree)?;
        self.trees.write().insert(tree.clone(), keyspace.clone());
        Ok(keyspace)
    }

    fn open_keyspace(&self, tree: &Tree) -> ::fjall::Result<Keyspace> {
        let options = || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(self.write_buffer_bytes)
                .manual_journal_persist(true)
                .with_kv_separation(Some(KvSeparationOptions::default().separation_threshold(SEPARATE_BYTES)))
        };
        self.db.keyspace(&keyspace_name(tree), options)
    }
}

impl Store {
    /// Begins to write everything that was committed into tables; answers the trees. Nobody may commit meanwhile.
    fn begin_tables(&self) -> Option<Vec<Keyspace>> {
        let trees: Vec<_> = self.trees.read().values().cloned().collect();
        for tree in &trees {
            // A tree whose buffer is empty has nothing to move. What another thread is about to move counts as well.
            if let Err(error) = tree.rotate_memtable() {
                tracing::debug!(%error, "what is in the journal stays there");
                return None;
            }
        }
        Some(trees)
    }

    /// Has everything that was committed written into tables and synced there. Whether that was done: then nothing
    /// needs the journal. Nobody may commit meanwhile.
    fn move_into_tables(&self) -> bool {
        self.begin_tables().is_some_and(|trees| are_in_tables(&trees))
    }

    /// Has fjall let go of write buffers that are in tables. Of every tree it keeps the state before its last flush, with
    /// the buffers, for whoever may still read that, and looks whether anybody does when it next puts a buffer of
    /// whatever tree aside. After a burst none is, so here is one.
    fn forget_buffers(&self) -> ::fjall::Result<()> {
        let keyspace = self.db.keyspace(NO_TREE, KeyspaceCreateOptions::default)?;
        // States up to the last change but one are let go of.
        for _ in 0..2 {
            keyspace.insert("rested", "")?;
        }
        keyspace.rotate_memtable().map(drop)
    }
}

/// Waits until what these trees put aside is in tables. Whether it is.
fn are_in_tables(trees: &[Keyspace]) -> bool {
    let begun = Instant::now();
    // fjall says how many buffers wait, and counts none any more whose table is synced.
    while trees.iter().any(|tree| tree.sealed_memtable_count() > 0) {
        if begun.elapsed() > MOVING {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
    true
}

/// Makes a database in a folder with nothing in it. It is made beside the folder and moved there whole: fjall
/// opens nothing that it has only begun to make, as when the process is killed at its first start.
fn make_database(dir: &Path) -> EngineResult<()> {
    let failed = |error| EngineError::from_io("making the database", dir, &error);
    if fs::read_dir(dir).map_err(failed)?.next().is_some() {
        return Ok(());
    }
    let begun = dir.with_extension("new");
    match fs::remove_dir_all(&begun) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    // It is synced by fjall; dropped, it is closed.
    drop(Database::builder(&begun).worker_threads(WORKERS).open().map_err(|error| from_fjall(&error))?);
    fs::rename(&begun, dir).map_err(failed)?;
    dir.parent().map_or(Ok(()), disk::sync_dir).map_err(failed)
}

/// Opens the database, without its last batch if that is torn.
fn open_database(dir: &Path, cache_bytes: u64) -> EngineResult<Database> {
    make_database(dir)?;
    let open = || {
        Database::builder(dir)
            .cache_size(cache_bytes)
            .max_journaling_size(MAX_JOURNAL_BYTES)
            .worker_threads(WORKERS)
            .manual_journal_persist(true)
            .open()
    };
    let failed = |error| EngineError::from_io("repairing the journal of", dir, &error);
    match open() {
        Err(::fjall::Error::JournalRecovery(damage)) => {
            let Some(cut) = CutJournal::cut(dir).map_err(failed)? else {
                return Err(EngineError::Corrupt(damage.to_string()));
            };
            if let Ok(db) = open() {
                tracing::warn!(%damage, "the last batch was torn and never acknowledged; it is left out");
                return Ok(db);
            }
            // It was another batch, which was acknowledged: that is damage, and nothing of it may go.
            cut.restore().map_err(failed)?;
            Err(EngineError::Corrupt(damage.to_string()))
        }
        opened => opened.map_err(|error| from_fjall(&error)),
    }
}

/// fjall promises letters, digits, `_`, `-`, `.`, `#` and `$` in a name: all of ours but the slash.
fn keyspace_name(tree: &Tree) -> String {
    tree.name().replace('/', "$")
}

fn tree_of(keyspace_name: &str) -> Tree {
    Tree::new(&keyspace_name.replace('$', "/"))
}

fn get(snapshot: &Snapshot, keyspace: &Keyspace, key: &[u8]) -> EngineResult<Option<Bytes>> {
    // fjall panics on a key that could not be stored.
    if !(1..=MAX_KEY_BYTES).contains(&key.len()) {
        return Ok(None);
    }
    let found = snapshot.get(keyspace, key).map_err(|error| from_fjall(&error))?;
    Ok(found.map(Bytes::from))
}

fn scan(snapshot: &Snapshot, keyspace: &Keyspace, request: &ScanRequest) -> EngineResult<ScanPage> {
    if request.range.is_empty() {
        return Ok(ScanPage::default());
    }
    let range = snapshot.range::<&[u8], _>(keyspace, request.range.bounds());
    let load = |found: ::fjall::Guard| {
        let (key, value) = found.into_inner().map_err(|error| from_fjall(&error))?;
        Ok(Entry { key: key.into(), value: value.into() })
    };
    match request.direction {
        Direction::Forward => page::fill(request, range.map(Ok), load),
        Direction::Backward => page::fill(request, range.rev().map(Ok), load),
    }
}

/// What an error of fjall means to a caller.
fn from_fjall(error: &::fjall::Error) -> EngineError {
    match error {
        ::fjall::Error::Io(error) | ::fjall::Error::Storage(::fjall::LsmError::Io(error)) => {
            match error.kind() {
                io::ErrorKind::StorageFull => EngineError::Full(error.to_string()),
                _ => EngineError::Io(error.to_string()),
            }
        }
        ::fjall::Error::Locked => EngineError::Locked("the database".to_owned()),
        ::fjall::Error::Poisoned => {
            EngineError::Stopped("fjall failed to write in the background".to_owned())
        }
        other => EngineError::Corrupt(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use ::fjall::AbstractTree;

    use super::*;

    fn write(store: &Store, tree: &str, rows: u32) {
        for row in 0..rows {
            let mut batch = Batch::default();
            batch.put(&Tree::new(tree), row.to_be_bytes().to_vec(), vec![7; 100_000]);
            store.commit(batch).unwrap();
        }
    }

    /// Bytes of write buffers that fjall has in memory, whether anything is still to become of them or not.
    fn buffered(store: &Store) -> u64 {
        store.trees.read().values().map(|tree| tree.tree.version_memtable_size_sum()).sum()
    }

    #[test]
    fn nothing_of_a_burst_stays_in_memory_once_the_store_rests() {
        let (dir, config) = (tempfile::tempdir().unwrap(), EngineConfig::new(EngineKind::Fjall));
        let files = dir.path().join("fjall");
        fs::create_dir(&files).unwrap();
        let open = || Store::open(&files, &config, DirLock::take(dir.path()).unwrap()).unwrap();
        let store = open();
        for _ in 0..2 {
            write(&store, "a", 70);
            write(&store, "b/c", 70);
            assert!(buffered(&store) > 13_000_000, "{}", buffered(&store));
            store.rest().unwrap();
            assert!(buffered(&store) < 100_000, "{}", buffered(&store));
        }
        let trees = [Tree::new("a"), Tree::new("b/c")];
        assert_eq!(store.tree_names().unwrap(), trees);
        drop(store);
        let store = open();
        assert_eq!(store.tree_names().unwrap(), trees);
        let found = store.get_many(&trees[1], &[vec![0, 0, 0, 69], vec![0, 0, 0, 70]]).unwrap();
        assert_eq!(found.iter().flatten().count(), 1);
    }
}
