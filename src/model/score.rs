//! Scores: named judgements of what an agent did.

use bincode::{Decode, Encode};

use super::{
    ConversationId, MessageId, Refusal, ScoreId, SpanId, Timestamp, TraceId, component::ComponentRef,
    words::words,
};

words! {
    /// Who judged.
    ScoreSource {
        /// A person.
        Human = 1 "HUMAN",
        /// A rule in code.
        Rule = 2 "RULE",
        /// A model.
        Model = 3 "MODEL",
        /// Another system, which does not say how it came to it.
        Reported = 4 "REPORTED",
    }
}

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum ScoreTarget {
    /// A trace.
    Trace(TraceId),
    /// A span of a trace.
    Span(TraceId, SpanId),
    /// A conversation.
    Conversation(ConversationId),
    /// A message of a conversation.
    Message(ConversationId, MessageId),
}

/// The judgement.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum ScoreValue {
    /// A finite number.
    Number(f64),
    /// One of a set of words.
    Category(String),
    /// Yes or no.
    Boolean(bool),
}

impl ScoreValue {
    /// Checks the value: a number must be finite, a category must not be empty.
    pub fn check(&self) -> Result<(), Refusal> {
        match self {
            Self::Number(number) if !number.is_finite() => {
                Err(Refusal::invalid("value.number", format!("{number} is not a finite number")))
            }
            Self::Category(category) if category.trim().is_empty() => {
                Err(Refusal::invalid("value.category", "a category needs a name"))
            }
            _ => Ok(()),
        }
    }
}

/// A named judgement.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Score {
    /// The id.
    pub id: ScoreId,
    /// What is judged.
    pub target: ScoreTarget,
    /// What is judged of it: `helpfulness`.
    pub name: String,
    /// The judgement.
    pub value: ScoreValue,
    /// Why.
    pub comment: Option<String>,
    /// Who judged.
    pub source: ScoreSource,
    /// When.
    pub created_at: Timestamp,
    /// The version of the evaluator that judged, where one of this server did.
    pub evaluator: Option<ComponentRef>,
    /// The trace of the judging itself, where a model judged and that is recorded. It may be gone.
    pub judged_in: Option<TraceId>,
    /// Where an evaluator of this server judged: the last of the trace's revisions that changed what it looked at. What
    /// changed since then is not judged yet.
    pub judged_revision: Option<u64>,
}

/// What is asked of a new score. Fields as in [`Score`].
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of Score")]
pub struct NewScore {
    /// The id, where the caller chooses it; the score that has it is replaced.
    pub id: Option<ScoreId>,
    pub target: ScoreTarget,
    pub name: String,
    pub value: ScoreValue,
    pub comment: Option<String>,
    pub source: ScoreSource,
    pub evaluator: Option<ComponentRef>,
    pub judged_in: Option<TraceId>,
    pub judged_revision: Option<u64>,
}
