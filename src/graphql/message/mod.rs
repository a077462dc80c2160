//! Messages and the tool calls in them, in the API.

mod fields;
mod inputs;
mod live;
mod mutations;
mod tool_call;

use std::sync::Arc;

use async_graphql::Context;

pub(super) use self::{live::MessageSubscription, mutations::MessageMutation};
use super::{error::Result, ids::GlobalId, page::Listed, request};
use crate::model::{self, MessageId};

/// A message.
#[derive(Clone)]
pub(super) struct Message(Arc<model::message::Message>);

impl Message {
    pub(super) fn new(row: impl Into<Arc<model::message::Message>>) -> Self {
        Self(row.into())
    }

    /// The message with this ID, if it is there.
    pub(super) async fn load(ctx: &Context<'_>, id: MessageId) -> Result<Option<Self>> {
        Ok(request::of(ctx)?.messages.load(id).await?.map(Self))
    }

    pub(super) fn global_id(&self) -> GlobalId {
        GlobalId::Message(self.0.id)
    }
}

impl Listed for Message {
    const CONNECTION: &'static str = "MessageConnection";
    const EDGE: &'static str = "MessageEdge";
}
