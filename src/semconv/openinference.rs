//! OpenInference, <https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md>.

use super::{Field, Fields, Lists};
use crate::model::span::OperationType;

pub(super) const FIELDS: Fields = &[
    (Field::Operation, &["openinference.span.kind"]),
    (Field::Provider, &["llm.provider", "llm.system"]),
    (
        Field::Model,
        &[
            "llm.response.model_name",
            "llm.request.model_name",
            "llm.model_name",
            "embedding.model_name",
            "reranker.model_name",
        ],
    ),
    (Field::RequestModel, &["llm.request.model_name"]),
    (Field::FinishReason, &["llm.finish_reason"]),
    (Field::Input, &["input.value"]),
    (Field::Output, &["output.value"]),
    (Field::ToolName, &["tool.name"]),
    (Field::ToolCallId, &["tool.id", "tool_call.id"]),
    (Field::ToolDescription, &["tool.description"]),
    (Field::AgentName, &["agent.name", "graph.node.name", "graph.node.id"]),
    (Field::InputTokens, &["llm.token_count.prompt"]),
    (Field::OutputTokens, &["llm.token_count.completion"]),
    (Field::TotalTokens, &["llm.token_count.total"]),
    (
        Field::CacheReadTokens,
        &["llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input"],
    ),
    (Field::CacheWriteTokens, &["llm.token_count.prompt_details.cache_write"]),
    (Field::ReasoningTokens, &["llm.token_count.completion_details.reasoning"]),
    (Field::Cost, &["llm.cost.total"]),
    (Field::InputCost, &["llm.cost.prompt"]),
    (Field::OutputCost, &["llm.cost.completion"]),
    (Field::Conversation, &["session.id"]),
    (Field::PromptName, &["prompt.id"]),
    (Field::PromptVersion, &["llm.prompt_template.version"]),
    (Field::PromptTemplate, &["llm.prompt_template.template"]),
    (Field::Settings, &["llm.invocation_parameters", "embedding.invocation_parameters"]),
    (Field::Query, &["reranker.query"]),
    (Field::ErrorMessage, &["exception.message"]),
];

pub(super) const LISTS: Lists = &[
    (Field::InputMessages, "llm.input_messages"),
    (Field::OutputMessages, "llm.output_messages"),
    (Field::ToolDefinitions, "llm.tools"),
    (Field::Documents, "retrieval.documents"),
    (Field::Documents, "reranker.output_documents"),
    (Field::RerankInput, "reranker.input_documents"),
    (Field::EmbeddingTexts, "embedding.embeddings"),
    (Field::Evaluations, "evaluations"),
    (Field::Evaluations, "annotations"),
    (Field::TraceEvaluations, "trace.evaluations"),
    (Field::SessionEvaluations, "session.evaluations"),
];

/// The words of `openinference.span.kind`.
pub(super) const OPERATIONS: &[(&str, OperationType)] = &[
    ("LLM", OperationType::LlmCall),
    ("EMBEDDING", OperationType::Embedding),
    ("CHAIN", OperationType::Chain),
    ("RETRIEVER", OperationType::Retrieval),
    ("RERANKER", OperationType::Rerank),
    ("TOOL", OperationType::ToolCall),
    ("AGENT", OperationType::Agent),
    ("GUARDRAIL", OperationType::Guardrail),
    ("EVALUATOR", OperationType::Evaluation),
    ("PROMPT", OperationType::Chain),
];
