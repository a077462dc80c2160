//! Conditions on spans.

use async_graphql::InputObject;

use super::leaves::{AttributeWhere, ComponentWhere, RangeInput, ScoreWhere, TextMatchInput};
use crate::model::{
    Refusal,
    query::{Parts, Reading, SpanCondition, SpanFigure},
    span::{OperationType, SpanStatus},
    tree::Placement,
};

/// A condition on a span. All that is given must hold; lists mean one of them, and empty ones say nothing.
#[derive(Default, InputObject)]
pub(super) struct SpanWhere {
    /// All of these hold.
    and: Option<Vec<Self>>,
    /// One of these holds.
    or: Option<Vec<Self>>,
    /// This does not hold.
    not: Option<Box<Self>>,
    /// Of one of these types.
    operation_types: Option<Vec<OperationType>>,
    /// In one of these states.
    statuses: Option<Vec<SpanStatus>>,
    /// Called so.
    name: Option<TextMatchInput>,
    /// What its sender says of how it ended, such as an error's message.
    status_message: Option<TextMatchInput>,
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
    placements: Option<Vec<Placement>>,
    /// How long it took, in milliseconds. One that goes on has no duration yet.
    duration_ms: Option<RangeInput>,
    /// What it says it cost, in US dollars. One whose cost is not known is not meant.
    cost_usd: Option<RangeInput>,
    /// Tokens in all, as it says.
    total_tokens: Option<RangeInput>,
    /// Tokens read.
    input_tokens: Option<RangeInput>,
    /// Tokens written.
    output_tokens: Option<RangeInput>,
    /// Levels above it.
    depth: Option<RangeInput>,
    /// Milliseconds until the first token.
    time_to_first_token_ms: Option<RangeInput>,
    /// It used this component, or this version of it.
    component: Option<ComponentWhere>,
    /// It has this attribute.
    attribute: Option<AttributeWhere>,
    /// It has such a score.
    score: Option<ScoreWhere>,
}

impl SpanWhere {
    pub(super) fn into_model(self, reading: &mut Reading<'_>) -> Result<SpanCondition, Refusal> {
        type C = SpanCondition;
        let mut parts = Parts::new();
        let p = &mut parts;
        p.one_of(reading, self.operation_types, C::Type)?;
        p.one_of(reading, self.statuses, C::Status)?;
        p.add(reading, self.name, "name", |text, field| text.into_model(field).map(C::Name))?;
        p.add(reading, self.status_message, "statusMessage", |text, field| {
            text.into_model(field).map(C::StatusMessage)
        })?;
        p.one_of(reading, self.models, C::Model)?;
        p.one_of(reading, self.providers, C::Provider)?;
        p.one_of(reading, self.tools, C::Tool)?;
        p.one_of(reading, self.agents, C::Agent)?;
        p.one_of(reading, self.finish_reasons, C::FinishReason)?;
        p.one_of(reading, self.placements, C::Placement)?;
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
