//! A full queue says "try again later" at once, and loses nothing that was acknowledged.

use std::time::Duration;

use dendro::{
    engine::EngineKind,
    model::TraceId,
    service::{
        ServiceError, ServiceResult,
        tracing::{Tracing, WrittenSpan},
    },
    store::{QueueLimits, StoreConfig},
};
use futures_util::StreamExt;
use tokio::task::JoinHandle;

use crate::support::{
    engines::{Gate, wrap},
    spans::{changes, create, inputs, record, span, span_id, start, trace_id, writes},
    store::TestStore,
};

const WAITING: usize = 4;

fn narrow(bytes: usize) -> StoreConfig {
    let queue = QueueLimits { writes: WAITING, bytes, retry_after_ms: 70, ..QueueLimits::default() };
    StoreConfig { queue, ..StoreConfig::default() }
}

type Writing = JoinHandle<ServiceResult<WrittenSpan>>;

/// Writes a span with a body of so many bytes, which do not pack.
fn write(tracing: &Tracing, trace: TraceId, number: u64, bytes: usize) -> Writing {
    let mut new = span(number);
    let hashes = (0..bytes / 64).map(|at| blake3::hash(&at.to_le_bytes()).to_hex().to_string());
    new.changes = changes(inputs(&hashes.collect::<String>()));
    let (tracing, ops) = (tracing.clone(), writes(trace, [create(new)]));
    tokio::spawn(async move { tracing.write_spans(ops).await.pop().unwrap() })
}

#[tokio::test]
async fn a_full_queue_refuses_and_loses_nothing() {
    for kind in [EngineKind::Memory, EngineKind::Sled, EngineKind::Fjall] {
        let gate = Gate::new(true);
        let around = gate.clone();
        let place = TestStore::new(kind).config(narrow(1 << 20)).wrapped(move |engine| wrap(engine, &around));
        let bed = place.open().await;
        for trace in 0..20 {
            start(&bed.tracing, trace_id(trace)).await;
        }
        gate.close();
        // One is being committed, so the queue is empty again.
        let mut writing = vec![write(&bed.tracing, trace_id(0), 0, 0)];
        gate.reached().await;
        writing.extend((1..20).map(|number| write(&bed.tracing, trace_id(number), number, 0)));
        let refused = answered(&mut writing, 20 - 1 - WAITING).await;
        for outcome in refused {
            let Err(ServiceError::Overloaded { retry_after }) = outcome else { panic!("{outcome:?}") };
            assert_eq!(retry_after, Duration::from_millis(70));
        }
        // Reading and following go on.
        let mut stream = Box::pin(bed.tracing.spans_live(trace_id(19), None).await.unwrap());
        assert!(bed.tracing.spans(&[trace_id(19)]).await.unwrap()[0].is_some());
        gate.open();
        assert!(stream.next().await.unwrap().unwrap().snapshot);
        drop(stream);
        let mut acknowledged = Vec::new();
        for written in writing {
            acknowledged.push(written.await.unwrap().unwrap().trace.id);
        }
        assert_eq!(acknowledged.len(), 1 + WAITING);
        drop(bed);

        let bed = place.open().await;
        for number in 0..20 {
            let spans = bed.tracing.spans(&[trace_id(number)]).await.unwrap().pop().flatten().unwrap();
            assert_eq!(spans.heads.len(), usize::from(acknowledged.contains(&trace_id(number))));
            // What was refused can be sent again.
            let again = writes(trace_id(number), [record(span(number))]);
            assert_eq!(bed.tracing.write_spans(again).await.pop().unwrap().unwrap().head.id, span_id(number));
        }
        bed.assert_consistent().await;
    }
}

/// The outcomes of so many of the writes as are answered, taken out of them.
async fn answered(writing: &mut Vec<Writing>, count: usize) -> Vec<ServiceResult<WrittenSpan>> {
    let mut outcomes = Vec::new();
    while outcomes.len() < count {
        match writing.iter().position(JoinHandle::is_finished) {
            Some(at) => outcomes.push(writing.remove(at).await.unwrap()),
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
    outcomes
}

#[tokio::test]
async fn the_queue_is_bounded_in_bytes_too() {
    let gate = Gate::new(true);
    let around = gate.clone();
    let place = TestStore::in_memory().config(narrow(256 << 10)).wrapped(move |engine| wrap(engine, &around));
    let bed = place.open().await;
    for trace in 0..3 {
        start(&bed.tracing, trace_id(trace)).await;
    }
    gate.close();
    let mut writing = vec![write(&bed.tracing, trace_id(0), 0, 300 << 10)];
    gate.reached().await;
    writing.push(write(&bed.tracing, trace_id(1), 1, 300 << 10));
    let refused = answered(&mut writing, 1).await.pop().unwrap();
    assert!(matches!(refused, Err(ServiceError::Overloaded { .. })), "{refused:?}");
    // The first is larger than the whole queue, and passes, because it is alone.
    gate.open();
    writing.pop().unwrap().await.unwrap().unwrap();
    write(&bed.tracing, trace_id(2), 2, 300 << 10).await.unwrap().unwrap();
    bed.assert_consistent().await;
}

/// Many who write to one trace while one merges it: none waits for another that waits for it.
#[tokio::test]
async fn a_merge_does_not_wait_for_those_who_wait_for_it() {
    let gate = Gate::new(true);
    let around = gate.clone();
    let place = TestStore::in_memory().config(narrow(1 << 20)).wrapped(move |engine| wrap(engine, &around));
    let bed = place.open().await;
    let trace = trace_id(1);
    start(&bed.tracing, trace).await;
    for round in 0..20 {
        gate.close();
        let first = write(&bed.tracing, trace, round * 100, 0);
        gate.reached().await;
        let store = bed.store().clone();
        let merging = tokio::spawn(async move { store.merge_trace(trace).await });
        let writing: Vec<_> =
            (1..10).map(|number| write(&bed.tracing, trace, round * 100 + number, 0)).collect();
        tokio::task::yield_now().await;
        gate.open();
        first.await.unwrap().unwrap();
        for written in writing {
            let written = written.await.unwrap();
            assert!(matches!(written, Ok(_) | Err(ServiceError::Overloaded { .. })), "{written:?}");
        }
        merging.await.unwrap().unwrap();
    }
    bed.assert_consistent().await;
}
