//! Conditions on spans.

use async_graphql::InputObject;

use super::leaves::{
    AttributeWhere, ComponentWhere, RangeInput, ScoreWhere, TextMatchInput, as_words, each, inner,
};
use crate::{
    model::{
        Refusal,
        query::{Reading, SpanCondition},
        span::{OperationType, SpanStatus},
        tree::Placement,
    },
    written::condition as written,
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
    /// The condition; `field` is the argument that holds it.
    pub(super) fn read(self, field: &str) -> Result<SpanCondition, Refusal> {
        Reading::all(field, |reading| self.written(reading))?.read(field)
    }

    /// The condition as JSON has it, which is where its meaning is.
    pub(super) fn written(self, reading: &mut Reading<'_>) -> Result<written::SpanWhere, Refusal> {
        let r = reading;
        Ok(written::SpanWhere {
            and: each(self.and, r, "and", Self::written)?,
            or: each(self.or, r, "or", Self::written)?,
            not: inner(self.not, r, "not", |not, r| not.written(r).map(Box::new))?,
            operation_types: as_words(self.operation_types),
            statuses: as_words(self.statuses),
            name: self.name.map(Into::into),
            status_message: self.status_message.map(Into::into),
            models: self.models,
            providers: self.providers,
            tools: self.tools,
            agents: self.agents,
            finish_reasons: self.finish_reasons,
            placements: as_words(self.placements),
            duration_ms: RangeInput::in_field(self.duration_ms, r, "durationMs")?,
            cost_usd: RangeInput::in_field(self.cost_usd, r, "costUsd")?,
            total_tokens: RangeInput::in_field(self.total_tokens, r, "totalTokens")?,
            input_tokens: RangeInput::in_field(self.input_tokens, r, "inputTokens")?,
            output_tokens: RangeInput::in_field(self.output_tokens, r, "outputTokens")?,
            depth: RangeInput::in_field(self.depth, r, "depth")?,
            time_to_first_token_ms: RangeInput::in_field(
                self.time_to_first_token_ms,
                r,
                "timeToFirstTokenMs",
            )?,
            component: self.component.map(|it| it.written(&r.field("component"))).transpose()?,
            attribute: self.attribute.map(|it| it.written(&r.field("attribute"))).transpose()?,
            score: self.score.map(|it| it.written(&r.field("score"))).transpose()?,
        })
    }
}
