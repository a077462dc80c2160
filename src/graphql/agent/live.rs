//! The root that follows what a run puts out.

use async_graphql::{Context, ID, SimpleObject, Subscription, Union};
use futures_util::{Stream, StreamExt};

use crate::{
    graphql::{
        error::Result,
        ids::{self, GlobalId},
        request,
        scalar::{BigInt, Document, Given, OptionalGiven, PlainId},
    },
    model::{
        TraceId,
        span::{OperationType, SpanStatus},
        trace::TraceStatus,
    },
    service::agents::{OutputEvent, OutputPart},
};

/// Follows runs of agents.
#[derive(Default)]
pub(in crate::graphql) struct AgentSubscription;

/// See [`AgentSubscription`].
#[Subscription]
impl AgentSubscription {
    /// What a run of an agent puts out, in one order: text, reasoning, calls of tools and their results, spans that begin
    /// and end. Ends with the run. Pieces are kept while the run goes on and for a while after it; where some are
    /// not any more, `gap` says so, and the trace and the conversation tell what they were.
    async fn agent_output(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The run's trace: its global ID or UUID.")] trace_id: ID,
        #[graphql(
            desc = "Resume behind this place, which the last message carried; without it everything is sent."
        )]
        after: Option<Given<u64>>,
    ) -> Result<impl Stream<Item = Result<AgentOutputPayload>> + use<>> {
        let (id, after): (TraceId, _) = (ids::read("traceId", &trace_id)?, after.read("after")?);
        let agents = &request::of(ctx)?.services.agents;
        let parts = agents.output(id, after.unwrap_or(0)).await?;
        Ok(parts.map(move |part| Ok(AgentOutputPayload::of(id, part))))
    }
}

/// What a run put out.
#[derive(SimpleObject)]
struct AgentOutputPayload {
    /// Everything up to this place has been sent: resume behind it.
    place: BigInt,
    /// Whether something is missing before these events: read what was shown anew.
    gap: bool,
    /// What happened, in order.
    events: Vec<AgentEvent>,
}

/// Something that a run put out.
#[derive(Union)]
enum AgentEvent {
    /// More of the answer's text.
    Text(AgentTextDelta),
    /// More of the reasoning.
    Thinking(AgentThinkingDelta),
    /// A call of a tool.
    ToolCall(AgentToolCall),
    /// What a tool answered.
    ToolResult(AgentToolResult),
    /// A span that began or ended.
    Span(AgentSpanChange),
    /// An attempt that failed and is made again.
    Retry(AgentRetry),
    /// The end of the run.
    End(AgentEnd),
}

/// More of the answer's text.
#[derive(SimpleObject)]
struct AgentTextDelta {
    /// Tells the events of a run apart.
    id: ID,
    /// The text that follows.
    text: String,
}

/// More of the reasoning.
#[derive(SimpleObject)]
struct AgentThinkingDelta {
    /// Tells the events of a run apart.
    id: ID,
    /// The text that follows.
    text: String,
}

/// The model asks for a tool, which is called now.
#[derive(SimpleObject)]
struct AgentToolCall {
    /// Tells the events of a run apart.
    id: ID,
    /// The ID by which the result names the call.
    call_id: String,
    /// The tool.
    tool_name: String,
    /// What it is called with.
    arguments: Document,
}

/// A tool answered.
#[derive(SimpleObject)]
struct AgentToolResult {
    /// Tells the events of a run apart.
    id: ID,
    /// The ID of the call.
    call_id: String,
    /// What it answered, or how it failed.
    result: Document,
    /// Whether it failed.
    failed: bool,
}

/// A span began, or ended. Its content is in the trace, a moment later.
#[derive(SimpleObject)]
struct AgentSpanChange {
    /// Tells the events of a run apart.
    id: ID,
    /// The span's global ID.
    span: ID,
    /// The span's own ID, unique in its trace.
    span_id: PlainId,
    /// The span that caused it; null at the top, and at the end of a span.
    parent_span_id: Option<PlainId>,
    /// What kind of operation it is.
    operation_type: OperationType,
    /// What the operation is called.
    name: String,
    /// Where it stands.
    status: SpanStatus,
}

/// An attempt at asking the model failed and is made again: text since the last span began is void.
#[derive(SimpleObject)]
struct AgentRetry {
    /// Tells the events of a run apart.
    id: ID,
    /// Why it failed.
    message: String,
}

/// The run is over.
#[derive(SimpleObject)]
struct AgentEnd {
    /// Tells the events of a run apart.
    id: ID,
    /// How it ended.
    status: TraceStatus,
    /// The global ID of the message with the answer, or with why there is none.
    message_id: Option<ID>,
    /// Why there is no answer.
    error: Option<String>,
}

impl AgentOutputPayload {
    fn of(trace: TraceId, part: OutputPart) -> Self {
        let first = part.next.saturating_sub(part.events.len() as u64);
        let places = (first..).map(|place| usize::try_from(place).unwrap_or(usize::MAX));
        let id = |place| ids::part(&GlobalId::Trace(trace), "output", place);
        let events = part.events.into_iter().zip(places);
        let events = events.map(|(event, place)| AgentEvent::of(trace, id(place), event)).collect();
        Self { place: BigInt(part.next), gap: part.gap, events }
    }
}

impl AgentEvent {
    fn of(trace: TraceId, id: ID, event: OutputEvent) -> Self {
        match event {
            OutputEvent::Text(text) => Self::Text(AgentTextDelta { id, text }),
            OutputEvent::Thinking(text) => Self::Thinking(AgentThinkingDelta { id, text }),
            OutputEvent::ToolCall { call_id, name, arguments } => {
                Self::ToolCall(AgentToolCall { id, call_id, tool_name: name, arguments: Document(arguments) })
            }
            OutputEvent::ToolResult { call_id, result, failed } => {
                Self::ToolResult(AgentToolResult { id, call_id, result: Document(result), failed })
            }
            OutputEvent::Span { id: span, parent_id, operation_type, name, status } => {
                Self::Span(AgentSpanChange {
                    id,
                    span: GlobalId::Span(trace, span).encode(),
                    span_id: PlainId(span.uuid()),
                    parent_span_id: parent_id.map(|id| PlainId(id.uuid())),
                    operation_type,
                    name,
                    status,
                })
            }
            OutputEvent::Retry { message } => Self::Retry(AgentRetry { id, message }),
            OutputEvent::End { status, message_id, error } => {
                let message_id = message_id.map(|id| GlobalId::Message(id).encode());
                Self::End(AgentEnd { id, status, message_id, error })
            }
        }
    }
}
