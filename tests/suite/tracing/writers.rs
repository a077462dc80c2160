//! Many writers at once: whatever was acknowledged is there, and each revision was given out once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use dendro::{
    engine::EngineKind,
    model::{SpanId, TraceId, span::SpanStatus, summary::Summary},
    service::tracing::Tracing,
};

use crate::support::{
    spans::{changes, complete, completed, create, inputs, outputs, span, start, trace_id, writes},
    store::{TestStore, restless},
};

const WRITERS: u64 = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_memory() {
    sixteen_writers(EngineKind::Memory, 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sled() {
    sixteen_writers(EngineKind::Sled, 12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_fjall() {
    sixteen_writers(EngineKind::Fjall, 12).await;
}

/// What a writer was told: the span, and the revision at which it ended.
type Acknowledged = Vec<(TraceId, SpanId, u64)>;

/// Each writer starts and ends spans, one by one, in a trace that all share and in one of its own.
async fn sixteen_writers(kind: EngineKind, spans: u64) {
    let place = TestStore::new(kind).config(restless());
    let bed = place.open().await;
    let shared = trace_id(0);
    start(&bed.tracing, shared).await;
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(bed.tracing.clone(), writer, spans))).collect();
    // Whatever is let go of meanwhile is read again.
    while writers.iter().any(|writer| !writer.is_finished()) {
        bed.store().rest().await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut revisions = BTreeMap::<TraceId, BTreeSet<u64>>::new();
    let mut acknowledged = Acknowledged::new();
    for writer in writers {
        let (given, ended) = writer.await.unwrap();
        for (trace, revision) in given {
            assert!(revisions.entry(trace).or_default().insert(revision), "{revision} was given out twice");
        }
        acknowledged.extend(ended);
    }
    assert_eq!(revisions[&shared].len() as u64, WRITERS * spans * 2);
    bed.assert_consistent().await;
    drop(bed);

    let bed = place.open().await;
    let traces: Vec<_> = (0..=WRITERS).map(trace_id).collect();
    let found = bed.tracing.spans(&traces).await.unwrap();
    for spans in found.iter().flatten() {
        assert_eq!(Summary::of(spans.heads.iter().map(AsRef::as_ref)), spans.trace.summary);
        let last = revisions[&spans.trace.id].last().unwrap();
        assert!(spans.trace.revision >= *last, "the row is behind revision {last}");
    }
    assert_eq!(acknowledged.len() as u64, WRITERS * spans * 2);
    for (trace, span, revision) in acknowledged {
        let spans = found.iter().flatten().find(|spans| spans.trace.id == trace).unwrap();
        let head = spans.heads.iter().find(|head| head.id == span).unwrap();
        assert_eq!((head.revision, head.status), (revision, SpanStatus::Ok));
        let wanted = vec![(trace, span, head.part_blocks())];
        let body = bed.tracing.span_bodies(wanted, 0).await.unwrap().remove(&(trace, span)).unwrap();
        let expected = (inputs(&span.to_string()).inputs, outputs(&span.to_string()).outputs);
        assert_eq!((body.inputs, body.outputs), expected);
    }
    bed.assert_consistent().await;
}

async fn write(tracing: Tracing, writer: u64, spans: u64) -> (Vec<(TraceId, u64)>, Acknowledged) {
    let (shared, own) = (trace_id(0), trace_id(writer + 1));
    start(&tracing, own).await;
    let (mut given, mut ended) = (Vec::new(), Acknowledged::new());
    for number in (0..spans).map(|count| count * WRITERS + writer) {
        for trace in [shared, own] {
            let mut begun = span(number);
            begun.changes.body = inputs(&begun.id.to_string());
            let end = complete(number, changes(outputs(&begun.id.to_string())));
            for op in [create(begun), end] {
                let written = tracing.write_spans(writes(trace, [op])).await.pop().unwrap().unwrap();
                given.push((trace, written.head.revision));
                if written.head.status.is_final() {
                    ended.push((trace, written.head.id, written.head.revision));
                }
            }
        }
    }
    let done = tracing.complete_trace(own, completed()).await.unwrap();
    given.push((own, done.revision));
    (given, ended)
}
