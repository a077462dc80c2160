//! The root that records scores.

use async_graphql::{Context, ID, InputObject, Object, OneofObject};

use super::Score;
use crate::{
    graphql::{
        error::{Failure, Result},
        ids,
        payload::{outcome, payload},
        request::{self, RequestData},
        scalar::Given,
    },
    model::{
        self, MessageId, Refusal,
        refusal::Entity,
        score::{NewScore, ScoreSource, ScoreTarget, ScoreValue},
    },
    service::ServiceError,
};

/// Records scores.
#[derive(Default)]
pub(in crate::graphql) struct ScoreMutation;

/// See [`ScoreMutation`].
#[Object]
impl ScoreMutation {
    /// Records a judgement of something that exists. A score with the same ID is replaced; recording the same
    /// again changes nothing.
    async fn record_score(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The judgement.")] input: RecordScoreInput,
    ) -> Result<RecordScorePayload> {
        let data = request::of(ctx)?;
        let new = match input.into_model(data).await {
            Ok(new) => Ok(new),
            Err(Failure::Refused(refusal)) => Err(refusal),
            Err(failure) => return Err(failure),
        };
        let record = async |new| {
            data.services.scores.record(new).await.map_err(|error| match error {
                ServiceError::Refused(refusal) => ServiceError::Refused(of_target(refusal)),
                other => other,
            })
        };
        Ok(outcome(new, record).await?.into())
    }
}

payload!(
    /// A score that was recorded.
    RecordScorePayload {
        /// The score; null where it was refused.
        score: Score
    }
);

/// A judgement.
#[derive(InputObject)]
struct RecordScoreInput {
    /// The ID, where the client chooses it: a UUID. The score that has it is replaced.
    score_id: Option<ID>,
    /// What is judged.
    target: ScoreTargetInput,
    /// What is judged of it: `helpfulness`.
    name: String,
    /// The judgement.
    value: ScoreValueInput,
    /// Why.
    comment: Option<String>,
    /// Who judges.
    #[graphql(default_with = "ScoreSource::Human")]
    source: ScoreSource,
}

/// What is judged: one thing.
#[derive(OneofObject)]
enum ScoreTargetInput {
    /// A conversation: its global ID or UUID.
    ConversationId(ID),
    /// A message: its global ID or UUID.
    MessageId(ID),
    /// A trace: its global ID or UUID.
    TraceId(ID),
    /// A span.
    Span(SpanRefInput),
}

/// A span.
#[derive(InputObject)]
struct SpanRefInput {
    /// The span: its global ID, or its UUID together with `traceId`.
    span_id: ID,
    /// The span's trace: its global ID or UUID.
    trace_id: Option<ID>,
}

/// A judgement's value: of one kind.
#[derive(OneofObject)]
enum ScoreValueInput {
    /// A finite number.
    Number(Given<f64>),
    /// One of a set of words.
    Category(String),
    /// Yes or no.
    Boolean(bool),
}

impl RecordScoreInput {
    async fn into_model(self, data: &RequestData) -> Result<NewScore> {
        Ok(NewScore {
            id: ids::read_optional("scoreId", self.score_id.as_ref())?,
            name: self.name,
            value: self.value.into_model()?,
            comment: self.comment,
            source: self.source,
            evaluator: None,
            judged_in: None,
            judged_revision: None,
            target: self.target.into_model(data).await?,
        })
    }
}

impl ScoreTargetInput {
    async fn into_model(self, data: &RequestData) -> Result<ScoreTarget> {
        Ok(match self {
            Self::ConversationId(id) => ScoreTarget::Conversation(ids::read("target.conversationId", &id)?),
            Self::TraceId(id) => ScoreTarget::Trace(ids::read("target.traceId", &id)?),
            Self::Span(SpanRefInput { span_id, trace_id }) => {
                let trace = ("target.span.traceId", trace_id.as_ref());
                let (trace, span) = ids::read_span(("target.span.spanId", &span_id), trace)?;
                ScoreTarget::Span(trace, span)
            }
            Self::MessageId(id) => {
                let id: MessageId = ids::read("target.messageId", &id)?;
                let missing = || Refusal::not_found("target.messageId", Entity::Message, id);
                let message = data.messages.load(id).await?.ok_or_else(missing)?;
                ScoreTarget::Message(message.conversation_id, id)
            }
        })
    }
}

impl ScoreValueInput {
    fn into_model(self) -> Result<ScoreValue, model::Refusal> {
        Ok(match self {
            Self::Number(number) => ScoreValue::Number(number.read("value.number")?),
            Self::Category(category) => ScoreValue::Category(category),
            Self::Boolean(boolean) => ScoreValue::Boolean(boolean),
        })
    }
}

/// A refusal of the target, under the name that its field has here.
fn of_target(refusal: Refusal) -> Refusal {
    let parent = match &refusal {
        Refusal::NotFound { entity: Entity::Span, .. } => "target.span",
        Refusal::NotFound { .. } => "target",
        _ => return refusal,
    };
    refusal.below(parent)
}
