//! The roots that add messages.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{Message, inputs::MessageInput};
use crate::{
    graphql::{
        conversation::Conversation,
        error::Result,
        ids,
        inputs::number,
        payload::outcome,
        refusal::Refusal,
        request,
        trace::{StartTraceInput, Trace},
    },
    model::{self, ConversationId, message::NewMessage, trace::NewTrace},
};

/// Adds messages.
#[derive(Default)]
pub(in crate::graphql) struct MessageMutation;

/// See [`MessageMutation`].
#[Object]
impl MessageMutation {
    /// Adds a message to a conversation. With `trace` the trace of the run that answers it is started in
    /// the same commit.
    async fn add_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new message.")] input: AddMessageInput,
    ) -> Result<AddMessagePayload> {
        let conversations = &request::of(ctx)?.services.conversations;
        let added = outcome(input.into_model(), async |(id, message, trace)| {
            conversations.add_message(id, message, trace).await
        });
        Ok(match added.await? {
            Ok(added) => AddMessagePayload {
                message: Some(Message::new(added.message)),
                conversation: Some(Conversation::new(added.conversation)),
                trace: added.trace.map(Trace::new),
                refusal: None,
            },
            Err(refusal) => AddMessagePayload {
                message: None,
                conversation: None,
                trace: None,
                refusal: Some(refusal.into()),
            },
        })
    }

    /// Adds many messages to a conversation in one commit, all or none. A later one can refer to an earlier
    /// one.
    async fn add_messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new messages.")] input: AddMessagesInput,
    ) -> Result<AddMessagesPayload> {
        let conversations = &request::of(ctx)?.services.conversations;
        let added = outcome(input.into_model(), async |(id, messages)| {
            conversations.add_messages(id, messages).await
        });
        Ok(match added.await? {
            Ok(messages) => AddMessagesPayload {
                messages: Some(messages.into_iter().map(Message::new).collect()),
                refusal: None,
            },
            Err(refusal) => AddMessagesPayload { messages: None, refusal: Some(refusal.into()) },
        })
    }
}

/// A new message of a conversation.
#[derive(InputObject)]
struct AddMessageInput {
    /// The conversation: its global ID or UUID.
    conversation_id: ID,
    #[graphql(flatten)]
    message: MessageInput,
    /// The trace that it sets off: started in the same commit, in the message's turn, with its text as input.
    trace: Option<StartTraceInput>,
}

impl AddMessageInput {
    fn into_model(self) -> Result<(ConversationId, NewMessage, Option<NewTrace>), model::Refusal> {
        let trace = self.trace.map(StartTraceInput::into_model).transpose();
        let trace = trace.map_err(|refusal| refusal.below("trace"))?;
        Ok((ids::read("conversationId", &self.conversation_id)?, self.message.into_model()?, trace))
    }
}

/// New messages of a conversation.
#[derive(InputObject)]
struct AddMessagesInput {
    /// The conversation: its global ID or UUID.
    conversation_id: ID,
    /// The messages, in order.
    messages: Vec<MessageInput>,
}

impl AddMessagesInput {
    fn into_model(self) -> Result<(ConversationId, Vec<NewMessage>), model::Refusal> {
        let id = ids::read("conversationId", &self.conversation_id)?;
        Ok((id, number(Some(self.messages), "messages", MessageInput::into_model)?))
    }
}

/// A message that was added.
#[derive(SimpleObject)]
struct AddMessagePayload {
    /// The message; null where it was refused.
    message: Option<Message>,
    /// The conversation with the message.
    conversation: Option<Conversation>,
    /// The trace that was started with it.
    trace: Option<Trace>,
    /// Why it was refused.
    refusal: Option<Refusal>,
}

/// Messages that were added.
#[derive(SimpleObject)]
struct AddMessagesPayload {
    /// The messages, in the order of the input; null where they were refused.
    messages: Option<Vec<Message>>,
    /// Why they were refused.
    refusal: Option<Refusal>,
}
