//! Traces read whole, one after the other, in pieces that fit into memory.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use futures_util::{
    Stream, TryStreamExt,
    stream::{self, BoxStream},
};

use super::Tracing;
use crate::{
    model::{
        Refusal, SpanId, TraceId,
        span::{PartBlocks, SpanBody, SpanHead},
        trace::{Trace, TraceBody},
    },
    service::{ServiceError, ServiceResult},
    store::{
        StoreError, StoreResult,
        spans::{BodyRequest, StoredSpans},
    },
};

/// Spans of one trace with all that is kept of them.
#[derive(Debug)]
pub struct TracePiece {
    /// The trace.
    pub trace: Arc<Trace>,
    /// Its large fields.
    pub body: Arc<TraceBody>,
    /// The span at its top: without a parent, else the one that started first.
    pub top: SpanId,
    /// The spans, in the order in which they ended; those that go on come last.
    pub spans: Vec<WholeSpan>,
    /// Whether these are the trace's last.
    pub is_last: bool,
}

/// A span with its body.
#[derive(Debug)]
pub struct WholeSpan {
    /// Its small fields.
    pub head: SpanHead,
    /// What came with it.
    pub own: SpanBody,
    /// What came apart from it.
    pub attached: SpanBody,
}

/// Spans of a piece at most.
const SPANS: usize = 256;

/// Bytes of the bodies of a piece at most, where it has more than one span.
const BYTES: usize = 16 << 20;

/// How often a piece is read. A trace would have to be merged between every two readings.
const ATTEMPTS: usize = 8;

impl Tracing {
    /// Traces that are listed some at a time, whole, in pieces. One without spans is left out.
    ///
    /// # Errors
    /// Those of the list, and when the store fails.
    pub(in crate::service) fn whole(
        &self,
        traces: BoxStream<'static, ServiceResult<Vec<TraceId>>>,
    ) -> impl Stream<Item = ServiceResult<TracePiece>> + Send + use<> {
        let walk = Walk { tracing: self.clone(), traces, listed: VecDeque::new(), open: None };
        stream::try_unfold(walk, |mut walk| async {
            let piece = walk.next().await?;
            Ok(piece.map(|piece| (piece, walk)))
        })
    }
}

/// The way through a list of traces.
struct Walk {
    tracing: Tracing,
    traces: BoxStream<'static, ServiceResult<Vec<TraceId>>>,
    listed: VecDeque<TraceId>,
    open: Option<OpenTrace>,
}

/// A trace whose spans are being read.
struct OpenTrace {
    trace: Arc<Trace>,
    body: Arc<TraceBody>,
    top: SpanId,
    waiting: VecDeque<SpanHead>,
}

impl Walk {
    async fn next(&mut self) -> ServiceResult<Option<TracePiece>> {
        loop {
            if let Some(mut open) = self.open.take() {
                let piece = self.tracing.piece(&mut open).await?;
                self.open = Some(open).filter(|open| !open.waiting.is_empty());
                if !piece.spans.is_empty() {
                    return Ok(Some(piece));
                }
            } else if let Some(id) = self.listed.pop_front() {
                self.open = self.tracing.open_trace(id).await?;
            } else {
                let Some(traces) = self.traces.try_next().await? else { return Ok(None) };
                self.listed.extend(traces);
            }
        }
    }
}

impl Tracing {
    /// The spans of a trace whose heads were read, whole, in pieces.
    pub(in crate::service) fn pieces_of(
        &self,
        found: StoredSpans,
        body: TraceBody,
    ) -> impl Stream<Item = ServiceResult<TracePiece>> + Send + use<> {
        stream::try_unfold((self.clone(), opened(found, body)), |(tracing, open)| async move {
            let Some(mut open) = open.filter(|open| !open.waiting.is_empty()) else { return Ok(None) };
            let piece = tracing.piece(&mut open).await?;
            Ok(Some((piece, (tracing, Some(open)))))
        })
    }

    /// Reads the heads of a trace; `None` where it has none, or was deleted meanwhile.
    async fn open_trace(&self, id: TraceId) -> ServiceResult<Option<OpenTrace>> {
        let Some(found) = self.context.store.trace_spans(&[id]).await?.pop().flatten() else {
            return Ok(None);
        };
        let body = self.trace_bodies(&[id]).await?.pop().flatten().unwrap_or_default();
        Ok(opened(found, body))
    }

    /// The next spans of a trace; none where they were deleted meanwhile.
    async fn piece(&self, open: &mut OpenTrace) -> ServiceResult<TracePiece> {
        let mut count = open.waiting.len().min(SPANS);
        let mut attempt = 1;
        let spans = loop {
            let heads = open.waiting.make_contiguous().get(..count).unwrap_or_default();
            match self.bodies_apart(open.trace.id, heads).await {
                Ok(spans) => break spans,
                Err(StoreError::TooMuch { .. }) if count > 1 => count = count.div_ceil(2),
                // Blocks were merged since the heads were read: the heads know where they are now.
                Err(StoreError::Conflict) if attempt < ATTEMPTS => {
                    attempt += 1;
                    self.renew(open).await?;
                    count = count.min(open.waiting.len());
                }
                Err(error) => return Err(failed(error)),
            }
        };
        open.waiting.drain(..count);
        let (trace, body) = (Arc::clone(&open.trace), Arc::clone(&open.body));
        Ok(TracePiece { trace, body, top: open.top, spans, is_last: open.waiting.is_empty() })
    }

    /// These spans with their bodies: what came with them and what came apart.
    async fn bodies_apart(&self, id: TraceId, heads: &[SpanHead]) -> StoreResult<Vec<WholeSpan>> {
        let most = if heads.len() > 1 { BYTES } else { self.context.lists.span_body_bytes_at_once };
        let own = |head: &SpanHead| PartBlocks { own: head.body_blocks.clone(), attached: Vec::new() };
        let own = heads.iter().map(|head| (head.id, own(head))).collect();
        let mut own = self.bodies_in(id, own, most).await?;
        let attached =
            |head: &SpanHead| PartBlocks { own: Vec::new(), attached: head.attached.blocks.clone() };
        let apart = heads.iter().filter(|head| !head.attached.blocks.is_empty());
        let apart = apart.map(|head| (head.id, attached(head))).collect();
        let mut attached = self.bodies_in(id, apart, most).await?;
        let whole = |head: &SpanHead| WholeSpan {
            head: head.clone(),
            own: own.remove(&(id, head.id)).unwrap_or_default(),
            attached: attached.remove(&(id, head.id)).unwrap_or_default(),
        };
        Ok(heads.iter().map(whole).collect())
    }

    async fn bodies_in(
        &self,
        trace_id: TraceId,
        spans: Vec<(SpanId, PartBlocks)>,
        most: usize,
    ) -> StoreResult<HashMap<(TraceId, SpanId), SpanBody>> {
        if spans.is_empty() {
            return Ok(HashMap::new());
        }
        self.context.store.span_bodies(&[BodyRequest { trace_id, spans }], most).await
    }

    /// Reads the heads that wait anew. Those that are gone are left out.
    async fn renew(&self, open: &mut OpenTrace) -> ServiceResult<()> {
        let heads = self.heads(open.trace.id).await?;
        let mut now: HashMap<_, _> = heads.into_iter().map(|head| (head.id, head)).collect();
        open.waiting = open.waiting.iter().filter_map(|head| now.remove(&head.id)).collect();
        Ok(())
    }
}

/// A trace whose heads were read, before its first piece; `None` where it has no spans.
fn opened(found: StoredSpans, body: TraceBody) -> Option<OpenTrace> {
    let StoredSpans { trace, mut heads } = found;
    let top = heads.iter().min_by_key(|head| (head.parent_id.is_some(), head.start_time, head.id))?.id;
    // Of two that end at once the inner one comes first, as from a tracer.
    heads.sort_by_key(|head| (head.end_time.is_none(), head.end_time, Reverse(head.start_time), head.id));
    Some(OpenTrace { trace: Arc::new(trace), body: Arc::new(body), top, waiting: heads.into() })
}

fn failed(error: StoreError) -> ServiceError {
    let StoreError::TooMuch { most } = error else { return error.into() };
    let message = format!(
        "the body of a span takes more than {most} bytes, the most at once: see \
         `lists.span_body_bytes_at_once`"
    );
    Refusal::limit("spans", message).into()
}
