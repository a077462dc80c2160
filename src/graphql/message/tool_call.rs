//! The calls of tools in a message.

use async_graphql::{Context, ID, Object};

use super::Message;
use crate::{
    graphql::{
        error::Result,
        ids,
        scalar::{DateTime, Document, PlainId},
    },
    model,
};

/// A call of a tool.
pub(super) struct ToolCall {
    id: ID,
    call: model::message::ToolCall,
}

impl ToolCall {
    pub(super) fn all(message: &Message) -> Vec<Self> {
        let of = message.global_id();
        let calls = message.0.tool_calls.iter().cloned().enumerate();
        calls.map(|(index, call)| Self { id: ids::part(&of, "call", index), call }).collect()
    }
}

/// A call of a tool, with its result once there is one.
#[Object]
impl ToolCall {
    /// Tells the calls of a message apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The call's own ID.
    async fn tool_call_id(&self) -> PlainId {
        PlainId(self.call.id.uuid())
    }

    /// The ID that the model gave it, by which the tool's message answers it.
    async fn call_id(&self) -> &str {
        &self.call.call_id
    }

    /// The tool.
    async fn name(&self) -> &str {
        &self.call.name
    }

    /// What it was called with: the JSON that the model wrote, or its text where that was no JSON.
    async fn arguments(&self) -> Document {
        Document(self.call.arguments.clone())
    }

    /// When it was called.
    async fn created_at(&self) -> DateTime {
        DateTime(self.call.created_at)
    }

    /// The ID of the message with its result, once there is one.
    async fn result_message_id(&self) -> Option<PlainId> {
        self.call.result_message_id.map(|id| PlainId(id.uuid()))
    }

    /// The message with its result, once there is one.
    async fn result_message(&self, ctx: &Context<'_>) -> Result<Option<Message>> {
        match self.call.result_message_id {
            Some(id) => Message::load(ctx, id).await,
            None => Ok(None),
        }
    }
}
