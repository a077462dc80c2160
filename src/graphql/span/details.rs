//! The fields that only some kinds of operation have.

use async_graphql::{Context, Object};

use super::Span;
use crate::{
    graphql::{
        error::Result,
        plan::{Plan, PlanStep},
        scalar::{PlainId, int, millis},
    },
    model::span::OperationType,
};

/// All fields of which each object type takes over some: see [`of_kind`].
pub(super) struct Details<'a>(pub &'a Span);

/// See [`Details`].
#[Object]
impl Details<'_> {
    /// The model that answered.
    async fn model(&self) -> Option<&str> {
        self.0.head.details.model.as_deref()
    }

    /// Who runs the model.
    async fn provider(&self) -> Option<&str> {
        self.0.head.details.provider.as_deref()
    }

    /// Why the model stopped.
    async fn finish_reason(&self) -> Option<&str> {
        self.0.head.details.finish_reason.as_deref()
    }

    /// Milliseconds until the first token.
    async fn time_to_first_token_ms(&self) -> Option<f64> {
        self.0.head.details.time_to_first_token_nanos.map(millis)
    }

    /// The tool.
    async fn tool_name(&self) -> Option<&str> {
        self.0.head.details.tool_name.as_deref()
    }

    /// The model's own ID of the tool call.
    async fn tool_call_id(&self) -> Option<&str> {
        self.0.head.details.tool_call_id.as_deref()
    }

    /// The agent.
    async fn agent_name(&self) -> Option<&str> {
        self.0.head.details.agent_name.as_deref()
    }

    /// The ID of the plan.
    async fn plan_id(&self) -> Option<PlainId> {
        self.0.head.details.plan_id.map(|id| PlainId(id.uuid()))
    }

    /// The ID of the plan's step.
    async fn step_id(&self) -> Option<PlainId> {
        self.0.head.details.step_id.map(|id| PlainId(id.uuid()))
    }

    /// The plan; null where there is none, or it is not here.
    async fn plan(&self, ctx: &Context<'_>) -> Result<Option<Plan>> {
        match self.0.head.details.plan_id {
            Some(id) => Plan::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The plan's step; null where there is none, or it is not here.
    async fn step(&self, ctx: &Context<'_>) -> Result<Option<PlanStep>> {
        let details = &self.0.head.details;
        match (details.plan_id, details.step_id) {
            (Some(plan), Some(step)) => PlanStep::load(ctx, plan, step).await,
            _ => Ok(None),
        }
    }

    /// How many documents were found.
    async fn document_count(&self) -> Option<i32> {
        self.0.head.details.document_count.map(int)
    }
}

/// A kind of operation as an object type.
pub(super) struct Kind {
    /// The object type's name.
    pub name: &'static str,
    /// What it is, in words.
    pub meaning: &'static str,
    /// Which of the [`Details`] it has.
    pub fields: &'static [&'static str],
}

/// The object type of a kind of operation.
pub(super) const fn of_kind(operation: OperationType) -> Kind {
    let (name, meaning, fields): (_, _, &[&str]) = match operation {
        OperationType::LlmCall => (
            "LlmCallSpan",
            "A call of a language model.",
            &["model", "provider", "finishReason", "timeToFirstTokenMs"],
        ),
        OperationType::ToolCall => ("ToolCallSpan", "A call of a tool.", &["toolName", "toolCallId"]),
        OperationType::Retrieval => {
            ("RetrievalSpan", "A search for documents.", &["documentCount", "model", "provider"])
        }
        OperationType::Agent => ("AgentSpan", "An agent at work.", &["agentName", "model", "provider"]),
        OperationType::PlanStep => (
            "PlanStepSpan",
            "A step of a plan, being worked on.",
            &["planId", "stepId", "plan", "step", "agentName"],
        ),
        OperationType::Memory => ("MemorySpan", "A read or write of memory.", &["documentCount"]),
        OperationType::Embedding => ("EmbeddingSpan", "A computation of embeddings.", &["model", "provider"]),
        OperationType::Rerank => {
            ("RerankSpan", "A new order of documents.", &["documentCount", "model", "provider"])
        }
        OperationType::Guardrail => {
            ("GuardrailSpan", "A check that may stop the agent.", &["model", "provider"])
        }
        OperationType::Evaluation => ("EvaluationSpan", "A judgement.", &["model", "provider"]),
        OperationType::Planning => {
            ("PlanningSpan", "The making of a plan.", &["planId", "plan", "agentName", "model", "provider"])
        }
        OperationType::Chain => ("ChainSpan", "A fixed sequence of operations.", &["agentName"]),
        OperationType::Custom => (
            "CustomSpan",
            "An operation of no other kind.",
            &[
                "model",
                "provider",
                "finishReason",
                "timeToFirstTokenMs",
                "toolName",
                "toolCallId",
                "agentName",
                "planId",
                "stepId",
                "plan",
                "step",
                "documentCount",
            ],
        ),
    };
    Kind { name, meaning, fields }
}
