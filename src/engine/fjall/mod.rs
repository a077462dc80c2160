//! The engine on fjall: a log-structured merge tree on disk, for heavy writers. It must not let any of
//! fjall's types out.

mod journal;
mod store;

pub(in crate::engine) use self::store::Store;

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::engine::{Batch, EngineConfig, EngineError, EngineKind, Tree, open};

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

    /// What a process leaves that is killed while it makes the database.
    #[tokio::test]
    async fn a_database_that_was_only_begun_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let config = EngineConfig::new(EngineKind::Fjall);
        drop(open(&config, dir.path()).unwrap());
        let (made, begun) = (dir.path().join("fjall"), dir.path().join("fjall.new"));
        for left in ["0.jnl", "version"] {
            fs::remove_dir_all(&made).unwrap();
            fs::create_dir_all(&made).unwrap();
            fs::create_dir_all(&begun).unwrap();
            fs::write(begun.join(left), "").unwrap();
            let engine = open(&config, dir.path()).unwrap();
            let mut batch = Batch::default();
            batch.put(&Tree::new("rows"), vec![1], left);
            engine.commit(batch).await.unwrap();
            drop(engine);
            let engine = open(&config, dir.path()).unwrap();
            let found = engine.get_many(&Tree::new("rows"), vec![vec![1]]).await.unwrap();
            assert_eq!(found[0].as_deref(), Some(left.as_bytes()));
            drop(engine);
            assert!(!begun.exists());
        }
    }
}
