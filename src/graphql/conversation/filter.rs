//! Filters and orders of conversations and of a conversation's messages.

use async_graphql::{Enum, InputObject};

use crate::{
    graphql::scalar::{Given, OptionalGiven},
    model::{Refusal, Timestamp, message::MessageRole},
    service::conversations::{self, ConversationFilter},
};

/// Which conversations. All that is given must hold.
#[derive(Default, InputObject)]
#[graphql(name = "ConversationFilter")]
pub(in crate::graphql) struct ConversationFilterInput {
    /// Of this user.
    user_id: Option<String>,
    /// With all of these tags.
    tags: Option<Vec<String>>,
    /// With this text in the title, whatever the case of its letters.
    title: Option<String>,
    /// Held with this model.
    model_name: Option<String>,
    /// Only branches of others, or only those that are none.
    is_branch: Option<bool>,
    /// Created at this moment or later.
    created_from: Option<Given<Timestamp>>,
    /// Created before this moment.
    created_to: Option<Given<Timestamp>>,
    /// Last active at this moment or later.
    active_from: Option<Given<Timestamp>>,
    /// Last active before this moment.
    active_to: Option<Given<Timestamp>>,
}

impl ConversationFilterInput {
    /// What is asked for in the argument `argument`, which a refusal names.
    pub(in crate::graphql) fn into_model(self, argument: &str) -> Result<ConversationFilter, Refusal> {
        let field = |name: &str| format!("{argument}.{name}");
        Ok(ConversationFilter {
            user_id: self.user_id,
            tags: self.tags.unwrap_or_default(),
            title_contains: self.title,
            model_name: self.model_name,
            is_branch: self.is_branch,
            created_from: self.created_from.read(&field("createdFrom"))?,
            created_before: self.created_to.read(&field("createdTo"))?,
            active_from: self.active_from.read(&field("activeFrom"))?,
            active_before: self.active_to.read(&field("activeTo"))?,
        })
    }
}

/// How conversations are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "conversations::ConversationOrder")]
pub(super) enum ConversationOrder {
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

/// Which messages of a conversation. All that is given must hold.
#[derive(Default, InputObject)]
#[graphql(name = "MessageFilter")]
pub(super) struct MessageFilterInput {
    /// Of one of these roles; an empty list means any.
    pub(super) roles: Option<Vec<MessageRole>>,
    /// Only the latest summary and what follows it: the summary stands for what lies before.
    #[graphql(default)]
    pub(super) from_last_summary: bool,
}

impl MessageFilterInput {
    /// Whether every message is meant.
    pub(super) fn is_empty(&self) -> bool {
        self.roles.as_ref().is_none_or(Vec::is_empty) && !self.from_last_summary
    }
}

/// How the messages of a conversation are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "conversations::HistoryOrder")]
pub(super) enum MessageOrder {
    /// From the beginning.
    #[default]
    OldestFirst,
    /// From the last message back.
    NewestFirst,
}
