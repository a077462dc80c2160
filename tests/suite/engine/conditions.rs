//! Preconditions: a batch whose precondition does not hold changes nothing.

use bytes::Bytes;
use dendro::engine::{Batch, EngineError};

use super::subject::{Subject, all, get, put, tree};

pub async fn a_batch_applies_when_its_preconditions_hold(subject: &Subject) {
    let (engine, rows, other) = (subject.open(), tree("rows"), tree("other"));
    put(&*engine, &rows, &[("a", "1"), ("b", "2")]).await;
    let mut batch = Batch::default();
    batch.require(&rows, b"a".to_vec(), Some(Bytes::from_static(b"1")));
    batch.require(&rows, b"b".to_vec(), Some(Bytes::from_static(b"2")));
    batch.require(&other, b"never".to_vec(), None);
    batch.put(&rows, b"a".to_vec(), "3");
    batch.put(&other, b"new".to_vec(), "4");
    engine.commit(batch).await.unwrap();
    assert_eq!(get(&*engine, &rows, "a").await.as_deref(), Some("3"));
    assert_eq!(get(&*engine, &other, "new").await.as_deref(), Some("4"));
}

pub async fn a_conflict_changes_nothing(subject: &Subject) {
    let (engine, rows, other) = (subject.open(), tree("rows"), tree("other"));
    put(&*engine, &rows, &[("a", "1"), ("b", "2")]).await;
    let mut batch = Batch::default();
    batch.put(&rows, b"a".to_vec(), "changed");
    batch.delete(&rows, b"b".to_vec());
    batch.put(&other, b"c".to_vec(), "new");
    batch.require(&rows, b"a".to_vec(), Some(Bytes::from_static(b"1")));
    batch.require(&rows, b"b".to_vec(), Some(Bytes::from_static(b"stale")));
    match engine.commit(batch).await.unwrap_err() {
        EngineError::Conflict { tree, key } => {
            assert_eq!((tree, key.as_slice()), (rows.clone(), &b"b"[..]));
        }
        error => panic!("{error}"),
    }
    assert_eq!(get(&*engine, &rows, "a").await.as_deref(), Some("1"));
    assert_eq!(get(&*engine, &rows, "b").await.as_deref(), Some("2"));
    assert_eq!(all(&*engine, &other).await, vec![]);
    assert_eq!(engine.trees().await.unwrap(), vec![rows]);
}

pub async fn a_key_can_be_required_to_be_absent(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    let create = |value: &'static str| {
        let mut batch = Batch::default();
        batch.require(&rows, b"once".to_vec(), None);
        batch.put(&rows, b"once".to_vec(), value);
        batch
    };
    engine.commit(create("first")).await.unwrap();
    let error = engine.commit(create("second")).await.unwrap_err();
    assert!(matches!(error, EngineError::Conflict { .. }) && error.is_retryable(), "{error}");
    assert_eq!(get(&*engine, &rows, "once").await.as_deref(), Some("first"));

    put(&*engine, &rows, &[("empty", "")]).await;
    let mut batch = Batch::default();
    batch.require(&rows, b"empty".to_vec(), None);
    batch.put(&rows, b"x".to_vec(), "y");
    assert!(matches!(engine.commit(batch).await, Err(EngineError::Conflict { .. })), "empty is not absent");
}

pub async fn preconditions_look_at_what_was_there_before_the_batch(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    put(&*engine, &rows, &[("a", "1")]).await;
    let mut batch = Batch::default();
    batch.put(&rows, b"a".to_vec(), "2");
    batch.require(&rows, b"a".to_vec(), Some(Bytes::from_static(b"1")));
    engine.commit(batch).await.unwrap();
    assert_eq!(get(&*engine, &rows, "a").await.as_deref(), Some("2"));
}

pub async fn a_batch_of_preconditions_alone_answers_conflict_too(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    put(&*engine, &rows, &[("a", "1")]).await;
    let require = |value: &'static [u8]| {
        let mut batch = Batch::default();
        batch.require(&rows, b"a".to_vec(), Some(Bytes::from_static(value)));
        batch
    };
    engine.commit(require(b"1")).await.unwrap();
    assert!(matches!(engine.commit(require(b"2")).await, Err(EngineError::Conflict { .. })));
    engine.commit(Batch::default()).await.unwrap();
}
