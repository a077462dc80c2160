//! The engine on sled: a B+ tree on disk, and the default. It must not let any of sled's types out.

mod files;
mod store;
mod values;

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use self::{files::Location, store::Store};
use super::{
    Batch, Engine, EngineConfig, EngineKind, EngineResult, ScanPage, ScanRequest, Tree, blocking, disk::Room,
    open::DirLock,
};

/// An open sled database. Every call is one hop to a thread that may block.
pub(super) struct SledEngine {
    store: Arc<Store>,
}

impl SledEngine {
    /// Opens the database whose files are in `dir`, and holds `lock` as long as it is open.
    pub(super) fn open(dir: &Path, config: &EngineConfig, lock: DirLock) -> EngineResult<Self> {
        let location = Location { dir: dir.to_owned(), cache_bytes: config.cache_bytes };
        let room = Room::new(dir, config.reserve_bytes);
        Ok(Self { store: Arc::new(Store::open(location, room, lock)?) })
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

impl Engine for SledEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Sled
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
    use crate::engine::{MAX_KEY_BYTES, open};

    /// Pages full of the longest values that are stored whole, and of chunks, under the longest keys.
    #[tokio::test]
    async fn no_page_grows_into_a_file_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let engine = open(&EngineConfig::new(EngineKind::Sled), dir.path()).unwrap();
        let tree = Tree::new("rows");
        for round in 0..20_u8 {
            let mut batch = Batch::default();
            for index in 0..20_u8 {
                let mut key = vec![index.wrapping_mul(37); MAX_KEY_BYTES];
                key.extend_from_slice(&[round]);
                key.remove(0);
                batch.put(&tree, key, vec![index; values::CHUNK_BYTES]);
            }
            batch.put(&tree, vec![round], vec![round; 20 * values::CHUNK_BYTES]);
            engine.commit(batch).await.unwrap();
        }
        assert_eq!(fs::read_dir(dir.path().join("sled/blobs")).unwrap().count(), 0);
    }
}
