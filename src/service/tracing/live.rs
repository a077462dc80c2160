//! Following the spans of a trace live: first how they stand, then every change, resumable by revision.
//!
//! A follower subscribes first and reads second; each change is read from the store, so nothing is
//! buffered for a slow follower: it reads later, and more at once.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{Stream, stream};

use super::Tracing;
use crate::{
    live::{Topic, Watch},
    model::{Refusal, TraceId, refusal::Entity, span::SpanHead, trace::Trace},
    service::ServiceResult,
    store::keyspace,
};

/// Spans that changed in a trace.
#[derive(Debug, Clone)]
pub struct SpanChanges {
    /// Everything up to this revision has been sent: resume after it.
    pub revision: u64,
    /// Whether this is still the state at the beginning, not yet a change.
    pub snapshot: bool,
    /// The trace as it stands.
    pub trace: Trace,
    /// The spans, as they stand, in the order they last changed.
    pub heads: Vec<SpanHead>,
}

/// Spans in one message: what a client takes in at once. Those of one revision stay together.
const SPANS_AT_ONCE: usize = 1_000;

impl Tracing {
    /// The spans of a trace: all of them first (or, with `after`, those changed since that revision),
    /// then every change. All that is sent is durable. Ends when the trace is deleted.
    pub async fn spans_live(
        &self,
        id: TraceId,
        after: Option<u64>,
    ) -> ServiceResult<impl Stream<Item = ServiceResult<SpanChanges>> + Send + use<>> {
        let store = &self.context.store;
        // Watch before reading, so that no change falls between.
        let watch = self.context.hub.watch(Topic::Trace(id));
        let trace = store.get(keyspace::TRACE, &id).await?;
        let trace = trace.ok_or_else(|| Refusal::not_found("traceId", Entity::Trace, id))?;
        if after.is_some_and(|after| after > trace.revision) {
            let message =
                format!("the trace is at revision {}; resume with one you received", trace.revision);
            return Err(Refusal::invalid("after", message).into());
        }
        let seen = after.unwrap_or(0);
        let follower = SpanFollower {
            tracing: self.clone(),
            id,
            watch,
            seen,
            behind: after.is_none() || seen < trace.revision,
            snapshot: after.is_none(),
            trace: None,
            waiting: VecDeque::new(),
        };
        Ok(stream::try_unfold(follower, SpanFollower::next))
    }
}

/// One follower of a trace's spans.
struct SpanFollower {
    tracing: Tracing,
    id: TraceId,
    watch: Watch,
    /// Everything up to here was sent.
    seen: u64,
    /// Whether there is more to read than was sent, as at the beginning.
    behind: bool,
    /// Whether the state at the beginning is still being sent.
    snapshot: bool,
    /// The trace as of the last reading; `None`: to be read.
    trace: Option<Arc<Trace>>,
    /// Changes that were read and not sent yet.
    waiting: VecDeque<SpanHead>,
}

impl SpanFollower {
    async fn next(mut self) -> ServiceResult<Option<(SpanChanges, Self)>> {
        let trace = match self.trace.take() {
            Some(trace) => trace,
            None => match self.read().await? {
                Some(trace) => trace,
                None => return Ok(None),
            },
        };
        let mut heads = Vec::new();
        while let Some(head) = self.waiting.pop_front() {
            let together = heads.last().is_some_and(|last: &SpanHead| last.revision == head.revision);
            if heads.len() >= SPANS_AT_ONCE && !together {
                self.waiting.push_front(head);
                break;
            }
            heads.push(head);
        }
        let done = self.waiting.is_empty();
        self.seen = if done { trace.revision } else { heads.last().map_or(self.seen, |head| head.revision) };
        let changes =
            SpanChanges { revision: self.seen, snapshot: self.snapshot, trace: Trace::clone(&trace), heads };
        if done {
            self.snapshot = false;
        } else {
            self.trace = Some(trace);
        }
        Ok(Some((changes, self)))
    }

    /// Waits for something newer than what was sent, and reads it.
    async fn read(&mut self) -> ServiceResult<Option<Arc<Trace>>> {
        let durable = if self.behind { 0 } else { self.watch.beyond(self.seen).await };
        self.behind = false;
        let store = &self.tracing.context.store;
        let Some(delta) = store.trace_spans_after(self.id, self.seen).await? else { return Ok(None) };
        if delta.trace.revision < self.seen {
            // The trace was deleted, and another was started with its id.
            return Ok(None);
        }
        if delta.trace.revision > durable {
            // A client that resumes after a loss of power must not hold a revision that is given out again.
            store.flush().await?;
        }
        self.waiting = delta.heads.into();
        Ok(Some(Arc::new(delta.trace)))
    }
}
