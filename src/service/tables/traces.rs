//! The table of traces.

use super::{
    Row,
    column::{self, Definition, Read},
};
use crate::{
    model::{
        Json,
        trace::{Trace, TraceBody},
    },
    service::{ServiceResult, query::SelectedTraces, tracing::Tracing},
};

/// Traces that are read at a time: their inputs and outputs may be large.
pub(super) const AT_ONCE: usize = 32;

/// A trace with its large fields.
pub(super) struct Whole {
    trace: Trace,
    body: TraceBody,
}

pub(super) const COLUMNS: &[Definition<Whole>] = &[
    ("trace_id", Read::Text(|row| Some(row.trace.id.to_string()))),
    ("name", Read::Text(|row| row.trace.shown_name().map(str::to_owned))),
    ("status", Read::Text(|row| Some(row.trace.status.to_string()))),
    ("start_time", Read::Time(|row| Some(row.trace.start_time))),
    ("end_time", Read::Time(|row| row.trace.end_time)),
    ("duration_ns", Read::Integer(|row| row.trace.end_time.map(|end| end.nanos_since(row.trace.start_time)))),
    ("conversation_id", Read::Text(|row| row.trace.conversation_id.map(|id| id.to_string()))),
    ("message_id", Read::Text(|row| row.trace.message_id.map(|id| id.to_string()))),
    ("turn_id", Read::Text(|row| row.trace.turn_id.map(|id| id.to_string()))),
    ("session_id", Read::Text(|row| row.trace.session_id.clone())),
    ("user_id", Read::Text(|row| row.trace.user_id.clone())),
    ("replay_of_id", Read::Text(|row| row.trace.replay_of.map(|id| id.to_string()))),
    ("user_input", Read::Text(|row| row.body.user_input.clone())),
    ("final_output", Read::Text(|row| row.body.final_output.clone())),
    ("span_count", Read::Integer(|row| Some(row.trace.summary.span_count))),
    ("running_span_count", Read::Integer(|row| Some(row.trace.summary.running_count))),
    ("error_count", Read::Integer(|row| Some(row.trace.summary.error_count))),
    ("llm_call_count", Read::Integer(|row| Some(row.trace.summary.llm_call_count))),
    ("tool_call_count", Read::Integer(|row| Some(row.trace.summary.tool_call_count))),
    ("total_tokens", Read::Integer(|row| Some(row.trace.summary.tokens.total()))),
    ("input_tokens", Read::Integer(|row| Some(row.trace.summary.tokens.input))),
    ("output_tokens", Read::Integer(|row| Some(row.trace.summary.tokens.output))),
    ("cache_read_tokens", Read::Integer(|row| Some(row.trace.summary.tokens.cache_read))),
    ("cache_write_tokens", Read::Integer(|row| Some(row.trace.summary.tokens.cache_write))),
    ("reasoning_tokens", Read::Integer(|row| Some(row.trace.summary.tokens.reasoning))),
    ("total_cost_usd", Read::Money(|row| row.trace.summary.cost_known.then_some(row.trace.summary.cost))),
    ("models", Read::Json(|row| Json::from_value(&row.trace.summary.models).ok())),
    ("components", Read::Json(|row| Some(column::components(&row.trace.summary.components)))),
    ("depth", Read::Integer(|row| Some(row.trace.summary.depth.into()))),
    ("last_activity_at", Read::Time(|row| Some(row.trace.last_activity_at))),
    ("metadata", Read::Json(|row| row.body.metadata.clone())),
];

/// The way through some traces.
pub(super) struct TraceWalk {
    tracing: Tracing,
    selected: SelectedTraces,
}

impl TraceWalk {
    pub(super) fn new(tracing: &Tracing, selected: SelectedTraces) -> Self {
        Self { tracing: tracing.clone(), selected }
    }

    pub(super) async fn next(&mut self) -> ServiceResult<Option<Vec<Row>>> {
        let Some(traces) = self.selected.next().await? else { return Ok(None) };
        let ids: Vec<_> = traces.iter().map(|trace| trace.id).collect();
        let bodies = self.tracing.trace_bodies(&ids).await?;
        let whole = traces.into_iter().zip(bodies);
        let whole = whole.map(|(trace, body)| Whole { trace, body: body.unwrap_or_default() });
        Ok(Some(whole.map(|whole| column::row(COLUMNS, &whole)).collect()))
    }
}
