//! The roots that read conversations and messages.

use async_graphql::{Context, ID, Object};

use super::{
    Conversation,
    filter::{ConversationFilterInput, ConversationOrder},
};
use crate::graphql::{
    error::Result,
    ids,
    message::Message,
    page::{self, Connection},
    request,
    scalar::Given,
};

/// Conversations and messages.
#[derive(Default)]
pub(in crate::graphql) struct ConversationQuery;

/// See [`ConversationQuery`].
#[Object]
impl ConversationQuery {
    /// The conversation with this ID; null where there is none.
    async fn conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conversation's global ID or UUID.")] id: ID,
    ) -> Result<Option<Conversation>> {
        Conversation::load(ctx, ids::read("id", &id)?).await
    }

    /// Conversations, the one that was active last first by default.
    async fn conversations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conversations of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Which conversations.")] filter: Option<ConversationFilterInput>,
        #[graphql(desc = "Which come first.", default)] order_by: ConversationOrder,
    ) -> Result<Connection<Conversation>> {
        let data = request::of(ctx)?;
        let request = page::request(first, after, data.limits.most)?;
        let filter = filter.unwrap_or_default().into_model("filter")?;
        let conversations = &data.services.conversations;
        let page = conversations.list(&filter, order_by.into(), &request).await?;
        let total = if page::is_counted(ctx) { conversations.count(&filter).await? } else { None };
        Ok(Connection::new(page.map(Conversation::new), &request, total))
    }

    /// The message with this ID; null where there is none.
    async fn message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The message's global ID or UUID.")] id: ID,
    ) -> Result<Option<Message>> {
        Message::load(ctx, ids::read("id", &id)?).await
    }
}
