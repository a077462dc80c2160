//! How conversations are shown.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::{ConversationId, conversation},
    rest::scalar::{Document, Moment},
    service::conversations::DeletedConversation,
};

/// What is said between a user and an agent, with the traces and plans that belong to it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct Conversation {
    /// The ID.
    conversation_id: Uuid,
    /// What people call it.
    title: Option<String>,
    /// When it began.
    created_at: Moment,
    /// When one of its own fields last changed.
    updated_at: Moment,
    /// When something last happened in it: a message, a trace, a change.
    last_activity_at: Moment,
    /// The model it is held with, by default.
    model_name: Option<String>,
    /// The instructions it begins with.
    system_prompt: Option<String>,
    /// The sampling temperature, 0 to 2.
    temperature: f64,
    /// Tokens that an answer may have at most.
    max_tokens: Option<u32>,
    /// Whatever the application keeps with it: an object.
    #[schema(value_type = Object)]
    metadata: Document,
    /// Words to find it by.
    tags: Vec<String>,
    /// Who talks with the agent.
    user_id: Option<String>,
    /// Messages in its history, those before the fork included.
    message_count: u64,
    /// The conversation that this one branched off.
    parent_conversation_id: Option<Uuid>,
    /// The last message that this branch shares with its parent.
    branched_from_message_id: Option<Uuid>,
    /// How many conversations branch off this one directly.
    branch_count: u64,
    /// Counts the commits that changed the conversation or its messages: its ETag, in quotes.
    revision: u64,
}

impl From<conversation::Conversation> for Conversation {
    fn from(row: conversation::Conversation) -> Self {
        Self {
            conversation_id: row.id.uuid(),
            message_count: row.message_count(),
            title: row.title,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            last_activity_at: row.last_activity_at.into(),
            model_name: row.model_name,
            system_prompt: row.system_prompt,
            temperature: row.temperature,
            max_tokens: row.max_tokens,
            metadata: row.metadata.into(),
            tags: row.tags,
            user_id: row.user_id,
            parent_conversation_id: row.parent_conversation_id.map(|id| id.uuid()),
            branched_from_message_id: row.branched_from_message_id.map(|id| id.uuid()),
            branch_count: row.branch_count,
            revision: row.revision,
        }
    }
}

/// What went with a conversation that was deleted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct Deleted {
    /// The conversation, then its branches.
    conversation_ids: Vec<Uuid>,
    /// How many messages.
    messages: u64,
    /// How many traces.
    traces: u64,
    /// How many plans.
    plans: u64,
}

impl From<DeletedConversation> for Deleted {
    fn from(deleted: DeletedConversation) -> Self {
        let DeletedConversation { conversation_ids, messages, traces, plans } = deleted;
        Self {
            conversation_ids: conversation_ids.iter().map(ConversationId::uuid).collect(),
            messages,
            traces,
            plans,
        }
    }
}
