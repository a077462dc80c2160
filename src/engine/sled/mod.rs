//! The engine on sled: a B+ tree on disk, and the default. It must not let any of sled's types out.

mod files;
mod store;
mod values;

pub(in crate::engine) use self::store::Store;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::values;
    use crate::engine::{Batch, EngineConfig, EngineKind, MAX_KEY_BYTES, Tree, open};

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
