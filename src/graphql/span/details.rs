//! The fields that only some kinds of operation have.

use async_graphql::{Context, Object};

use super::{
    Span,
    content::{ChatMessage, RetrievedDocument, SpanEvaluation, ToolDefinition},
};
use crate::{
    graphql::{
        error::Result,
        plan::{Plan, PlanStep},
        scalar::{Document, PlainId, int, millis},
    },
    model::span::{OperationType, SpanBody},
    semconv::view,
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

    /// The provider's ID of the model's answer: spans with the same one are of one call, and count once.
    async fn response_id(&self) -> Option<&str> {
        self.0.head.details.response_id.as_deref()
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

    /// What went in, as messages, the instructions first: whatever form they were sent in.
    async fn input_messages(&self, ctx: &Context<'_>) -> Result<Vec<ChatMessage>> {
        let messages = self.view(ctx, view::input_messages).await?;
        Ok(ChatMessage::all(&self.0.global_id(), "input", messages))
    }

    /// What came out, as messages: whatever form they were sent in.
    async fn output_messages(&self, ctx: &Context<'_>) -> Result<Vec<ChatMessage>> {
        let messages = self.view(ctx, view::output_messages).await?;
        Ok(ChatMessage::all(&self.0.global_id(), "output", messages))
    }

    /// The tools that the model could call.
    async fn tools(&self, ctx: &Context<'_>) -> Result<Vec<ToolDefinition>> {
        Ok(ToolDefinition::all(&self.0.global_id(), self.view(ctx, view::tools).await?))
    }

    /// The model that was asked for, where the one that answered goes by another name.
    async fn request_model(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.view(ctx, view::request_model).await
    }

    /// The model's settings, under the names that OpenTelemetry has for them: an object.
    async fn settings(&self, ctx: &Context<'_>) -> Result<Document> {
        Ok(Document(self.view(ctx, view::settings).await?))
    }

    /// What kind of tool it is.
    async fn tool_type(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.view(ctx, view::tool_type).await
    }

    /// What the tool does.
    async fn tool_description(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.view(ctx, view::tool_description).await
    }

    /// What the tool was called with.
    async fn arguments(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        Ok(self.view(ctx, SpanBody::read_inputs).await?.map(Document))
    }

    /// What the tool answered.
    async fn result(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        Ok(self.view(ctx, view::tool_result).await?.map(Document))
    }

    /// What was searched for.
    async fn query(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.view(ctx, view::search).await?.query)
    }

    /// What was found, the best first.
    async fn documents(&self, ctx: &Context<'_>) -> Result<Vec<RetrievedDocument>> {
        let documents = self.view(ctx, view::search).await?.documents;
        Ok(RetrievedDocument::all(&self.0.global_id(), "document", documents))
    }

    /// The documents before they were put into a new order.
    async fn input_documents(&self, ctx: &Context<'_>) -> Result<Vec<RetrievedDocument>> {
        let documents = self.view(ctx, view::search).await?.input_documents;
        Ok(RetrievedDocument::all(&self.0.global_id(), "inputDocument", documents))
    }

    /// The agent's ID.
    async fn agent_id(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.view(ctx, view::agent).await?.id)
    }

    /// The agent's version, as its owner counts.
    async fn agent_version(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.view(ctx, view::agent).await?.version)
    }

    /// What the agent does.
    async fn agent_description(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.view(ctx, view::agent).await?.description)
    }

    /// What embeddings were computed of.
    async fn texts(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        Ok(self.view(ctx, view::embedding).await?.texts)
    }

    /// The judgements that came with it.
    async fn evaluations(&self, ctx: &Context<'_>) -> Result<Vec<SpanEvaluation>> {
        Ok(SpanEvaluation::all(&self.0.global_id(), self.view(ctx, view::judgements).await?))
    }

    /// How many numbers each embedding has.
    async fn dimensions(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        Ok(self.view(ctx, view::embedding).await?.dimensions.map(int))
    }
}

impl Details<'_> {
    /// Something that the span's body tells; nothing where it has none.
    async fn view<T: Default>(&self, ctx: &Context<'_>, read: impl Fn(&SpanBody) -> T) -> Result<T> {
        Ok(self.0.body(ctx).await?.map(|body| read(&body)).unwrap_or_default())
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
            &[
                "model",
                "provider",
                "requestModel",
                "settings",
                "inputMessages",
                "outputMessages",
                "tools",
                "finishReason",
                "responseId",
                "timeToFirstTokenMs",
            ],
        ),
        OperationType::ToolCall => (
            "ToolCallSpan",
            "A call of a tool.",
            &["toolName", "toolCallId", "toolType", "toolDescription", "arguments", "result"],
        ),
        OperationType::Retrieval => (
            "RetrievalSpan",
            "A search for documents.",
            &["query", "documents", "documentCount", "model", "provider"],
        ),
        OperationType::Agent => (
            "AgentSpan",
            "An agent at work.",
            &[
                "agentName",
                "agentId",
                "agentVersion",
                "agentDescription",
                "inputMessages",
                "outputMessages",
                "tools",
                "model",
                "provider",
            ],
        ),
        OperationType::PlanStep => (
            "PlanStepSpan",
            "A step of a plan, being worked on.",
            &["planId", "stepId", "plan", "step", "agentName"],
        ),
        OperationType::Memory => {
            ("MemorySpan", "A read or write of memory.", &["query", "documents", "documentCount"])
        }
        OperationType::Embedding => {
            ("EmbeddingSpan", "A computation of embeddings.", &["texts", "dimensions", "model", "provider"])
        }
        OperationType::Rerank => (
            "RerankSpan",
            "A new order of documents.",
            &["query", "documents", "inputDocuments", "documentCount", "model", "provider"],
        ),
        OperationType::Guardrail => (
            "GuardrailSpan",
            "A check that may stop the agent.",
            &["evaluations", "inputMessages", "outputMessages", "model", "provider"],
        ),
        OperationType::Evaluation => (
            "EvaluationSpan",
            "A judgement.",
            &["evaluations", "inputMessages", "outputMessages", "model", "provider"],
        ),
        OperationType::Planning => {
            ("PlanningSpan", "The making of a plan.", &["planId", "plan", "agentName", "model", "provider"])
        }
        OperationType::Chain => (
            "ChainSpan",
            "A fixed sequence of operations.",
            &["agentName", "inputMessages", "outputMessages"],
        ),
        OperationType::Custom => (
            "CustomSpan",
            "An operation of no other kind.",
            &[
                "model",
                "provider",
                "finishReason",
                "responseId",
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
