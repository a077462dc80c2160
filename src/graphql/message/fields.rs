//! The fields of a message.

use async_graphql::{Context, ID, Object};

use super::{Message, tool_call::ToolCall};
use crate::{
    graphql::{
        conversation::Conversation,
        error::Result,
        request,
        scalar::{BigInt, DateTime, Document, PlainId, int},
        score::Score,
        trace::Trace,
    },
    model::{
        message::{MessageRole, MessageType},
        score::ScoreTarget,
    },
};

/// Something said in a conversation.
#[Object]
impl Message {
    /// The global ID.
    async fn id(&self) -> ID {
        self.global_id().encode()
    }

    /// The message's own ID.
    async fn message_id(&self) -> PlainId {
        PlainId(self.0.id.uuid())
    }

    /// The ID of the conversation that holds it; branches share it.
    async fn conversation_id(&self) -> PlainId {
        PlainId(self.0.conversation_id.uuid())
    }

    /// The conversation that holds it; null where it was deleted meanwhile.
    async fn conversation(&self, ctx: &Context<'_>) -> Result<Option<Conversation>> {
        Conversation::load(ctx, self.0.conversation_id).await
    }

    /// Its place in the history, from 0.
    async fn ordinal(&self) -> i32 {
        int(self.0.ordinal)
    }

    /// The conversation's revision that last changed it.
    async fn revision(&self) -> BigInt {
        BigInt(self.0.revision)
    }

    /// The turn it belongs to.
    async fn turn_id(&self) -> Option<PlainId> {
        self.0.turn_id.map(|id| PlainId(id.uuid()))
    }

    /// Who speaks.
    async fn role(&self) -> MessageRole {
        self.0.role
    }

    /// What it is.
    async fn message_type(&self) -> MessageType {
        self.0.message_type
    }

    /// What is said.
    async fn content(&self) -> Option<&str> {
        self.0.content.as_deref()
    }

    /// The reasoning behind it.
    async fn thinking(&self) -> Option<&str> {
        self.0.thinking.as_deref()
    }

    /// How sure the speaker is, 0 to 1.
    async fn confidence_score(&self) -> Option<f64> {
        self.0.confidence_score
    }

    /// When it was said.
    async fn timestamp(&self) -> DateTime {
        DateTime(self.0.timestamp)
    }

    /// The model that wrote it.
    async fn model_name(&self) -> Option<&str> {
        self.0.model_name.as_deref()
    }

    /// Its length in tokens.
    async fn token_count(&self) -> Option<BigInt> {
        self.0.token_count.map(BigInt)
    }

    /// How long it took to write, in milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of thousands of years are exact")]
    async fn processing_time_ms(&self) -> Option<f64> {
        self.0.processing_time_ms.map(|millis| millis as f64)
    }

    /// Whatever the application keeps with it: an object.
    async fn metadata(&self) -> Document {
        Document(self.0.metadata.clone())
    }

    /// The ID of the message it answers.
    async fn parent_message_id(&self) -> Option<PlainId> {
        self.0.parent_message_id.map(|id| PlainId(id.uuid()))
    }

    /// The message it answers.
    async fn parent_message(&self, ctx: &Context<'_>) -> Result<Option<Message>> {
        match self.0.parent_message_id {
            Some(id) => Message::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The IDs of other messages it refers to.
    async fn reference_ids(&self) -> Vec<PlainId> {
        self.0.references.iter().map(|id| PlainId(id.uuid())).collect()
    }

    /// Other messages it refers to.
    async fn references(&self, ctx: &Context<'_>) -> Result<Vec<Message>> {
        let found = request::of(ctx)?.messages.load_many(&self.0.references).await?;
        Ok(found.into_iter().flatten().map(Message).collect())
    }

    /// The calls of tools that it makes.
    async fn tool_calls(&self) -> Vec<ToolCall> {
        ToolCall::all(self)
    }

    /// For a tool's message: the call that it answers, as the model named it (`ToolCall.callId`).
    async fn tool_call_id(&self) -> Option<&str> {
        self.0.tool_call_id.as_deref()
    }

    /// The ID of the trace of the run that wrote it, or that it set off.
    async fn trace_id(&self) -> Option<PlainId> {
        self.0.trace_id.map(|id| PlainId(id.uuid()))
    }

    /// The trace of the run that wrote it, or that it set off.
    async fn trace(&self, ctx: &Context<'_>) -> Result<Option<Trace>> {
        match self.0.trace_id {
            Some(id) => Trace::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// Judgements of it.
    async fn scores(&self, ctx: &Context<'_>) -> Result<Vec<Score>> {
        Score::of(ctx, ScoreTarget::Message(self.0.conversation_id, self.0.id)).await
    }
}
