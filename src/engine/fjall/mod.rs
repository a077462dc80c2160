//! The engine on fjall: a log-structured merge tree on disk, for heavy writers. It must not let any of
//! fjall's types out.

mod journal;
mod store;

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use self::store::Store;
use super::{
    Batch, Engine, EngineConfig, EngineKind, EngineResult, ScanPage, ScanRequest, Tree, blocking,
    open::DirLock,
};

/// An open fjall database. Every call is one hop to a thread that may block.
pub(super) struct FjallEngine {
    store: Arc<Store>,
}

impl FjallEngine {
    /// Opens the database whose files are in `dir`, and holds `lock` as long as it is open.
    pub(super) fn open(dir: &Path, config: &EngineConfig, lock: DirLock) -> EngineResult<Self> {
        Ok(Self { store: Arc::new(Store::open(dir, config, lock)?) })
    }

    /// Calls the store where it may block.
    fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> EngineResult<T> + Send + 'static,
    ) -> BoxFuture<'_, EngineResult<T>> {
        let store = self.store.clone();
        Box::pin(blocking::run(move || work(&store)))
    }
}

impl Engine for FjallEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Fjall
    }

    fn get_many(&self, tree: &Tree, keys: Vec<Vec<u8>>) -> BoxFuture<'_, EngineResult<Vec<Option<Bytes>>>> {
        let tree = tree.clone();
        self.call(move |store| store.get_many(&tree, &keys))
    }

    fn scan_many(&self, requests: Vec<ScanRequest>) -> BoxFuture<'_, EngineResult<Vec<ScanPage>>> {
        self.call(move |store| store.scan_many(&requests))
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, EngineResult<()>> {
        self.call(move |store| store.commit(batch))
    }

    fn trees(&self) -> BoxFuture<'_, EngineResult<Vec<Tree>>> {
        self.call(Store::tree_names)
    }

    fn drop_tree(&self, tree: &Tree) -> BoxFuture<'_, EngineResult<()>> {
        let tree = tree.clone();
        self.call(move |store| store.drop_tree(&tree))
    }

    fn size_on_disk(&self) -> BoxFuture<'_, EngineResult<u64>> {
        self.call(Store::size_on_disk)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::engine::{EngineError, open};

    #[tokio::test]
    async fn damage_to_an_acknowledged_batch_is_reported_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let config = EngineConfig::new(EngineKind::Fjall);
        let engine = open(&config, dir.path()).unwrap();
        for number in 1..4_u8 {
            let mut batch = Batch::default();
            batch.put(&Tree::new("rows"), vec![number], vec![number; 5000]);
            engine.commit(batch).await.unwrap();
        }
        drop(engine);
        let journal = dir.path().join("fjall/0.jnl");
        let mut bytes = fs::read(&journal).unwrap();
        bytes[6000] ^= 1;
        fs::write(&journal, &bytes).unwrap();

        assert!(matches!(open(&config, dir.path()), Err(EngineError::Corrupt(_))));
        assert!(fs::read(&journal).unwrap() == bytes, "the journal was changed");
        bytes[6000] ^= 1;
        fs::write(&journal, &bytes).unwrap();
        let engine = open(&config, dir.path()).unwrap();
        let found =
            engine.get_many(&Tree::new("rows"), (1..4).map(|number| vec![number]).collect()).await.unwrap();
        assert_eq!(found.iter().flatten().count(), 3);
    }
}
