//! What a test is run on, and short words for what tests say often.

use bytes::Bytes;
use dendro::engine::{
    Batch, Direction, Engine, EngineKind, Entry, KeyRange, MemoryEngine, ScanPage, ScanRequest, SharedEngine,
    Tree, scan,
};

/// An engine under test.
pub struct Subject {
    kind: EngineKind,
}

impl Subject {
    pub fn new(kind: EngineKind) -> Self {
        Self { kind }
    }

    /// The engine, opened.
    pub fn open(&self) -> SharedEngine {
        let engine = std::sync::Arc::new(MemoryEngine::new());
        assert_eq!(engine.kind(), self.kind);
        engine
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
