//! Smaller conventions: Laminar, MLflow, Google's ADK, CrewAI, and names without a vendor.

use super::{Field, Fields};
use crate::model::span::OperationType;

pub(super) const FIELDS: Fields = &[
    (Field::Operation, &["lmnr.span.type", "mlflow.spanType", "span.type"]),
    (Field::Provider, &["mlflow.llm.provider"]),
    (Field::Model, &["mlflow.llm.model"]),
    (Field::Input, &["lmnr.span.input", "mlflow.spanInputs"]),
    (Field::Output, &["lmnr.span.output", "mlflow.spanOutputs"]),
    (Field::InputMessages, &["gcp.vertex.agent.llm_request"]),
    (Field::OutputMessages, &["gcp.vertex.agent.llm_response"]),
    (Field::ToolArguments, &["gcp.vertex.agent.tool_call_args"]),
    (Field::ToolResult, &["gcp.vertex.agent.tool_response"]),
    (
        Field::Conversation,
        &[
            "lmnr.association.properties.session_id",
            "gcp.vertex.agent.session_id",
            "mlflow.trace.session",
            "thread_id",
        ],
    ),
    (
        Field::Session,
        &["lmnr.association.properties.session_id", "gcp.vertex.agent.session_id", "mlflow.trace.session"],
    ),
    (Field::User, &["lmnr.association.properties.user_id", "mlflow.trace.user"]),
    (Field::AgentName, &["agent_name", "crew_agent_role"]),
    (Field::AgentId, &["agent_id"]),
    (Field::UsageDetails, &["mlflow.chat.tokenUsage"]),
    (Field::CostDetails, &["mlflow.llm.cost"]),
    (Field::ToolDefinitions, &["mlflow.chat.tools"]),
];

/// The words of Laminar's and MLflow's span types.
pub(super) const OPERATIONS: &[(&str, OperationType)] = &[
    ("LLM", OperationType::LlmCall),
    ("CHAT_MODEL", OperationType::LlmCall),
    ("TOOL", OperationType::ToolCall),
    ("AGENT", OperationType::Agent),
    ("CHAIN", OperationType::Chain),
    ("RETRIEVER", OperationType::Retrieval),
    ("RERANKER", OperationType::Rerank),
    ("EMBEDDING", OperationType::Embedding),
    ("EVALUATOR", OperationType::Evaluation),
    ("EVALUATION", OperationType::Evaluation),
    ("GUARDRAIL", OperationType::Guardrail),
    ("MEMORY", OperationType::Memory),
    ("PIPELINE", OperationType::Chain),
    ("WORKFLOW", OperationType::Chain),
    ("TASK", OperationType::Chain),
    ("EXECUTOR", OperationType::Custom),
    ("DEFAULT", OperationType::Custom),
    ("UNKNOWN", OperationType::Custom),
];
