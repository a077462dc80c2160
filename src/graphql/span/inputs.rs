//! What clients write to spans.

use async_graphql::{ID, InputObject, OneofObject};

use crate::{
    graphql::{
        ids,
        inputs::{ComponentRefInput, nanos, number},
        scalar::{Given, OptionalGiven},
    },
    model::{
        Json, Refusal, SpanId, Timestamp, TraceId,
        ledger::{CountingRule, NanoUsd, TokenCounts},
        span::{
            NewSpan, OperationType, SpanAction, SpanBody, SpanChanges, SpanCompletion, SpanDetails,
            SpanEvent, SpanLink, SpanOp, SpanStatus,
        },
    },
    service::tracing::SpanWrite,
};

/// A new span.
#[derive(InputObject)]
pub(super) struct CreateSpanInput {
    /// The trace: its global ID or UUID.
    trace_id: ID,
    /// The ID, where the client chooses it: sending the span again is then harmless.
    span_id: Option<ID>,
    /// The span that caused it: its global ID or UUID. It may come later.
    parent_span_id: Option<ID>,
    /// What kind of operation it is.
    operation_type: OperationType,
    /// What the operation is called.
    name: String,
    /// When it started; now, where nothing is said.
    start_time: Option<Given<Timestamp>>,
    /// When it ended, where it has.
    end_time: Option<Given<Timestamp>>,
    /// Where it stands; where nothing is said, `OK` with an end and `RUNNING` without.
    status: Option<SpanStatus>,
    #[graphql(flatten)]
    changes: SpanChangesInput,
}

/// A change of a span that has not ended. What is left out stays as it is.
#[derive(InputObject)]
pub(super) struct UpdateSpanInput {
    /// The span: its global ID, or its UUID together with `traceId`.
    span_id: ID,
    /// The span's trace: its global ID or UUID.
    trace_id: Option<ID>,
    /// A new name.
    name: Option<String>,
    #[graphql(flatten)]
    changes: SpanChangesInput,
}

/// The end of a span that has not ended. What is left out stays as it is.
#[derive(InputObject)]
pub(super) struct CompleteSpanInput {
    /// The span: its global ID, or its UUID together with `traceId`.
    span_id: ID,
    /// The span's trace: its global ID or UUID.
    trace_id: Option<ID>,
    /// How it ended: not `RUNNING`.
    #[graphql(default_with = "SpanStatus::Ok")]
    status: SpanStatus,
    /// When it ended; now, where nothing is said.
    end_time: Option<Given<Timestamp>>,
    #[graphql(flatten)]
    changes: SpanChangesInput,
}

/// One write to one span.
#[derive(OneofObject)]
pub(super) enum SpanWriteInput {
    /// A span that must be new.
    Create(CreateSpanInput),
    /// A span as its sender knows it, new or again: the last one wins.
    Record(CreateSpanInput),
    /// A change of a span that has not ended.
    Update(UpdateSpanInput),
    /// The end of a span that has not ended.
    Complete(CompleteSpanInput),
}

/// What can be written to a span at any time.
#[derive(InputObject)]
pub(super) struct SpanChangesInput {
    /// Why it stands where it stands, in short.
    status_message: Option<String>,
    /// The model that answered.
    model: Option<String>,
    /// Who runs the model.
    provider: Option<String>,
    /// Why the model stopped.
    finish_reason: Option<String>,
    /// Milliseconds until the first token.
    time_to_first_token_ms: Option<Given<f64>>,
    /// The tool.
    tool_name: Option<String>,
    /// The model's own ID of the tool call.
    tool_call_id: Option<String>,
    /// The agent.
    agent_name: Option<String>,
    /// The plan: its global ID or UUID.
    plan_id: Option<ID>,
    /// The plan's step: its global ID or UUID.
    step_id: Option<ID>,
    /// How many documents were found.
    document_count: Option<Given<u32>>,
    /// The provider's ID of the model's answer. Spans with the same one are of one call, and count once.
    response_id: Option<String>,
    /// The tokens used, as reported. They replace what was reported before.
    tokens: Option<TokensInput>,
    /// What the token counts include; `INCLUSIVE` where nothing is said.
    counting_rule: Option<CountingRule>,
    /// What it cost, in US dollars, as reported.
    cost_usd: Option<Given<f64>>,
    /// Component versions behind it, added to those it has.
    components: Option<Vec<ComponentRefInput>>,
    /// What went in.
    inputs: Option<Given<Json>>,
    /// What came out.
    outputs: Option<Given<Json>>,
    /// The agent's memory at that moment.
    memory_snapshot: Option<Given<Json>>,
    /// The conversation at that moment.
    conversation_context: Option<Given<Json>>,
    /// What went wrong.
    error_details: Option<Given<Json>>,
    /// Whatever else there is to say: an object. Members are added to those it has.
    attributes: Option<Given<Json>>,
    /// What happened during it, added to the events it has.
    events: Option<Vec<SpanEventInput>>,
    /// Spans elsewhere that it has to do with, added to the links it has.
    links: Option<Vec<SpanLinkInput>>,
}

/// Tokens by kind, as the caller counts them. What is unknown is left out.
#[derive(InputObject)]
struct TokensInput {
    /// Tokens read by the model.
    input: Option<Given<u64>>,
    /// Tokens written by the model.
    output: Option<Given<u64>>,
    /// Input tokens that came from a cache.
    cache_read: Option<Given<u64>>,
    /// Input tokens that were written to a cache.
    cache_write: Option<Given<u64>>,
    /// Output tokens spent on reasoning.
    reasoning: Option<Given<u64>>,
    /// The total, where the caller has one of its own.
    total: Option<Given<u64>>,
}

/// A moment inside a span.
#[derive(InputObject)]
struct SpanEventInput {
    /// What happened.
    name: String,
    /// When.
    time: Given<Timestamp>,
    /// More about it: an object.
    attributes: Option<Given<Json>>,
}

/// A tie to a span of any trace.
#[derive(InputObject)]
struct SpanLinkInput {
    /// The other span's trace: its global ID or UUID.
    trace_id: ID,
    /// The other span: its global ID or UUID; without it the trace as a whole is meant.
    span_id: Option<ID>,
    /// More about it: an object.
    attributes: Option<Given<Json>>,
}

impl CreateSpanInput {
    /// The write of a span that must be new, or of one that may be there (`again`).
    pub(super) fn into_write(
        self,
        again: bool,
        new_id: impl FnOnce() -> SpanId,
    ) -> Result<SpanWrite, Refusal> {
        let trace_id: TraceId = ids::read("traceId", &self.trace_id)?;
        let id = ids::read_optional("spanId", self.span_id.as_ref())?.unwrap_or_else(new_id);
        let span = Box::new(NewSpan {
            id,
            parent_id: ids::read_optional("parentSpanId", self.parent_span_id.as_ref())?,
            operation_type: self.operation_type,
            name: self.name,
            start_time: self.start_time.read("startTime")?,
            end_time: self.end_time.read("endTime")?,
            status: self.status,
            changes: self.changes.into_model()?,
        });
        let action = if again { SpanAction::Record(span) } else { SpanAction::Create(span) };
        Ok(SpanWrite { trace_id, op: SpanOp { id, action } })
    }
}

impl UpdateSpanInput {
    pub(super) fn into_write(self) -> Result<SpanWrite, Refusal> {
        let (trace_id, id) = ids::read_span(("spanId", &self.span_id), ("traceId", self.trace_id.as_ref()))?;
        let changes = SpanChanges { name: self.name, ..self.changes.into_model()? };
        Ok(SpanWrite { trace_id, op: SpanOp { id, action: SpanAction::Update(Box::new(changes)) } })
    }
}

impl CompleteSpanInput {
    pub(super) fn into_write(self) -> Result<SpanWrite, Refusal> {
        let (trace_id, id) = ids::read_span(("spanId", &self.span_id), ("traceId", self.trace_id.as_ref()))?;
        let completion = SpanCompletion {
            status: self.status,
            end_time: self.end_time.read("endTime")?,
            changes: self.changes.into_model()?,
        };
        Ok(SpanWrite { trace_id, op: SpanOp { id, action: SpanAction::Complete(Box::new(completion)) } })
    }
}

impl SpanWriteInput {
    pub(super) fn into_write(self, new_id: impl FnOnce() -> SpanId) -> Result<SpanWrite, Refusal> {
        match self {
            Self::Create(span) => span.into_write(false, new_id).map_err(|refusal| refusal.below("create")),
            Self::Record(span) => span.into_write(true, new_id).map_err(|refusal| refusal.below("record")),
            Self::Update(change) => change.into_write().map_err(|refusal| refusal.below("update")),
            Self::Complete(end) => end.into_write().map_err(|refusal| refusal.below("complete")),
        }
    }
}

impl SpanChangesInput {
    fn into_model(self) -> Result<SpanChanges, Refusal> {
        Ok(SpanChanges {
            name: None,
            status_message: self.status_message,
            details: SpanDetails {
                model: self.model,
                provider: self.provider,
                finish_reason: self.finish_reason,
                time_to_first_token_nanos: nanos(self.time_to_first_token_ms, "timeToFirstTokenMs")?,
                tool_name: self.tool_name,
                tool_call_id: self.tool_call_id,
                agent_name: self.agent_name,
                plan_id: ids::read_optional("planId", self.plan_id.as_ref())?,
                step_id: ids::read_optional("stepId", self.step_id.as_ref())?,
                document_count: self.document_count.read("documentCount")?,
                response_id: self.response_id,
            },
            tokens: self.tokens.map(TokensInput::into_model).transpose()?,
            rule: self.counting_rule,
            cost: self
                .cost_usd
                .read("costUsd")?
                .map(|cost| NanoUsd::from_dollars("costUsd", cost))
                .transpose()?,
            components: number(self.components, "components", ComponentRefInput::into_model)?,
            body: SpanBody {
                inputs: self.inputs.read("inputs")?,
                outputs: self.outputs.read("outputs")?,
                memory_snapshot: self.memory_snapshot.read("memorySnapshot")?,
                conversation_context: self.conversation_context.read("conversationContext")?,
                error_details: self.error_details.read("errorDetails")?,
                attributes: self.attributes.read("attributes")?,
                events: number(self.events, "events", SpanEventInput::into_model)?,
                links: number(self.links, "links", SpanLinkInput::into_model)?,
                ..SpanBody::default()
            },
        })
    }
}

impl TokensInput {
    fn into_model(self) -> Result<TokenCounts, Refusal> {
        Ok(TokenCounts {
            input: self.input.read("tokens.input")?,
            output: self.output.read("tokens.output")?,
            cache_read: self.cache_read.read("tokens.cacheRead")?,
            cache_write: self.cache_write.read("tokens.cacheWrite")?,
            reasoning: self.reasoning.read("tokens.reasoning")?,
            total: self.total.read("tokens.total")?,
        })
    }
}

impl SpanEventInput {
    fn into_model(self) -> Result<SpanEvent, Refusal> {
        let Self { name, time, attributes } = self;
        Ok(SpanEvent { name, time: time.read("time")?, attributes: attributes.read("attributes")? })
    }
}

impl SpanLinkInput {
    fn into_model(self) -> Result<SpanLink, Refusal> {
        Ok(SpanLink {
            trace_id: ids::read("traceId", &self.trace_id)?,
            span_id: ids::read_optional("spanId", self.span_id.as_ref())?,
            attributes: self.attributes.read("attributes")?,
        })
    }
}
