//! Bodies: what a span's writes said, whatever was written, merged or refused beside them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use dendro::{
    engine::{Batch, EngineKind, EngineResult},
    model::{SpanId, TraceId, span::SpanBody},
    service::tracing::Tracing,
};
use futures_util::future::BoxFuture;
use tokio::sync::Notify;

use crate::support::{
    engines::{Around, Gate, wrap},
    spans::{changes, create, inputs, outputs, record, span, span_id, start, trace_id, update, writes},
    store::{TestStore, restless},
};

async fn body(tracing: &Tracing, trace: TraceId, span: SpanId) -> SpanBody {
    let spans = tracing.spans(&[trace]).await.unwrap().pop().flatten().unwrap();
    let head = spans.heads.iter().find(|head| head.id == span).unwrap();
    let wanted = vec![(trace, span, head.part_blocks())];
    tracing.span_bodies(wanted, 0).await.unwrap().remove(&(trace, span)).unwrap_or_default()
}

#[tokio::test]
async fn a_recorded_span_replaces_what_the_same_call_said_before() {
    let bed = TestStore::in_memory().open().await;
    let trace = trace_id(1);
    start(&bed.tracing, trace).await;
    let mut first = span(1);
    first.changes.body = inputs("first");
    let mut again = span(1);
    again.changes.body = outputs("again");
    bed.tracing.write_spans(writes(trace, [create(first), record(again)])).await;
    assert_eq!(body(&bed.tracing, trace, span_id(1)).await, outputs("again"));
    bed.assert_consistent().await;
}

/// A write that is queued is not on the disk yet when the blocks are read to be merged.
#[tokio::test]
async fn a_merge_keeps_the_bodies_of_a_write_under_way() {
    for kind in [EngineKind::Memory, EngineKind::Sled, EngineKind::Fjall] {
        let gate = Gate::new(true);
        let around = gate.clone();
        let place = TestStore::new(kind).config(restless()).wrapped(move |engine| wrap(engine, &around));
        let bed = place.open().await;
        let trace = trace_id(1);
        start(&bed.tracing, trace).await;
        bed.tracing.write_spans(writes(trace, [create(span(1))])).await;
        gate.close();
        let (store, tracing) = (bed.store().clone(), bed.tracing.clone());
        let ops = writes(trace, [update(1, changes(inputs("under way")))]);
        let writer = tokio::spawn(async move { tracing.write_spans(ops).await });
        gate.reached().await;
        let merger = tokio::spawn(async move { store.merge_trace(trace).await });
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        gate.open();
        writer.await.unwrap().pop().unwrap().unwrap();
        merger.await.unwrap().unwrap();
        assert_eq!(body(&bed.tracing, trace, span_id(1)).await, inputs("under way"));
        bed.assert_consistent().await;
    }
}

/// Commits wait behind a gate; the end of the next read opens it, and waits until one took place.
struct CommitsAfterRead {
    gate: Arc<Gate>,
    /// Calls around reads until then: one before and one after.
    calls: AtomicUsize,
    committed: Notify,
}

impl Around for CommitsAfterRead {
    fn around_read(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if self.calls.fetch_sub(1, SeqCst) == 1 {
                self.gate.open();
                self.committed.notified().await;
            }
        })
    }

    fn before_commit<'a>(&'a self, batch: &'a Batch) -> BoxFuture<'a, EngineResult<()>> {
        self.gate.before_commit(batch)
    }

    fn after_commit<'a>(&'a self, _: &'a Batch) -> BoxFuture<'a, ()> {
        self.committed.notify_one();
        Box::pin(async {})
    }
}

/// Heads in memory tell where a merge puts the bodies, and it is put there only now.
#[tokio::test]
async fn a_body_is_found_while_it_is_put_elsewhere() {
    let gate = Gate::new(true);
    let calls = AtomicUsize::new(usize::MAX);
    let around = Arc::new(CommitsAfterRead { gate: gate.clone(), calls, committed: Notify::new() });
    let wrapped = around.clone();
    let bed = TestStore::in_memory().wrapped(move |engine| wrap(engine, &wrapped)).open().await;
    let trace = trace_id(1);
    start(&bed.tracing, trace).await;
    bed.tracing.write_spans(writes(trace, [create(span(1))])).await;
    bed.tracing.write_spans(writes(trace, [update(1, changes(inputs("elsewhere")))])).await;
    gate.close();
    let store = bed.store().clone();
    let merger = tokio::spawn(async move { store.merge_trace(trace).await });
    gate.reached().await;
    let heads =
        bed.tracing.choose_heads(trace, |_, heads| heads.iter().map(|head| (*head).clone()).collect());
    let heads: Vec<_> = heads.await.unwrap();
    around.committed.notified().await;
    around.calls.store(2, SeqCst);
    let bodies = bed.tracing.bodies_of(trace, &heads.iter().collect::<Vec<_>>()).await.unwrap();
    assert_eq!(bodies[&span_id(1)], inputs("elsewhere"));
    merger.await.unwrap().unwrap();
}
