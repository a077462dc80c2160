//! Traceloop's OpenLLMetry, <https://github.com/traceloop/openllmetry>: `traceloop.*`, and the flattened messages of
//! its versions before it took over those of OpenTelemetry.

use super::{Field, Fields, Lists};
use crate::model::span::OperationType;

pub(super) const FIELDS: Fields = &[
    (Field::Operation, &["traceloop.span.kind", "llm.request.type"]),
    (Field::Input, &["traceloop.entity.input"]),
    (Field::Output, &["traceloop.entity.output"]),
    (Field::AgentName, &["traceloop.workflow.name", "traceloop.entity.name"]),
    (Field::FinishReason, &["gen_ai.completion.0.finish_reason", "llm.completions.0.finish_reason"]),
    (Field::TotalTokens, &["llm.usage.total_tokens"]),
    (
        Field::Conversation,
        &[
            "traceloop.association.properties.conversation_id",
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.thread_id",
            "traceloop.association.properties.chat_id",
        ],
    ),
    (
        Field::Session,
        &[
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.conversation_id",
            "traceloop.association.properties.thread_id",
            "traceloop.association.properties.chat_id",
        ],
    ),
    (Field::User, &["traceloop.association.properties.user_id"]),
    (Field::PromptName, &["traceloop.prompt.key"]),
    (Field::PromptVersion, &["traceloop.prompt.version"]),
    (Field::PromptTemplate, &["traceloop.prompt.template"]),
    (
        Field::Setting,
        &["llm.request.temperature", "llm.temperature", "llm.top_p", "llm.request.max_tokens", "llm.top_k"],
    ),
];

pub(super) const LISTS: Lists = &[
    (Field::InputMessages, "gen_ai.prompt"),
    (Field::OutputMessages, "gen_ai.completion"),
    (Field::InputMessages, "llm.prompts"),
    (Field::OutputMessages, "llm.completions"),
    (Field::ToolDefinitions, "llm.request.functions"),
    (Field::EmbeddingTexts, "gen_ai.embeddings"),
];

/// The words of `traceloop.span.kind` and `llm.request.type`.
pub(super) const OPERATIONS: &[(&str, OperationType)] = &[
    ("workflow", OperationType::Chain),
    ("task", OperationType::Chain),
    ("agent", OperationType::Agent),
    ("tool", OperationType::ToolCall),
    ("chat", OperationType::LlmCall),
    ("completion", OperationType::LlmCall),
    ("embedding", OperationType::Embedding),
    ("rerank", OperationType::Rerank),
];
