//! How scores are shown.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::score,
    rest::{scalar::Moment, words},
};

/// A named judgement of what an agent did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct Score {
    /// The ID.
    score_id: Uuid,
    /// What is judged of the target.
    #[schema(example = "helpfulness")]
    name: String,
    /// The judgement.
    value: ScoreValue,
    /// Why.
    comment: Option<String>,
    /// Who judged.
    source: words::ScoreSource,
    /// When.
    created_at: Moment,
    /// What is judged.
    target: ScoreTarget,
}

/// What is judged: one of these, and what it belongs to.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct ScoreTarget {
    /// The conversation that is judged, or whose message is.
    conversation_id: Option<Uuid>,
    /// The message that is judged.
    message_id: Option<Uuid>,
    /// The trace that is judged, or whose span is.
    trace_id: Option<Uuid>,
    /// The span that is judged.
    span_id: Option<Uuid>,
}

/// A judgement's value: of one kind.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) enum ScoreValue {
    /// A finite number.
    Number(f64),
    /// One of a set of words.
    Category(String),
    /// Yes or no.
    Boolean(bool),
}

impl From<score::Score> for Score {
    fn from(row: score::Score) -> Self {
        Self {
            score_id: row.id.uuid(),
            name: row.name,
            value: match row.value {
                score::ScoreValue::Number(number) => ScoreValue::Number(number),
                score::ScoreValue::Category(category) => ScoreValue::Category(category),
                score::ScoreValue::Boolean(boolean) => ScoreValue::Boolean(boolean),
            },
            comment: row.comment,
            source: row.source.into(),
            created_at: row.created_at.into(),
            target: row.target.into(),
        }
    }
}

impl From<score::ScoreTarget> for ScoreTarget {
    fn from(target: score::ScoreTarget) -> Self {
        match target {
            score::ScoreTarget::Conversation(id) => {
                Self { conversation_id: Some(id.uuid()), ..Self::default() }
            }
            score::ScoreTarget::Message(conversation, id) => Self {
                conversation_id: Some(conversation.uuid()),
                message_id: Some(id.uuid()),
                ..Self::default()
            },
            score::ScoreTarget::Trace(id) => Self { trace_id: Some(id.uuid()), ..Self::default() },
            score::ScoreTarget::Span(trace, id) => {
                Self { trace_id: Some(trace.uuid()), span_id: Some(id.uuid()), ..Self::default() }
            }
        }
    }
}
