//! Conditions on traces.

use std::sync::Arc;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    leaves::{ComponentWhere, Range, ScoreWhere, TextMatch, TimeRange, plain},
    spans::SpanWhere,
};
use crate::{
    model::{
        Refusal,
        query::{self, Parts, Reading, TextCondition, TraceCondition, TraceFigure},
    },
    rest::{
        object::{object, objects},
        words,
    },
};

/// Words to be found in what a trace and its spans say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct TextWhere {
    /// Words, phrases and beginnings of words.
    query: String,
    /// Only in texts of these kinds; absent or empty: in any.
    #[serde(rename = "in")]
    kinds: Option<Vec<words::TextKind>>,
}

/// A condition on a trace. All that is given must hold; lists mean one of them, and empty ones say nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct TraceWhere {
    /// All of these hold.
    #[schema(no_recursion)]
    #[serde(default, deserialize_with = "objects")]
    and: Option<Vec<Self>>,
    /// One of these holds.
    #[schema(no_recursion)]
    #[serde(default, deserialize_with = "objects")]
    or: Option<Vec<Self>>,
    /// This does not hold.
    #[schema(no_recursion)]
    #[serde(default, deserialize_with = "object")]
    not: Option<Box<Self>>,
    /// It is one of these.
    trace_ids: Option<Vec<Uuid>>,
    /// In one of these states.
    statuses: Option<Vec<words::TraceStatus>>,
    /// Called so: itself, else its root span.
    #[serde(default, deserialize_with = "object")]
    name: Option<TextMatch>,
    /// Of one of these conversations.
    conversation_ids: Option<Vec<Uuid>>,
    /// Of one of these sessions.
    session_ids: Option<Vec<String>>,
    /// Of one of these users.
    user_ids: Option<Vec<String>>,
    /// Its conversation has one of these tags.
    tags: Option<Vec<String>>,
    /// When it started.
    #[serde(default, deserialize_with = "object")]
    start_time: Option<TimeRange>,
    /// How long it took, in milliseconds. One that goes on has no duration yet.
    #[serde(default, deserialize_with = "object")]
    duration_ms: Option<Range>,
    /// What it cost, in US dollars. One whose cost is not known is not meant.
    #[serde(default, deserialize_with = "object")]
    cost_usd: Option<Range>,
    /// Tokens in all.
    #[serde(default, deserialize_with = "object")]
    total_tokens: Option<Range>,
    /// Tokens read.
    #[serde(default, deserialize_with = "object")]
    input_tokens: Option<Range>,
    /// Tokens written.
    #[serde(default, deserialize_with = "object")]
    output_tokens: Option<Range>,
    /// Spans.
    #[serde(default, deserialize_with = "object")]
    span_count: Option<Range>,
    /// Spans that ended with an error.
    #[serde(default, deserialize_with = "object")]
    error_count: Option<Range>,
    /// Calls of models.
    #[serde(default, deserialize_with = "object")]
    llm_call_count: Option<Range>,
    /// Calls of tools.
    #[serde(default, deserialize_with = "object")]
    tool_call_count: Option<Range>,
    /// Levels of its tree.
    #[serde(default, deserialize_with = "object")]
    depth: Option<Range>,
    /// One of these models was called.
    models: Option<Vec<String>>,
    /// It used this component, or this version of it.
    #[serde(default, deserialize_with = "object")]
    component: Option<ComponentWhere>,
    /// It is this trace's run again.
    replay_of: Option<Uuid>,
    /// One of its spans is so.
    #[serde(default, deserialize_with = "object")]
    span: Option<SpanWhere>,
    /// It, or one of its spans, has such a score.
    #[serde(default, deserialize_with = "object")]
    score: Option<ScoreWhere>,
    /// It or its spans say this. Of traces that go on only the newest are searched.
    #[serde(default, deserialize_with = "object")]
    text: Option<TextWhere>,
}

impl TraceWhere {
    /// The condition; `field` is the member of the body that holds it.
    pub(in crate::rest) fn read(self, field: &str) -> Result<TraceCondition, Refusal> {
        Reading::all(field, |reading| self.into_model(reading))
    }

    fn into_model(self, reading: &mut Reading<'_>) -> Result<TraceCondition, Refusal> {
        type C = TraceCondition;
        let mut parts = Parts::new();
        let p = &mut parts;
        p.one_of(reading, self.trace_ids, |ids| {
            C::Among(Arc::new(ids.into_iter().map(Into::into).collect()))
        })?;
        p.one_of(reading, plain(self.statuses), C::Status)?;
        p.add(reading, self.name, "name", |text, field| text.into_model(field).map(C::Name))?;
        p.one_of(reading, self.conversation_ids, |ids| {
            C::Conversation(ids.into_iter().map(Into::into).collect())
        })?;
        p.one_of(reading, self.session_ids, C::Session)?;
        p.one_of(reading, self.user_ids, C::User)?;
        p.one_of(reading, self.tags, C::Tag)?;
        p.add(reading, self.start_time, "startTime", |range, field| {
            let range = (range.from.map(Into::into), range.to.map(Into::into));
            query::in_order(range, field).map(|(from, before)| C::Started { from, before })
        })?;
        let figures = [
            (self.duration_ms, "durationMs", TraceFigure::Duration, 1e6),
            (self.cost_usd, "costUsd", TraceFigure::Cost, 1e9),
            (self.total_tokens, "totalTokens", TraceFigure::TotalTokens, 1.0),
            (self.input_tokens, "inputTokens", TraceFigure::InputTokens, 1.0),
            (self.output_tokens, "outputTokens", TraceFigure::OutputTokens, 1.0),
            (self.span_count, "spanCount", TraceFigure::Spans, 1.0),
            (self.error_count, "errorCount", TraceFigure::Errors, 1.0),
            (self.llm_call_count, "llmCallCount", TraceFigure::LlmCalls, 1.0),
            (self.tool_call_count, "toolCallCount", TraceFigure::ToolCalls, 1.0),
            (self.depth, "depth", TraceFigure::Depth, 1.0),
        ];
        for (range, name, figure, units) in figures {
            p.add(reading, range, name, |range, field| Ok(C::Figure(figure, range.whole(field, units)?)))?;
        }
        p.one_of(reading, self.models, C::Model)?;
        p.add(reading, self.component, "component", |component, field| {
            component.into_model(field).map(|(id, hash)| C::Component(id, hash))
        })?;
        p.add(reading, self.replay_of, "replayOf", |id, _| Ok(C::ReplayOf(id.into())))?;
        p.inner(reading, self.span, "span", |span, reading| Ok(C::Span(span.into_model(reading)?)))?;
        p.add(reading, self.score, "score", |score, field| score.into_model(field).map(C::Score))?;
        p.add(reading, self.text, "text", |text, _| {
            Ok(C::Text(TextCondition { query: text.query, kinds: plain(text.kinds).unwrap_or_default() }))
        })?;
        p.each(reading, self.and, "and", C::All, Self::into_model)?;
        p.each(reading, self.or, "or", C::Any, Self::into_model)?;
        p.inner(reading, self.not, "not", |not, reading| Ok(C::Not(Box::new(not.into_model(reading)?))))?;
        Ok(C::All(parts.all))
    }
}
