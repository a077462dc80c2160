//! Records as they were written before: what databases hold that an earlier program made.
//!
//! A record of an older version is read into today's; nothing is written in these forms any more. Each
//! struct has the fields of its version in their order, which is all that the bytes say.

mod judgements;

use bincode::Decode;

pub(super) use self::judgements::read_score;
use super::{
    packed,
    spans::{BodyBlock, HeadBlock},
};
use crate::model::{
    ConversationId, Json, MessageId, PlanId, SpanId, StepId, Timestamp, TraceId, TurnId,
    component::ComponentRef,
    ledger::{Ledger, NanoUsd, TokenTotals},
    message::Message,
    span::{Attached, OperationType, SpanBody, SpanDetails, SpanEvent, SpanHead, SpanLink, SpanStatus},
    summary::{RootSpan, Summary},
    trace::{Claims, Trace, TraceBody, TraceOrigin, TraceStatus},
};

#[derive(Decode)]
struct SpanHead1 {
    id: SpanId,
    parent_id: Option<SpanId>,
    operation_type: OperationType,
    name: String,
    start_time: Timestamp,
    end_time: Option<Timestamp>,
    status: SpanStatus,
    status_message: Option<String>,
    details: SpanDetails1,
    ledger: Ledger,
    components: Vec<ComponentRef>,
    event_count: u32,
    link_count: u32,
    revision: u64,
    body_blocks: Vec<u64>,
}

#[derive(Decode)]
struct SpanDetails1 {
    model: Option<String>,
    provider: Option<String>,
    finish_reason: Option<String>,
    time_to_first_token_nanos: Option<u64>,
    tool_name: Option<String>,
    tool_call_id: Option<String>,
    agent_name: Option<String>,
    plan_id: Option<PlanId>,
    step_id: Option<StepId>,
    document_count: Option<u32>,
}

#[derive(Decode)]
struct SpanBody1 {
    inputs: Option<Json>,
    outputs: Option<Json>,
    memory_snapshot: Option<Json>,
    conversation_context: Option<Json>,
    error_details: Option<Json>,
    attributes: Option<Json>,
    events: Vec<SpanEvent>,
    links: Vec<SpanLink>,
}

#[derive(Decode)]
struct Summary1 {
    span_count: u64,
    running_count: u64,
    error_count: u64,
    llm_call_count: u64,
    tool_call_count: u64,
    tokens: TokenTotals,
    cost: NanoUsd,
    cost_known: bool,
    models: Vec<String>,
    components: Vec<ComponentRef>,
    root: Option<RootSpan>,
    depth: u32,
    first_start: Option<Timestamp>,
    last_end: Option<Timestamp>,
}

#[derive(Decode)]
struct Trace2 {
    id: TraceId,
    name: Option<String>,
    conversation_id: Option<ConversationId>,
    message_id: Option<MessageId>,
    turn_id: Option<TurnId>,
    user_id: Option<String>,
    session_id: Option<String>,
    status: TraceStatus,
    start_time: Timestamp,
    end_time: Option<Timestamp>,
    input_preview: Option<String>,
    output_preview: Option<String>,
    last_activity_at: Timestamp,
    revision: u64,
    summary: Summary,
    block_count: u32,
    origin: TraceOrigin,
    settled: bool,
    claims: Claims,
}

#[derive(Decode)]
struct Trace1 {
    id: TraceId,
    name: Option<String>,
    conversation_id: Option<ConversationId>,
    message_id: Option<MessageId>,
    turn_id: Option<TurnId>,
    user_id: Option<String>,
    session_id: Option<String>,
    status: TraceStatus,
    start_time: Timestamp,
    end_time: Option<Timestamp>,
    input_preview: Option<String>,
    output_preview: Option<String>,
    last_activity_at: Timestamp,
    revision: u64,
    summary: Summary1,
    block_count: u32,
}

impl From<SpanHead1> for SpanHead {
    fn from(head: SpanHead1) -> Self {
        let SpanDetails1 {
            model,
            provider,
            finish_reason,
            time_to_first_token_nanos,
            tool_name,
            tool_call_id,
            agent_name,
            plan_id,
            step_id,
            document_count,
        } = head.details;
        Self {
            id: head.id,
            parent_id: head.parent_id,
            operation_type: head.operation_type,
            name: head.name,
            start_time: head.start_time,
            end_time: head.end_time,
            status: head.status,
            status_message: head.status_message,
            details: SpanDetails {
                model,
                provider,
                finish_reason,
                time_to_first_token_nanos,
                tool_name,
                tool_call_id,
                agent_name,
                plan_id,
                step_id,
                document_count,
                response_id: None,
            },
            ledger: head.ledger,
            components: head.components,
            event_count: head.event_count,
            link_count: head.link_count,
            revision: head.revision,
            body_blocks: head.body_blocks,
            attached: Attached::default(),
            announced: false,
            fingerprint: 0,
        }
    }
}

impl From<SpanBody1> for SpanBody {
    fn from(body: SpanBody1) -> Self {
        Self {
            inputs: body.inputs,
            outputs: body.outputs,
            memory_snapshot: body.memory_snapshot,
            conversation_context: body.conversation_context,
            error_details: body.error_details,
            attributes: body.attributes,
            events: body.events,
            links: body.links,
            ..Self::default()
        }
    }
}

impl From<Summary1> for Summary {
    fn from(summary: Summary1) -> Self {
        Self {
            span_count: summary.span_count,
            running_count: summary.running_count,
            error_count: summary.error_count,
            llm_call_count: summary.llm_call_count,
            tool_call_count: summary.tool_call_count,
            tokens: summary.tokens,
            cost: summary.cost,
            cost_known: summary.cost_known,
            models: summary.models,
            components: summary.components,
            root: summary.root,
            depth: summary.depth,
            first_start: summary.first_start,
            last_end: summary.last_end,
        }
    }
}

impl From<Trace2> for Trace {
    fn from(trace: Trace2) -> Self {
        Self {
            id: trace.id,
            name: trace.name,
            conversation_id: trace.conversation_id,
            message_id: trace.message_id,
            turn_id: trace.turn_id,
            user_id: trace.user_id,
            session_id: trace.session_id,
            status: trace.status,
            start_time: trace.start_time,
            end_time: trace.end_time,
            input_preview: trace.input_preview,
            output_preview: trace.output_preview,
            last_activity_at: trace.last_activity_at,
            revision: trace.revision,
            summary: trace.summary,
            block_count: trace.block_count,
            origin: trace.origin,
            settled: trace.settled,
            claims: trace.claims,
            replay_of: None,
        }
    }
}

impl From<Trace1> for Trace {
    fn from(trace: Trace1) -> Self {
        Self {
            id: trace.id,
            name: trace.name,
            conversation_id: trace.conversation_id,
            message_id: trace.message_id,
            turn_id: trace.turn_id,
            user_id: trace.user_id,
            session_id: trace.session_id,
            status: trace.status,
            start_time: trace.start_time,
            end_time: trace.end_time,
            input_preview: trace.input_preview,
            output_preview: trace.output_preview,
            last_activity_at: trace.last_activity_at,
            revision: trace.revision,
            summary: trace.summary.into(),
            block_count: trace.block_count,
            origin: TraceOrigin::Started,
            settled: false,
            claims: Claims::default(),
            replay_of: None,
        }
    }
}

/// Reads a record of an older version.
pub(super) fn read<R: Older1>(version: u8, payload: &[u8]) -> Result<R, String> {
    match version {
        1 => R::read1(payload),
        _ => Err(format!("format version {version} is not known")),
    }
}

/// A record that had another form in version 1.
pub(super) trait Older1: Sized {
    /// Reads the bytes behind the version.
    fn read1(payload: &[u8]) -> Result<Self, String>;
}

/// Reads a trace of an older version.
pub(super) fn read_trace(version: u8, payload: &[u8]) -> Result<Trace, String> {
    match version {
        1 => packed::read::<Trace1>(payload).map(Into::into),
        2 => packed::read::<Trace2>(payload).map(Into::into),
        _ => Err(format!("format version {version} is not known")),
    }
}

/// It was not compressed.
impl Older1 for TraceBody {
    fn read1(payload: &[u8]) -> Result<Self, String> {
        packed::read(payload)
    }
}

/// It was not compressed.
impl Older1 for Message {
    fn read1(payload: &[u8]) -> Result<Self, String> {
        packed::read(payload)
    }
}

impl Older1 for HeadBlock {
    fn read1(payload: &[u8]) -> Result<Self, String> {
        let heads: Vec<SpanHead1> = packed::unpack(payload)?;
        Ok(Self(heads.into_iter().map(Into::into).collect()))
    }
}

impl Older1 for BodyBlock {
    fn read1(payload: &[u8]) -> Result<Self, String> {
        let bodies: Vec<(SpanId, SpanBody1)> = packed::unpack(payload)?;
        Ok(Self(bodies.into_iter().map(|(id, body)| (id, body.into())).collect()))
    }
}
