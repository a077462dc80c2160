//! The roots that follow traces and spans.

use async_graphql::{Context, ID, SimpleObject, Subscription};
use futures_util::Stream;

use super::{Trace, filter::TraceFilterInput};
use crate::{
    graphql::{
        error::Result,
        ids, request,
        scalar::{BigInt, Given, OptionalGiven},
        span::Span,
    },
    service::tracing::{SpanChanges, TraceChanges},
};

/// Follows traces and spans.
#[derive(Default)]
pub(in crate::graphql) struct TraceSubscription;

/// See [`TraceSubscription`].
#[Subscription]
impl TraceSubscription {
    /// The spans of a trace: first as they stand, then every change, from their start on. Nothing is lost
    /// or doubled between the two. Stays open when the trace ends, because spans may still come: who follows
    /// one run only may stop when its trace has ended and the `revision` here is that of the trace.
    async fn trace_spans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The trace: its global ID or UUID.")] trace_id: ID,
        #[graphql(
            desc = "Resume behind this revision, which the last message carried; without it everything is sent."
        )]
        after: Option<Given<u64>>,
    ) -> Result<impl Stream<Item = Result<TraceSpansPayload>> + use<>> {
        let (id, after) = (ids::read("traceId", &trace_id)?, after.read("after")?);
        let data = request::of(ctx)?;
        let changes = data.services.tracing.spans_live(id, after).await?;
        Ok(data.events(changes))
    }

    /// The traces that run, then every change of them. Who resumes is sent what changed meanwhile, also what
    /// began and ended; where the server no longer knows, as after its restart, it begins anew. Each trace
    /// carries its revision, by which a client knows what it has already.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn running_traces(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which traces.")] filter: Option<TraceFilterInput>,
        #[graphql(
            desc = "Resume behind this cursor, which the last message carried; without it everything is sent."
        )]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<RunningTracesPayload>> + use<>> {
        let filter = filter.unwrap_or_default().into_model()?;
        let data = request::of(ctx)?;
        let changes = data.services.tracing.running_traces(filter, after.as_deref())?;
        Ok(data.events(changes))
    }
}

/// Spans of a trace that changed.
#[derive(SimpleObject)]
struct TraceSpansPayload {
    /// Everything up to this revision of the trace has been sent: resume behind it.
    revision: BigInt,
    /// Whether this is still the state at the beginning, and not yet a change.
    snapshot: bool,
    /// The trace as it stands.
    trace: Trace,
    /// The spans as they stand, in the order in which they last changed.
    spans: Vec<Span>,
}

impl From<SpanChanges> for TraceSpansPayload {
    fn from(changes: SpanChanges) -> Self {
        let SpanChanges { revision, snapshot, trace, heads } = changes;
        let trace = Trace::new(trace);
        let spans = heads.into_iter().map(|head| Span::alone(trace.clone(), head)).collect();
        Self { revision: BigInt(revision), snapshot, trace, spans }
    }
}

/// Traces that run, or ran until just now.
#[derive(SimpleObject)]
struct RunningTracesPayload {
    /// Every change up to here has been sent: resume behind it.
    cursor: String,
    /// Whether this is the state at the beginning, or after falling behind: it replaces what was shown.
    snapshot: bool,
    /// The traces as they stand. One that has ended is sent a last time.
    traces: Vec<Trace>,
}

impl From<TraceChanges> for RunningTracesPayload {
    fn from(changes: TraceChanges) -> Self {
        let traces = changes.traces.into_iter().map(Trace::new).collect();
        Self { cursor: changes.cursor, snapshot: changes.snapshot, traces }
    }
}
