//! The engine that counts.

use std::sync::Arc;

use dendro::engine::{Batch, CallCount, CallKind, Counting, Engine, KeyRange, MemoryEngine, ScanRequest};

use super::subject::tree;

#[tokio::test]
async fn calls_are_counted_by_kind_and_tree() {
    let engine = Counting::new(Arc::new(MemoryEngine::new()));
    let (rows, other) = (tree("rows"), tree("other"));
    let mut batch = Batch::default();
    batch.put(&rows, b"a".to_vec(), "12345");
    batch.put(&rows, b"b".to_vec(), "1");
    batch.delete(&other, b"gone".to_vec());
    engine.commit(batch).await.unwrap();
    let found = engine.get_many(&rows, vec![b"a".to_vec(), b"x".to_vec()]).await.unwrap();
    assert_eq!(found.iter().flatten().count(), 1);
    let requests = vec![
        ScanRequest::forward(&rows, KeyRange::all(), 10),
        ScanRequest::backward(&rows, KeyRange::all(), 1),
        ScanRequest::forward(&other, KeyRange::all(), 10),
    ];
    engine.scan_many(requests).await.unwrap();

    let counts = engine.take();
    assert_eq!(counts.of(CallKind::Commit, &rows), CallCount { calls: 1, items: 2, bytes: 8 });
    assert_eq!(counts.of(CallKind::Commit, &other), CallCount { calls: 1, items: 1, bytes: 4 });
    assert_eq!(counts.of(CallKind::Get, &rows), CallCount { calls: 1, items: 2, bytes: 5 });
    assert_eq!(counts.of(CallKind::Scan, &rows), CallCount { calls: 2, items: 3, bytes: 10 });
    assert_eq!(counts.of(CallKind::Scan, &other), CallCount { calls: 1, items: 0, bytes: 0 });
    assert_eq!(counts.calls(CallKind::Scan), 3);
    assert_eq!(
        (counts.trips(CallKind::Scan), counts.trips(CallKind::Get), counts.trips(CallKind::Commit)),
        (1, 1, 1)
    );
    assert_eq!(engine.counts().calls(CallKind::Scan), 0);
}
