//! A record of a log: an event of an agent that belongs to a span. Other records are not taken.

use opentelemetry_proto::tonic::logs::v1::LogRecord;

use super::{
    any_value,
    attributes::Written,
    fingerprint, id,
    origin::Origin,
    span::{Reading, a_name, named},
    time,
};
use crate::{
    model::{
        Json, Refusal, Timestamp,
        span::{SpanBody, SpanChanges, SpanDetails, SpanEvent, SpanPart},
    },
    semconv::{self, Told, WireSpan},
    service::ingest::{OfTrace, ReportedContent, ReportedItem},
};

/// What the names of events begin with that are taken.
const TAKEN: &[&str] = &["gen_ai.", "claude_code.", "openinference.", "llm.", "traceloop."];

/// The scope of Claude Code's events, whose names are bare.
const CLAUDE_CODE_SCOPE: &str = "com.anthropic.claude_code.events";

/// What the full names of its events begin with.
const CLAUDE_CODE: &str = "claude_code.";

/// What went wrong in a call.
const EXCEPTION: &str = "gen_ai.client.operation.exception";

/// Reads a record.
pub(super) fn read(
    record: &LogRecord,
    origin: &Origin,
    reading: &mut Reading<'_>,
) -> Result<ReportedItem, Refusal> {
    let fingerprint = fingerprint::of_record(record);
    read_known(record, origin, (fingerprint, reading))
}

/// Reads a record whose hash is known.
pub(super) fn read_known(
    record: &LogRecord,
    origin: &Origin,
    (fingerprint, reading): (u64, &mut Reading<'_>),
) -> Result<ReportedItem, Refusal> {
    let service = origin.service();
    let written = Written::of(&record.attributes);
    let mut name = event_name(record, &written);
    if origin.scope() == Some(CLAUDE_CODE_SCOPE) {
        name = name.map(|name| format!("{CLAUDE_CODE}{}", name.trim_start_matches(CLAUDE_CODE)));
    }
    let is_of_prompt = name.as_deref().is_some_and(|name| name.starts_with(CLAUDE_CODE));
    if !name.as_deref().is_some_and(|name| TAKEN.iter().any(|start| name.starts_with(start))) {
        let name = name.unwrap_or_default();
        let message = format!(
            "the event `{name}` is not taken; records are that belong to a span and are named gen_ai.* or the like"
        );
        return Err(Refusal::invalid("eventName", message));
    }
    let name = name.unwrap_or_default();
    let trace_id = id::trace("traceId", &record.trace_id)?;
    let span_id = super::span::span_id(&record.span_id)?;
    let nanos =
        if record.time_unix_nano == 0 { record.observed_time_unix_nano } else { record.time_unix_nano };
    let time = if nanos == 0 { reading.now } else { time::moment("timeUnixNano", nanos, reading.now)? };
    let (mut told, judgement) = {
        let attributes = written.values();
        let wanted = |component: &str| reading.keeps_versions_of(component);
        let span = WireSpan {
            name: &name,
            attributes: &attributes,
            events: &[],
            start_time: time,
            service,
            wanted: &wanted,
        };
        let is_judgement = name == semconv::EVALUATION_EVENT;
        (Told::of(span), is_judgement.then(|| semconv::judgement(&attributes, Some(time))).flatten())
    };
    let of_trace = OfTrace {
        name: None,
        conversation: told.conversation.take(),
        session: told.session.take(),
        user: told.user.take(),
        ..OfTrace::default()
    };
    if name == semconv::EVALUATION_EVENT {
        let message = "needs gen_ai.evaluation.name, and a score.value or a score.label";
        let judgement = judgement.ok_or_else(|| Refusal::invalid("attributes", message))?;
        told.judgements = vec![judgement];
    }
    // What judges has models and tokens of its own, and an event of a whole prompt sums up what stands on
    // the spans of its calls: neither is the span's.
    if name == semconv::EVALUATION_EVENT || is_of_prompt {
        told =
            Told { tokens: None, cost: None, details: SpanDetails::default(), versions: Vec::new(), ..told };
    }
    let body = body_of(record, &name, time, written, &mut told);
    told.versions.extend(body.events.iter().filter_map(|event| semconv::version_of_event(event, service)));
    let mut components = Vec::new();
    for source in &told.versions {
        components.extend(reading.versions_of(source));
    }
    let changes = SpanChanges {
        details: named(std::mem::take(&mut told.details)),
        tokens: told.tokens.map(|(tokens, _)| tokens),
        rule: told.tokens.map(|(_, rule)| rule),
        cost: told.cost,
        components,
        body,
        ..SpanChanges::default()
    };
    let part = SpanPart { fingerprint, name, operation_type: told.operation, time, changes };
    let (place, content) = (reading.place, ReportedContent::Part(Box::new(part)));
    let judgements = told.judgements;
    Ok(ReportedItem { content, of_trace, judgements, ..ReportedItem::empty(place, trace_id, span_id) })
}

/// The event's name: a field of its own, or an attribute of senders that know no such field.
fn event_name(record: &LogRecord, written: &Written<'_>) -> Option<String> {
    a_name(&record.event_name).or_else(|| a_name(&semconv::text(&written.values(), "event.name")?))
}

/// What the record adds to the span: attributes where it tells the call over again, else an event.
fn body_of(
    record: &LogRecord,
    name: &str,
    time: Timestamp,
    written: Written<'_>,
    told: &mut Told,
) -> SpanBody {
    if name == semconv::DETAILS {
        return SpanBody {
            attributes: written.into_json(),
            inputs: told.inputs.take(),
            outputs: told.outputs.take(),
            input_attribute: told.input_attribute.take(),
            output_attribute: told.output_attribute.take(),
            ..SpanBody::default()
        };
    }
    let mut text = written.into_json().map_or_else(|| "{}".to_owned(), |json| json.text().to_owned());
    if let Some(body) = record.body.as_ref().and_then(|body| body.value.as_ref()) {
        let body = any_value::text(|out| any_value::write(Some(body), out));
        text.pop();
        let comma = if text.len() > 1 { "," } else { "" };
        text = format!("{text}{comma}\"{}\":{body}}}", semconv::BODY);
    }
    let event = SpanEvent { name: name.to_owned(), time, attributes: Json::parse(&text).ok() };
    let error = (name == EXCEPTION).then(|| told.error.take()).flatten();
    SpanBody { events: vec![event], error_details: error, ..SpanBody::default() }
}
