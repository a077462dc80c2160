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
}
