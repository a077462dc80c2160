//! Records a run while it goes on, without holding it up: what happens is queued, and written many at a time.
//!
//! The queue is bounded: a run that is faster than the disk for long waits for it. In the end everything is
//! written before the trace ends, and nothing of it is left running. A run that is not sampled is held back in
//! memory, and dropped where it ends well; once it takes long, or grows large, it is recorded like any other.

use std::{mem, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::Instant,
};

use super::flags::{Flags, Keep, Recording};
use crate::{
    model::{
        Json, SpanId, TraceId,
        chat::{self, ChatMessage, ChatPart},
        message::MessageRole,
        span::{
            NewSpan, OperationType, SpanAction, SpanBody, SpanChanges, SpanCompletion, SpanOp, SpanStatus,
        },
        trace::{NewTrace, Trace, TraceBody, TraceCompletion, TraceStatus},
    },
    service::{
        Context, ServiceError, ServiceResult,
        tracing::{SpanWrite, Tracing},
    },
};

/// Notes that may wait to be written.
const WAITING: usize = 1_024;

/// Notes that are written in one commit.
const AT_ONCE: usize = 128;

/// Bytes that are kept of what was said in a span that is cut off.
const SAID_BYTES: usize = 1 << 20;

/// Bytes of a run that may be held back.
const HELD_BYTES: usize = 1 << 20;

/// How long the writer waits for more before it writes: nobody sees the difference, and each commit and each waking of
/// the writer takes time of the agent's.
const LINGER: Duration = Duration::from_millis(10);

/// How often a write is tried that finds too much going on.
const ATTEMPTS: usize = 40;

/// Records the spans of one run.
pub(super) struct Recorder {
    context: Context,
    trace: TraceId,
    flags: Arc<Flags>,
    /// `None`: nothing is recorded.
    writing: Option<Writing>,
    /// Spans that have begun and not ended, with what was said in them so far.
    open: Mutex<Vec<(SpanId, String)>>,
}

struct Writing {
    queue: mpsc::Sender<Note>,
    /// Told when the writer is not to wait for more.
    hurry: Arc<Notify>,
    writer: JoinHandle<Option<Held>>,
}

/// Something that is to be written.
enum Note {
    Span(SpanOp),
    /// How things stood at the start.
    State(Box<TraceBody>),
}

/// A run that is held back, with all that is to be written once it turns out to be worth it.
struct Held {
    new: NewTrace,
    ops: Vec<SpanOp>,
    bytes: usize,
    /// When it has taken so long that it is.
    slow_at: Instant,
}

/// A span that goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenSpan {
    pub(super) id: SpanId,
}

impl Recorder {
    /// Begins to record a run. Its trace must have started, if all of it is kept; `new` is what it is started with
    /// otherwise.
    pub(super) fn begin(
        context: &Context,
        trace: TraceId,
        Recording { keep, flags }: Recording,
        new: NewTrace,
    ) -> Arc<Self> {
        let held = match keep {
            Keep::IfWorthIt(slow) => {
                Some(Held { new, ops: Vec::new(), bytes: 0, slow_at: Instant::now() + slow })
            }
            Keep::All | Keep::Nothing => None,
        };
        let writing = (keep != Keep::Nothing).then(|| {
            let (queue, notes) = mpsc::channel(WAITING);
            let hurry = Arc::new(Notify::new());
            let writer =
                Writer { tracing: Tracing::new(context.clone()), trace, flags: Arc::clone(&flags), held };
            let writer = tokio::spawn(writer.write(notes, Arc::clone(&hurry)));
            Writing { queue, hurry, writer }
        });
        Arc::new(Self { context: context.clone(), trace, flags, writing, open: Mutex::default() })
    }

    /// Whether spans are to have what the agent knew then.
    pub(super) fn takes_snapshots(&self) -> bool {
        self.writing.is_some() && self.flags.memory_snapshots()
    }

    /// Whether it keeps what went in.
    pub(super) fn takes_inputs(&self) -> bool {
        self.writing.is_some() && self.flags.captures_inputs()
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
        if self.writing.is_none() {
            return;
        }
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

    /// Notes how things stood at the start.
    pub(super) async fn state(&self, state: TraceBody) {
        self.note(Note::State(Box::new(state))).await;
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
        self.note(Note::Span(op)).await;
    }

    async fn note(&self, note: Note) {
        if let Some(writing) = &self.writing {
            // It fails only once the writer has given up, which it has said in the log.
            let _ = writing.queue.send(note).await;
            if writing.queue.capacity() < WAITING / 2 {
                writing.hurry.notify_one();
            }
        }
    }

    /// Ends the trace, after everything is written. What still goes on ends as cancelled. `None`: it is not recorded.
    pub(super) async fn finish(
        self: Arc<Self>,
        mut completion: TraceCompletion,
    ) -> ServiceResult<Option<Trace>> {
        let Some(recorder) = Arc::into_inner(self) else {
            return Err(ServiceError::Store(crate::store::StoreError::Closed));
        };
        let Self { context, trace, flags, writing, open } = recorder;
        let Some(Writing { queue, hurry, writer }) = writing else { return Ok(None) };
        drop(queue);
        hurry.notify_one();
        let held = writer.await.unwrap_or_else(|error| {
            tracing::error!(%trace, %error, "the writer of a run's spans broke off");
            None
        });
        // The writer may have been gathering when the run became slow.
        let is_slow = |held: &Held| held.slow_at <= Instant::now();
        if completion.status == TraceStatus::Completed && held.as_ref().is_some_and(|held| !is_slow(held)) {
            return Ok(None);
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
            let mut op = SpanOp { id, action: SpanAction::Complete(Box::new(completion)) };
            flags.clean_span(&mut op);
            op
        };
        // The innermost began last.
        let open = mem::take(&mut *open.lock()).into_iter().rev().map(cancelled);
        let tracing = Tracing::new(context);
        let ops: Vec<_> = match held {
            Some(Held { new, ops, .. }) => {
                patiently(|| tracing.start_trace(new.clone()).boxed()).await?;
                ops.into_iter().chain(open).collect()
            }
            None => open.collect(),
        };
        flags.clean_end(&mut completion);
        let ended = patiently(|| tracing.record_end(trace, ops.clone(), completion.clone()).boxed()).await;
        let Err(ServiceError::Refused(refusal)) = ended else { return ended.map(Some) };
        // Somebody else has ended it, or deleted it: its spans are ended alone.
        let writes = ops.into_iter().map(|op| SpanWrite { trace_id: trace, op }).collect();
        tracing.write_spans(writes).await;
        let found = tracing.traces(&[trace]).await?.pop().flatten();
        found.map(Some).ok_or_else(|| refusal.into())
    }
}

/// What was said as the answer of a model; `None`: nothing.
pub(super) fn as_answer(said: &str) -> Option<Json> {
    let parts = vec![ChatPart::Text(said.to_owned())];
    let message = ChatMessage { role: MessageRole::Assistant, name: None, parts, finish_reason: None };
    (!said.is_empty()).then(|| chat::to_json([message]))
}

/// Writes what is noted of a run.
struct Writer {
    tracing: Tracing,
    trace: TraceId,
    flags: Arc<Flags>,
    held: Option<Held>,
}

impl Writer {
    /// Writes what comes, as much as there is at a time, until nothing comes any more. Answers what it still holds
    /// back.
    async fn write(mut self, mut notes: mpsc::Receiver<Note>, hurry: Arc<Notify>) -> Option<Held> {
        let mut some = Vec::with_capacity(AT_ONCE);
        loop {
            let more = notes.recv_many(&mut some, AT_ONCE);
            let count = match &self.held {
                None => Some(more.await),
                Some(held) => tokio::time::timeout_at(held.slow_at, more).await.ok(),
            };
            match count {
                Some(0) => return self.held,
                Some(_) => {
                    // Not looked for meanwhile: whoever adds to the queue wakes nobody.
                    if !notes.is_closed() {
                        tokio::select! {
                            () = tokio::time::sleep(LINGER) => {}
                            () = hurry.notified() => {}
                        }
                    }
                    while some.len() < AT_ONCE
                        && let Ok(note) = notes.try_recv()
                    {
                        some.push(note);
                    }
                    self.take(some.drain(..)).await;
                }
                None => self.release().await,
            }
        }
    }

    async fn take(&mut self, notes: impl Iterator<Item = Note>) {
        let mut ops = Vec::new();
        for note in notes {
            match note {
                Note::Span(mut op) => {
                    self.flags.clean_span(&mut op);
                    ops.push(op);
                }
                Note::State(mut state) => {
                    self.flags.clean_body(&mut state);
                    self.take_state(*state).await;
                }
            }
        }
        let Some(held) = &mut self.held else { return self.write_spans(ops).await };
        held.bytes += ops.iter().map(size).sum::<usize>();
        held.ops.extend(ops);
        if held.bytes > HELD_BYTES {
            self.release().await;
        }
    }

    async fn take_state(&mut self, state: TraceBody) {
        if let Some(held) = &mut self.held {
            held.bytes += state.initial_conversation_state.as_ref().map_or(0, |json| json.text().len());
            held.new.body.initial_conversation_state = state.initial_conversation_state;
            return;
        }
        let record = || self.tracing.record_state(self.trace, state.clone()).boxed();
        if let Err(error) = patiently(record).await {
            tracing::warn!(trace = %self.trace, %error, "how a run began is not recorded");
        }
    }

    /// Records after all what was held back.
    async fn release(&mut self) {
        let Some(Held { new, ops, .. }) = self.held.take() else { return };
        if let Err(error) = patiently(|| self.tracing.start_trace(new.clone()).boxed()).await {
            tracing::warn!(trace = %self.trace, %error, "the trace of a run is not recorded");
        }
        self.write_spans(ops).await;
    }

    async fn write_spans(&self, ops: Vec<SpanOp>) {
        if ops.is_empty() {
            return;
        }
        let mut left: Vec<_> = ops.into_iter().map(|op| SpanWrite { trace_id: self.trace, op }).collect();
        for attempt in 1.. {
            let outcomes = self.tracing.write_spans(left.clone()).await;
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
                        tracing::warn!(trace = %self.trace, %error, "a span of a run is not recorded");
                    }
                }
            }
            if again.is_empty() {
                return;
            }
            left = again;
            tokio::time::sleep(wait).await;
        }
    }
}

/// About how many bytes a write to a span holds.
fn size(op: &SpanOp) -> usize {
    let body = match &op.action {
        SpanAction::Create(new) => new.changes.body.size(),
        SpanAction::Update(changes) => changes.body.size(),
        SpanAction::Complete(completion) => completion.changes.body.size(),
        _ => 0,
    };
    body + mem::size_of::<NewSpan>()
}

/// Does what may find too much going on, again for a while.
pub(in crate::service) async fn patiently<'a, T>(
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
