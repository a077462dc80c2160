//! What clients write as messages.

use async_graphql::{ID, InputObject};

use crate::{
    graphql::{
        ids,
        inputs::number,
        scalar::{Given, OptionalGiven},
    },
    model::{
        Json, Refusal, Timestamp,
        message::{MessageRole, MessageType, NewMessage, NewToolCall},
    },
};

/// A new message.
#[derive(InputObject)]
pub(super) struct MessageInput {
    /// The ID, where the client chooses it: a UUID. A second addition is then refused, and not a second
    /// message.
    message_id: Option<ID>,
    /// The turn it belongs to: a UUID.
    turn_id: Option<Given<uuid::Uuid>>,
    /// Who speaks.
    role: MessageRole,
    /// What it is; where nothing is said, what the role and the tool calls suggest.
    message_type: Option<MessageType>,
    /// What is said.
    content: Option<String>,
    /// The reasoning behind it.
    thinking: Option<String>,
    /// How sure the speaker is, 0 to 1.
    confidence_score: Option<Given<f64>>,
    /// When it was said; now, where nothing is said.
    timestamp: Option<Given<Timestamp>>,
    /// The model that wrote it.
    model_name: Option<String>,
    /// Its length in tokens.
    token_count: Option<Given<u64>>,
    /// How long it took to write, in whole milliseconds.
    processing_time_ms: Option<Given<u64>>,
    /// Whatever the application keeps with it: an object.
    metadata: Option<Given<Json>>,
    /// The message it answers: its global ID or UUID. It must be in the conversation's history.
    parent_message_id: Option<ID>,
    /// Other messages it refers to: their global IDs or UUIDs. They must be in the conversation's history.
    references: Option<Vec<ID>>,
    /// The calls of tools that it makes.
    tool_calls: Option<Vec<ToolCallInput>>,
    /// For a tool's message: the call that it answers, as the model named it.
    tool_call_id: Option<String>,
    /// The trace of the run that wrote it: its global ID or UUID.
    trace_id: Option<ID>,
}

/// A call of a tool.
#[derive(InputObject)]
struct ToolCallInput {
    /// The ID, where the client chooses it: a UUID.
    tool_call_id: Option<Given<uuid::Uuid>>,
    /// The ID that the model gave it, by which the tool's message answers it.
    call_id: Option<String>,
    /// The tool.
    name: String,
    /// What it is called with.
    arguments: Given<Json>,
}

impl MessageInput {
    pub(super) fn into_model(self) -> Result<NewMessage, Refusal> {
        Ok(NewMessage {
            id: ids::read_optional("messageId", self.message_id.as_ref())?,
            turn_id: self.turn_id.read("turnId")?.map(Into::into),
            role: self.role,
            message_type: self.message_type,
            content: self.content,
            thinking: self.thinking,
            confidence_score: self.confidence_score.read("confidenceScore")?,
            timestamp: self.timestamp.read("timestamp")?,
            model_name: self.model_name,
            token_count: self.token_count.read("tokenCount")?,
            processing_time_ms: self.processing_time_ms.read("processingTimeMs")?,
            metadata: self.metadata.read("metadata")?,
            parent_message_id: ids::read_optional("parentMessageId", self.parent_message_id.as_ref())?,
            references: ids::read_all("references", &self.references.unwrap_or_default())?,
            tool_calls: number(self.tool_calls, "toolCalls", ToolCallInput::into_model)?,
            tool_call_id: self.tool_call_id,
            trace_id: ids::read_optional("traceId", self.trace_id.as_ref())?,
        })
    }
}

impl ToolCallInput {
    fn into_model(self) -> Result<NewToolCall, Refusal> {
        Ok(NewToolCall {
            id: self.tool_call_id.read("toolCallId")?.map(Into::into),
            call_id: self.call_id,
            name: self.name,
            arguments: self.arguments.read("arguments")?,
        })
    }
}
