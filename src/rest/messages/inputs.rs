//! What clients say, and to whom.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    model::{
        ConversationId, Refusal,
        component::{VersionHash, VersionSelector},
        message::{self, NewMessage, NewToolCall},
        page::PageRequest,
        trace::NewTrace,
    },
    rest::{
        problem::Problem,
        request::id,
        scalar::{Document, Moment, Written},
        traces::StartTrace,
        words,
    },
    service::{
        agents::UserInput,
        conversations::{self, HistoryRequest},
    },
};

/// A new message. With `agent` it is said to an agent, which answers it; then it has `content` and nothing else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct AddMessage {
    /// The ID, where the client chooses it. A second addition is then refused, and not a second message.
    message_id: Option<Uuid>,
    /// The turn it belongs to.
    turn_id: Option<Uuid>,
    /// Who speaks; `USER` where nothing is said.
    role: Option<words::MessageRole>,
    /// What it is; where nothing is said, what the role and the tool calls suggest.
    message_type: Option<words::MessageType>,
    /// What is said.
    content: Option<String>,
    /// The reasoning behind it.
    thinking: Option<String>,
    /// How sure the speaker is.
    #[schema(minimum = 0, maximum = 1)]
    confidence_score: Option<f64>,
    /// When it was said; now, where nothing is said.
    timestamp: Option<Moment>,
    /// The model that wrote it.
    model_name: Option<String>,
    /// Its length in tokens.
    token_count: Option<u64>,
    /// How long it took to write, in whole milliseconds.
    processing_time_ms: Option<u64>,
    /// Whatever the application keeps with it: an object.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Document>,
    /// The message it answers. It must be in the conversation's history.
    parent_message_id: Option<Uuid>,
    /// Other messages it refers to. They must be in the conversation's history.
    references: Option<Vec<Uuid>>,
    /// The calls of tools that it makes.
    tool_calls: Option<Vec<CallTool>>,
    /// For a tool's message: the call that it answers, as the model named it.
    tool_call_id: Option<String>,
    /// The trace of the run that wrote it.
    trace_id: Option<Uuid>,
    /// The trace that it sets off: started in the same commit, in the message's turn, with its text as input.
    trace: Option<StartTrace>,
    /// The agent of this server that is to answer it.
    agent: Option<AskAgent>,
}

/// A call of a tool.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct CallTool {
    /// The ID, where the client chooses it.
    tool_call_id: Option<Uuid>,
    /// The ID that the model gave it, by which the tool's message answers it.
    call_id: Option<String>,
    /// The tool.
    name: String,
    /// What it is called with.
    arguments: Document,
}

/// An agent that is to answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct AskAgent {
    /// The agent's component.
    #[schema(example = "agents/support")]
    agent_id: String,
    /// The hash that names the version of the agent; without it and `label` it is the one registered last.
    version_hash: Option<String>,
    /// A label that points at the version.
    #[schema(example = "production")]
    label: Option<String>,
    /// Values of the instructions' variables, beside those that the agent has.
    variables: Option<BTreeMap<String, String>>,
    /// The ID of the run's trace, where the client chooses it. A second run with it is refused.
    trace_id: Option<Uuid>,
    /// Whether to answer when the run is over; else at once, with its trace to follow. True where nothing is said.
    wait: Option<bool>,
}

/// What is to be done with something said.
pub(super) enum Saying {
    /// It is added, and its trace started where there is one.
    Add(Box<(NewMessage, Option<NewTrace>)>),
    /// It is said to an agent, whose answer is waited for or not.
    Ask(UserInput, bool),
}

impl AddMessage {
    pub(super) fn into_model(mut self, conversation: ConversationId) -> Result<Saying, Problem> {
        if let Some(agent) = self.agent.take() {
            self.check_said_to_agent()?;
            let content = self
                .content
                .ok_or_else(|| Refusal::invalid("content", "what is said to an agent needs words"))?;
            let wait = agent.wait.unwrap_or(true);
            return Ok(Saying::Ask(agent.into_model(conversation, content)?, wait));
        }
        let trace = self.trace.take().map(StartTrace::into_model);
        Ok(Saying::Add(Box::new((self.into_message(), trace))))
    }

    /// Refuses what would be left out of what an agent is told.
    fn check_said_to_agent(&self) -> Result<(), Refusal> {
        // Taken apart without `..`, so that a new field cannot be forgotten here.
        let Self {
            message_id,
            turn_id,
            role,
            message_type,
            content: _,
            thinking,
            confidence_score,
            timestamp,
            model_name,
            token_count,
            processing_time_ms,
            metadata,
            parent_message_id,
            references,
            tool_calls,
            tool_call_id,
            trace_id,
            trace,
            agent: _,
        } = self;
        let fields = [
            ("messageId", message_id.is_some()),
            ("turnId", turn_id.is_some()),
            ("role", role.is_some_and(|role| role.0 != message::MessageRole::User)),
            ("messageType", message_type.is_some()),
            ("thinking", thinking.is_some()),
            ("confidenceScore", confidence_score.is_some()),
            ("timestamp", timestamp.is_some()),
            ("modelName", model_name.is_some()),
            ("tokenCount", token_count.is_some()),
            ("processingTimeMs", processing_time_ms.is_some()),
            ("metadata", metadata.is_some()),
            ("parentMessageId", parent_message_id.is_some()),
            ("references", references.is_some()),
            ("toolCalls", tool_calls.is_some()),
            ("toolCallId", tool_call_id.is_some()),
            ("traceId", trace_id.is_some()),
            ("trace", trace.is_some()),
        ];
        match fields.iter().find(|(_, given)| *given) {
            Some((field, _)) => Err(Refusal::invalid(
                *field,
                "what is said to an agent is `content` by the `USER`, and nothing else",
            )),
            None => Ok(()),
        }
    }

    fn into_message(self) -> NewMessage {
        NewMessage {
            id: id(self.message_id),
            turn_id: id(self.turn_id),
            role: self.role.map_or(message::MessageRole::User, |role| role.0),
            message_type: self.message_type.map(|kind| kind.0),
            content: self.content,
            thinking: self.thinking,
            confidence_score: self.confidence_score,
            timestamp: self.timestamp.map(Into::into),
            model_name: self.model_name,
            token_count: self.token_count,
            processing_time_ms: self.processing_time_ms,
            metadata: self.metadata.map(Into::into),
            parent_message_id: id(self.parent_message_id),
            references: self.references.unwrap_or_default().into_iter().map(Into::into).collect(),
            tool_calls: self.tool_calls.unwrap_or_default().into_iter().map(Into::into).collect(),
            tool_call_id: self.tool_call_id,
            trace_id: id(self.trace_id),
        }
    }
}

impl From<CallTool> for NewToolCall {
    fn from(call: CallTool) -> Self {
        Self {
            id: id(call.tool_call_id),
            call_id: call.call_id,
            name: call.name,
            arguments: call.arguments.into(),
        }
    }
}

impl AskAgent {
    fn into_model(self, conversation_id: ConversationId, content: String) -> Result<UserInput, Refusal> {
        let version = match (self.version_hash, self.label) {
            (Some(_), Some(_)) => {
                let message = "a version is named by `versionHash` or by `label`, not by both";
                return Err(Refusal::invalid("agent.label", message));
            }
            (Some(hash), None) => VersionSelector::Hash(VersionHash::parse("agent.versionHash", &hash)?),
            (None, Some(label)) => VersionSelector::Label(label),
            (None, None) => VersionSelector::Newest,
        };
        Ok(UserInput {
            conversation_id,
            agent_id: self.agent_id,
            version,
            content,
            variables: self.variables.unwrap_or_default(),
            trace_id: id(self.trace_id),
        })
    }
}

/// Which messages of a conversation. All that is given must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ListMessages {
    /// Of this role; of any of them, where it is given several times.
    #[serde(default)]
    role: Vec<words::MessageRole>,
    /// Only the latest summary and what follows it: the summary stands for what lies before.
    #[param(value_type = Option<bool>)]
    from_last_summary: Option<Written<bool>>,
    /// Which come first; `OLDEST_FIRST` where nothing is said.
    order: Option<MessageOrder>,
    /// Messages of the page at most; 50 where nothing is said.
    #[param(value_type = Option<u32>)]
    pub(super) limit: Option<Written<u32>>,
    /// Go on behind this cursor: `next` of the page before.
    pub(super) after: Option<String>,
}

impl ListMessages {
    pub(super) fn into_request(self, conversation_id: ConversationId, page: PageRequest) -> HistoryRequest {
        let roles: Vec<_> = self.role.into_iter().map(|role| role.0).collect();
        HistoryRequest {
            conversation_id,
            order: self.order.unwrap_or_default().into(),
            page,
            roles: (!roles.is_empty()).then_some(roles),
            from_last_summary: self.from_last_summary.is_some_and(|Written(wanted)| wanted),
        }
    }
}

/// How the messages of a conversation are ordered.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::rest) enum MessageOrder {
    /// From the beginning.
    #[default]
    OldestFirst,
    /// From the last message back.
    NewestFirst,
}

impl From<MessageOrder> for conversations::HistoryOrder {
    fn from(order: MessageOrder) -> Self {
        match order {
            MessageOrder::OldestFirst => Self::OldestFirst,
            MessageOrder::NewestFirst => Self::NewestFirst,
        }
    }
}
