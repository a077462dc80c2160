//! The roots that make and change conversations.

use async_graphql::{Context, Object};

use super::{
    Conversation,
    inputs::{CreateConversationInput, UpdateConversationInput},
};
use crate::{
    graphql::{
        error::Result,
        payload::{outcome, payload},
        request,
    },
    service::conversations::Conversations,
};

/// Makes and changes conversations.
#[derive(Default)]
pub(in crate::graphql) struct ConversationMutation;

/// See [`ConversationMutation`].
#[Object]
impl ConversationMutation {
    /// Begins a conversation.
    async fn create_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new conversation.")] input: CreateConversationInput,
    ) -> Result<CreateConversationPayload> {
        let service = service(ctx)?;
        Ok(outcome(input.into_model(), async |new| service.create(new).await).await?.into())
    }

    /// Changes a conversation's own fields.
    async fn update_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateConversationInput,
    ) -> Result<UpdateConversationPayload> {
        let service = service(ctx)?;
        Ok(outcome(input.into_model(), async |(id, patch)| service.update(id, patch).await).await?.into())
    }
}

fn service<'a>(ctx: &Context<'a>) -> Result<&'a Conversations> {
    Ok(&request::of(ctx)?.services.conversations)
}

payload!(
    /// A conversation that was begun.
    CreateConversationPayload {
        /// The conversation; null where it was refused.
        conversation: Conversation
    }
);

payload!(
    /// A conversation that was changed.
    UpdateConversationPayload {
        /// The conversation as it stands; null where the change was refused.
        conversation: Conversation
    }
);
