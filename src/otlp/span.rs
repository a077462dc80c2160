//! A span of OTLP as the service takes it.

use opentelemetry_proto::tonic::trace::v1::{Span, span, status::StatusCode};

use super::{
    attributes::Written,
    fingerprint, id, log,
    origin::{Origin, Shown},
    own::Own,
    request::Way,
    time,
};
use crate::{
    model::{
        Refusal, SpanId, Timestamp, TraceId,
        component::ComponentRef,
        span::{
            NewSpan, OperationType, ReceivedSpan, SpanBody, SpanChanges, SpanDetails, SpanEvent, SpanLink,
            SpanPart, SpanStatus,
        },
    },
    semconv::{Pending, Told, VersionSource, WireSpan},
    service::ingest::{self, Ingest, NamedVersion, OfTrace, ReportedContent, ReportedItem},
};

/// What reading an item needs.
pub(super) struct Reading<'a> {
    /// Who keeps versions of components; `None`: nobody does.
    pub(super) ingest: Option<&'a Ingest>,
    /// Whether Dendro's own words hold.
    pub(super) way: Way,
    pub(super) now: Timestamp,
    /// The place of the item in its request.
    pub(super) place: usize,
    /// Versions that are not registered yet.
    pub(super) versions: &'a mut Vec<NamedVersion>,
}

impl Reading<'_> {
    /// Whether versions of a component are still kept.
    pub(super) fn keeps_versions_of(&self, component_id: &str) -> bool {
        self.ingest.is_some_and(|ingest| ingest.keeps_versions_of(component_id))
    }

    /// The versions of a source, as spans name them.
    pub(super) fn versions_of(&mut self, source: &VersionSource) -> Vec<ComponentRef> {
        self.ingest.map_or_else(Vec::new, |ingest| ingest.versions_of(source, self.versions))
    }
}

/// Bytes of a name of a field that comes from an attribute.
const NAME_BYTES: usize = 256;

/// Bytes of a status message.
const MESSAGE_BYTES: usize = 4_000;

/// Reads a span, and what came apart from it where an export has put both together.
pub(super) fn read(
    mut span: Span,
    origin: &Origin,
    reading: &mut Reading<'_>,
    items: &mut Vec<ReportedItem>,
) -> Result<(), Refusal> {
    let own = match reading.way {
        Way::File => Own::take(&mut span)?,
        Way::Door => Own::default(),
    };
    let is_announced = own.is_announced();
    let records = own.records(&mut span);
    let fingerprint = fingerprint::of_span(&span);
    let whole = read_whole(span, own, origin, (fingerprint, reading))?;
    let (id, trace_id, announced) = (whole.span_id, whole.trace_id, announcement(&whole));
    let mut parts = Vec::with_capacity(records.len());
    for (fingerprint, record) in records {
        let part = match &record {
            Some(record) => log::read_known(record, origin, (fingerprint, &mut *reading))?,
            None => ReportedItem::empty(reading.place, trace_id, id),
        };
        let content = match part.content {
            ReportedContent::Part(part) if is_announced => {
                let SpanPart { name, operation_type, .. } = announced.clone();
                ReportedContent::Part(Box::new(SpanPart { name, operation_type, ..*part }))
            }
            ReportedContent::Judgements => {
                ReportedContent::Part(Box::new(SpanPart { fingerprint, ..announced.clone() }))
            }
            content => content,
        };
        parts.push(ReportedItem { span_id: id, content, ..part });
    }
    items.extend((!is_announced).then_some(whole).into_iter().chain(parts));
    Ok(())
}

/// A part of a span that tells nothing but that there is one.
fn announcement(whole: &ReportedItem) -> SpanPart {
    let (name, operation_type, time) = match &whole.content {
        ReportedContent::Span(received) => {
            let span = &received.span;
            (span.name.clone(), span.operation_type, span.start_time)
        }
        _ => (String::new(), OperationType::Custom, None),
    };
    let time = time.unwrap_or_else(|| Timestamp::from_nanos(0));
    SpanPart { fingerprint: 0, name, operation_type, time, changes: SpanChanges::default() }
}

fn read_whole(
    mut span: Span,
    mut own: Own,
    origin: &Origin,
    (fingerprint, reading): (u64, &mut Reading<'_>),
) -> Result<ReportedItem, Refusal> {
    let is_recorded = own.is_recorded();
    let times = Times::of(&span, (!is_recorded).then_some(reading.now))?;
    let (events, links) = events_and_links(&mut span, times.start, &own);
    let written = Written::of(&span.attributes);
    let mut told = {
        let (attributes, service) = (written.values(), origin.service());
        let (name, start_time) = (span.name.as_str(), times.start);
        let wanted = |component: &str| !is_recorded && reading.keeps_versions_of(component);
        let (attributes, events, wanted) = (&attributes, events.as_slice(), &wanted);
        Told::of(WireSpan { name, attributes, events, start_time, service, wanted })
    };
    let pending = told.pending.take().filter(|_| !is_recorded && !own.fields.says_status());
    let Place { trace_id, id, parent_id, is_pending } = Place::of(&span, &own)?.or_of_started(pending);
    let end_time = times.end.filter(|_| !is_pending);
    let failed = told.failed || code(&span) == StatusCode::Error as i32;
    let status = ingest::status_of(failed, end_time.is_some());
    let message = message(&span, told.message.take().filter(|_| failed));
    let name = name_of(&span, told.operation, is_recorded);
    let origin_json = (!is_recorded).then(|| {
        let shown = Shown {
            name: &name,
            failed: status == SpanStatus::Error,
            message: message.as_deref(),
            events: &events,
            other_end: is_pending || times.is_other_end,
            is_pending,
        };
        origin.of_span(&span, &shown)
    });
    let mut body = SpanBody {
        inputs: told.inputs.take(),
        outputs: told.outputs.take(),
        input_attribute: told.input_attribute.take(),
        output_attribute: told.output_attribute.take(),
        error_details: told.error.take().filter(|_| failed),
        attributes: written.into_json(),
        events,
        links,
        origin: origin_json,
        ..SpanBody::default()
    };
    if let Some(derived) = &own.derived {
        keep_recorded(&mut body, &mut span, derived);
    }
    let sources = told.versions.iter().filter(|_| !is_recorded);
    let components = sources.flat_map(|source| reading.versions_of(source)).collect();
    let (judgements, of_trace) = (std::mem::take(&mut told.judgements), of_trace(&mut told, &mut own));
    let mut new = NewSpan {
        id,
        parent_id,
        operation_type: told.operation,
        name,
        start_time: Some(times.start),
        end_time,
        status: Some(status),
        changes: SpanChanges {
            name: None,
            status_message: message,
            details: named(told.details),
            tokens: told.tokens.map(|(tokens, _)| tokens),
            rule: told.tokens.map(|(_, rule)| rule),
            cost: told.cost,
            components,
            body,
        },
    };
    own.fields.apply(&mut new)?;
    let said = told.said.take().filter(|_| !is_recorded);
    let content = ReportedContent::Span(Box::new(ReceivedSpan { span: new, fingerprint }));
    Ok(ReportedItem {
        content,
        of_trace,
        judgements,
        said,
        ..ReportedItem::empty(reading.place, trace_id, id)
    })
}

/// The events and the links of a span. Some versions of Claude Code send links whose ids are too long: the
/// span itself is as good without them.
fn events_and_links(span: &mut Span, start: Timestamp, own: &Own) -> (Vec<SpanEvent>, Vec<SpanLink>) {
    let events = span.events.iter().map(|event| read_event(event, start, own.is_recorded())).collect();
    let (mut kept, mut links) = (Vec::with_capacity(span.links.len()), Vec::with_capacity(span.links.len()));
    let whole_ids = own.link_ids.iter().copied().chain(std::iter::repeat(None));
    for (link, whole_id) in std::mem::take(&mut span.links).into_iter().zip(whole_ids) {
        match read_link(&link, whole_id) {
            Some(read) => {
                links.push(read);
                kept.push(link);
            }
            None => span.dropped_links_count = span.dropped_links_count.saturating_add(1),
        }
    }
    span.links = kept;
    (events, links)
}

/// What the span is called: as it was sent, if that may be a name.
fn name_of(span: &Span, operation: OperationType, is_recorded: bool) -> String {
    let name = if is_recorded { Some(span.name.clone()) } else { a_name(&span.name) };
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| operation.text().to_lowercase())
}

/// Makes of a span that was recorded here what it was: fields are fields again, and the attributes that
/// stood for them are none.
fn keep_recorded(body: &mut SpanBody, span: &mut Span, derived: &[String]) {
    (body.inputs, body.outputs) = (body.read_inputs(), body.read_outputs());
    (body.input_attribute, body.output_attribute) = (None, None);
    span.attributes.retain(|attribute| !derived.contains(&attribute.key));
    body.attributes = Written::of(&span.attributes).into_json();
}

/// Where a span stands.
struct Place {
    trace_id: TraceId,
    id: SpanId,
    parent_id: Option<SpanId>,
    /// Whether this is where another span stands, which has started and not ended.
    is_pending: bool,
}

impl Place {
    fn of(span: &Span, own: &Own) -> Result<Self, Refusal> {
        let trace_id = id::trace("traceId", &span.trace_id)?;
        let id = id::span("spanId", &span.span_id)?;
        let parent_id = id::optional_span("parentSpanId", &span.parent_span_id)?;
        let (id, parent_id) = (own.span_id.unwrap_or(id), own.parent_id.or(parent_id));
        Ok(Self { trace_id, id, parent_id, is_pending: false })
    }

    /// The place of the span that has started, where this one only says so: it stands above.
    fn or_of_started(self, pending: Option<Pending>) -> Self {
        let Some((pending, id)) = pending.zip(self.parent_id) else { return self };
        let parent_id = pending.parent.as_deref().and_then(id::written_span);
        Self { id, parent_id, is_pending: true, ..self }
    }
}

/// When a span started and ended. Without an end it goes on.
struct Times {
    start: Timestamp,
    end: Option<Timestamp>,
    /// Whether the end was sent otherwise: before the start, because clocks are set back.
    is_other_end: bool,
}

impl Times {
    /// The times of a span; without `now`, whatever they are.
    fn of(span: &Span, now: Option<Timestamp>) -> Result<Self, Refusal> {
        let moment = |field: &str, nanos: u64| match now {
            Some(now) => time::moment(field, nanos, now),
            None => Ok(i64::try_from(nanos).map_or(Timestamp::from_nanos(i64::MAX), Timestamp::from_nanos)),
        };
        let start = moment("startTimeUnixNano", span.start_time_unix_nano)?;
        if span.end_time_unix_nano == 0 {
            return Ok(Self { start, end: None, is_other_end: false });
        }
        let end = moment("endTimeUnixNano", span.end_time_unix_nano)?;
        Ok(Self { start, end: Some(end.max(start)), is_other_end: end < start })
    }
}

fn code(span: &Span) -> i32 {
    span.status.as_ref().map_or(0, |status| status.code)
}

/// Why the span stands where it stands: as its status says, else as its attributes do.
fn message(span: &Span, told: Option<String>) -> Option<String> {
    let own = span.status.as_ref().map(|status| status.message.clone()).filter(|own| !own.is_empty());
    own.or(told).map(|message| crate::model::text::shortened(&message, MESSAGE_BYTES))
}

/// What the span tells of its trace. One that was recorded here tells nothing by its attributes: they
/// stand for what was said of the trace.
fn of_trace(told: &mut Told, own: &mut Own) -> OfTrace {
    own.of_trace().unwrap_or_else(|| OfTrace {
        name: told.trace_name.take(),
        conversation: told.conversation.take(),
        session: told.session.take(),
        user: told.user.take(),
        ..OfTrace::default()
    })
}

fn read_event(event: &span::Event, start: Timestamp, is_recorded: bool) -> SpanEvent {
    let time = i64::try_from(event.time_unix_nano).ok().filter(|nanos| *nanos > 0 || is_recorded);
    let name = if is_recorded { Some(event.name.clone()) } else { a_name(&event.name) };
    SpanEvent {
        name: name.filter(|name| !name.is_empty()).unwrap_or_else(|| "event".to_owned()),
        time: time.map_or(start, Timestamp::from_nanos),
        attributes: Written::of(&event.attributes).into_json(),
    }
}

/// A link; `None` where it leads nowhere.
fn read_link(link: &span::Link, whole_id: Option<SpanId>) -> Option<SpanLink> {
    Some(SpanLink {
        trace_id: id::trace("traceId", &link.trace_id).ok()?,
        span_id: whole_id.or(id::optional_span("spanId", &link.span_id).ok()?),
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
