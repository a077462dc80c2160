//! The check finds what is wrong: whatever is taken away from a sound database, or put where it does
//! not belong, is told.

use bytes::Bytes;
use dendro::{
    engine::{Batch, KeyRange, ScanRequest, SharedEngine, Tree, scan},
    model::{
        Timestamp,
        component::{ComponentRef, VersionHash},
        conversation::NewConversation,
        span::{SpanBody, SpanEvent},
        trace::{NewTrace, TraceBody},
    },
    store::{
        CheckReport,
        codec::{decode, encode},
        key::Key,
        keyspace,
        spans::{BodyBlock, HeadBlock},
    },
};

use crate::support::{
    spans::{changes, complete, completed, create, inputs, outputs, span, span_id, trace_id, update, writes},
    store::{TestBed, TestStore},
};

/// A database with every table of traces in use.
async fn sound() -> (SharedEngine, TestBed) {
    let place = TestStore::in_memory();
    let bed = place.open().await;
    let conversation = bed.services.conversations.create(NewConversation::default()).await.unwrap();
    for number in 1..3 {
        let new = NewTrace {
            id: Some(trace_id(number)),
            conversation_id: Some(conversation.id),
            user_id: Some("user".to_owned()),
            session_id: Some("session".to_owned()),
            body: TraceBody { user_input: Some("input".to_owned()), ..TraceBody::default() },
            ..NewTrace::default()
        };
        bed.tracing.start_trace(new).await.unwrap();
        let mut first = span(1);
        first.changes.body = inputs("first");
        first.changes.components = vec![ComponentRef {
            component_id: "agent".to_owned(),
            version_hash: VersionHash::from_bytes([7; 32]),
        }];
        let event = SpanEvent { name: "event".to_owned(), time: Timestamp::from_nanos(0), attributes: None };
        let noted = SpanBody { events: vec![event], ..SpanBody::default() };
        bed.tracing.write_spans(writes(trace_id(number), [create(span(2))])).await;
        bed.tracing.write_spans(writes(trace_id(number), [create(first), update(1, changes(noted))])).await;
    }
    // One of them as it was written, the other merged: nothing in them is there twice.
    let end = complete(2, changes(outputs("end")));
    bed.tracing.write_spans(writes(trace_id(2), [end])).await;
    bed.tracing.complete_trace(trace_id(2), completed()).await.unwrap();
    bed.store().merge_trace(trace_id(2)).await.unwrap();
    bed.services.followers.catch_up().await.unwrap();
    bed.assert_consistent().await;
    (place.memory_engine(), bed)
}

async fn check(bed: &TestBed) -> CheckReport {
    bed.store().check(&|_, _| {}).await.unwrap()
}

async fn set(engine: &SharedEngine, tree: &Tree, key: &[u8], value: Option<Bytes>) {
    let mut batch = Batch::default();
    match value {
        Some(value) => batch.put(tree, key.to_vec(), value),
        None => batch.delete(tree, key.to_vec()),
    }
    engine.commit(batch).await.unwrap();
}

#[tokio::test]
async fn every_entry_that_is_taken_away_is_missed() {
    let (engine, bed) = sound().await;
    let mut taken = 0;
    for tree in engine.trees().await.unwrap() {
        // Who does not know that all was followed does not miss anything.
        if ["meta", "default/follower"].contains(&tree.name()) {
            continue;
        }
        let all = ScanRequest::forward(&tree, KeyRange::all(), usize::MAX);
        for entry in scan(&*engine, all).await.unwrap().entries {
            set(&engine, &tree, &entry.key, None).await;
            assert!(!check(&bed).await.is_clean(), "{tree} {:?}", entry.key);
            set(&engine, &tree, &entry.key, Some(entry.value)).await;
            taken += 1;
        }
    }
    assert!(taken > 20, "{taken} entries are no test");
    bed.assert_consistent().await;
}

#[tokio::test]
async fn what_does_not_belong_is_told() {
    let (engine, bed) = sound().await;
    let (heads, bodies) = (Tree::new("default/span_head"), Tree::new("default/span_body"));
    let id = trace_id(1);
    let nobody = encode("test", &BodyBlock(vec![(span_id(9), inputs("refused"))])).unwrap();
    let elsewhere = encode("test", &BodyBlock(vec![(span_id(1), inputs("of no trace"))])).unwrap();
    let head_keys = scan(&*engine, ScanRequest::forward(&heads, KeyRange::all(), 1)).await.unwrap();
    let block: HeadBlock = decode("test", &head_keys.entries[0].value).unwrap();
    let mut ahead = block.clone();
    ahead.0[0].revision = 99;
    let cases = [
        (&bodies, (id, 99_u64 << 16).encode(), nobody, "but no such span"),
        (&bodies, (trace_id(9), 1_u64 << 16).encode(), elsewhere, "its trace does not exist"),
        (&bodies, b"short".to_vec(), vec![1], "not a key of this table"),
        (&heads, (id, 99_u64).encode(), encode("test", &ahead).unwrap(), "the trace has not reached"),
        (&heads, (id, 98_u64).encode(), encode("test", &block).unwrap(), "not the highest revision"),
        (&heads, (trace_id(9), 2_u64).encode(), encode("test", &block).unwrap(), "its trace does not exist"),
        (&heads, (id, 97_u64).encode(), vec![1, 2, 3], "cannot be read"),
    ];
    for (tree, key, value, expected) in cases {
        set(&engine, tree, &key, Some(value.into())).await;
        let report = check(&bed).await;
        let told = report.problems.iter().any(|problem| problem.message.contains(expected));
        assert!(told, "{expected}: {:#?}", report.problems);
        set(&engine, tree, &key, None).await;
    }
    bed.assert_consistent().await;
}

#[tokio::test]
async fn a_row_that_counts_wrong_is_told() {
    let (engine, bed) = sound().await;
    let (tree, key) = (Tree::new("default/trace"), trace_id(1).encode());
    let mut row = bed.store().get(keyspace::TRACE, &trace_id(1)).await.unwrap().unwrap();
    row.summary.span_count += 1;
    set(&engine, &tree, &key, Some(encode("test", &row).unwrap().into())).await;
    let report = check(&bed).await;
    assert_eq!(report.problem_count, 1, "{:#?}", report.problems);
    assert!(report.problems[0].message.contains("summary"));
}

#[tokio::test]
async fn each_entry_is_counted_once_and_tables_stand_as_in_the_keyspace() {
    let (engine, bed) = sound().await;
    let report = bed.store().check(&|_, _| {}).await.unwrap();
    assert!(report.is_clean());
    let places: Vec<_> = report
        .entries
        .iter()
        .map(|(table, _)| keyspace::TABLES.iter().position(|name| name == table).unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    for (table, counted) in report.entries {
        let tree = Tree::new(&format!("default/{table}"));
        let request =
            ScanRequest { max_bytes: usize::MAX, ..ScanRequest::forward(&tree, KeyRange::all(), usize::MAX) };
        let there = scan(engine.as_ref(), request).await.unwrap().entries.len() as u64;
        assert_eq!(counted, there, "{table}");
    }
}
