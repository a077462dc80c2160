//! Conversations in the API.

mod fields;
mod filter;
mod inputs;
mod mutations;
mod queries;

use std::sync::Arc;

use async_graphql::Context;

pub(super) use self::{
    filter::ConversationFilterInput, mutations::ConversationMutation, queries::ConversationQuery,
};
use super::{error::Result, ids::GlobalId, page::Listed, request};
use crate::model::{self, ConversationId};

/// A conversation.
#[derive(Clone)]
pub(super) struct Conversation(Arc<model::conversation::Conversation>);

impl Conversation {
    pub(super) fn new(row: impl Into<Arc<model::conversation::Conversation>>) -> Self {
        Self(row.into())
    }

    /// The conversation with this ID, if it is there.
    pub(super) async fn load(ctx: &Context<'_>, id: ConversationId) -> Result<Option<Self>> {
        Ok(request::of(ctx)?.conversations.load(id).await?.map(Self))
    }

    pub(super) fn global_id(&self) -> GlobalId {
        GlobalId::Conversation(self.0.id)
    }
}

impl From<model::conversation::Conversation> for Conversation {
    fn from(row: model::conversation::Conversation) -> Self {
        Self::new(row)
    }
}

impl Listed for Conversation {
    const CONNECTION: &'static str = "ConversationConnection";
    const EDGE: &'static str = "ConversationEdge";
}
