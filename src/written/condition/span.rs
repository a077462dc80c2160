//! Conditions on spans.

use serde::Deserialize;
use utoipa::ToSchema;

use super::leaves::{AttributeWhere, ComponentWhere, Range, ScoreWhere, TextMatch, meant};
use crate::{
    model::{
        Refusal,
        query::{Parts, Reading, SpanCondition, SpanFigure},
    },
    written::{
        object::{object, objects},
        words,
    },
};

/// A condition on a span. All that is given must hold; lists mean one of them, and empty ones say nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct SpanWhere {
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
    /// Of one of these types.
    pub(crate) operation_types: Option<Vec<words::OperationType>>,
    /// In one of these states.
    pub(crate) statuses: Option<Vec<words::SpanStatus>>,
    /// Called so.
    #[serde(default, deserialize_with = "object")]
    pub(crate) name: Option<TextMatch>,
    /// What its sender says of how it ended, such as an error's message.
    #[serde(default, deserialize_with = "object")]
    pub(crate) status_message: Option<TextMatch>,
    /// A call of one of these models.
    pub(crate) models: Option<Vec<String>>,
    /// Of a model that one of these runs.
    pub(crate) providers: Option<Vec<String>>,
    /// A call of one of these tools.
    pub(crate) tools: Option<Vec<String>>,
    /// Of one of these agents, by their names.
    pub(crate) agents: Option<Vec<String>>,
    /// Its model stopped for one of these reasons.
    pub(crate) finish_reasons: Option<Vec<String>>,
    /// How it came to its place in the tree.
    pub(crate) placements: Option<Vec<words::Placement>>,
    /// How long it took, in milliseconds. One that goes on has no duration yet.
    #[serde(default, deserialize_with = "object")]
    pub(crate) duration_ms: Option<Range>,
    /// What it says it cost, in US dollars. One whose cost is not known is not meant.
    #[serde(default, deserialize_with = "object")]
    pub(crate) cost_usd: Option<Range>,
    /// Tokens in all, as it says.
    #[serde(default, deserialize_with = "object")]
    pub(crate) total_tokens: Option<Range>,
    /// Tokens read.
    #[serde(default, deserialize_with = "object")]
    pub(crate) input_tokens: Option<Range>,
    /// Tokens written.
    #[serde(default, deserialize_with = "object")]
    pub(crate) output_tokens: Option<Range>,
    /// Levels above it.
    #[serde(default, deserialize_with = "object")]
    pub(crate) depth: Option<Range>,
    /// Milliseconds until the first token.
    #[serde(default, deserialize_with = "object")]
    pub(crate) time_to_first_token_ms: Option<Range>,
    /// It used this component, or this version of it.
    #[serde(default, deserialize_with = "object")]
    pub(crate) component: Option<ComponentWhere>,
    /// It has this attribute.
    #[serde(default, deserialize_with = "object")]
    pub(crate) attribute: Option<AttributeWhere>,
    /// It has such a score.
    #[serde(default, deserialize_with = "object")]
    pub(crate) score: Option<ScoreWhere>,
}

/// What a figure is called, and how many of its smallest units are in one that is told.
pub(super) const fn told(figure: SpanFigure) -> (&'static str, f64) {
    match figure {
        SpanFigure::Duration => ("durationMs", 1e6),
        SpanFigure::Cost => ("costUsd", 1e9),
        SpanFigure::TotalTokens => ("totalTokens", 1.0),
        SpanFigure::InputTokens => ("inputTokens", 1.0),
        SpanFigure::OutputTokens => ("outputTokens", 1.0),
        SpanFigure::Depth => ("depth", 1.0),
        SpanFigure::TimeToFirstToken => ("timeToFirstTokenMs", 1e6),
    }
}

impl SpanWhere {
    pub(super) fn into_model(self, reading: &mut Reading<'_>) -> Result<SpanCondition, Refusal> {
        type C = SpanCondition;
        let mut parts = Parts::new();
        let p = &mut parts;
        p.one_of(reading, meant(self.operation_types), C::Type)?;
        p.one_of(reading, meant(self.statuses), C::Status)?;
        p.add(reading, self.name, "name", |text, field| text.into_model(field).map(C::Name))?;
        p.add(reading, self.status_message, "statusMessage", |text, field| {
            text.into_model(field).map(C::StatusMessage)
        })?;
        p.one_of(reading, self.models, C::Model)?;
        p.one_of(reading, self.providers, C::Provider)?;
        p.one_of(reading, self.tools, C::Tool)?;
        p.one_of(reading, self.agents, C::Agent)?;
        p.one_of(reading, self.finish_reasons, C::FinishReason)?;
        p.one_of(reading, meant(self.placements), C::Placement)?;
        let figures = [
            (self.duration_ms, SpanFigure::Duration),
            (self.cost_usd, SpanFigure::Cost),
            (self.total_tokens, SpanFigure::TotalTokens),
            (self.input_tokens, SpanFigure::InputTokens),
            (self.output_tokens, SpanFigure::OutputTokens),
            (self.depth, SpanFigure::Depth),
            (self.time_to_first_token_ms, SpanFigure::TimeToFirstToken),
        ];
        for (range, figure) in figures {
            let (name, units) = told(figure);
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
