//! The fields of a score.

use async_graphql::{Context, Enum, ID, Object};

use super::Score;
use crate::{
    graphql::{
        component::ComponentVersion,
        conversation::Conversation,
        error::Result,
        message::Message,
        scalar::{DateTime, PlainId},
        span::Span,
        trace::Trace,
    },
    model::score::{ScoreSource, ScoreTarget, ScoreValue},
};

/// A named judgement of what an agent did.
#[Object]
impl Score {
    /// The global ID.
    async fn id(&self) -> ID {
        self.global_id().encode()
    }

    /// The score's own ID.
    async fn score_id(&self) -> PlainId {
        PlainId(self.0.id.uuid())
    }

    /// What is judged of the target: `helpfulness`.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What kind of value it has: which of the value fields is not null.
    async fn value_type(&self) -> ScoreValueType {
        match self.0.value {
            ScoreValue::Number(_) => ScoreValueType::Number,
            ScoreValue::Category(_) => ScoreValueType::Category,
            ScoreValue::Boolean(_) => ScoreValueType::Boolean,
        }
    }

    /// The value, where it is a number.
    async fn number_value(&self) -> Option<f64> {
        match self.0.value {
            ScoreValue::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The value, where it is one of a set of words.
    async fn category_value(&self) -> Option<&str> {
        match &self.0.value {
            ScoreValue::Category(category) => Some(category),
            _ => None,
        }
    }

    /// The value, where it is yes or no.
    async fn boolean_value(&self) -> Option<bool> {
        match self.0.value {
            ScoreValue::Boolean(boolean) => Some(boolean),
            _ => None,
        }
    }

    /// Why.
    async fn comment(&self) -> Option<&str> {
        self.0.comment.as_deref()
    }

    /// Who judged.
    async fn source(&self) -> ScoreSource {
        self.0.source
    }

    /// When.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// The version of the evaluator that judged; null where none of this server did.
    async fn evaluator(&self, ctx: &Context<'_>) -> Result<Option<ComponentVersion>> {
        match &self.0.evaluator {
            Some(version) => ComponentVersion::load(ctx, version.clone()).await,
            None => Ok(None),
        }
    }

    /// The trace of the judging itself: what the model was shown, what it said, and what that cost. Null where no
    /// model judged, or its trace is not there.
    async fn judging_trace(&self, ctx: &Context<'_>) -> Result<Option<Trace>> {
        match self.0.judged_in {
            Some(id) => Trace::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The conversation that is judged, or whose message is; null where it is another thing.
    async fn conversation(&self, ctx: &Context<'_>) -> Result<Option<Conversation>> {
        match self.0.target {
            ScoreTarget::Conversation(id) | ScoreTarget::Message(id, _) => Conversation::load(ctx, id).await,
            ScoreTarget::Trace(_) | ScoreTarget::Span(..) => Ok(None),
        }
    }

    /// The message that is judged; null where it is another thing.
    async fn message(&self, ctx: &Context<'_>) -> Result<Option<Message>> {
        match self.0.target {
            ScoreTarget::Message(_, id) => Message::load(ctx, id).await,
            _ => Ok(None),
        }
    }

    /// The trace that is judged, or whose span is; null where it is another thing.
    async fn trace(&self, ctx: &Context<'_>) -> Result<Option<Trace>> {
        match self.0.target {
            ScoreTarget::Trace(id) | ScoreTarget::Span(id, _) => Trace::load(ctx, id).await,
            ScoreTarget::Conversation(_) | ScoreTarget::Message(..) => Ok(None),
        }
    }

    /// The span that is judged; null where it is another thing.
    async fn span(&self, ctx: &Context<'_>) -> Result<Option<Span>> {
        match self.0.target {
            ScoreTarget::Span(trace, span) => Span::load(ctx, trace, span).await,
            _ => Ok(None),
        }
    }
}

/// Kinds of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(in crate::graphql) enum ScoreValueType {
    /// A finite number.
    Number,
    /// One of a set of words.
    Category,
    /// Yes or no.
    Boolean,
}
