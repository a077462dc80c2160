//! Conditions on traces.

use std::{collections::BTreeSet, sync::Arc};

use async_graphql::{ID, InputObject};

use super::{
    leaves::{ComponentWhere, RangeInput, ScoreWhere, TextMatchInput, TimeRangeInput},
    spans::SpanWhere,
};
use crate::{
    graphql::ids,
    model::{
        Refusal,
        query::{Bounds, Parts, Reading, TextCondition, TraceCondition, TraceFigure},
        search::TextKind,
        trace::TraceStatus,
    },
};

/// Words to be found in what a trace and its spans say.
#[derive(InputObject)]
struct TextWhere {
    /// Words, phrases and beginnings of words, as `search` takes them.
    query: String,
    /// Only in texts of these kinds; absent or empty: in any.
    #[graphql(name = "in")]
    kinds: Option<Vec<TextKind>>,
}

/// A condition on a trace. All that is given must hold; lists mean one of them, and empty ones say nothing.
#[derive(Default, InputObject)]
pub(super) struct TraceWhere {
    /// All of these hold.
    and: Option<Vec<Self>>,
    /// One of these holds.
    or: Option<Vec<Self>>,
    /// This does not hold.
    not: Option<Box<Self>>,
    /// It is one of these: global IDs or UUIDs.
    trace_ids: Option<Vec<ID>>,
    /// In one of these states.
    statuses: Option<Vec<TraceStatus>>,
    /// Called so: itself, else its root span.
    name: Option<TextMatchInput>,
    /// Of one of these conversations: global IDs or UUIDs.
    conversation_ids: Option<Vec<ID>>,
    /// Of one of these sessions.
    session_ids: Option<Vec<String>>,
    /// Of one of these users.
    user_ids: Option<Vec<String>>,
    /// Its conversation has one of these tags.
    tags: Option<Vec<String>>,
    /// When it started.
    start_time: Option<TimeRangeInput>,
    /// How long it took, in milliseconds. One that goes on has no duration yet.
    duration_ms: Option<RangeInput>,
    /// What it cost, in US dollars. One whose cost is not known is not meant.
    cost_usd: Option<RangeInput>,
    /// Tokens in all.
    total_tokens: Option<RangeInput>,
    /// Tokens read.
    input_tokens: Option<RangeInput>,
    /// Tokens written.
    output_tokens: Option<RangeInput>,
    /// Spans.
    span_count: Option<RangeInput>,
    /// Spans that ended with an error.
    error_count: Option<RangeInput>,
    /// Calls of models.
    llm_call_count: Option<RangeInput>,
    /// Calls of tools.
    tool_call_count: Option<RangeInput>,
    /// Levels of its tree.
    depth: Option<RangeInput>,
    /// One of these models was called.
    models: Option<Vec<String>>,
    /// It used this component, or this version of it.
    component: Option<ComponentWhere>,
    /// It is this trace's run again: a global ID or UUID.
    replay_of: Option<ID>,
    /// One of its spans is so.
    span: Option<SpanWhere>,
    /// It, or one of its spans, has such a score.
    score: Option<ScoreWhere>,
    /// It or its spans say this. Of traces that go on only the newest are searched.
    text: Option<TextWhere>,
}

impl TraceWhere {
    /// The condition; `field` is the argument that holds it.
    pub(super) fn read(self, field: &str) -> Result<TraceCondition, Refusal> {
        Reading::all(field, |reading| self.into_model(reading))
    }

    fn into_model(self, reading: &mut Reading<'_>) -> Result<TraceCondition, Refusal> {
        type C = TraceCondition;
        let mut parts = Parts::new();
        let p = &mut parts;
        if let Some(given) = self.trace_ids.filter(|given| !given.is_empty()) {
            reading.count()?;
            let read =
                |(index, id): (usize, &ID)| ids::read(&reading.field(&format!("traceIds.{index}")), id);
            let ids = given.iter().enumerate().map(read).collect::<Result<BTreeSet<_>, _>>()?;
            p.all.push(C::Among(Arc::new(ids)));
        }
        p.one_of(reading, self.statuses, C::Status)?;
        p.add(reading, self.name, "name", |text, field| text.into_model(field).map(C::Name))?;
        if let Some(given) = self.conversation_ids.filter(|given| !given.is_empty()) {
            reading.count()?;
            let read = |(index, id): (usize, &ID)| {
                ids::read(&reading.field(&format!("conversationIds.{index}")), id)
            };
            p.all.push(C::Conversation(given.iter().enumerate().map(read).collect::<Result<_, _>>()?));
        }
        p.one_of(reading, self.session_ids, C::Session)?;
        p.one_of(reading, self.user_ids, C::User)?;
        p.one_of(reading, self.tags, C::Tag)?;
        p.add(reading, self.start_time, "startTime", |range, field| {
            range.into_model(field).map(|(from, before)| C::Started { from, before })
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
            p.add(reading, range, name, |range: RangeInput, field| {
                let bounds: Bounds<u64> = range.whole(field, units)?;
                Ok(C::Figure(figure, bounds))
            })?;
        }
        p.one_of(reading, self.models, C::Model)?;
        p.add(reading, self.component, "component", |component, field| {
            component.into_model(field).map(|(id, hash)| C::Component(id, hash))
        })?;
        p.add(reading, self.replay_of, "replayOf", |id, field| ids::read(field, &id).map(C::ReplayOf))?;
        p.inner(reading, self.span, "span", |span, reading| Ok(C::Span(span.into_model(reading)?)))?;
        p.add(reading, self.score, "score", |score, field| score.into_model(field).map(C::Score))?;
        p.add(reading, self.text, "text", |text, _| {
            Ok(C::Text(TextCondition { query: text.query, kinds: text.kinds.unwrap_or_default() }))
        })?;
        p.each(reading, self.and, "and", C::All, Self::into_model)?;
        p.each(reading, self.or, "or", C::Any, Self::into_model)?;
        p.inner(reading, self.not, "not", |not, reading| Ok(C::Not(Box::new(not.into_model(reading)?))))?;
        Ok(C::All(parts.all))
    }
}

impl SpanWhere {
    /// The condition; `field` is the argument that holds it.
    pub(super) fn read(self, field: &str) -> Result<crate::model::query::SpanCondition, Refusal> {
        Reading::all(field, |reading| self.into_model(reading))
    }
}
