//! A step's span, as it is written when the step begins, goes on and ends.

use serde_json::{Value, json};

use super::step::Step;
use crate::model::{
    Json, SpanId, Timestamp,
    component::ComponentRef,
    span::{
        NewSpan, OperationType, SpanAction, SpanBody, SpanChanges, SpanCompletion, SpanDetails, SpanEvent,
        SpanOp, SpanStatus,
    },
};

/// How a step came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As the script says.
    Played,
    /// The demo was stopped.
    CutOff,
}

/// The beginning.
pub(super) fn begin(step: &Step, id: SpanId, parent_id: Option<SpanId>, parts: Vec<ComponentRef>) -> SpanOp {
    // How many documents there are, and why a model stops, is known at the end.
    let details = SpanDetails { finish_reason: None, document_count: None, ..step.details.clone() };
    let changes = SpanChanges {
        details,
        components: parts,
        body: SpanBody { inputs: document(&step.inputs), ..SpanBody::default() },
        ..SpanChanges::default()
    };
    let span = NewSpan {
        id,
        parent_id,
        operation_type: step.operation,
        name: step.name.clone(),
        start_time: None,
        end_time: None,
        status: None,
        changes,
    };
    SpanOp { id, action: SpanAction::Create(Box::new(span)) }
}

/// The first token of a model's answer, `nanos` after it was asked.
pub(super) fn first_token(id: SpanId, now: Timestamp, nanos: u64) -> SpanOp {
    let details = SpanDetails { time_to_first_token_nanos: Some(nanos), ..SpanDetails::default() };
    let event = SpanEvent { name: "first token".to_owned(), time: now, attributes: None };
    let body = SpanBody { events: vec![event], ..SpanBody::default() };
    let changes = SpanChanges { details, body, ..SpanChanges::default() };
    SpanOp { id, action: SpanAction::Update(Box::new(changes)) }
}

/// The end.
pub(super) fn end(step: &Step, id: SpanId, outcome: Outcome) -> SpanOp {
    let (status, changes) = match (outcome, step.failure) {
        (Outcome::CutOff, _) => {
            let status_message = Some("the demo was stopped".to_owned());
            (SpanStatus::Cancelled, SpanChanges { status_message, ..SpanChanges::default() })
        }
        (Outcome::Played, Some(why)) => (SpanStatus::Error, failed(why)),
        (Outcome::Played, None) => (SpanStatus::Ok, SpanChanges::default()),
    };
    let played = outcome == Outcome::Played;
    let mut changes =
        SpanChanges { tokens: step.tokens.filter(|_| played), cost: step.cost.filter(|_| played), ..changes };
    if played {
        changes.body.outputs = document(&step.outputs);
        changes.details = SpanDetails {
            finish_reason: step.details.finish_reason.clone(),
            document_count: step.details.document_count,
            ..SpanDetails::default()
        };
    }
    if step.operation == OperationType::LlmCall {
        changes.body.attributes = document(&json!({ "scripted": true }));
    }
    SpanOp { id, action: SpanAction::Complete(Box::new(SpanCompletion { status, end_time: None, changes })) }
}

fn failed(why: &str) -> SpanChanges {
    let error_details = document(&json!({ "message": why, "scripted": true }));
    SpanChanges {
        status_message: Some(why.to_owned()),
        body: SpanBody { error_details, ..SpanBody::default() },
        ..SpanChanges::default()
    }
}

fn document(value: &Value) -> Option<Json> {
    if value.is_null() { None } else { Json::from_value(value).ok() }
}
