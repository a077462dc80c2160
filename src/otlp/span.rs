//! A span of OTLP as the service takes it.

use opentelemetry_proto::tonic::trace::v1::{Span, span, status::StatusCode};

use super::{attributes::Written, id, origin::Origin, time};
use crate::{
    model::{
        Refusal, SpanId, Timestamp,
        span::{NewSpan, ReceivedSpan, SpanBody, SpanChanges, SpanDetails, SpanEvent, SpanLink},
    },
    semconv::{Told, WireSpan},
    service::ingest::{self, Ingest, NamedVersion, OfTrace, ReportedContent, ReportedItem},
};

/// What reading a span needs.
pub(super) struct Reading<'a> {
    pub(super) ingest: &'a Ingest,
    pub(super) now: Timestamp,
    /// The place of the item in its request.
    pub(super) place: usize,
    /// A hash of the item as it came.
    pub(super) fingerprint: u64,
    /// Versions that are not registered yet.
    pub(super) versions: &'a mut Vec<NamedVersion>,
}

/// Bytes of a name of a field that comes from an attribute.
const NAME_BYTES: usize = 256;

/// Bytes of a status message.
const MESSAGE_BYTES: usize = 4_000;

/// Reads a span.
pub(super) fn read(
    span: &mut Span,
    origin: &Origin,
    reading: &mut Reading<'_>,
) -> Result<ReportedItem, Refusal> {
    let trace_id = id::trace("traceId", &span.trace_id)?;
    let own_id = id::span("spanId", &span.span_id)?;
    let parent_id = id::optional_span("parentSpanId", &span.parent_span_id)?;
    let start_time = time::moment("startTimeUnixNano", span.start_time_unix_nano, reading.now)?;
    let (end_time, end_was) = end(span, start_time, reading.now)?;
    let events = span.events.iter().map(|event| read_event(event, start_time)).collect::<Vec<_>>();
    // Some versions of Claude Code send links whose ids are too long: the span itself is as good.
    let links: Vec<_> = span.links.iter().filter_map(read_link).collect();
    let left_out = span.links.len() - links.len();
    span.dropped_links_count =
        span.dropped_links_count.saturating_add(u32::try_from(left_out).unwrap_or(u32::MAX));
    let origin_json = origin.of_span(span, end_was);
    let written = Written::of(&span.attributes);
    let mut told = {
        let attributes = written.values();
        Told::of(WireSpan {
            name: &span.name,
            attributes: &attributes,
            events: &events,
            start_time,
            service: origin.service(),
            wanted: &|component| reading.ingest.keeps_versions_of(component),
        })
    };
    let mut components = Vec::new();
    for source in &told.versions {
        components.extend(reading.ingest.versions_of(source, reading.versions));
    }
    // A span that only says that another has started stands for that one.
    let (span_id, parent_id, end_time) = match (&told.pending, parent_id) {
        (Some(pending), Some(started)) => {
            let parent = pending.parent.as_deref().and_then(id::written_span);
            (started, parent, None)
        }
        _ => (own_id, parent_id, end_time),
    };
    let status = span.status.as_ref();
    let failed = told.failed || status.is_some_and(|status| status.code == StatusCode::Error as i32);
    let message = status.map(|status| status.message.as_str()).filter(|message| !message.is_empty());
    let message = message.map(str::to_owned).or_else(|| told.message.take().filter(|_| failed));
    let judgements = std::mem::take(&mut told.judgements);
    let of_trace = OfTrace {
        name: told.trace_name.take(),
        conversation: told.conversation.take(),
        session: told.session.take(),
        user: told.user.take(),
    };
    let body = SpanBody {
        inputs: told.inputs.take(),
        outputs: told.outputs.take(),
        input_attribute: told.input_attribute.take(),
        output_attribute: told.output_attribute.take(),
        error_details: told.error.take().filter(|_| failed),
        attributes: written.into_json(),
        events,
        links,
        origin: Some(origin_json),
        ..SpanBody::default()
    };
    let changes = SpanChanges {
        name: None,
        status_message: message.map(|message| crate::model::text::shortened(&message, MESSAGE_BYTES)),
        details: named(told.details),
        tokens: told.tokens.map(|(tokens, _)| tokens),
        rule: told.tokens.map(|(_, rule)| rule),
        cost: told.cost,
        components,
        body,
    };
    let new = NewSpan {
        id: span_id,
        parent_id,
        operation_type: told.operation,
        name: a_name(&span.name).unwrap_or_else(|| told.operation.text().to_lowercase()),
        start_time: Some(start_time),
        end_time,
        status: Some(ingest::status_of(failed, end_time.is_some())),
        changes,
    };
    let received = ReceivedSpan { span: new, fingerprint: reading.fingerprint };
    let content = ReportedContent::Span(Box::new(received));
    Ok(ReportedItem { place: reading.place, trace_id, span_id, content, of_trace, judgements })
}

/// When a span ended, and what was sent where that lies before its start: clocks are set back. Without an
/// end the span goes on.
fn end(span: &Span, start: Timestamp, now: Timestamp) -> Result<(Option<Timestamp>, Option<u64>), Refusal> {
    if span.end_time_unix_nano == 0 {
        return Ok((None, None));
    }
    let end = time::moment("endTimeUnixNano", span.end_time_unix_nano, now)?;
    Ok((Some(end.max(start)), (end < start).then_some(span.end_time_unix_nano)))
}

fn read_event(event: &span::Event, start: Timestamp) -> SpanEvent {
    let time = i64::try_from(event.time_unix_nano).ok().filter(|nanos| *nanos > 0);
    SpanEvent {
        name: a_name(&event.name).unwrap_or_else(|| "event".to_owned()),
        time: time.map_or(start, Timestamp::from_nanos),
        attributes: Written::of(&event.attributes).into_json(),
    }
}

/// A link; `None` where it leads nowhere.
fn read_link(link: &span::Link) -> Option<SpanLink> {
    Some(SpanLink {
        trace_id: id::trace("traceId", &link.trace_id).ok()?,
        span_id: id::optional_span("spanId", &link.span_id).ok()?,
        attributes: Written::of(&link.attributes).into_json(),
    })
}

/// A text as a name may be: without control characters, not too long; `None` where nothing is left.
pub(super) fn a_name(text: &str) -> Option<String> {
    let text = text.trim();
    let plain = if text.chars().any(char::is_control) {
        text.replace(char::is_control, " ").trim().to_owned()
    } else {
        text.to_owned()
    };
    (!plain.is_empty()).then(|| crate::model::text::shortened(&plain, NAME_BYTES))
}

/// Details with names as they may be: a span is not refused for what its sender called a model.
pub(super) fn named(details: SpanDetails) -> SpanDetails {
    let name = |text: Option<String>| text.and_then(|text| a_name(&text));
    SpanDetails {
        model: name(details.model),
        provider: name(details.provider),
        finish_reason: name(details.finish_reason),
        tool_name: name(details.tool_name),
        tool_call_id: name(details.tool_call_id),
        agent_name: name(details.agent_name),
        response_id: name(details.response_id),
        ..details
    }
}

/// The id of the span that an item names.
pub(super) fn span_id(bytes: &[u8]) -> Result<SpanId, Refusal> {
    id::span("spanId", bytes)
}
