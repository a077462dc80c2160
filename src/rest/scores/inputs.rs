//! What clients judge, and whose judgements they look for.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    model::score::ScoreValue,
    rest::{scalar::Written, words},
};

/// A judgement.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct RecordScore {
    /// The ID, where the client chooses it. The score that has it is replaced.
    pub(super) score_id: Option<Uuid>,
    /// What is judged.
    pub(super) target: JudgedThing,
    /// What is judged of it.
    #[schema(example = "helpfulness")]
    pub(super) name: String,
    /// The judgement.
    pub(super) value: Judgement,
    /// Why.
    pub(super) comment: Option<String>,
    /// Who judges; `HUMAN` where nothing is said.
    pub(super) source: Option<words::ScoreSource>,
}

/// What is judged: `conversationId`, `messageId`, `traceId`, or `spanId` together with its `traceId`.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct JudgedThing {
    /// A conversation.
    pub(super) conversation_id: Option<Uuid>,
    /// A message.
    pub(super) message_id: Option<Uuid>,
    /// A trace, or that of the span.
    pub(super) trace_id: Option<Uuid>,
    /// A span.
    pub(super) span_id: Option<Uuid>,
}

/// A judgement's value: of one kind.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) enum Judgement {
    /// A finite number.
    Number(f64),
    /// One of a set of words.
    Category(String),
    /// Yes or no.
    Boolean(bool),
}

impl From<Judgement> for ScoreValue {
    fn from(judgement: Judgement) -> Self {
        match judgement {
            Judgement::Number(number) => Self::Number(number),
            Judgement::Category(category) => Self::Category(category),
            Judgement::Boolean(boolean) => Self::Boolean(boolean),
        }
    }
}

/// Whose judgements: of one thing.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ListScores {
    /// Those of this conversation.
    conversation_id: Option<Uuid>,
    /// Those of this message.
    message_id: Option<Uuid>,
    /// Those of this trace, or of its span.
    trace_id: Option<Uuid>,
    /// Those of this span, beside `traceId`.
    span_id: Option<Uuid>,
    /// Scores of the page at most; 50 where nothing is said.
    #[param(value_type = Option<u32>)]
    pub(super) limit: Option<Written<u32>>,
    /// Go on behind this cursor: `next` of the page before.
    pub(super) after: Option<String>,
}

impl ListScores {
    pub(super) const fn thing(&self) -> JudgedThing {
        JudgedThing {
            conversation_id: self.conversation_id,
            message_id: self.message_id,
            trace_id: self.trace_id,
            span_id: self.span_id,
        }
    }
}
