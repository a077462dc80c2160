//! Traces and spans in few words.

use dendro::{
    model::{
        Json, SpanId, Timestamp, TraceId,
        span::{
            NewSpan, OperationType, SpanAction, SpanBody, SpanChanges, SpanCompletion, SpanOp, SpanStatus,
        },
        trace::{NewTrace, Trace, TraceCompletion, TraceStatus},
    },
    service::tracing::{SpanWrite, Tracing},
};

pub fn trace_id(number: u64) -> TraceId {
    TraceId::from_bytes((0x7ace_u128 << 112 | u128::from(number)).to_be_bytes())
}

pub fn span_id(number: u64) -> SpanId {
    SpanId::from_bytes(u128::from(number).to_be_bytes())
}

/// A running span without anything optional.
pub fn span(number: u64) -> NewSpan {
    NewSpan {
        id: span_id(number),
        parent_id: None,
        operation_type: OperationType::ToolCall,
        name: format!("span {number}"),
        start_time: Some(Timestamp::from_nanos(i64::try_from(number).unwrap())),
        end_time: None,
        status: None,
        changes: SpanChanges::default(),
    }
}

/// A body with these inputs.
pub fn inputs(text: &str) -> SpanBody {
    SpanBody { inputs: Some(Json::string(text)), ..SpanBody::default() }
}

/// A body with these outputs.
pub fn outputs(text: &str) -> SpanBody {
    SpanBody { outputs: Some(Json::string(text)), ..SpanBody::default() }
}

pub fn changes(body: SpanBody) -> SpanChanges {
    SpanChanges { body, ..SpanChanges::default() }
}

pub fn create(span: NewSpan) -> SpanOp {
    SpanOp { id: span.id, action: SpanAction::Create(Box::new(span)) }
}

pub fn record(span: NewSpan) -> SpanOp {
    SpanOp { id: span.id, action: SpanAction::Record(Box::new(span)) }
}

pub fn update(number: u64, changes: SpanChanges) -> SpanOp {
    SpanOp { id: span_id(number), action: SpanAction::Update(Box::new(changes)) }
}

pub fn complete(number: u64, changes: SpanChanges) -> SpanOp {
    let completion = SpanCompletion { status: SpanStatus::Ok, end_time: None, changes };
    SpanOp { id: span_id(number), action: SpanAction::Complete(Box::new(completion)) }
}

/// Writes of these to one trace.
pub fn writes(trace_id: TraceId, ops: impl IntoIterator<Item = SpanOp>) -> Vec<SpanWrite> {
    ops.into_iter().map(|op| SpanWrite { trace_id, op }).collect()
}

pub fn completed() -> TraceCompletion {
    TraceCompletion { status: TraceStatus::Completed, final_output: None, end_time: None }
}

/// Starts a trace with nothing but its id.
pub async fn start(tracing: &Tracing, id: TraceId) -> Trace {
    tracing.start_trace(NewTrace { id: Some(id), ..NewTrace::default() }).await.unwrap()
}
