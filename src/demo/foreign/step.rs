//! Something that happens in a run, and its span as it is written when it begins, goes on and ends.

use serde_json::{Value, json};

use crate::{
    demo::author::Author,
    model::{
        Json, SpanId, Timestamp,
        component::ComponentRef,
        ledger::{NanoUsd, TokenCounts},
        span::{
            NewSpan, OperationType, SpanAction, SpanBody, SpanChanges, SpanCompletion, SpanDetails,
            SpanEvent, SpanOp, SpanStatus,
        },
    },
};

/// Something that happens.
pub(super) struct Step {
    pub operation: OperationType,
    name: String,
    details: SpanDetails,
    inputs: Value,
    outputs: Value,
    /// What is known at the end.
    used: Option<(TokenCounts, NanoUsd)>,
    components: Vec<ComponentRef>,
    /// How long it lasts by itself, in beats of the pace.
    pub beats: u64,
    failure: Option<&'static str>,
    /// What happens in it.
    pub inner: Vec<Step>,
    /// Whether that happens all at once, not one after the other.
    pub at_once: bool,
}

/// How a step came out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As it was made up.
    #[default]
    Played,
    /// The demo was stopped.
    CutOff,
}

/// The model that is said to have answered, and what it costs: in billionths of a dollar a token.
const MODEL: &str = "scripted-large-1";
const INPUT_PRICE: u64 = 2_500;
const OUTPUT_PRICE: u64 = 10_000;

impl Step {
    pub(super) fn new(
        operation: OperationType,
        name: impl Into<String>,
        inputs: Value,
        outputs: Value,
    ) -> Self {
        Self {
            operation,
            name: name.into(),
            details: SpanDetails::default(),
            inputs,
            outputs,
            used: None,
            components: Vec::new(),
            beats: 1,
            failure: None,
            inner: Vec::new(),
            at_once: false,
        }
    }

    /// An agent, by its prompt.
    pub(super) fn agent(name: &str, inner: Vec<Step>) -> Self {
        let details = SpanDetails { agent_name: Some(name.to_owned()), ..SpanDetails::default() };
        Self { details, inner, ..Self::new(OperationType::Agent, name, Value::Null, Value::Null) }
    }

    /// A call of a model.
    pub(super) fn model_call(
        author: &mut Author,
        prompt: &ComponentRef,
        asked: &str,
        answer: &Value,
    ) -> Self {
        let (read, written) = (author.between(600, 4_800), author.between(40, 620));
        let cached = if author.chance(60) { read * 3 / 4 } else { 0 };
        let cost = (read - cached) * INPUT_PRICE + cached * INPUT_PRICE / 2 + written * OUTPUT_PRICE;
        let tokens = TokenCounts {
            input: Some(read),
            output: Some(written),
            cache_read: Some(cached),
            ..TokenCounts::default()
        };
        let inputs = json!({ "messages": [{ "role": "user", "content": asked }] });
        let outputs = json!({ "role": "assistant", "content": answer });
        Self {
            details: SpanDetails {
                model: Some(MODEL.to_owned()),
                provider: Some("scripted".to_owned()),
                ..SpanDetails::default()
            },
            used: Some((tokens, NanoUsd::from_nanos(i64::try_from(cost).unwrap_or_default()))),
            components: vec![prompt.clone()],
            beats: author.between(1, 4),
            ..Self::new(OperationType::LlmCall, format!("chat {MODEL}"), inputs, outputs)
        }
    }

    /// A call of a tool.
    pub(super) fn tool(author: &mut Author, name: &str, arguments: Value, result: Value) -> Self {
        let details = SpanDetails { tool_name: Some(name.to_owned()), ..SpanDetails::default() };
        let beats = author.between(1, 4);
        Self { details, beats, ..Self::new(OperationType::ToolCall, name, arguments, result) }
    }

    pub(super) fn made_of(mut self, component: &ComponentRef) -> Self {
        self.components.push(component.clone());
        self
    }

    pub(super) fn failing(mut self, why: &'static str) -> Self {
        self.failure = Some(why);
        self
    }

    /// The same with what happens inside, one after the other.
    pub(super) fn with(self, inner: Vec<Step>) -> Self {
        Self { inner, ..self }
    }

    /// The same with what happens inside, all at once.
    pub(super) fn with_at_once(self, inner: Vec<Step>) -> Self {
        Self { inner, at_once: true, ..self }
    }

    /// The span when it begins.
    pub(super) fn begin(&self, id: SpanId, parent_id: Option<SpanId>) -> SpanOp {
        let changes = SpanChanges {
            details: self.details.clone(),
            components: self.components.clone(),
            body: SpanBody { inputs: document(&self.inputs), ..SpanBody::default() },
            ..SpanChanges::default()
        };
        let span = NewSpan {
            id,
            parent_id,
            operation_type: self.operation,
            name: self.name.clone(),
            start_time: None,
            end_time: None,
            status: None,
            changes,
        };
        SpanOp { id, action: SpanAction::Create(Box::new(span)) }
    }

    /// The span when it ends.
    pub(super) fn end(&self, id: SpanId, outcome: Outcome) -> SpanOp {
        let said = |why: &str| SpanChanges { status_message: Some(why.to_owned()), ..SpanChanges::default() };
        let (status, changes) = match (outcome, self.failure) {
            (Outcome::CutOff, _) => (SpanStatus::Cancelled, said("the demo was stopped")),
            (Outcome::Played, Some(why)) => (SpanStatus::Error, said(why)),
            (Outcome::Played, None) => (SpanStatus::Ok, self.result()),
        };
        let completion = SpanCompletion { status, end_time: None, changes };
        SpanOp { id, action: SpanAction::Complete(Box::new(completion)) }
    }

    fn result(&self) -> SpanChanges {
        let is_model = self.operation == OperationType::LlmCall;
        SpanChanges {
            tokens: self.used.map(|(tokens, _)| tokens),
            cost: self.used.map(|(_, cost)| cost),
            details: SpanDetails {
                finish_reason: is_model.then(|| "stop".to_owned()),
                document_count: self.outputs.get("documents").and_then(documents),
                ..SpanDetails::default()
            },
            body: SpanBody { outputs: document(&self.outputs), ..SpanBody::default() },
            ..SpanChanges::default()
        }
    }
}

/// The span of a model's call when its answer begins.
pub(super) fn first_token(id: SpanId, asked: Timestamp, now: Timestamp) -> SpanOp {
    let time_to_first_token_nanos = Some(now.nanos_since(asked));
    let details = SpanDetails { time_to_first_token_nanos, ..SpanDetails::default() };
    let event = SpanEvent { name: "first token".to_owned(), time: now, attributes: None };
    let body = SpanBody { events: vec![event], ..SpanBody::default() };
    SpanOp {
        id,
        action: SpanAction::Update(Box::new(SpanChanges { details, body, ..SpanChanges::default() })),
    }
}

fn documents(found: &Value) -> Option<u32> {
    u32::try_from(found.as_array()?.len()).ok()
}

fn document(value: &Value) -> Option<Json> {
    (!value.is_null()).then(|| Json::of(value))
}
