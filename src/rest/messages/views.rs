//! How messages are shown, and what became of something said.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::{MessageId, agent::RunFailure, message},
    rest::{
        scalar::{Document, Moment},
        traces::Trace,
        words,
    },
};

/// Something said in a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct Message {
    /// The ID.
    message_id: Uuid,
    /// The conversation that holds it; branches share it.
    conversation_id: Uuid,
    /// Its place in the history, from 0.
    ordinal: u64,
    /// The conversation's revision that last changed it.
    revision: u64,
    /// The turn it belongs to.
    turn_id: Option<Uuid>,
    /// Who speaks.
    role: words::MessageRole,
    /// What it is.
    message_type: words::MessageType,
    /// What is said.
    content: Option<String>,
    /// The reasoning behind it.
    thinking: Option<String>,
    /// How sure the speaker is, 0 to 1.
    confidence_score: Option<f64>,
    /// When it was said.
    timestamp: Moment,
    /// The model that wrote it.
    model_name: Option<String>,
    /// Its length in tokens.
    token_count: Option<u64>,
    /// How long it took to write, in milliseconds.
    processing_time_ms: Option<u64>,
    /// Whatever the application keeps with it: an object.
    #[schema(value_type = Object)]
    metadata: Document,
    /// The message it answers.
    parent_message_id: Option<Uuid>,
    /// Other messages it refers to.
    reference_ids: Vec<Uuid>,
    /// The calls of tools that it makes.
    tool_calls: Vec<ToolCall>,
    /// For a tool's message: the call that it answers, as the model named it (`callId`).
    tool_call_id: Option<String>,
    /// The trace of the run that wrote it, or that it set off.
    trace_id: Option<Uuid>,
}

/// A call of a tool, with its result once there is one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct ToolCall {
    /// The call's own ID.
    tool_call_id: Uuid,
    /// The ID that the model gave it, by which the tool's message answers it.
    call_id: String,
    /// The tool.
    name: String,
    /// What it was called with: the JSON that the model wrote, or its text where that was no JSON.
    arguments: Document,
    /// When it was called.
    created_at: Moment,
    /// The message with its result, once there is one.
    result_message_id: Option<Uuid>,
}

impl Message {
    /// The ID.
    pub(super) const fn id(&self) -> Uuid {
        self.message_id
    }
}

impl From<message::Message> for Message {
    fn from(row: message::Message) -> Self {
        Self {
            message_id: row.id.uuid(),
            conversation_id: row.conversation_id.uuid(),
            ordinal: row.ordinal,
            revision: row.revision,
            turn_id: row.turn_id.map(|id| id.uuid()),
            role: row.role.into(),
            message_type: row.message_type.into(),
            content: row.content,
            thinking: row.thinking,
            confidence_score: row.confidence_score,
            timestamp: row.timestamp.into(),
            model_name: row.model_name,
            token_count: row.token_count,
            processing_time_ms: row.processing_time_ms,
            metadata: row.metadata.into(),
            parent_message_id: row.parent_message_id.map(|id| id.uuid()),
            reference_ids: row.references.iter().map(MessageId::uuid).collect(),
            tool_calls: row.tool_calls.into_iter().map(Into::into).collect(),
            tool_call_id: row.tool_call_id,
            trace_id: row.trace_id.map(|id| id.uuid()),
        }
    }
}

impl From<message::ToolCall> for ToolCall {
    fn from(call: message::ToolCall) -> Self {
        Self {
            tool_call_id: call.id.uuid(),
            call_id: call.call_id,
            name: call.name,
            arguments: call.arguments.into(),
            created_at: call.created_at.into(),
            result_message_id: call.result_message_id.map(|id| id.uuid()),
        }
    }
}

/// What became of something said.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct Said {
    /// The message.
    pub(super) message: Message,
    /// The trace of the run that it set off, by which that is followed; null where it set off none.
    pub(super) trace_id: Option<Uuid>,
    /// The trace; null where there is none, or the run is not recorded.
    pub(super) trace: Option<Trace>,
    /// The message with the agent's answer, or with why there is none; null where no agent was asked, or its answer was
    /// not waited for.
    pub(super) answer: Option<Message>,
    /// Why the agent gave no answer; null where it gave one, or goes on.
    pub(super) failure: Option<Failure>,
}

/// Why a run gave no answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunFailure)]
pub(in crate::rest) struct Failure {
    /// What kind of reason it is.
    kind: words::RunFailureKind,
    /// What happened, for people to read.
    message: String,
}

impl From<RunFailure> for Failure {
    fn from(RunFailure { kind, message }: RunFailure) -> Self {
        Self { kind: kind.into(), message }
    }
}
