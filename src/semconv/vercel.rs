//! The Vercel AI SDK's `ai.*`, <https://ai-sdk.dev/docs/ai-sdk-core/telemetry>: older than, and beside, `gen_ai.*`.

use super::{Field, Fields};
use crate::model::span::OperationType;

pub(super) const FIELDS: Fields = &[
    (Field::Operation, &["ai.operationId"]),
    (Field::Provider, &["ai.model.provider"]),
    (Field::Model, &["ai.response.model", "ai.model.id"]),
    (Field::RequestModel, &["ai.model.id"]),
    (Field::ResponseId, &["ai.response.id"]),
    (Field::FinishReason, &["ai.response.finishReason"]),
    (Field::FirstTokenMillis, &["ai.response.msToFirstChunk", "ai.stream.msToFirstChunk"]),
    (Field::InputMessages, &["ai.prompt.messages", "ai.prompt"]),
    (Field::OutputText, &["ai.response.text", "ai.response.object"]),
    (Field::OutputReasoning, &["ai.response.reasoning"]),
    (Field::OutputToolCalls, &["ai.response.toolCalls"]),
    (Field::Input, &["ai.value", "ai.values"]),
    (Field::ToolName, &["ai.toolCall.name"]),
    (Field::ToolCallId, &["ai.toolCall.id"]),
    (Field::ToolArguments, &["ai.toolCall.args"]),
    (Field::ToolResult, &["ai.toolCall.result"]),
    (Field::ToolDefinitions, &["ai.prompt.tools"]),
    (Field::AgentName, &["ai.telemetry.functionId", "resource.name"]),
    (Field::InputTokens, &["ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"]),
    (Field::OutputTokens, &["ai.usage.outputTokens", "ai.usage.completionTokens"]),
    (Field::TotalTokens, &["ai.usage.totalTokens"]),
    (Field::CacheReadTokens, &["ai.usage.cachedInputTokens", "ai.usage.inputTokenDetails.cacheReadTokens"]),
    (Field::CacheWriteTokens, &["ai.usage.inputTokenDetails.cacheWriteTokens"]),
    (Field::ReasoningTokens, &["ai.usage.reasoningTokens", "ai.usage.outputTokenDetails.reasoningTokens"]),
    (Field::Conversation, &["ai.telemetry.metadata.sessionId", "ai.settings.context.sessionId"]),
    (Field::Session, &["ai.telemetry.metadata.sessionId", "ai.settings.context.sessionId"]),
    (Field::User, &["ai.telemetry.metadata.userId", "ai.settings.context.userId"]),
    (
        Field::Setting,
        &[
            "ai.settings.temperature",
            "ai.settings.topP",
            "ai.settings.topK",
            "ai.settings.maxOutputTokens",
            "ai.settings.maxTokens",
            "ai.settings.frequencyPenalty",
            "ai.settings.presencePenalty",
            "ai.settings.stopSequences",
            "ai.settings.seed",
        ],
    ),
];

/// The words of `ai.operationId`. What calls a model does so in a span below that ends in `doGenerate`,
/// `doStream` or `doEmbed`; the one above is the function of the SDK that the application called.
pub(super) const OPERATIONS: &[(&str, OperationType)] = &[
    ("ai.generateText.doGenerate", OperationType::LlmCall),
    ("ai.streamText.doStream", OperationType::LlmCall),
    ("ai.generateObject.doGenerate", OperationType::LlmCall),
    ("ai.streamObject.doStream", OperationType::LlmCall),
    ("ai.embed.doEmbed", OperationType::Embedding),
    ("ai.embedMany.doEmbed", OperationType::Embedding),
    ("ai.rerank.doRerank", OperationType::Rerank),
    ("ai.toolCall", OperationType::ToolCall),
    ("ai.generateText", OperationType::Agent),
    ("ai.streamText", OperationType::Agent),
    ("ai.generateObject", OperationType::Agent),
    ("ai.streamObject", OperationType::Agent),
    ("ai.embed", OperationType::Chain),
    ("ai.embedMany", OperationType::Chain),
    ("ai.rerank", OperationType::Chain),
];
