//! The sled engine without its asynchronous coat: every method here blocks.
//!
//! Two locks keep the contract. `commits` is held from the first precondition to the last sync, so there
//! is one commit at a time. `trees` is held for writing only while a batch is applied in memory, and for
//! reading by every read: sled's iterators are no snapshots, and this keeps them from seeing half a batch.
//!
//! **Crashes.** A transaction writes a manifest in front of its changes that says where they end. When
//! the log is read again and ends earlier, reading stops at the manifest: a batch is there whole or not
//! at all. One gap remains: if a page cannot be read back from the disk in the middle of a transaction
//! that read it a moment before, sled voids the manifest. The engine stops then.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use ::sled::{
    Db, IVec, Transactional,
    transaction::{TransactionError, TransactionalTree},
};
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use super::{
    files::{Checkpoint, Location, Syncer, from_sled},
    values,
};
use crate::engine::{
    Batch, Direction, EngineConfig, EngineError, EngineKind, EngineResult, Entry, Precondition, ScanPage,
    ScanRequest, Tree,
    blocking::BlockingStore,
    disk::Room,
    health::Health,
    open::DirLock,
    page,
    writes::{TreeWrites, by_tree},
};

/// What our trees are called in sled, whose own tree has a name that one of ours could have.
const ENTRIES: &str = "entries/";
const CHUNKS: &str = "chunks/";

type Trees = BTreeMap<Tree, StoredTree>;

/// A tree, and the tree of its chunks if a value ever needed them.
#[derive(Clone)]
struct StoredTree {
    entries: ::sled::Tree,
    chunks: Option<::sled::Tree>,
}

/// The changes to the trees of sled that a batch comes to.
type Changes = Vec<(::sled::Tree, Vec<(IVec, Option<IVec>)>)>;

/// An open database. The order of the fields is the order in which they are dropped.
pub(in crate::engine) struct Store {
    trees: RwLock<Trees>,
    db: Db,
    checkpoint: Checkpoint,
    syncer: Syncer,
    room: Room,
    commits: Mutex<()>,
    health: Health,
    location: Location,
    lock: DirLock,
}

impl Store {
    /// Opens the database whose files are in `dir`, and holds `lock` as long as it is open.
    pub(in crate::engine) fn open(dir: &Path, config: &EngineConfig, lock: DirLock) -> EngineResult<Self> {
        let location = Location { dir: dir.to_owned(), cache_bytes: config.cache_bytes };
        let db = location.open()?;
        let syncer = Syncer::new(&location.dir)
            .map_err(|error| EngineError::from_io("syncing", &location.dir, &error))?;
        Ok(Self {
            trees: RwLock::new(open_trees(&db)?),
            checkpoint: Checkpoint::new(location.clone()),
            db,
            syncer,
            room: Room::new(dir, config.reserve_bytes),
            commits: Mutex::new(()),
            health: Health::default(),
            location,
            lock,
        })
    }
}

impl BlockingStore for Store {
    const KIND: EngineKind = EngineKind::Sled;

    fn health(&self) -> EngineResult<()> {
        self.health.check()
    }

    fn get_many(&self, tree: &Tree, keys: &[Vec<u8>]) -> EngineResult<Vec<Option<Bytes>>> {
        let trees = self.trees.read();
        self.health.check()?;
        let Some(tree) = trees.get(tree) else { return Ok(vec![None; keys.len()]) };
        keys.iter().map(|key| tree.get(key)).collect()
    }

    fn scan_many(&self, requests: &[ScanRequest]) -> EngineResult<Vec<ScanPage>> {
        let trees = self.trees.read();
        self.health.check()?;
        requests
            .iter()
            .map(|request| match trees.get(&request.tree) {
                Some(tree) => tree.scan(request),
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
        let changes = self.plan(batch)?;
        if changes.is_empty() {
            return Ok(());
        }
        self.apply(&changes)?;
        self.checkpoint.add(bytes);
        self.persist()
    }

    fn tree_names(&self) -> EngineResult<Vec<Tree>> {
        self.health.check()?;
        Ok(self.trees.read().keys().cloned().collect())
    }

    fn drop_tree(&self, tree: &Tree) -> EngineResult<()> {
        let _commit = self.commits.lock();
        self.health.check()?;
        // Once nobody can find the tree, and nobody still reads it, its pages can go.
        if self.trees.write().remove(tree).is_none() {
            return Ok(());
        }
        self.health.guard("dropping a tree", || {
            self.db.drop_tree(format!("{ENTRIES}{tree}"))?;
            self.db.drop_tree(format!("{CHUNKS}{tree}"))
        })?;
        self.persist()
    }

    fn dir_lock(&self) -> &DirLock {
        &self.lock
    }

    fn size_on_disk(&self) -> EngineResult<u64> {
        let dir = &self.location.dir;
        crate::engine::disk::allocated_bytes(dir)
            .map_err(|error| EngineError::from_io("measuring", dir, &error))
    }
}

impl Store {
    fn check_preconditions(&self, preconditions: &[Precondition]) -> EngineResult<()> {
        let trees = self.trees.read();
        for Precondition { tree, key, expected } in preconditions {
            let holds = match trees.get(tree) {
                Some(stored) => stored.holds(key, expected.as_ref())?,
                None => expected.is_none(),
            };
            if !holds {
                return Err(EngineError::Conflict { tree: tree.clone(), key: key.clone() });
            }
        }
        Ok(())
    }

    /// Turns a batch into changes, opening the trees that it needs. Nobody else writes meanwhile.
    fn plan(&self, batch: Batch) -> EngineResult<Changes> {
        let mut changes = Changes::new();
        for (name, writes) in by_tree(batch.writes) {
            if let Some(tree) = self.tree_for(&name, &writes)? {
                tree.plan(&writes, &mut changes)?;
            }
        }
        Ok(changes)
    }

    /// The tree to write to, made if need be; `None` if there is none and nothing is put.
    fn tree_for(&self, name: &Tree, writes: &TreeWrites) -> EngineResult<Option<StoredTree>> {
        let known = self.trees.read().get(name).cloned();
        let longest_put = writes.values().flatten().map(Bytes::len).max();
        let needs_chunks = longest_put.is_some_and(|length| length > values::CHUNK_BYTES);
        match (known, longest_put) {
            (Some(tree), _) if tree.chunks.is_some() || !needs_chunks => Ok(Some(tree)),
            (None, None) => Ok(None),
            _ => self.make_tree(name, needs_chunks).map(Some),
        }
    }

    fn make_tree(&self, name: &Tree, needs_chunks: bool) -> EngineResult<StoredTree> {
        let tree = self.health.guard("making a tree", || {
            let entries = self.db.open_tree(format!("{ENTRIES}{name}"))?;
            let chunks = needs_chunks.then(|| self.db.open_tree(format!("{CHUNKS}{name}"))).transpose()?;
            Ok::<_, ::sled::Error>(StoredTree { entries, chunks })
        })?;
        self.trees.write().insert(name.clone(), tree.clone());
        Ok(tree)
    }

    /// Makes the changes in memory and in sled's log, all at once for everyone who reads.
    fn apply(&self, changes: &Changes) -> EngineResult<()> {
        let trees: Vec<::sled::Tree> = changes.iter().map(|(tree, _)| tree.clone()).collect();
        let _alone = self.trees.write();
        // The guard comes after the lock: when it fails, the engine has stopped before anyone can look.
        self.health.guard("applying a batch", || {
            trees[..]
                .transaction(|views| {
                    for (view, (_, writes)) in views.iter().zip(changes) {
                        write(view, writes)?;
                    }
                    Ok(())
                })
                .map_err(|error: TransactionError<()>| match error {
                    TransactionError::Storage(error) => error.to_string(),
                    TransactionError::Abort(()) => "aborted".to_owned(),
                })
        })
    }

    /// Returns when all that was applied is on the disk.
    fn persist(&self) -> EngineResult<()> {
        self.health.guard("flushing the log", || self.db.flush())?;
        self.health.guard("syncing the log", || self.syncer.sync())
    }
}

fn write(
    view: &TransactionalTree,
    writes: &[(IVec, Option<IVec>)],
) -> Result<(), ::sled::transaction::UnabortableTransactionError> {
    for (key, value) in writes {
        match value {
            Some(value) => view.insert(key, value.clone())?,
            None => view.remove(key)?,
        };
    }
    Ok(())
}

impl StoredTree {
    fn get(&self, key: &[u8]) -> EngineResult<Option<Bytes>> {
        let stored = self.entries.get(key).map_err(|error| from_sled(&error))?;
        stored.map(|stored| self.load(key, &stored)).transpose()
    }

    fn load(&self, key: &[u8], stored: &IVec) -> EngineResult<Bytes> {
        values::decode(key, stored, |chunk| match &self.chunks {
            Some(chunks) => chunks.get(chunk).map_err(|error| from_sled(&error)),
            None => Ok(None),
        })
    }

    /// Whether `key` holds what is expected.
    fn holds(&self, key: &[u8], expected: Option<&Bytes>) -> EngineResult<bool> {
        match (self.entries.get(key).map_err(|error| from_sled(&error))?, expected) {
            (None, None) => Ok(true),
            (Some(stored), Some(expected)) => match values::is_whole(&stored, expected) {
                Some(holds) => Ok(holds),
                None => Ok(self.load(key, &stored)? == *expected),
            },
            _ => Ok(false),
        }
    }

    fn scan(&self, request: &ScanRequest) -> EngineResult<ScanPage> {
        if request.range.is_empty() {
            return Ok(ScanPage::default());
        }
        let range = self.entries.range::<&[u8], _>(request.range.bounds());
        let found = |entry: ::sled::Result<(IVec, IVec)>| entry.map_err(|error| from_sled(&error));
        let load = |(key, stored): (IVec, IVec)| {
            Ok(Entry { value: self.load(&key, &stored)?, key: Bytes::copy_from_slice(&key) })
        };
        match request.direction {
            Direction::Forward => page::fill(request, range.map(found), load),
            Direction::Backward => page::fill(request, range.rev().map(found), load),
        }
    }

    /// Adds the changes that some writes to this tree come to.
    fn plan(&self, writes: &TreeWrites, changes: &mut Changes) -> EngineResult<()> {
        let mut entries = Vec::with_capacity(writes.len());
        let mut chunks = BTreeMap::new();
        for (key, value) in writes {
            entries.push((IVec::from(key.as_slice()), value.as_deref().map(values::encode)));
            for old in self.chunks_of(key)? {
                chunks.insert(old, None);
            }
            for (new, chunk) in value.iter().flat_map(|value| values::chunks(key, value)) {
                chunks.insert(new, Some(chunk));
            }
        }
        changes.push((self.entries.clone(), entries));
        if let (Some(tree), false) = (&self.chunks, chunks.is_empty()) {
            changes.push((tree.clone(), chunks.into_iter().collect()));
        }
        Ok(())
    }

    /// The keys of the chunks of the value that is at `key` now.
    fn chunks_of(&self, key: &[u8]) -> EngineResult<Vec<IVec>> {
        if self.chunks.is_none() {
            return Ok(Vec::new());
        }
        match self.entries.get(key).map_err(|error| from_sled(&error))? {
            Some(stored) => Ok(values::chunk_keys(key, &stored)?.collect()),
            None => Ok(Vec::new()),
        }
    }
}

/// The trees that are there. Chunks whose tree is gone were left by a crash while it was dropped.
fn open_trees(db: &Db) -> EngineResult<Trees> {
    let names = db.tree_names();
    let names: BTreeSet<&str> = names.iter().filter_map(|name| std::str::from_utf8(name).ok()).collect();
    let open = |name: &str| db.open_tree(name).map_err(|error| from_sled(&error));
    let mut trees = Trees::new();
    for name in names.iter().filter_map(|name| name.strip_prefix(ENTRIES)) {
        let chunks = format!("{CHUNKS}{name}");
        let chunks = names.contains(chunks.as_str()).then(|| open(&chunks)).transpose()?;
        trees.insert(Tree::new(name), StoredTree { entries: open(&format!("{ENTRIES}{name}"))?, chunks });
    }
    for name in names.iter().filter_map(|name| name.strip_prefix(CHUNKS)) {
        if !trees.contains_key(&Tree::new(name)) {
            db.drop_tree(format!("{CHUNKS}{name}")).map_err(|error| from_sled(&error))?;
        }
    }
    Ok(trees)
}
