//! The roots that make, change and delete conversations.

use async_graphql::{Context, Object, SimpleObject};

use super::{
    Conversation,
    inputs::{
        BranchConversationInput, CreateConversationInput, DeleteConversationInput, UpdateConversationInput,
    },
};
use crate::{
    graphql::{
        error::Result,
        payload::{outcome, payload},
        refusal::Refusal,
        request,
        scalar::{PlainId, int},
    },
    model,
    service::conversations::{Conversations, DeletedConversation},
};

/// Makes, changes and deletes conversations.
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

    /// Begins a conversation that goes on after a message of another one, with that one's settings. Nothing
    /// is copied: both share what was said up to that message.
    async fn branch_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where it branches off.")] input: BranchConversationInput,
    ) -> Result<BranchConversationPayload> {
        let service = service(ctx)?;
        let branched = outcome(input.into_model(), async |(parent, from, title)| {
            service.branch(parent, from, title).await
        });
        Ok(branched.await?.into())
    }

    /// Deletes a conversation with its messages, traces, plans and scores.
    async fn delete_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to go.")] input: DeleteConversationInput,
    ) -> Result<DeleteConversationPayload> {
        let service = service(ctx)?;
        let deleted = outcome(input.into_model(), async |(id, branches)| service.delete(id, branches).await);
        Ok(deleted.await?.into())
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

payload!(
    /// A branch that was begun.
    BranchConversationPayload {
        /// The branch; null where it was refused.
        conversation: Conversation
    }
);

/// What was deleted.
#[derive(Default, SimpleObject)]
struct DeleteConversationPayload {
    /// The conversation, then the branches that went with it; null where it was refused.
    conversation_ids: Option<Vec<PlainId>>,
    /// Messages that are gone; null where it was refused.
    message_count: Option<i32>,
    /// Traces that are gone; null where it was refused.
    trace_count: Option<i32>,
    /// Plans that are gone; null where it was refused.
    plan_count: Option<i32>,
    /// Why it was refused.
    refusal: Option<Refusal>,
}

impl From<Result<DeletedConversation, model::Refusal>> for DeleteConversationPayload {
    fn from(outcome: Result<DeletedConversation, model::Refusal>) -> Self {
        match outcome {
            Ok(DeletedConversation { conversation_ids, messages, traces, plans }) => Self {
                conversation_ids: Some(conversation_ids.iter().map(|id| PlainId(id.uuid())).collect()),
                message_count: Some(int(messages)),
                trace_count: Some(int(traces)),
                plan_count: Some(int(plans)),
                refusal: None,
            },
            Err(refusal) => Self { refusal: Some(refusal.into()), ..Self::default() },
        }
    }
}
