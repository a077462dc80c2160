//! Evaluation: how conversations went, one by one, in groups, and groups against each other.
//!
//! Reads what the model's evaluation is made of, within bounds, and says what it left out. It computes no
//! figure itself.

mod conversation;
mod group;

pub use self::group::{ConversationGroup, ConversationGroups, ConversationsCompared, Grouping};
use super::{
    Context, conversations::Conversations, import::Known, plans::Plans, scores::Scores, tracing::Tracing,
};
use crate::model::conversation::Conversation;

/// Use cases of evaluation. Cheap to clone.
#[derive(Clone)]
pub struct ConversationEvaluations {
    context: Context,
    conversations: Conversations,
    tracing: Tracing,
    plans: Plans,
    scores: Scores,
}

impl ConversationEvaluations {
    /// The use cases over one context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self {
            conversations: Conversations::new(context.clone()),
            tracing: Tracing::new(context.clone()),
            plans: Plans::new(context.clone()),
            scores: Scores::new(context.clone()),
            context,
        }
    }
}

/// Whether the times of a conversation are known. An import that knew only the order made up times that keep
/// it, and said so: they are no durations.
fn is_timed(conversation: &Conversation) -> bool {
    #[derive(serde::Deserialize)]
    struct Origin {
        times: Option<String>,
    }
    let origin = conversation.metadata.member("import");
    let origin: Option<Origin> = origin.and_then(|origin| serde_json::from_str(origin).ok());
    origin.and_then(|origin| origin.times).is_none_or(|times| times != Known::OrderOnly.text())
}
