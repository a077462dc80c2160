//! Conditions on traces and spans, as bodies of requests have them: the same words as in GraphQL.

use std::sync::Arc;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::{
        Refusal,
        component::VersionHash,
        query::{
            self, AttributeTest, Bounds, Parts, Reading, ScoreCondition, ScoreTest, SpanCondition,
            SpanFigure, TextCondition, TraceCondition, TraceFigure,
        },
    },
    rest::{
        object::{object, objects},
        scalar::{Document, Moment},
        words,
    },
};

/// How a short text must be: one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct TextMatch {
    /// Exactly this.
    is: Option<String>,
    /// With this in it, in either case.
    contains: Option<String>,
    /// This at its beginning, in either case.
    starts_with: Option<String>,
}

/// From where to where a figure may be. Both ends count; one may be left out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct Range {
    /// The least that is meant.
    min: Option<f64>,
    /// The most that is meant.
    max: Option<f64>,
}

/// From one moment to another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct TimeRange {
    /// At this moment or later.
    from: Option<Moment>,
    /// Before this moment.
    to: Option<Moment>,
}

/// A component, or one version of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct ComponentWhere {
    /// The component.
    component_id: String,
    /// The hash that names the version; without it any version is meant.
    #[schema(pattern = "^[0-9a-fA-F]{64}$")]
    version_hash: Option<String>,
}

/// A score. All that is given must hold of the same score.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct ScoreWhere {
    /// What is judged: `helpfulness`.
    name: String,
    /// Who judged; absent or empty: whoever.
    sources: Option<Vec<words::ScoreSource>>,
    /// A number that lies between these.
    #[serde(default, deserialize_with = "object")]
    number: Option<Range>,
    /// One of these words.
    categories: Option<Vec<String>>,
    /// Yes or no.
    boolean: Option<bool>,
}

/// An attribute, by its name: as it was sent, dots and all. With nothing but the name: it is there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct AttributeWhere {
    /// Its name.
    key: String,
    /// It is this value: a text, a number or a boolean.
    is: Option<Document>,
    /// It is a text with this in it, in either case.
    contains: Option<String>,
    /// It is a number between these.
    #[serde(default, deserialize_with = "object")]
    number: Option<Range>,
}

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
    /// It or its spans say this. Only traces that are over are searched.
    #[serde(default, deserialize_with = "object")]
    text: Option<TextWhere>,
}

/// A condition on a span. All that is given must hold; lists mean one of them, and empty ones say nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct SpanWhere {
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
    /// Of one of these types.
    operation_types: Option<Vec<words::OperationType>>,
    /// In one of these states.
    statuses: Option<Vec<words::SpanStatus>>,
    /// Called so.
    #[serde(default, deserialize_with = "object")]
    name: Option<TextMatch>,
    /// What its sender says of how it ended, such as an error's message.
    #[serde(default, deserialize_with = "object")]
    status_message: Option<TextMatch>,
    /// A call of one of these models.
    models: Option<Vec<String>>,
    /// Of a model that one of these runs.
    providers: Option<Vec<String>>,
    /// A call of one of these tools.
    tools: Option<Vec<String>>,
    /// Of one of these agents, by their names.
    agents: Option<Vec<String>>,
    /// Its model stopped for one of these reasons.
    finish_reasons: Option<Vec<String>>,
    /// How it came to its place in the tree.
    placements: Option<Vec<words::Placement>>,
    /// How long it took, in milliseconds. One that goes on has no duration yet.
    #[serde(default, deserialize_with = "object")]
    duration_ms: Option<Range>,
    /// What it says it cost, in US dollars. One whose cost is not known is not meant.
    #[serde(default, deserialize_with = "object")]
    cost_usd: Option<Range>,
    /// Tokens in all, as it says.
    #[serde(default, deserialize_with = "object")]
    total_tokens: Option<Range>,
    /// Tokens read.
    #[serde(default, deserialize_with = "object")]
    input_tokens: Option<Range>,
    /// Tokens written.
    #[serde(default, deserialize_with = "object")]
    output_tokens: Option<Range>,
    /// Levels above it.
    #[serde(default, deserialize_with = "object")]
    depth: Option<Range>,
    /// Milliseconds until the first token.
    #[serde(default, deserialize_with = "object")]
    time_to_first_token_ms: Option<Range>,
    /// It used this component, or this version of it.
    #[serde(default, deserialize_with = "object")]
    component: Option<ComponentWhere>,
    /// It has this attribute.
    #[serde(default, deserialize_with = "object")]
    attribute: Option<AttributeWhere>,
    /// It has such a score.
    #[serde(default, deserialize_with = "object")]
    score: Option<ScoreWhere>,
}

fn words<V>(given: Option<Vec<words::Word<V>>>) -> Option<Vec<V>> {
    given.map(|given| given.into_iter().map(|word| word.0).collect())
}

impl TextMatch {
    fn into_model(self, field: &str) -> Result<query::TextMatch, Refusal> {
        query::TextMatch::of((self.is, self.contains, self.starts_with), field)
    }
}

impl Range {
    fn numbers(self, field: &str) -> Result<Bounds<f64>, Refusal> {
        Bounds { least: self.min, most: self.max }.checked(field)
    }

    fn whole(self, field: &str, units: f64) -> Result<Bounds<u64>, Refusal> {
        self.numbers(field)?.whole(field, units)
    }
}

impl ComponentWhere {
    fn into_model(self, field: &str) -> Result<(String, Option<VersionHash>), Refusal> {
        let hash = |hash: String| VersionHash::parse(&format!("{field}.versionHash"), &hash);
        Ok((self.component_id, self.version_hash.map(hash).transpose()?))
    }
}

impl ScoreWhere {
    fn into_model(self, field: &str) -> Result<ScoreCondition, Refusal> {
        let number = self.number.map(|range| range.numbers(&format!("{field}.number"))).transpose()?;
        let test = ScoreTest::of((number, self.categories, self.boolean), field)?;
        Ok(ScoreCondition { name: self.name, sources: words(self.sources).unwrap_or_default(), test })
    }
}

impl AttributeWhere {
    fn into_model(self, field: &str) -> Result<(String, AttributeTest), Refusal> {
        let number = self.number.map(|range| range.numbers(&format!("{field}.number"))).transpose()?;
        let test = AttributeTest::of((self.is.map(Into::into), self.contains, number), field)?;
        Ok((self.key, test))
    }
}

impl TraceWhere {
    /// The condition; `field` is the member of the body that holds it.
    pub(super) fn read(self, field: &str) -> Result<TraceCondition, Refusal> {
        Reading::all(field, |reading| self.into_model(reading))
    }

    fn into_model(self, reading: &mut Reading<'_>) -> Result<TraceCondition, Refusal> {
        type C = TraceCondition;
        let mut parts = Parts::new();
        let p = &mut parts;
        p.one_of(reading, self.trace_ids, |ids| {
            C::Among(Arc::new(ids.into_iter().map(Into::into).collect()))
        })?;
        p.one_of(reading, words(self.statuses), C::Status)?;
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
            Ok(C::Text(TextCondition { query: text.query, kinds: words(text.kinds).unwrap_or_default() }))
        })?;
        p.each(reading, self.and, "and", C::All, Self::into_model)?;
        p.each(reading, self.or, "or", C::Any, Self::into_model)?;
        p.inner(reading, self.not, "not", |not, reading| Ok(C::Not(Box::new(not.into_model(reading)?))))?;
        Ok(C::All(parts.all))
    }
}

impl SpanWhere {
    fn into_model(self, reading: &mut Reading<'_>) -> Result<SpanCondition, Refusal> {
        type C = SpanCondition;
        let mut parts = Parts::new();
        let p = &mut parts;
        p.one_of(reading, words(self.operation_types), C::Type)?;
        p.one_of(reading, words(self.statuses), C::Status)?;
        p.add(reading, self.name, "name", |text, field| text.into_model(field).map(C::Name))?;
        p.add(reading, self.status_message, "statusMessage", |text, field| {
            text.into_model(field).map(C::StatusMessage)
        })?;
        p.one_of(reading, self.models, C::Model)?;
        p.one_of(reading, self.providers, C::Provider)?;
        p.one_of(reading, self.tools, C::Tool)?;
        p.one_of(reading, self.agents, C::Agent)?;
        p.one_of(reading, self.finish_reasons, C::FinishReason)?;
        p.one_of(reading, words(self.placements), C::Placement)?;
        let figures = [
            (self.duration_ms, "durationMs", SpanFigure::Duration, 1e6),
            (self.cost_usd, "costUsd", SpanFigure::Cost, 1e9),
            (self.total_tokens, "totalTokens", SpanFigure::TotalTokens, 1.0),
            (self.input_tokens, "inputTokens", SpanFigure::InputTokens, 1.0),
            (self.output_tokens, "outputTokens", SpanFigure::OutputTokens, 1.0),
            (self.depth, "depth", SpanFigure::Depth, 1.0),
            (self.time_to_first_token_ms, "timeToFirstTokenMs", SpanFigure::TimeToFirstToken, 1e6),
        ];
        for (range, name, figure, units) in figures {
            p.add(reading, range, name, |range, field| Ok(C::Figure(figure, range.whole(field, units)?)))?;
        }
        p.add(reading, self.component, "component", |component, field| {
            component.into_model(field).map(|(id, hash)| C::Component(id, hash))
        })?;
        p.add(reading, self.attribute, "attribute", |attribute, field| {
            attribute.into_model(field).map(|(key, test)| C::Attribute(key, test))
        })?;
        p.add(reading, self.score, "score", |score, field| score.into_model(field).map(C::Score))?;
        p.each(reading, self.and, "and", C::All, Self::into_model)?;
        p.each(reading, self.or, "or", C::Any, Self::into_model)?;
        p.inner(reading, self.not, "not", |not, reading| Ok(C::Not(Box::new(not.into_model(reading)?))))?;
        Ok(C::All(parts.all))
    }
}
