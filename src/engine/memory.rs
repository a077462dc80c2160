//! The engine in memory: ordered maps behind a lock. It is for tests, and the plainest reading of the
//! contract. It must not touch the disk: what it holds is gone when it is dropped.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::RwLock;

use super::{
    Batch, Direction, Engine, EngineError, EngineKind, EngineResult, Entry, Precondition, ScanPage,
    ScanRequest, Tree, page, writes::by_tree,
};

type Trees = BTreeMap<Tree, BTreeMap<Bytes, Bytes>>;

/// An engine that keeps everything in memory and nothing beyond its own life.
#[derive(Debug, Default)]
pub struct MemoryEngine {
    trees: RwLock<Trees>,
}

impl MemoryEngine {
    /// An engine without trees.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Engine for MemoryEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Memory
    }

    fn get_many(&self, tree: &Tree, keys: Vec<Vec<u8>>) -> BoxFuture<'_, EngineResult<Vec<Option<Bytes>>>> {
        let tree = tree.clone();
        Box::pin(async move {
            let trees = self.trees.read();
            let Some(entries) = trees.get(&tree) else { return Ok(vec![None; keys.len()]) };
            Ok(keys.iter().map(|key| entries.get(key.as_slice()).cloned()).collect())
        })
    }

    fn scan_many(&self, requests: Vec<ScanRequest>) -> BoxFuture<'_, EngineResult<Vec<ScanPage>>> {
        Box::pin(async move {
            let trees = self.trees.read();
            requests.iter().map(|request| scan(&trees, request)).collect()
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, EngineResult<()>> {
        Box::pin(async move {
            batch.check()?;
            let mut trees = self.trees.write();
            check_preconditions(&trees, &batch.preconditions)?;
            apply(&mut trees, batch);
            Ok(())
        })
    }

    fn trees(&self) -> BoxFuture<'_, EngineResult<Vec<Tree>>> {
        Box::pin(async move { Ok(self.trees.read().keys().cloned().collect()) })
    }

    fn drop_tree(&self, tree: &Tree) -> BoxFuture<'_, EngineResult<()>> {
        let tree = tree.clone();
        Box::pin(async move {
            self.trees.write().remove(&tree);
            Ok(())
        })
    }

    fn size_on_disk(&self) -> BoxFuture<'_, EngineResult<u64>> {
        Box::pin(async { Ok(0) })
    }
}

fn check_preconditions(trees: &Trees, preconditions: &[Precondition]) -> EngineResult<()> {
    for Precondition { tree, key, expected } in preconditions {
        let found = trees.get(tree).and_then(|entries| entries.get(key.as_slice()));
        if found != expected.as_ref() {
            return Err(EngineError::Conflict { tree: tree.clone(), key: key.clone() });
        }
    }
    Ok(())
}

fn apply(trees: &mut Trees, batch: Batch) {
    for (tree, writes) in by_tree(batch.writes) {
        if writes.values().any(Option::is_some) {
            trees.entry(tree.clone()).or_default();
        }
        let Some(entries) = trees.get_mut(&tree) else { continue };
        for (key, value) in writes {
            match value {
                Some(value) => entries.insert(key.into(), value),
                None => entries.remove(key.as_slice()),
            };
        }
    }
}

fn scan(trees: &Trees, request: &ScanRequest) -> EngineResult<ScanPage> {
    let Some(entries) = trees.get(&request.tree) else { return Ok(ScanPage::default()) };
    if request.range.is_empty() {
        return Ok(ScanPage::default());
    }
    let range = entries.range::<[u8], _>(request.range.bounds());
    let load = |(key, value): (&Bytes, &Bytes)| Ok(Entry { key: key.clone(), value: value.clone() });
    match request.direction {
        Direction::Forward => page::fill(request, range.map(Ok), load),
        Direction::Backward => page::fill(request, range.rev().map(Ok), load),
    }
}
