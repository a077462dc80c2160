//! What clients write to conversations.

use async_graphql::{ID, InputObject, MaybeUndefined};

use crate::{
    graphql::{
        ids,
        scalar::{Given, OptionalGiven, undefined_or},
    },
    model::{
        ConversationId, Json, MessageId, Refusal, Timestamp,
        conversation::{ConversationPatch, NewConversation},
    },
    service::conversations::DeleteBranches,
};

/// A new conversation.
#[derive(InputObject)]
pub(super) struct CreateConversationInput {
    /// The ID, where the client chooses it: a UUID. A second creation is then refused, and not a second
    /// conversation.
    conversation_id: Option<ID>,
    /// What people call it.
    title: Option<String>,
    /// The model it is held with, by default.
    model_name: Option<String>,
    /// The instructions it begins with.
    system_prompt: Option<String>,
    /// The sampling temperature, 0 to 2; 0.7 where nothing is said.
    temperature: Option<Given<f64>>,
    /// Tokens that an answer may have at most.
    max_tokens: Option<Given<u32>>,
    /// Whatever the application keeps with it: an object.
    metadata: Option<Given<Json>>,
    /// Words to find it by.
    tags: Option<Vec<String>>,
    /// Who talks with the agent.
    user_id: Option<String>,
    /// When it began, where that was not now.
    created_at: Option<Given<Timestamp>>,
}

impl CreateConversationInput {
    pub(super) fn into_model(self) -> Result<NewConversation, Refusal> {
        Ok(NewConversation {
            id: ids::read_optional("conversationId", self.conversation_id.as_ref())?,
            title: self.title,
            model_name: self.model_name,
            system_prompt: self.system_prompt,
            temperature: self.temperature.read("temperature")?,
            max_tokens: self.max_tokens.read("maxTokens")?,
            metadata: self.metadata.read("metadata")?,
            tags: self.tags.unwrap_or_default(),
            user_id: self.user_id,
            created_at: self.created_at.read("createdAt")?,
        })
    }
}

/// A change of a conversation. What is left out stays as it is; null clears it.
#[derive(InputObject)]
pub(super) struct UpdateConversationInput {
    /// The conversation: its global ID or UUID.
    conversation_id: ID,
    /// What people call it.
    title: MaybeUndefined<String>,
    /// The model it is held with, by default.
    model_name: MaybeUndefined<String>,
    /// The instructions it begins with.
    system_prompt: MaybeUndefined<String>,
    /// The sampling temperature, 0 to 2.
    temperature: Option<Given<f64>>,
    /// Tokens that an answer may have at most.
    max_tokens: MaybeUndefined<Given<u32>>,
    /// Whatever the application keeps with it: an object, which replaces the one it has.
    metadata: Option<Given<Json>>,
    /// Words to find it by, which replace those it has.
    tags: Option<Vec<String>>,
    /// Who talks with the agent.
    user_id: MaybeUndefined<String>,
}

impl UpdateConversationInput {
    pub(super) fn into_model(self) -> Result<(ConversationId, ConversationPatch), Refusal> {
        let patch = ConversationPatch {
            title: self.title.into(),
            model_name: self.model_name.into(),
            system_prompt: self.system_prompt.into(),
            temperature: self.temperature.read("temperature")?,
            max_tokens: undefined_or(self.max_tokens, "maxTokens")?,
            metadata: self.metadata.read("metadata")?,
            tags: self.tags,
            user_id: self.user_id.into(),
        };
        Ok((ids::read("conversationId", &self.conversation_id)?, patch))
    }
}

/// A conversation that goes on after a message of another one.
#[derive(InputObject)]
pub(super) struct BranchConversationInput {
    /// The conversation to branch off: its global ID or UUID.
    conversation_id: ID,
    /// The last message that the branch shares: one of the conversation's history, by its global ID or UUID.
    message_id: ID,
    /// What people call the branch; its parent's title where nothing is said.
    title: Option<String>,
}

impl BranchConversationInput {
    pub(super) fn into_model(self) -> Result<(ConversationId, MessageId, Option<String>), Refusal> {
        let parent = ids::read("conversationId", &self.conversation_id)?;
        Ok((parent, ids::read("messageId", &self.message_id)?, self.title))
    }
}

/// A conversation to delete.
#[derive(InputObject)]
pub(super) struct DeleteConversationInput {
    /// The conversation: its global ID or UUID.
    conversation_id: ID,
    /// Whether its branches, and theirs, go too. They share its messages, so without this a conversation
    /// that has branches is not deleted.
    #[graphql(default)]
    delete_branches: bool,
}

impl DeleteConversationInput {
    pub(super) fn into_model(self) -> Result<(ConversationId, DeleteBranches), Refusal> {
        let branches = if self.delete_branches { DeleteBranches::Delete } else { DeleteBranches::Refuse };
        Ok((ids::read("conversationId", &self.conversation_id)?, branches))
    }
}
