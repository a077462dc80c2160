//! The root that follows the messages of a conversation.

use async_graphql::{Context, ID, SimpleObject, Subscription};
use futures_util::Stream;

use super::Message;
use crate::{
    graphql::{
        conversation::Conversation,
        error::Result,
        ids, request,
        scalar::{BigInt, Given, OptionalGiven},
    },
    service::conversations::MessageChanges,
};

/// Follows messages.
#[derive(Default)]
pub(in crate::graphql) struct MessageSubscription;

/// See [`MessageSubscription`].
#[Subscription]
impl MessageSubscription {
    /// The messages of a conversation: first its history, what it shares with others included, then every
    /// new message, and every one whose tool call got its result. Nothing is lost or doubled between the
    /// two. Ends when the conversation is deleted.
    async fn conversation_messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conversation: its global ID or UUID.")] conversation_id: ID,
        #[graphql(
            desc = "Resume behind this revision, which the last message carried; without it everything is sent."
        )]
        after: Option<Given<u64>>,
    ) -> Result<impl Stream<Item = Result<ConversationMessagesPayload>> + use<>> {
        let (id, after) = (ids::read("conversationId", &conversation_id)?, after.read("after")?);
        let data = request::of(ctx)?;
        let changes = data.services.conversations.messages_live(id, after).await?;
        Ok(data.events(changes))
    }
}

/// Messages of a conversation that are new or changed.
#[derive(SimpleObject)]
struct ConversationMessagesPayload {
    /// Everything up to this revision of the conversation has been sent: resume behind it.
    revision: BigInt,
    /// Whether this is the state at the beginning, and not yet a change. A long history comes in parts.
    snapshot: bool,
    /// The conversation as it stands.
    conversation: Conversation,
    /// The messages as they stand: by their place in the history while it is a snapshot, else in the order
    /// in which they changed.
    messages: Vec<Message>,
}

impl From<MessageChanges> for ConversationMessagesPayload {
    fn from(changes: MessageChanges) -> Self {
        let MessageChanges { revision, snapshot, conversation, messages } = changes;
        Self {
            revision: BigInt(revision),
            snapshot,
            conversation: Conversation::new(conversation),
            messages: messages.into_iter().map(Message::new).collect(),
        }
    }
}
