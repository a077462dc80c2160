//! How traces are shown: as a row, or with everything in it.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::trace::{self, TraceBody},
    rest::{
        page::Listed,
        scalar::{Document, Moment, millis},
        spans::Span,
        words,
    },
};

/// One run of an agent for one input, as lists show it: its small fields and what its spans add up to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct Trace {
    /// The ID.
    trace_id: Uuid,
    /// What people call it: its own name, else that of its root span.
    name: Option<String>,
    /// The conversation it belongs to.
    conversation_id: Option<Uuid>,
    /// The message that set it off.
    message_id: Option<Uuid>,
    /// The trace whose run it is again.
    replay_of_id: Option<Uuid>,
    /// The turn it belongs to.
    turn_id: Option<Uuid>,
    /// Who ran the agent.
    user_id: Option<String>,
    /// The session that the caller puts it in.
    session_id: Option<String>,
    /// Where it stands.
    status: words::TraceStatus,
    /// When it started.
    start_time: Moment,
    /// When it ended; null while it runs.
    end_time: Option<Moment>,
    /// How long it took, in milliseconds; null while it runs.
    duration_ms: Option<f64>,
    /// How long it took, in nanoseconds; null while it runs.
    duration_nanos: Option<u64>,
    /// The beginning of what the user asked: as much as a list shows.
    input_preview: Option<String>,
    /// The beginning of what the agent answered: as much as a list shows.
    output_preview: Option<String>,
    /// When something was last written to it.
    last_activity_at: Moment,
    /// Counts the commits that changed the trace or its spans: its ETag, in quotes.
    revision: u64,
    /// How many spans it has.
    span_count: u64,
    /// Spans that have not ended.
    running_span_count: u64,
    /// Spans that ended with an error.
    error_count: u64,
    /// Calls of language models.
    llm_call_count: u64,
    /// Calls of tools.
    tool_call_count: u64,
    /// Tokens read and written. Each counts where it was spent: agents repeat the sums of what they called.
    total_tokens: u64,
    /// Tokens read, cached ones included.
    input_tokens: u64,
    /// Tokens written, reasoning included.
    output_tokens: u64,
    /// Of the tokens read: from a cache.
    cache_read_tokens: u64,
    /// Of the tokens read: written to a cache.
    cache_write_tokens: u64,
    /// Of the tokens written: reasoning.
    reasoning_tokens: u64,
    /// What it cost, in US dollars, as far as it is known; null where no span says anything.
    total_cost_usd: Option<f64>,
    /// The models that were called.
    models: Vec<String>,
    /// Levels of its tree.
    depth: u32,
}

impl From<trace::Trace> for Trace {
    fn from(row: trace::Trace) -> Self {
        let duration = row.end_time.map(|end| end.nanos_since(row.start_time));
        let summary = row.summary;
        Self {
            trace_id: row.id.uuid(),
            name: row.name.or_else(|| summary.root.map(|root| root.name)),
            conversation_id: row.conversation_id.map(|id| id.uuid()),
            message_id: row.message_id.map(|id| id.uuid()),
            replay_of_id: row.replay_of.map(|id| id.uuid()),
            turn_id: row.turn_id.map(|id| id.uuid()),
            user_id: row.user_id,
            session_id: row.session_id,
            status: row.status.into(),
            start_time: row.start_time.into(),
            end_time: row.end_time.map(Into::into),
            duration_ms: duration.map(millis),
            duration_nanos: duration,
            input_preview: row.input_preview,
            output_preview: row.output_preview,
            last_activity_at: row.last_activity_at.into(),
            revision: row.revision,
            span_count: summary.span_count,
            running_span_count: summary.running_count,
            error_count: summary.error_count,
            llm_call_count: summary.llm_call_count,
            tool_call_count: summary.tool_call_count,
            total_tokens: summary.tokens.total(),
            input_tokens: summary.tokens.input,
            output_tokens: summary.tokens.output,
            cache_read_tokens: summary.tokens.cache_read,
            cache_write_tokens: summary.tokens.cache_write,
            reasoning_tokens: summary.tokens.reasoning,
            total_cost_usd: summary.cost_known.then(|| summary.cost.dollars()),
            models: summary.models,
            depth: summary.depth,
        }
    }
}

/// A trace with everything in it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct TraceDetail {
    #[serde(flatten)]
    trace: Trace,
    /// What the user asked.
    user_input: Option<String>,
    /// What the agent answered.
    final_output: Option<String>,
    /// The agent's memory at the start.
    initial_memory_state: Option<Document>,
    /// The conversation at the start.
    initial_conversation_state: Option<Document>,
    /// The settings of the system at the start.
    system_config: Option<Document>,
    /// Whatever the application keeps with it: an object.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Document>,
    /// Its spans, the whole tree in pre-order: parents before their children, siblings by their start. Of very large
    /// traces the first ones: `next` goes on as `after` of `/traces/{traceId}/spans`.
    spans: Listed<Span>,
}

impl TraceDetail {
    pub(super) fn new(row: trace::Trace, body: TraceBody, spans: Listed<Span>) -> Self {
        let TraceBody {
            user_input,
            final_output,
            initial_memory_state,
            initial_conversation_state,
            system_config,
            metadata,
        } = body;
        Self {
            trace: row.into(),
            user_input,
            final_output,
            initial_memory_state: initial_memory_state.map(Into::into),
            initial_conversation_state: initial_conversation_state.map(Into::into),
            system_config: system_config.map(Into::into),
            metadata: metadata.map(Into::into),
            spans,
        }
    }
}
