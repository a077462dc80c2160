//! Conditions on traces.

use std::sync::Arc;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    leaves::{ComponentWhere, Range, ScoreWhere, TextMatch, TextWhere, TimeRange, meant},
    span::SpanWhere,
};
use crate::{
    model::{
        Refusal,
        query::{Parts, Reading, TraceCondition, TraceFigure},
    },
    written::{
        object::{object, objects},
        words,
    },
};

/// A condition on a trace. All that is given must hold; lists mean one of them, and empty ones say nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TraceWhere {
    /// All of these hold.
    #[schema(no_recursion)]
    #[serde(default, deserialize_with = "objects")]
    pub(crate) and: Option<Vec<Self>>,
    /// One of these holds.
    #[schema(no_recursion)]
    #[serde(default, deserialize_with = "objects")]
    pub(crate) or: Option<Vec<Self>>,
    /// This does not hold.
    #[schema(no_recursion)]
    #[serde(default, deserialize_with = "object")]
    pub(crate) not: Option<Box<Self>>,
    /// It is one of these.
    pub(crate) trace_ids: Option<Vec<Uuid>>,
    /// In one of these states.
    pub(crate) statuses: Option<Vec<words::TraceStatus>>,
    /// Called so: itself, else its root span.
    #[serde(default, deserialize_with = "object")]
    pub(crate) name: Option<TextMatch>,
    /// Of one of these conversations.
    pub(crate) conversation_ids: Option<Vec<Uuid>>,
    /// Of one of these sessions.
    pub(crate) session_ids: Option<Vec<String>>,
    /// Of one of these users.
    pub(crate) user_ids: Option<Vec<String>>,
    /// Its conversation has one of these tags.
    pub(crate) tags: Option<Vec<String>>,
    /// When it started.
    #[serde(default, deserialize_with = "object")]
    pub(crate) start_time: Option<TimeRange>,
    /// How long it took, in milliseconds. One that goes on has no duration yet.
    #[serde(default, deserialize_with = "object")]
    pub(crate) duration_ms: Option<Range>,
    /// What it cost, in US dollars. One whose cost is not known is not meant.
    #[serde(default, deserialize_with = "object")]
    pub(crate) cost_usd: Option<Range>,
    /// Tokens in all.
    #[serde(default, deserialize_with = "object")]
    pub(crate) total_tokens: Option<Range>,
    /// Tokens read.
    #[serde(default, deserialize_with = "object")]
    pub(crate) input_tokens: Option<Range>,
    /// Tokens written.
    #[serde(default, deserialize_with = "object")]
    pub(crate) output_tokens: Option<Range>,
    /// Spans.
    #[serde(default, deserialize_with = "object")]
    pub(crate) span_count: Option<Range>,
    /// Spans that ended with an error.
    #[serde(default, deserialize_with = "object")]
    pub(crate) error_count: Option<Range>,
    /// Calls of models.
    #[serde(default, deserialize_with = "object")]
    pub(crate) llm_call_count: Option<Range>,
    /// Calls of tools.
    #[serde(default, deserialize_with = "object")]
    pub(crate) tool_call_count: Option<Range>,
    /// Levels of its tree.
    #[serde(default, deserialize_with = "object")]
    pub(crate) depth: Option<Range>,
    /// One of these models was called.
    pub(crate) models: Option<Vec<String>>,
    /// It used this component, or this version of it.
    #[serde(default, deserialize_with = "object")]
    pub(crate) component: Option<ComponentWhere>,
    /// It is this trace's run again.
    pub(crate) replay_of: Option<Uuid>,
    /// One of its spans is so.
    #[serde(default, deserialize_with = "object")]
    pub(crate) span: Option<SpanWhere>,
    /// It, or one of its spans, has such a score.
    #[serde(default, deserialize_with = "object")]
    pub(crate) score: Option<ScoreWhere>,
    /// It or its spans say this. Only traces that are over are searched.
    #[serde(default, deserialize_with = "object")]
    pub(crate) text: Option<TextWhere>,
}

/// What a figure is called, and how many of its smallest units are in one that is told.
pub(super) const fn told(figure: TraceFigure) -> (&'static str, f64) {
    match figure {
        TraceFigure::Duration => ("durationMs", 1e6),
        TraceFigure::Cost => ("costUsd", 1e9),
        TraceFigure::TotalTokens => ("totalTokens", 1.0),
        TraceFigure::InputTokens => ("inputTokens", 1.0),
        TraceFigure::OutputTokens => ("outputTokens", 1.0),
        TraceFigure::Spans => ("spanCount", 1.0),
        TraceFigure::Errors => ("errorCount", 1.0),
        TraceFigure::LlmCalls => ("llmCallCount", 1.0),
        TraceFigure::ToolCalls => ("toolCallCount", 1.0),
        TraceFigure::Depth => ("depth", 1.0),
    }
}

impl TraceWhere {
    pub(super) fn into_model(self, reading: &mut Reading<'_>) -> Result<TraceCondition, Refusal> {
        type C = TraceCondition;
        let mut parts = Parts::new();
        let p = &mut parts;
        p.one_of(reading, self.trace_ids, |ids| {
            C::Among(Arc::new(ids.into_iter().map(Into::into).collect()))
        })?;
        p.one_of(reading, meant(self.statuses), C::Status)?;
        p.add(reading, self.name, "name", |text, field| text.into_model(field).map(C::Name))?;
        p.one_of(reading, self.conversation_ids, |ids| {
            C::Conversation(ids.into_iter().map(Into::into).collect())
        })?;
        p.one_of(reading, self.session_ids, C::Session)?;
        p.one_of(reading, self.user_ids, C::User)?;
        p.one_of(reading, self.tags, C::Tag)?;
        p.add(reading, self.start_time, "startTime", TimeRange::into_model)?;
        let figures = [
            (self.duration_ms, TraceFigure::Duration),
            (self.cost_usd, TraceFigure::Cost),
            (self.total_tokens, TraceFigure::TotalTokens),
            (self.input_tokens, TraceFigure::InputTokens),
            (self.output_tokens, TraceFigure::OutputTokens),
            (self.span_count, TraceFigure::Spans),
            (self.error_count, TraceFigure::Errors),
            (self.llm_call_count, TraceFigure::LlmCalls),
            (self.tool_call_count, TraceFigure::ToolCalls),
            (self.depth, TraceFigure::Depth),
        ];
        for (range, figure) in figures {
            let (name, units) = told(figure);
            p.add(reading, range, name, |range, field| Ok(C::Figure(figure, range.whole(field, units)?)))?;
        }
        p.one_of(reading, self.models, C::Model)?;
        p.add(reading, self.component, "component", |component, field| {
            component.into_model(field).map(|(id, hash)| C::Component(id, hash))
        })?;
        p.add(reading, self.replay_of, "replayOf", |id, _| Ok(C::ReplayOf(id.into())))?;
        p.inner(reading, self.span, "span", |span, reading| Ok(C::Span(span.into_model(reading)?)))?;
        p.add(reading, self.score, "score", |score, field| score.into_model(field).map(C::Score))?;
        p.add(reading, self.text, "text", |text, _| Ok(C::Text(text.into_model())))?;
        p.each(reading, self.and, "and", C::All, Self::into_model)?;
        p.each(reading, self.or, "or", C::Any, Self::into_model)?;
        p.inner(reading, self.not, "not", |not, reading| Ok(C::Not(Box::new(not.into_model(reading)?))))?;
        Ok(C::All(parts.all))
    }
}
