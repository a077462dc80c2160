//! What clients write to conversations, and by what they choose some.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    model::conversation::{ConversationPatch, NewConversation},
    rest::{
        request::id,
        scalar::{Document, Moment, Written, cleared_or},
    },
    service::conversations::{self, ConversationFilter},
};

/// A new conversation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct CreateConversation {
    /// The ID, where the client chooses it. A second creation is then refused, and not a second conversation.
    conversation_id: Option<Uuid>,
    /// What people call it.
    title: Option<String>,
    /// The model it is held with, by default.
    model_name: Option<String>,
    /// The instructions it begins with.
    system_prompt: Option<String>,
    /// The sampling temperature; 0.7 where nothing is said.
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    /// Tokens that an answer may have at most.
    #[schema(minimum = 1, maximum = 4_294_967_295_i64)]
    max_tokens: Option<u32>,
    /// Whatever the application keeps with it: an object.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Document>,
    /// Words to find it by.
    tags: Option<Vec<String>>,
    /// Who talks with the agent.
    user_id: Option<String>,
    /// When it began, where that was not now.
    created_at: Option<Moment>,
}

impl CreateConversation {
    pub(super) fn into_model(self) -> NewConversation {
        NewConversation {
            id: id(self.conversation_id),
            title: self.title,
            model_name: self.model_name,
            system_prompt: self.system_prompt,
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            metadata: self.metadata.map(Into::into),
            tags: self.tags.unwrap_or_default(),
            user_id: self.user_id,
            created_at: self.created_at.map(Into::into),
        }
    }
}

/// A change of a conversation. What is left out stays as it is; null clears it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(clippy::option_option, reason = "leaving and clearing are different wishes")]
pub(in crate::rest) struct UpdateConversation {
    /// What people call it.
    #[serde(default, deserialize_with = "cleared_or")]
    #[schema(value_type = Option<String>)]
    title: Option<Option<String>>,
    /// The model it is held with, by default.
    #[serde(default, deserialize_with = "cleared_or")]
    #[schema(value_type = Option<String>)]
    model_name: Option<Option<String>>,
    /// The instructions it begins with.
    #[serde(default, deserialize_with = "cleared_or")]
    #[schema(value_type = Option<String>)]
    system_prompt: Option<Option<String>>,
    /// The sampling temperature.
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    /// Tokens that an answer may have at most.
    #[serde(default, deserialize_with = "cleared_or")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 4_294_967_295_i64)]
    max_tokens: Option<Option<u32>>,
    /// Whatever the application keeps with it: an object, which replaces the one it has.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Document>,
    /// Words to find it by, which replace those it has.
    tags: Option<Vec<String>>,
    /// Who talks with the agent.
    #[serde(default, deserialize_with = "cleared_or")]
    #[schema(value_type = Option<String>)]
    user_id: Option<Option<String>>,
}

impl UpdateConversation {
    pub(super) fn into_model(self) -> ConversationPatch {
        ConversationPatch {
            title: self.title,
            model_name: self.model_name,
            system_prompt: self.system_prompt,
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            metadata: self.metadata.map(Into::into),
            tags: self.tags,
            user_id: self.user_id,
        }
    }
}

/// A conversation that goes on after a message of another one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct BranchConversation {
    /// The last message that the branch shares: one of the conversation's history.
    pub(super) message_id: Uuid,
    /// What people call the branch; its parent's title where nothing is said.
    pub(super) title: Option<String>,
}

/// Which conversations. All that is given must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ListConversations {
    /// Of this user.
    user_id: Option<String>,
    /// With this tag; with all of them, where it is given several times.
    #[serde(default)]
    tag: Vec<String>,
    /// With this text in the title, whatever the case of its letters.
    title: Option<String>,
    /// Held with this model.
    model_name: Option<String>,
    /// Only branches of others, or only those that are none.
    #[param(value_type = Option<bool>)]
    is_branch: Option<Written<bool>>,
    /// Created at this moment or later.
    #[param(value_type = Option<Moment>)]
    created_from: Option<Moment>,
    /// Created before this moment.
    #[param(value_type = Option<Moment>)]
    created_to: Option<Moment>,
    /// Last active at this moment or later.
    #[param(value_type = Option<Moment>)]
    active_from: Option<Moment>,
    /// Last active before this moment.
    #[param(value_type = Option<Moment>)]
    active_to: Option<Moment>,
    /// Which come first; `LAST_ACTIVE_FIRST` where nothing is said.
    pub(super) order: Option<ConversationOrder>,
    /// Conversations of the page at most; 50 where nothing is said.
    #[param(value_type = Option<u32>)]
    pub(super) limit: Option<Written<u32>>,
    /// Go on behind this cursor: `next` of the page before.
    pub(super) after: Option<String>,
}

impl ListConversations {
    pub(super) fn filter(&self) -> ConversationFilter {
        ConversationFilter {
            user_id: self.user_id.clone(),
            tags: self.tag.clone(),
            title_contains: self.title.clone(),
            model_name: self.model_name.clone(),
            is_branch: self.is_branch.map(|Written(wanted)| wanted),
            created_from: self.created_from.map(Into::into),
            created_before: self.created_to.map(Into::into),
            active_from: self.active_from.map(Into::into),
            active_before: self.active_to.map(Into::into),
        }
    }
}

/// How conversations are ordered.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::rest) enum ConversationOrder {
    /// The one that was active last comes first.
    #[default]
    LastActiveFirst,
    /// The one that has rested longest comes first.
    LastActiveLast,
    /// The one created last comes first.
    NewestFirst,
    /// The one created first comes first.
    OldestFirst,
}

impl From<ConversationOrder> for conversations::ConversationOrder {
    fn from(order: ConversationOrder) -> Self {
        match order {
            ConversationOrder::LastActiveFirst => Self::LastActiveFirst,
            ConversationOrder::LastActiveLast => Self::LastActiveLast,
            ConversationOrder::NewestFirst => Self::NewestFirst,
            ConversationOrder::OldestFirst => Self::OldestFirst,
        }
    }
}

/// How a conversation is deleted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct DeleteConversation {
    /// Whether its branches, and theirs, go too. They share its messages, so without this a conversation that has
    /// branches is not deleted.
    #[param(value_type = Option<bool>)]
    pub(super) delete_branches: Option<Written<bool>>,
}
