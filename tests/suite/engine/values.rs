//! Values: the last write wins, and every length comes back as it was.

use bytes::Bytes;
use dendro::engine::{Batch, Engine, Tree};

use super::subject::{Subject, all, get, tree};

pub async fn the_last_write_of_a_batch_wins(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    let mut batch = Batch::default();
    for round in 0..20 {
        batch.put(&rows, b"rewritten".to_vec(), format!("{round}"));
        batch.put(&rows, b"removed".to_vec(), "x");
        batch.delete(&rows, b"revived".to_vec());
    }
    batch.delete(&rows, b"removed".to_vec());
    batch.put(&rows, b"revived".to_vec(), "here");
    engine.commit(batch).await.unwrap();
    assert_eq!(get(&*engine, &rows, "rewritten").await.as_deref(), Some("19"));
    assert_eq!(get(&*engine, &rows, "removed").await, None);
    assert_eq!(get(&*engine, &rows, "revived").await.as_deref(), Some("here"));

    let mut deletion = Batch::default();
    deletion.delete(&rows, b"rewritten".to_vec());
    deletion.delete(&rows, b"never there".to_vec());
    engine.commit(deletion).await.unwrap();
    assert_eq!(all(&*engine, &rows).await.len(), 1);
}

pub async fn what_is_not_there_can_be_deleted(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    let mut deletion = Batch::default();
    deletion.put(&rows, b"brief".to_vec(), "x");
    deletion.delete(&rows, b"brief".to_vec());
    deletion.delete(&tree("none"), b"never there".to_vec());
    engine.commit(deletion).await.unwrap();
    assert_eq!(engine.trees().await.unwrap(), vec![]);
}

pub async fn gets_answer_in_the_order_asked(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    let mut batch = Batch::default();
    for key in ["a", "b", "c"] {
        batch.put(&rows, key.as_bytes().to_vec(), key);
    }
    engine.commit(batch).await.unwrap();
    let asked = ["c", "x", "a", "c"].map(|key| key.as_bytes().to_vec()).to_vec();
    let found = engine.get_many(&rows, asked).await.unwrap();
    assert_eq!(found, [Some("c"), None, Some("a"), Some("c")].map(|value| value.map(Bytes::from)));
    assert_eq!(engine.get_many(&rows, vec![]).await.unwrap(), Vec::<Option<Bytes>>::new());
}

/// The lengths at which engines change how they store a value, and well past them.
const LENGTHS: [usize; 16] =
    [0, 1, 21, 22, 23, 1024, 2048, 4095, 4096, 4097, 8192, 8193, 65_536, 131_072, 1 << 20, 10 << 20];

pub async fn empty_and_large_values_come_back(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    for length in LENGTHS {
        let mut batch = Batch::default();
        batch.put(&rows, key(length), value(length, 1));
        engine.commit(batch).await.unwrap();
    }
    assert_values(&*engine, &rows, |length| value(length, 1)).await;
}

pub async fn large_values_give_way_to_others(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    let mut batch = Batch::default();
    for length in LENGTHS {
        batch.put(&rows, key(length), value(10_000_000 - length / 2, 1));
        batch.put(&rows, key(length), value(length / 2, 2));
        batch.put(&rows, key(length), value(100_000, 3));
    }
    engine.commit(batch).await.unwrap();
    assert_values(&*engine, &rows, |_| value(100_000, 3)).await;

    let mut batch = Batch::default();
    for length in LENGTHS {
        batch.require(&rows, key(length), Some(value(100_000, 3)));
        batch.put(&rows, key(length), value(length, 4));
    }
    engine.commit(batch).await.unwrap();
    assert_values(&*engine, &rows, |length| value(length, 4)).await;

    let mut batch = Batch::default();
    for length in LENGTHS {
        batch.delete(&rows, key(length));
    }
    engine.commit(batch).await.unwrap();
    assert_eq!(all(&*engine, &rows).await, vec![]);
}

fn key(length: usize) -> Vec<u8> {
    format!("{length:08}").into_bytes()
}

/// Bytes that differ along the value and from seed to seed.
fn value(length: usize, seed: u32) -> Bytes {
    let pattern: Vec<u8> = (0..1021_u32).flat_map(|index| (index * 31 + seed * 7).to_le_bytes()).collect();
    let mut value = pattern.repeat(length / pattern.len() + 1);
    value.truncate(length);
    value.into()
}

async fn assert_values(engine: &dyn Engine, tree: &Tree, expected: impl Fn(usize) -> Bytes) {
    let found = engine.get_many(tree, LENGTHS.map(key).to_vec()).await.unwrap();
    for (found, length) in found.into_iter().zip(LENGTHS) {
        assert!(found == Some(expected(length)), "get of the value at {length}");
    }
    let entries = all(engine, tree).await;
    assert_eq!(entries.len(), LENGTHS.len());
    for (entry, length) in entries.iter().zip(LENGTHS) {
        assert!(entry.key == key(length) && entry.value == expected(length), "scan of the value at {length}");
    }
}
