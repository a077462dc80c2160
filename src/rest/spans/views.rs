//! How spans are shown.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::{
        component::ComponentRef,
        ledger::NanoUsd,
        span::{self, SpanBody, SpanHead},
        trace,
    },
    rest::{
        scalar::{Document, Moment, millis},
        words,
    },
    service::tracing::TraceSpans,
};

/// One operation in a trace. Fields that only some kinds of operation have are null for the others.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct Span {
    /// The ID, unique within its trace. An 8-byte ID of OpenTelemetry stands in its last 8 bytes.
    span_id: Uuid,
    /// Its trace.
    trace_id: Uuid,
    /// The span that caused it, as its sender said; that span may come later, or never.
    parent_span_id: Option<Uuid>,
    /// Its place in the tree; null in answers to writes, for which no tree is read.
    place: Option<Place>,
    /// What kind of operation it is.
    operation_type: words::OperationType,
    /// What the operation is called.
    name: String,
    /// When it started.
    start_time: Moment,
    /// When it ended; null while it goes on.
    end_time: Option<Moment>,
    /// Milliseconds from the start of its trace to its own.
    start_offset_ms: f64,
    /// How long it took, in milliseconds; null while it goes on.
    duration_ms: Option<f64>,
    /// How long it took, in nanoseconds; null while it goes on.
    duration_nanos: Option<u64>,
    /// Where it stands.
    status: words::SpanStatus,
    /// Why it stands there, in short.
    status_message: Option<String>,
    /// The model that answered.
    model: Option<String>,
    /// Who runs the model.
    provider: Option<String>,
    /// Why the model stopped.
    finish_reason: Option<String>,
    /// Milliseconds until the first token.
    time_to_first_token_ms: Option<f64>,
    /// The provider's ID of the model's answer: spans with the same one are of one call, and count once.
    response_id: Option<String>,
    /// The tool.
    tool_name: Option<String>,
    /// The model's own ID of the tool call.
    tool_call_id: Option<String>,
    /// The agent.
    agent_name: Option<String>,
    /// The plan.
    plan_id: Option<Uuid>,
    /// The plan's step.
    step_id: Option<Uuid>,
    /// How many documents were found.
    document_count: Option<u32>,
    /// Tokens read and written, by one meaning whatever the sender's way of counting: cached and reasoning tokens
    /// included. Null where none were reported.
    total_tokens: Option<u64>,
    /// Tokens read by the model, as reported.
    input_tokens: Option<u64>,
    /// Tokens written by the model, as reported.
    output_tokens: Option<u64>,
    /// Input tokens that came from a cache, as reported.
    cache_read_tokens: Option<u64>,
    /// Input tokens that were written to a cache, as reported.
    cache_write_tokens: Option<u64>,
    /// Output tokens spent on reasoning, as reported.
    reasoning_tokens: Option<u64>,
    /// What the reported counts include; null where none were reported.
    counting_rule: Option<words::CountingRule>,
    /// What it cost, in US dollars; null where nobody knows.
    cost_usd: Option<f64>,
    /// Where the cost comes from; null where nothing was used.
    cost_source: Option<words::CostSource>,
    /// The price table that a computed cost rests on.
    price_version: Option<String>,
    /// The component versions behind it.
    components: Vec<ComponentVersionRef>,
    /// How many events there are.
    event_count: u32,
    /// How many links there are.
    link_count: u32,
    /// The revision of its trace that last changed it.
    revision: u64,
    /// What went in, what came out, and what else was sent with it; null where that was not asked for, or there is
    /// nothing.
    body: Option<Body>,
}

/// A span's place in the tree of its trace.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SpanPlace)]
pub(in crate::rest) struct Place {
    /// How it came there.
    placement: words::Placement,
    /// The span above it; null at the top.
    above_span_id: Option<Uuid>,
    /// Levels above it; 0 at the top.
    depth: u32,
    /// How many spans stand directly below it.
    child_count: u32,
    /// How many spans stand below it, at whatever depth: where spans are listed by the tree, they are the next ones.
    descendant_count: u64,
}

/// A version of a component.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct ComponentVersionRef {
    /// The component.
    component_id: String,
    /// The hash that names the version.
    version_hash: String,
}

impl From<ComponentRef> for ComponentVersionRef {
    fn from(component: ComponentRef) -> Self {
        Self { component_id: component.component_id, version_hash: component.version_hash.to_string() }
    }
}

/// A span's large fields.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SpanBody)]
pub(in crate::rest) struct Body {
    /// What went in.
    inputs: Option<Document>,
    /// What came out.
    outputs: Option<Document>,
    /// The agent's memory at that moment.
    memory_snapshot: Option<Document>,
    /// The conversation at that moment.
    conversation_context: Option<Document>,
    /// What went wrong.
    error_details: Option<Document>,
    /// Whatever else was sent with it: an object.
    #[schema(value_type = Option<Object>)]
    attributes: Option<Document>,
    /// Where it came from, for spans that another system sent: its `resource`, `scope`, `kind` and the like, as
    /// OpenTelemetry names them. An object.
    #[schema(value_type = Option<Object>)]
    origin: Option<Document>,
    /// What happened during it.
    events: Vec<Event>,
    /// Spans elsewhere that it has to do with.
    links: Vec<Link>,
}

/// A moment inside a span.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SpanEvent)]
pub(in crate::rest) struct Event {
    /// What happened.
    name: String,
    /// When.
    time: Moment,
    /// More about it: an object.
    #[schema(value_type = Option<Object>)]
    attributes: Option<Document>,
}

/// A tie to a span of any trace.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SpanLink)]
pub(in crate::rest) struct Link {
    /// The other span's trace.
    trace_id: Uuid,
    /// The other span; null where the trace as a whole is meant.
    span_id: Option<Uuid>,
    /// More about it: an object.
    #[schema(value_type = Option<Object>)]
    attributes: Option<Document>,
}

impl From<SpanBody> for Body {
    fn from(body: SpanBody) -> Self {
        let document = |json: Option<_>| json.map(Document);
        let event = |event: span::SpanEvent| Event {
            name: event.name,
            time: event.time.into(),
            attributes: event.attributes.map(Document),
        };
        let link = |link: span::SpanLink| Link {
            trace_id: link.trace_id.uuid(),
            span_id: link.span_id.map(|id| id.uuid()),
            attributes: link.attributes.map(Document),
        };
        Self {
            inputs: document(body.read_inputs()),
            outputs: document(body.read_outputs()),
            memory_snapshot: document(body.memory_snapshot),
            conversation_context: document(body.conversation_context),
            error_details: document(body.error_details),
            attributes: document(body.attributes),
            origin: document(body.origin),
            events: body.events.into_iter().map(event).collect(),
            links: body.links.into_iter().map(link).collect(),
        }
    }
}

impl Place {
    fn of(spans: &TraceSpans, place: usize) -> Option<Self> {
        let (node, _) = spans.at(place)?;
        let above = node.parent.and_then(|parent| spans.at(parent));
        Some(Self {
            placement: node.placement.into(),
            above_span_id: above.map(|(_, head)| head.id.uuid()),
            depth: node.depth,
            child_count: node.child_count,
            descendant_count: node.subtree_size.saturating_sub(1) as u64,
        })
    }
}

impl Span {
    /// The span at a place of its trace's tree, with its body where that was read.
    pub(super) fn placed(spans: &TraceSpans, place: usize, body: Option<SpanBody>) -> Option<Self> {
        let (_, head) = spans.at(place)?;
        let place = Place::of(spans, place);
        Some(Self { place, body: body.map(Into::into), ..Self::alone(&spans.trace, head) })
    }

    /// A span without its place.
    pub(super) fn alone(trace: &trace::Trace, head: &SpanHead) -> Self {
        let (details, ledger) = (head.details.clone(), &head.ledger);
        Self {
            span_id: head.id.uuid(),
            trace_id: trace.id.uuid(),
            parent_span_id: head.parent_id.map(|id| id.uuid()),
            place: None,
            operation_type: head.operation_type.into(),
            name: head.name.clone(),
            start_time: head.start_time.into(),
            end_time: head.end_time.map(Into::into),
            start_offset_ms: millis(head.start_time.nanos_since(trace.start_time)),
            duration_ms: head.duration_nanos().map(millis),
            duration_nanos: head.duration_nanos(),
            status: head.status.into(),
            status_message: head.status_message.clone(),
            model: details.model,
            provider: details.provider,
            finish_reason: details.finish_reason,
            time_to_first_token_ms: details.time_to_first_token_nanos.map(millis),
            response_id: details.response_id,
            tool_name: details.tool_name,
            tool_call_id: details.tool_call_id,
            agent_name: details.agent_name,
            plan_id: details.plan_id.map(|id| id.uuid()),
            step_id: details.step_id.map(|id| id.uuid()),
            document_count: details.document_count,
            total_tokens: ledger.reports_tokens().then(|| ledger.totals().total()),
            input_tokens: ledger.tokens.input,
            output_tokens: ledger.tokens.output,
            cache_read_tokens: ledger.tokens.cache_read,
            cache_write_tokens: ledger.tokens.cache_write,
            reasoning_tokens: ledger.tokens.reasoning,
            counting_rule: ledger.rule.map(Into::into),
            cost_usd: ledger.cost.map(NanoUsd::dollars),
            cost_source: ledger.source.map(Into::into),
            price_version: ledger.price_version.clone(),
            components: head.components.iter().cloned().map(Into::into).collect(),
            event_count: head.event_count,
            link_count: head.link_count,
            revision: head.revision,
            body: None,
        }
    }
}
