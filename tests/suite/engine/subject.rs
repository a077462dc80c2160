//! What a test is run on, and short words for what tests say often.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use dendro::engine::{
    Batch, Direction, Engine, EngineConfig, EngineKind, EngineResult, Entry, KeyRange, ScanPage, ScanRequest,
    SharedEngine, Tree, open, scan,
};
use tempfile::TempDir;

/// An engine under test, with a directory of its own.
pub struct Subject {
    kind: EngineKind,
    dir: TempDir,
}

impl Subject {
    pub fn new(kind: EngineKind) -> Self {
        Self { kind, dir: tempfile::tempdir().unwrap() }
    }

    /// Another of the kind, with nothing in it.
    pub fn fresh(&self) -> Self {
        Self::new(self.kind)
    }

    /// The engine, opened; opened again if it was before and has been dropped.
    pub fn open(&self) -> SharedEngine {
        let engine = self.open_at(&self.database()).unwrap();
        assert_eq!(engine.kind(), self.kind);
        engine
    }

    pub fn open_at(&self, dir: &Path) -> EngineResult<SharedEngine> {
        open(&self.config(), dir)
    }

    pub fn config(&self) -> EngineConfig {
        EngineConfig { cache_bytes: 8 << 20, ..EngineConfig::new(self.kind) }
    }

    /// Where the database is.
    pub fn database(&self) -> PathBuf {
        self.dir.path().join("database")
    }

    /// A directory for whatever else a test needs.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}

pub fn tree(name: &str) -> Tree {
    Tree::new(name)
}

/// Commits puts of `(key, value)` to one tree.
pub async fn put(engine: &dyn Engine, tree: &Tree, entries: &[(&str, &str)]) {
    let mut batch = Batch::default();
    for (key, value) in entries {
        batch.put(tree, key.as_bytes().to_vec(), Bytes::copy_from_slice(value.as_bytes()));
    }
    engine.commit(batch).await.unwrap();
}

/// The value at `key` as text.
pub async fn get(engine: &dyn Engine, tree: &Tree, key: &str) -> Option<String> {
    let found = engine.get_many(tree, vec![key.as_bytes().to_vec()]).await.unwrap();
    assert_eq!(found.len(), 1);
    found[0].as_ref().map(|value| String::from_utf8(value.to_vec()).unwrap())
}

/// All entries of a tree, which must fit one page.
pub async fn all(engine: &dyn Engine, tree: &Tree) -> Vec<Entry> {
    let page = page(engine, tree, KeyRange::all(), Direction::Forward, usize::MAX).await;
    assert!(!page.more);
    page.entries
}

pub async fn page(
    engine: &dyn Engine,
    tree: &Tree,
    range: KeyRange,
    direction: Direction,
    limit: usize,
) -> ScanPage {
    let request = ScanRequest { direction, ..ScanRequest::forward(tree, range, limit) };
    scan(engine, request).await.unwrap()
}

/// The keys of entries as text.
pub fn keys(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| std::str::from_utf8(&entry.key).unwrap()).collect()
}
