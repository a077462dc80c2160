//! Records a run while it goes on, without holding it up: what happens is queued, and written many at a time.
//!
//! The queue is bounded: a run that is faster than the disk for long waits for it. In the end everything is
//! written before the trace ends, and nothing of it is left running.

use std::{mem, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    model::{
        Json, SpanId, TraceId,
        chat::{self, ChatMessage, ChatPart},
        message::MessageRole,
        span::{
            NewSpan, OperationType, SpanAction, SpanBody, SpanChanges, SpanCompletion, SpanOp, SpanStatus,
        },
        trace::{Trace, TraceCompletion},
    },
    service::{
        Context, ServiceError, ServiceResult,
        tracing::{SpanWrite, Tracing},
    },
};

/// Events of spans that may wait to be written.
const WAITING: usize = 1_024;

/// Events that are written in one commit.
const AT_ONCE: usize = 128;

/// Bytes that are kept of what was said in a span that is cut off.
const SAID_BYTES: usize = 1 << 20;

/// How often a write is tried that finds too much going on.
const ATTEMPTS: usize = 40;

/// Records the spans of one run.
pub(super) struct Recorder {
    context: Context,
    trace: TraceId,
    queue: mpsc::Sender<SpanOp>,
    writer: JoinHandle<()>,
    /// Spans that have begun and not ended, with what was said in them so far.
    open: Mutex<Vec<(SpanId, String)>>,
}

/// A span that goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenSpan {
    pub(super) id: SpanId,
}

impl Recorder {
    /// Begins to record a run in a trace that has started.
    pub(super) fn begin(context: &Context, trace: TraceId) -> Arc<Self> {
        let (queue, events) = mpsc::channel(WAITING);
        let writer = tokio::spawn(write(Tracing::new(context.clone()), trace, events));
        Arc::new(Self { context: context.clone(), trace, queue, writer, open: Mutex::default() })
    }

    /// Begins a span.
    pub(super) async fn start(
        &self,
        parent: Option<OpenSpan>,
        operation_type: OperationType,
        name: impl Into<String>,
        changes: SpanChanges,
    ) -> OpenSpan {
        let span = OpenSpan { id: self.context.new_id() };
        self.start_as(span, parent, operation_type, name, changes).await;
        span
    }

    /// Begins a span whose id is known already.
    pub(super) async fn start_as(
        &self,
        OpenSpan { id }: OpenSpan,
        parent: Option<OpenSpan>,
        operation_type: OperationType,
        name: impl Into<String>,
        changes: SpanChanges,
    ) {
        self.open.lock().push((id, String::new()));
        let span = NewSpan {
            id,
            parent_id: parent.map(|parent| parent.id),
            operation_type,
            name: name.into(),
            start_time: Some(self.context.now()),
            end_time: None,
            status: None,
            changes,
        };
        self.put(SpanOp { id, action: SpanAction::Create(Box::new(span)) }).await;
    }

    /// Adds to a span.
    pub(super) async fn update(&self, span: OpenSpan, changes: SpanChanges) {
        self.put(SpanOp { id: span.id, action: SpanAction::Update(Box::new(changes)) }).await;
    }

    /// Notes what a model says while it says it: if the run is stopped, that is kept.
    pub(super) fn said(&self, span: OpenSpan, more: &str) {
        let mut open = self.open.lock();
        if let Some((_, said)) = open.iter_mut().find(|(open, _)| *open == span.id)
            && said.len() < SAID_BYTES
        {
            said.push_str(more);
        }
    }

    /// What was noted of a span so far.
    pub(super) fn take_said(&self, span: OpenSpan) -> String {
        let mut open = self.open.lock();
        let found = open.iter_mut().find(|(open, _)| *open == span.id);
        found.map(|(_, said)| mem::take(said)).unwrap_or_default()
    }

    /// Ends a span.
    pub(super) async fn end(&self, span: OpenSpan, status: SpanStatus, changes: SpanChanges) {
        self.open.lock().retain(|(open, _)| *open != span.id);
        let end_time = Some(self.context.now());
        let completion = SpanCompletion { status, end_time, changes };
        self.put(SpanOp { id: span.id, action: SpanAction::Complete(Box::new(completion)) }).await;
    }

    async fn put(&self, op: SpanOp) {
        // It fails only once the writer has given up, which it has said in the log.
        let _ = self.queue.send(op).await;
    }

    /// Ends the trace, after everything is written. What still goes on ends as cancelled.
    pub(super) async fn finish(self: Arc<Self>, completion: TraceCompletion) -> ServiceResult<Trace> {
        let Some(recorder) = Arc::into_inner(self) else {
            return Err(ServiceError::Store(crate::store::StoreError::Closed));
        };
        let Self { context, trace, queue, writer, open } = recorder;
        drop(queue);
        if let Err(error) = writer.await {
            tracing::error!(%trace, %error, "the writer of a run's spans broke off");
        }
        let now = context.now();
        let cancelled = |(id, said): (SpanId, String)| {
            let completion = SpanCompletion {
                status: SpanStatus::Cancelled,
                end_time: Some(now),
                changes: SpanChanges {
                    body: SpanBody { outputs: as_answer(&said), ..SpanBody::default() },
                    ..SpanChanges::default()
                },
            };
            SpanOp { id, action: SpanAction::Complete(Box::new(completion)) }
        };
        // The innermost began last.
        let ops: Vec<_> = mem::take(&mut *open.lock()).into_iter().rev().map(cancelled).collect();
        let tracing = Tracing::new(context);
        let ended = patiently(|| tracing.record_end(trace, ops.clone(), completion.clone()).boxed()).await;
        let Err(ServiceError::Refused(refusal)) = ended else { return ended };
        // Somebody else has ended it, or deleted it: its spans are ended alone.
        let writes = ops.into_iter().map(|op| SpanWrite { trace_id: trace, op }).collect();
        tracing.write_spans(writes).await;
        tracing.traces(&[trace]).await?.pop().flatten().ok_or_else(|| refusal.into())
    }
}

/// What was said as the answer of a model; `None`: nothing.
pub(super) fn as_answer(said: &str) -> Option<Json> {
    let parts = vec![ChatPart::Text(said.to_owned())];
    let message = ChatMessage { role: MessageRole::Assistant, name: None, parts, finish_reason: None };
    (!said.is_empty()).then(|| chat::to_json([message]))
}

/// Writes what comes, as much as there is at a time.
async fn write(tracing: Tracing, trace_id: TraceId, mut events: mpsc::Receiver<SpanOp>) {
    let mut some = Vec::with_capacity(AT_ONCE);
    while events.recv_many(&mut some, AT_ONCE).await > 0 {
        let mut left: Vec<_> = some.drain(..).map(|op| SpanWrite { trace_id, op }).collect();
        for attempt in 1.. {
            let outcomes = tracing.write_spans(left.clone()).await;
            let mut again = Vec::new();
            let mut wait = Duration::ZERO;
            for (write, outcome) in left.into_iter().zip(outcomes) {
                match outcome {
                    Ok(_) => {}
                    Err(ServiceError::Overloaded { retry_after }) if attempt < ATTEMPTS => {
                        wait = wait.max(retry_after);
                        again.push(write);
                    }
                    Err(error) => {
                        tracing::warn!(trace = %trace_id, %error, "a span of a run is not recorded");
                    }
                }
            }
            if again.is_empty() {
                break;
            }
            left = again;
            tokio::time::sleep(wait).await;
        }
    }
}

/// Does what may find too much going on, again for a while.
pub(super) async fn patiently<'a, T>(
    mut act: impl FnMut() -> BoxFuture<'a, ServiceResult<T>>,
) -> ServiceResult<T> {
    for _ in 1..ATTEMPTS {
        match act().await {
            Err(ServiceError::Overloaded { retry_after }) => tokio::time::sleep(retry_after).await,
            done => return done,
        }
    }
    act().await
}
