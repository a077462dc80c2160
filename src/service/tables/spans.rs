//! The table of spans.

use std::sync::Arc;

use futures_util::{
    Stream, TryStreamExt,
    stream::{BoxStream, StreamExt},
};

use super::{
    Row,
    column::{self, Definition, Read},
};
use crate::{
    model::{
        Json,
        span::{SpanBody, SpanEvent, SpanHead, SpanLink},
        trace::Trace,
    },
    service::{ServiceResult, tracing::TracePiece},
};

/// A span with its body and its trace.
pub(super) struct Whole {
    trace: Arc<Trace>,
    head: SpanHead,
    body: SpanBody,
}

pub(super) const COLUMNS: &[Definition<Whole>] = &[
    ("trace_id", Read::Text(|row| Some(row.trace.id.to_string()))),
    ("span_id", Read::Text(|row| Some(row.head.id.to_string()))),
    ("parent_span_id", Read::Text(|row| row.head.parent_id.map(|id| id.to_string()))),
    ("conversation_id", Read::Text(|row| row.trace.conversation_id.map(|id| id.to_string()))),
    ("operation_type", Read::Text(|row| Some(row.head.operation_type.to_string()))),
    ("name", Read::Text(|row| Some(row.head.name.clone()))),
    ("status", Read::Text(|row| Some(row.head.status.to_string()))),
    ("status_message", Read::Text(|row| row.head.status_message.clone())),
    ("start_time", Read::Time(|row| Some(row.head.start_time))),
    ("end_time", Read::Time(|row| row.head.end_time)),
    ("duration_ns", Read::Integer(|row| row.head.duration_nanos())),
    ("model_name", Read::Text(|row| row.head.details.model.clone())),
    ("provider", Read::Text(|row| row.head.details.provider.clone())),
    ("finish_reason", Read::Text(|row| row.head.details.finish_reason.clone())),
    ("time_to_first_token_ns", Read::Integer(|row| row.head.details.time_to_first_token_nanos)),
    ("response_id", Read::Text(|row| row.head.details.response_id.clone())),
    ("tool_name", Read::Text(|row| row.head.details.tool_name.clone())),
    ("tool_call_id", Read::Text(|row| row.head.details.tool_call_id.clone())),
    ("agent_name", Read::Text(|row| row.head.details.agent_name.clone())),
    ("plan_id", Read::Text(|row| row.head.details.plan_id.map(|id| id.to_string()))),
    ("step_id", Read::Text(|row| row.head.details.step_id.map(|id| id.to_string()))),
    ("document_count", Read::Integer(|row| row.head.details.document_count.map(u64::from))),
    ("total_tokens", Read::Integer(total_tokens)),
    ("input_tokens", Read::Integer(|row| row.head.ledger.tokens.input)),
    ("output_tokens", Read::Integer(|row| row.head.ledger.tokens.output)),
    ("cache_read_tokens", Read::Integer(|row| row.head.ledger.tokens.cache_read)),
    ("cache_write_tokens", Read::Integer(|row| row.head.ledger.tokens.cache_write)),
    ("reasoning_tokens", Read::Integer(|row| row.head.ledger.tokens.reasoning)),
    ("counting_rule", Read::Text(|row| row.head.ledger.rule.map(|rule| rule.to_string()))),
    ("cost_usd", Read::Money(|row| row.head.ledger.cost)),
    ("cost_source", Read::Text(|row| row.head.ledger.source.map(|source| source.to_string()))),
    ("price_version", Read::Text(|row| row.head.ledger.price_version.clone())),
    ("components", Read::Json(|row| Some(column::components(&row.head.components)))),
    ("inputs", Read::Json(|row| row.body.read_inputs())),
    ("outputs", Read::Json(|row| row.body.read_outputs())),
    ("error_details", Read::Json(|row| row.body.error_details.clone())),
    ("attributes", Read::Json(|row| row.body.attributes.clone())),
    ("events", Read::Json(|row| Some(Json::list(&row.body.events.iter().map(event).collect::<Vec<_>>())))),
    ("links", Read::Json(|row| Some(Json::list(&row.body.links.iter().map(link).collect::<Vec<_>>())))),
];

fn total_tokens(row: &Whole) -> Option<u64> {
    row.head.ledger.reports_tokens().then(|| row.head.ledger.totals().total())
}

fn event(event: &SpanEvent) -> Json {
    column::object([
        ("name", Json::string(&event.name)),
        ("time", Json::string(&event.time.to_string())),
        ("attributes", event.attributes.clone().unwrap_or_default()),
    ])
}

fn link(link: &SpanLink) -> Json {
    let trace = ("trace_id", Json::string(&link.trace_id.to_string()));
    let span = link.span_id.map(|id| ("span_id", Json::string(&id.to_string())));
    let attributes = ("attributes", link.attributes.clone().unwrap_or_default());
    column::object([trace].into_iter().chain(span).chain([attributes]))
}

/// The way through the spans of some traces.
pub(super) struct SpanWalk(BoxStream<'static, ServiceResult<TracePiece>>);

impl SpanWalk {
    pub(super) fn new(pieces: impl Stream<Item = ServiceResult<TracePiece>> + Send + 'static) -> Self {
        Self(pieces.boxed())
    }

    pub(super) async fn next(&mut self) -> ServiceResult<Option<Vec<Row>>> {
        let Some(piece) = self.0.try_next().await? else { return Ok(None) };
        let TracePiece { trace, spans, .. } = piece;
        let rows = spans.into_iter().map(|span| {
            let mut body = span.own;
            body.complete_with(span.attached);
            column::row(COLUMNS, &Whole { trace: Arc::clone(&trace), head: span.head, body })
        });
        Ok(Some(rows.collect()))
    }
}
