//! Messages and the tool calls in them.

use bincode::{Decode, Encode};

use super::{
    ConversationId, Json, MessageId, Refusal, Timestamp, ToolCallId, TraceId, TurnId, clock::Ids,
    limits::RecordLimits, words::words,
};

words! {
    /// Who speaks.
    MessageRole {
        /// The instructions.
        System = 1 "SYSTEM",
        /// The person, or the program, that asks.
        User = 2 "USER",
        /// The agent.
        Assistant = 3 "ASSISTANT",
        /// A tool, answering a call.
        Tool = 4 "TOOL",
    }
}

words! {
    /// What a message is.
    MessageType {
        /// Something said.
        Text = 1 "TEXT",
        /// Reasoning that is not part of the answer.
        Thinking = 2 "THINKING",
        /// One or more calls of tools.
        ToolCall = 3 "TOOL_CALL",
        /// The result of a call.
        ToolResult = 4 "TOOL_RESULT",
        /// A plan, or a change of one.
        Plan = 5 "PLAN",
        /// Earlier turns in short.
        Summary = 6 "SUMMARY",
        /// A failure, told to the user.
        Error = 7 "ERROR",
    }
}

/// Something said in a conversation.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Message {
    /// The id.
    pub id: MessageId,
    /// The conversation that holds it; branches share it.
    pub conversation_id: ConversationId,
    /// Its place in the history, from 0.
    pub ordinal: u64,
    /// The conversation's revision that last changed it.
    pub revision: u64,
    /// The turn it belongs to.
    pub turn_id: Option<TurnId>,
    /// Who speaks.
    pub role: MessageRole,
    /// What it is.
    pub message_type: MessageType,
    /// What is said.
    pub content: Option<String>,
    /// The reasoning behind it.
    pub thinking: Option<String>,
    /// How sure the speaker is, 0 to 1.
    pub confidence_score: Option<f64>,
    /// When it was said.
    pub timestamp: Timestamp,
    /// The model that wrote it.
    pub model_name: Option<String>,
    /// Its length in tokens.
    pub token_count: Option<u64>,
    /// How long it took to write, in milliseconds.
    pub processing_time_ms: Option<u64>,
    /// Whatever the application keeps with it: a JSON object.
    pub metadata: Json,
    /// The message it answers.
    pub parent_message_id: Option<MessageId>,
    /// Other messages it refers to.
    pub references: Vec<MessageId>,
    /// The calls of tools that it makes.
    pub tool_calls: Vec<ToolCall>,
    /// For a tool's message: the call that it answers, by the caller's id ([`ToolCall::call_id`]).
    pub tool_call_id: Option<String>,
    /// The trace of the run that wrote it, or that it set off.
    pub trace_id: Option<TraceId>,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct ToolCall {
    /// The id.
    pub id: ToolCallId,
    /// The id that the model gave it, by which the tool's message answers it; unique in its conversation.
    pub call_id: String,
    /// The tool.
    pub name: String,
    /// What it was called with: the JSON that the model wrote, or its text where that was no JSON.
    pub arguments: Json,
    /// When it was called.
    pub created_at: Timestamp,
    /// The message with its result, once there is one.
    pub result_message_id: Option<MessageId>,
}

/// What is asked of a new message. Fields as in [`Message`].
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of Message")]
pub struct NewMessage {
    /// The id, where the caller chooses it.
    pub id: Option<MessageId>,
    pub turn_id: Option<TurnId>,
    pub role: MessageRole,
    /// `None`: what the role and the tool calls suggest.
    pub message_type: Option<MessageType>,
    pub content: Option<String>,
    pub thinking: Option<String>,
    pub confidence_score: Option<f64>,
    pub timestamp: Option<Timestamp>,
    pub model_name: Option<String>,
    pub token_count: Option<u64>,
    pub processing_time_ms: Option<u64>,
    pub metadata: Option<Json>,
    pub parent_message_id: Option<MessageId>,
    pub references: Vec<MessageId>,
    pub tool_calls: Vec<NewToolCall>,
    pub tool_call_id: Option<String>,
    pub trace_id: Option<TraceId>,
}

impl NewMessage {
    /// A message that only says something.
    #[must_use]
    pub fn text(role: MessageRole, content: impl Into<String>) -> Self {
        Self {
            id: None,
            turn_id: None,
            role,
            message_type: None,
            content: Some(content.into()),
            thinking: None,
            confidence_score: None,
            timestamp: None,
            model_name: None,
            token_count: None,
            processing_time_ms: None,
            metadata: None,
            parent_message_id: None,
            references: Vec::new(),
            tool_calls: Vec::new(),
            tool_call_id: None,
            trace_id: None,
        }
    }

    /// The type: as given, or what the role and the tool calls suggest.
    #[must_use]
    pub fn resolved_type(&self) -> MessageType {
        self.message_type.unwrap_or(match self.role {
            MessageRole::Tool => MessageType::ToolResult,
            _ if !self.tool_calls.is_empty() => MessageType::ToolCall,
            _ if self.content.is_none() && self.thinking.is_some() => MessageType::Thinking,
            _ => MessageType::Text,
        })
    }

    /// Checks what can be told from the message alone.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        if let Some(confidence) = self.confidence_score
            && !(0.0..=1.0).contains(&confidence)
        {
            return Err(Refusal::invalid("confidenceScore", format!("{confidence} is not between 0 and 1")));
        }
        if self.content.is_none() && self.thinking.is_none() && self.tool_calls.is_empty() {
            return Err(Refusal::invalid("content", "a message needs content, thinking or tool calls"));
        }
        if !self.tool_calls.is_empty() && self.role != MessageRole::Assistant {
            return Err(Refusal::invalid("toolCalls", "only an ASSISTANT message calls tools"));
        }
        if self.tool_call_id.is_some() && self.role != MessageRole::Tool {
            return Err(Refusal::invalid("toolCallId", "only a TOOL message answers a tool call"));
        }
        limits.text("content", self.content.as_deref())?;
        limits.text("thinking", self.thinking.as_deref())?;
        limits.optional_name("modelName", self.model_name.as_deref())?;
        limits.object("metadata", self.metadata.as_ref())?;
        limits.optional_name("toolCallId", self.tool_call_id.as_deref())?;
        limits.count("references", self.references.len(), limits.list_items)?;
        self.check_calls(limits)
    }

    fn check_calls(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.count("toolCalls", self.tool_calls.len(), limits.tool_calls)?;
        for (index, call) in self.tool_calls.iter().enumerate() {
            call.check(limits).map_err(|refusal| refusal.below(&format!("toolCalls.{index}")))?;
        }
        Ok(())
    }
}

impl NewToolCall {
    fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.optional_name("callId", self.call_id.as_deref())?;
        limits.name("name", &self.name)?;
        limits.document("arguments", Some(&self.arguments))
    }
}

impl Message {
    /// The message of a conversation, its place and revision still to be given. `new` must have passed
    /// [`NewMessage::check`].
    #[must_use]
    pub fn draft(conversation_id: ConversationId, new: NewMessage, now: Timestamp, ids: &dyn Ids) -> Self {
        let call = |call: NewToolCall| {
            let id = call.id.unwrap_or_else(|| ids.next().into());
            ToolCall {
                id,
                call_id: call.call_id.unwrap_or_else(|| id.to_string()),
                name: call.name,
                arguments: call.arguments,
                created_at: new.timestamp.unwrap_or(now),
                result_message_id: None,
            }
        };
        Self {
            id: new.id.unwrap_or_else(|| ids.next().into()),
            conversation_id,
            ordinal: 0,
            revision: 0,
            turn_id: new.turn_id,
            role: new.role,
            message_type: new.resolved_type(),
            tool_calls: new.tool_calls.into_iter().map(call).collect(),
            content: new.content,
            thinking: new.thinking,
            confidence_score: new.confidence_score,
            timestamp: new.timestamp.unwrap_or(now),
            model_name: new.model_name,
            token_count: new.token_count,
            processing_time_ms: new.processing_time_ms,
            metadata: new.metadata.unwrap_or_default(),
            parent_message_id: new.parent_message_id,
            references: new.references,
            tool_call_id: new.tool_call_id,
            trace_id: new.trace_id,
        }
    }
}

/// What is asked of a tool call in a new message. Fields as in [`ToolCall`].
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of ToolCall")]
pub struct NewToolCall {
    /// The id, where the caller chooses it.
    pub id: Option<ToolCallId>,
    /// `None`: the id as text.
    pub call_id: Option<String>,
    pub name: String,
    pub arguments: Json,
}
