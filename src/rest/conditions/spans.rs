//! Conditions on spans.

use serde::Deserialize;
use utoipa::ToSchema;

use super::leaves::{AttributeWhere, ComponentWhere, Range, ScoreWhere, TextMatch, plain};
use crate::{
    model::{
        Refusal,
        query::{Parts, Reading, SpanCondition, SpanFigure},
    },
    rest::{
        object::{object, objects},
        words,
    },
};

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

impl SpanWhere {
    /// The condition; `field` is the member of the body that holds it.
    pub(in crate::rest) fn read(self, field: &str) -> Result<SpanCondition, Refusal> {
        Reading::all(field, |reading| self.into_model(reading))
    }

    pub(super) fn into_model(self, reading: &mut Reading<'_>) -> Result<SpanCondition, Refusal> {
        type C = SpanCondition;
        let mut parts = Parts::new();
        let p = &mut parts;
        p.one_of(reading, plain(self.operation_types), C::Type)?;
        p.one_of(reading, plain(self.statuses), C::Status)?;
        p.add(reading, self.name, "name", |text, field| text.into_model(field).map(C::Name))?;
        p.add(reading, self.status_message, "statusMessage", |text, field| {
            text.into_model(field).map(C::StatusMessage)
        })?;
        p.one_of(reading, self.models, C::Model)?;
        p.one_of(reading, self.providers, C::Provider)?;
        p.one_of(reading, self.tools, C::Tool)?;
        p.one_of(reading, self.agents, C::Agent)?;
        p.one_of(reading, self.finish_reasons, C::FinishReason)?;
        p.one_of(reading, plain(self.placements), C::Placement)?;
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
