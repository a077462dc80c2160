//! What a span tells, all in all.

use chrono::{DateTime, Utc};

use super::{
    Attributes, Field, Judgement, VersionSource, answer, content, judgement, logfire,
    lookup::Fields,
    messages::{self, Beside},
    operation, settings, usage, versions,
};
use crate::model::{
    Json, Timestamp,
    chat::ChatMessage,
    ledger::{CountingRule, NanoUsd, TokenCounts},
    span::{OperationType, SpanDetails, SpanEvent},
};

/// A span as it came, as far as its meaning goes.
#[derive(Clone, Copy)]
pub struct WireSpan<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Its attributes.
    pub attributes: &'a Attributes<'a>,
    /// Its events.
    pub events: &'a [SpanEvent],
    /// When it started.
    pub start_time: Timestamp,
    /// Who sent it: the name of the service.
    pub service: Option<&'a str>,
    /// Whether versions of a component are still kept: what is not is not looked for.
    pub wanted: &'a dyn Fn(&str) -> bool,
}

/// A span that has started and not ended, sent as a span of its own below the one that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The parent of the span that it is of, as 16 hexadecimal digits; `None`: it has none.
    pub parent: Option<String>,
}

/// What was said in a call of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// What the model was given, the instructions first.
    pub given: Vec<ChatMessage>,
    /// What it answered.
    pub answered: Vec<ChatMessage>,
}

/// What a span tells.
#[derive(Debug, Clone)]
pub struct Told {
    /// What kind of operation it is.
    pub operation: OperationType,
    /// Small fields of its kind.
    pub details: SpanDetails,
    /// The tokens that it reports, and what the counts include.
    pub tokens: Option<(TokenCounts, CountingRule)>,
    /// The cost that it reports.
    pub cost: Option<NanoUsd>,
    /// What went in, where no single attribute holds it.
    pub inputs: Option<Json>,
    /// The attribute that holds what went in.
    pub input_attribute: Option<String>,
    /// What came out, where no single attribute holds it.
    pub outputs: Option<Json>,
    /// The attribute that holds what came out.
    pub output_attribute: Option<String>,
    /// What went wrong.
    pub error: Option<Json>,
    /// Whether it failed, though its status may not say so.
    pub failed: bool,
    /// What went wrong, in a sentence.
    pub message: Option<String>,
    /// The conversation that it belongs to, by the application's own id.
    pub conversation: Option<String>,
    /// The session that it belongs to, by the application's own id.
    pub session: Option<String>,
    /// Who ran it.
    pub user: Option<String>,
    /// What its trace is called.
    pub trace_name: Option<String>,
    /// What was said, where it is a call of a model that names its conversation: as
    /// [`view::chat`](super::view::chat) would read it of the span's body.
    pub said: Option<Said>,
    /// Where component versions behind it can be read from.
    pub versions: Vec<VersionSource>,
    /// Judgements that came with it.
    pub judgements: Vec<Judgement>,
    /// Whether it says only that another span has started.
    pub pending: Option<Pending>,
}

impl Told {
    /// What the span tells.
    #[must_use]
    pub fn of(span: WireSpan<'_>) -> Self {
        let fields = &Fields::find(span.attributes);
        let operation = operation::of(span.name, fields);
        let (inputs, input_attribute) = content::input(operation, fields, span.events).parts();
        let (outputs, output_attribute) = content::output(operation, fields, span.events).parts();
        let conversation = fields.text(Field::Conversation);
        let given = (operation == OperationType::LlmCall).then(|| {
            let (events, whole, named) = (span.events, inputs.as_ref(), input_attribute.is_some());
            messages::given(fields, Beside { events, whole, named })
        });
        let versions = versions::of(operation, fields, &span, given.as_deref());
        let said = given.filter(|_| conversation.is_some()).map(|given| {
            let (events, whole, named) = (span.events, outputs.as_ref(), output_attribute.is_some());
            Said { given, answered: messages::answered(fields, Beside { events, whole, named }) }
        });
        Self {
            operation,
            details: details(operation, fields, &span),
            tokens: usage::tokens(span.name, fields),
            cost: usage::cost(fields),
            inputs,
            input_attribute,
            outputs,
            output_attribute,
            error: error(fields, span.events),
            failed: fields.value(Field::Level).and_then(|level| level.text()) == Some("ERROR"),
            message: fields.text(Field::ErrorMessage),
            conversation,
            session: fields.text(Field::Session).or_else(|| fields.text(Field::Conversation)),
            user: fields.text(Field::User),
            trace_name: fields.text(Field::TraceName),
            said,
            versions,
            judgements: judgement::of(fields, span.events),
            pending: pending(fields),
        }
    }
}

fn pending(fields: &Fields<'_>) -> Option<Pending> {
    if fields.value(Field::PendingMark)?.text()? != logfire::PENDING {
        return None;
    }
    let parent = fields.text(Field::PendingParent).filter(|parent| parent.bytes().any(|digit| digit != b'0'));
    Some(Pending { parent })
}

fn details(operation: OperationType, fields: &Fields<'_>, span: &WireSpan<'_>) -> SpanDetails {
    let is = |operations: &[OperationType]| operations.contains(&operation);
    let tool = is(&[OperationType::ToolCall]);
    let documents = is(&[OperationType::Retrieval, OperationType::Rerank, OperationType::Memory]);
    SpanDetails {
        model: fields.text(Field::Model).or_else(|| settings::request_model(fields)),
        provider: fields.text(Field::Provider),
        finish_reason: finish_reason(fields),
        time_to_first_token_nanos: first_token(fields, span),
        tool_name: fields.text(Field::ToolName).or_else(|| tool.then(|| span.name.to_owned())),
        tool_call_id: fields.text(Field::ToolCallId).or_else(|| {
            tool.then(|| answer::tool_result(&output_naming(fields, &["id\"", "Id\""])?).map(|(id, _)| id))
                .flatten()
        }),
        agent_name: fields.text(Field::AgentName),
        plan_id: None,
        step_id: None,
        document_count: documents.then(|| count_of(fields, Field::Documents)).flatten(),
        response_id: fields.text(Field::ResponseId).or_else(|| {
            let calls = is(&[OperationType::LlmCall]);
            calls.then(|| answer::response_id(&output_naming(fields, &["\"object\"", "\"type\""])?)).flatten()
        }),
    }
}

/// What came out, where it is an object with one of `words` in its text: to look for a word costs little
/// beside reading all that a model said.
fn output_naming(fields: &Fields<'_>, words: &[&str]) -> Option<Json> {
    let output = fields.value(Field::Output)?;
    let text = output.written()?;
    let may_tell = text.trim_start().starts_with('{') && words.iter().any(|word| text.contains(word));
    may_tell.then(|| output.document()).flatten()
}

/// How many items a list has.
fn count_of(fields: &Fields<'_>, field: Field) -> Option<u32> {
    u32::try_from(fields.parsed(field)?.as_array()?.len()).ok()
}

/// Why the model stopped: each word once, where there are several answers.
fn finish_reason(fields: &Fields<'_>) -> Option<String> {
    let value = fields.value(Field::FinishReason)?;
    let Some(list) = value.parsed() else { return value.words() };
    let mut words: Vec<&str> = list.as_array()?.iter().filter_map(serde_json::Value::as_str).collect();
    words.dedup();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Events that are the first piece of a streamed answer.
const FIRST_TOKEN: &[&str] = &[
    "First Token Stream Event",
    "gen_ai.content.completion.chunk",
    "llm.content.completion.chunk",
    "ai.stream.firstChunk",
];

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn first_token(fields: &Fields<'_>, span: &WireSpan<'_>) -> Option<u64> {
    let nanos = |number: f64, unit: f64| {
        let nanos = number * unit;
        (0.0..1e18).contains(&nanos).then_some(nanos as u64)
    };
    let said = || fields.number(Field::FirstTokenSeconds).and_then(|seconds| nanos(seconds, 1e9));
    let millis = || fields.number(Field::FirstTokenMillis).and_then(|millis| nanos(millis, 1e6));
    let seen = || {
        let event = span.events.iter().find(|event| FIRST_TOKEN.contains(&event.name.as_str()))?;
        Some(event.time.nanos_since(span.start_time))
    };
    let dated = || {
        let date = fields.text(Field::FirstTokenDate)?.parse::<DateTime<Utc>>().ok()?;
        Some(Timestamp::from_date(date)?.nanos_since(span.start_time))
    };
    said().or_else(millis).or_else(dated).or_else(seen)
}

/// What went wrong: the last exception, else what an attribute says.
fn error(fields: &Fields<'_>, events: &[SpanEvent]) -> Option<Json> {
    if let Some(exception) = events.iter().rev().find(|event| event.name == "exception")
        && let Some(json) = &exception.attributes
    {
        let attributes = Attributes::read(json);
        let text = |name: &str| attributes.get(name).and_then(super::Value::words);
        return Some(Json::of(&serde_json::json!({
            "type": text("exception.type"),
            "message": text("exception.message"),
            "stacktrace": text("exception.stacktrace"),
        })));
    }
    let error = fields.text(Field::ErrorType)?;
    Some(Json::of(&serde_json::json!({"type": error, "message": fields.text(Field::ErrorMessage)})))
}
