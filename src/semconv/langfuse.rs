//! Langfuse's SDKs, <https://langfuse.com/integrations/native/opentelemetry>: `langfuse.*`.

use super::{Field, Fields};
use crate::model::span::OperationType;

pub(super) const FIELDS: Fields = &[
    (Field::Operation, &["langfuse.observation.type"]),
    (Field::Model, &["langfuse.observation.model.name", "langfuse.observation.model"]),
    (Field::FirstTokenDate, &["langfuse.observation.completion_start_time"]),
    (Field::Settings, &["langfuse.observation.model.parameters"]),
    (Field::Input, &["langfuse.observation.input", "langfuse.trace.input"]),
    (Field::Output, &["langfuse.observation.output", "langfuse.trace.output"]),
    (Field::UsageDetails, &["langfuse.observation.usage_details"]),
    (Field::CostDetails, &["langfuse.observation.cost_details"]),
    (Field::Conversation, &["langfuse.session.id"]),
    (Field::Session, &["langfuse.session.id"]),
    (Field::User, &["langfuse.user.id"]),
    (Field::TraceName, &["langfuse.trace.name"]),
    (Field::PromptName, &["langfuse.observation.prompt.name", "langfuse.prompt.name"]),
    (Field::PromptVersion, &["langfuse.observation.prompt.version", "langfuse.prompt.version"]),
    (Field::Level, &["langfuse.observation.level"]),
    (Field::ErrorMessage, &["langfuse.observation.status_message"]),
];

/// The words of `langfuse.observation.type`.
pub(super) const OPERATIONS: &[(&str, OperationType)] = &[
    ("generation", OperationType::LlmCall),
    ("embedding", OperationType::Embedding),
    ("agent", OperationType::Agent),
    ("tool", OperationType::ToolCall),
    ("chain", OperationType::Chain),
    ("retriever", OperationType::Retrieval),
    ("evaluator", OperationType::Evaluation),
    ("guardrail", OperationType::Guardrail),
    ("span", OperationType::Custom),
    ("event", OperationType::Custom),
];
