//! Claude Code and its Agent SDK: spans named `claude_code.*` with bare names.
//!
//! Its `input_tokens` leave out what came from a cache or went to one: see [`super::usage`].

use super::{Field, Fields};
use crate::model::span::OperationType;

pub(super) const FIELDS: Fields = &[
    (Field::Model, &["model"]),
    (Field::ToolName, &["tool_name"]),
    (Field::ToolCallId, &["tool_use_id"]),
    (Field::ToolArguments, &["tool_input"]),
    (Field::ToolResult, &["tool_output", "tool_result"]),
    (Field::ToolTarget, &["full_command", "file_path", "subagent_type"]),
    (Field::Input, &["user_prompt", "prompt"]),
    (Field::Output, &["response.model_output", "response"]),
    (Field::ResponseId, &["request_id"]),
    (Field::FinishReason, &["stop_reason"]),
    (Field::InputTokens, &["input_tokens"]),
    (Field::OutputTokens, &["output_tokens"]),
    (Field::CacheReadTokens, &["cache_read_tokens", "cache_read_input_tokens"]),
    (Field::CacheWriteTokens, &["cache_creation_tokens", "cache_creation_input_tokens"]),
    (Field::Cost, &["cost_usd"]),
    (Field::FirstTokenMillis, &["ttft_ms"]),
    (Field::ErrorMessage, &["error"]),
];

/// What the names of its spans begin with.
pub(super) const NAME: &str = "claude_code.";

/// What its spans are, by the rest of their names.
pub(super) const OPERATIONS: &[(&str, OperationType)] = &[
    ("interaction", OperationType::Agent),
    ("llm_request", OperationType::LlmCall),
    ("tool", OperationType::ToolCall),
    ("tool.execution", OperationType::Custom),
    ("tool.blocked_on_user", OperationType::Guardrail),
    ("hook", OperationType::Custom),
];
