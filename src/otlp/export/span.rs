//! A span as OTLP has it, from what is kept of it.

use std::collections::{BTreeMap, HashSet};

use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{
        Span, Status,
        span::{Event, Link},
    },
};
use serde_json::value::RawValue;

use super::{
    recorded,
    sent::{Sent, SentEvent, SentLink},
};
use crate::{
    model::{
        Json, SpanId, Timestamp, TraceId,
        span::{SpanBody, SpanEvent, SpanHead, SpanLink, SpanStatus},
    },
    otlp::{
        id,
        json_value::{self, attribute},
        origin::CODES,
        own::{self, Attached, OwnTrace},
    },
    service::tracing::WholeSpan,
};

/// A span as it goes out, but for what only an import of it can tell.
pub(super) fn build(
    trace_id: TraceId,
    whole: &WholeSpan,
    sent: &Sent<'_>,
    of_trace: Option<&OwnTrace>,
) -> Span {
    let head = &whole.head;
    let mut body = whole.own.clone();
    body.complete_with(whole.attached.clone());
    let (span_id, parent_span_id, end_time_unix_nano) = place(head, sent);
    let mut span = Span {
        trace_id: trace_id.bytes().to_vec(),
        span_id,
        parent_span_id,
        trace_state: sent.trace_state.clone(),
        flags: sent.flags,
        name: sent.name.clone().unwrap_or_else(|| head.name.clone()),
        kind: sent.kind(head.operation_type),
        start_time_unix_nano: nanos(head.start_time),
        end_time_unix_nano,
        attributes: json_value::attributes(whole.own.attributes.as_ref()),
        dropped_attributes_count: sent.dropped_attributes_count,
        events: numbered(&body.events, &sent.events).map(|(event, sent)| event_of(event, sent)).collect(),
        dropped_events_count: sent.dropped_events_count,
        links: numbered(&body.links, &sent.links).map(|(link, sent)| link_of(link, sent)).collect(),
        dropped_links_count: sent.dropped_links_count,
        status: status(head, sent),
    };
    restore_types(&mut span, sent);
    own::quote(&mut span.attributes);
    for (link, of) in span.links.iter_mut().zip(&body.links) {
        own::quote(&mut link.attributes);
        link.attributes.extend(of.span_id.and_then(|id| whole_id(own::SPAN_ID, id)));
    }
    if sent.is_recorded {
        add_derived(&mut span, head, &body, of_trace);
    }
    add_own(&mut span, whole, of_trace);
    span
}

/// The span's own id, its parent's, and its end.
fn place(head: &SpanHead, sent: &Sent<'_>) -> (Vec<u8>, Vec<u8>, u64) {
    let own_id = short_id(head.id).to_vec();
    let end = head.end_time.map(nanos);
    if let (Some(pending), None) = (&sent.pending_span_id, end) {
        // It told that another span has started, and has that one's place here.
        let pending_id = id::decoded(pending, 8).unwrap_or_default();
        return (pending_id, own_id, sent.end_time_unix_nano.unwrap_or_default());
    }
    let parent = head.parent_id.map(|parent| short_id(parent).to_vec()).unwrap_or_default();
    // A span that ended before it began ends with its start here.
    let other = sent.end_time_unix_nano.filter(|_| head.end_time == Some(head.start_time));
    (own_id, parent, other.or(end).unwrap_or_default())
}

/// The eight bytes that OTLP has room for: the last ones, where that is all there is, else others that
/// follow from the id.
pub(super) fn short_id(id: SpanId) -> [u8; 8] {
    let hashed = || blake3::hash(id.bytes()).as_bytes().first_chunk().copied().unwrap_or_default();
    match is_short(id).then(|| id.bytes().last_chunk().copied()).flatten() {
        Some(short) => short,
        None => hashed(),
    }
}

/// Whether an id has eight bytes.
fn is_short(id: SpanId) -> bool {
    let (head, tail) = id.bytes().split_at(8);
    head.iter().all(|byte| *byte == 0) && tail.iter().any(|byte| *byte != 0)
}

/// Nanoseconds since 1970: what lies before is 1970.
fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.nanos()).unwrap_or_default()
}

/// Each item with what of it was sent otherwise.
fn numbered<'a, T, S>(
    items: &'a [T],
    sent: &'a BTreeMap<usize, S>,
) -> impl Iterator<Item = (&'a T, Option<&'a S>)> {
    items.iter().enumerate().map(|(index, item)| (item, sent.get(&index)))
}

fn event_of(event: &SpanEvent, sent: Option<&SentEvent>) -> Event {
    let name = sent.and_then(|sent| sent.name.clone());
    Event {
        time_unix_nano: sent.and_then(|sent| sent.time_unix_nano).unwrap_or_else(|| nanos(event.time)),
        name: name.unwrap_or_else(|| event.name.clone()),
        attributes: json_value::attributes(event.attributes.as_ref()),
        dropped_attributes_count: sent.map_or(0, |sent| sent.dropped_attributes_count),
    }
}

fn link_of(link: &SpanLink, sent: Option<&SentLink>) -> Link {
    Link {
        trace_id: link.trace_id.bytes().to_vec(),
        span_id: link.span_id.map(|id| short_id(id).to_vec()).unwrap_or_default(),
        trace_state: sent.map(|sent| sent.trace_state.clone()).unwrap_or_default(),
        attributes: json_value::attributes(link.attributes.as_ref()),
        dropped_attributes_count: sent.map_or(0, |sent| sent.dropped_attributes_count),
        flags: sent.map_or(0, |sent| sent.flags),
    }
}

/// The attribute with a whole id, where OTLP has no room for it.
fn whole_id(name: &str, id: SpanId) -> Option<KeyValue> {
    (!is_short(id)).then(|| attribute(name, Value::StringValue(id.to_string())))
}

fn status(head: &SpanHead, sent: &Sent<'_>) -> Option<Status> {
    let of_head = match head.status {
        SpanStatus::Error => "ERROR",
        SpanStatus::Ok if sent.is_recorded => "OK",
        _ => "UNSET",
    };
    let word = sent.status_code.as_deref().unwrap_or(of_head);
    let code = CODES.iter().position(|known| *known == word).and_then(|code| i32::try_from(code).ok());
    let message = sent.status_message.clone().or_else(|| head.status_message.clone()).unwrap_or_default();
    Some(Status { message, code: code.unwrap_or_default() }).filter(|status| *status != Status::default())
}

fn restore_types(span: &mut Span, sent: &Sent<'_>) {
    if sent.untyped.is_empty() {
        return;
    }
    sent.untyped.restore(&mut span.attributes, "/attributes");
    for (index, event) in span.events.iter_mut().enumerate() {
        sent.untyped.restore(&mut event.attributes, &format!("/events/{index}/attributes"));
    }
    for (index, link) in span.links.iter_mut().enumerate() {
        sent.untyped.restore(&mut link.attributes, &format!("/links/{index}/attributes"));
    }
}

/// Adds attributes that stand for fields, where the span has none of their names.
fn add_derived(span: &mut Span, head: &SpanHead, body: &SpanBody, of_trace: Option<&OwnTrace>) {
    let known: HashSet<String> = span.attributes.iter().map(|attribute| attribute.key.clone()).collect();
    let derived = recorded::attributes(head, body, of_trace).into_iter();
    let derived: Vec<_> = derived.filter(|attribute| !known.contains(&attribute.key)).collect();
    let names = json_value::texts(derived.iter().map(|derived| derived.key.clone()));
    span.attributes.extend(derived);
    span.attributes.push(attribute(own::DERIVED, names));
}

/// Adds what is said in Dendro's own words: whole ids, what came apart, what was said of the trace.
fn add_own(span: &mut Span, whole: &WholeSpan, of_trace: Option<&OwnTrace>) {
    let head = &whole.head;
    span.attributes.extend(whole_id(own::SPAN_ID, head.id));
    span.attributes.extend(head.parent_id.and_then(|parent| whole_id(own::PARENT_ID, parent)));
    let object = |name: &str, text: serde_json::Result<String>| {
        text.ok().map(|text| attribute(name, Value::StringValue(text)))
    };
    if !head.attached.fingerprints.is_empty() {
        let (mut attributes, attached) = attached(whole);
        own::quote(&mut attributes);
        span.attributes.extend(attributes);
        span.attributes.extend(object(own::ATTACHED, serde_json::to_string(&attached)));
    }
    if let Some(of_trace) = of_trace {
        span.attributes.extend(object(own::TRACE, serde_json::to_string(of_trace)));
    }
}

/// What came apart from the span, and of it the attributes that the span has not itself.
fn attached(whole: &WholeSpan) -> (Vec<KeyValue>, Attached) {
    type Members = BTreeMap<String, Box<RawValue>>;
    let members =
        |json: Option<&Json>| -> Members { json.and_then(|json| json.read().ok()).unwrap_or_default() };
    let own = members(whole.own.attributes.as_ref());
    let (known, apart): (Members, Members) =
        members(whole.attached.attributes.as_ref()).into_iter().partition(|(name, _)| own.contains_key(name));
    let (shared, others): (Members, Members) = known
        .into_iter()
        .partition(|(name, value)| own.get(name).is_some_and(|own| own.get() == value.get()));
    let attached = Attached {
        events: whole.attached.events.len(),
        attributes: apart.keys().cloned().collect(),
        shared: shared.into_keys().collect(),
        others,
        fingerprints: whole.head.attached.fingerprints.clone(),
        announced: whole.head.announced,
    };
    let apart = serde_json::to_string(&apart).map(|text| json_value::members(&text)).unwrap_or_default();
    (apart, attached)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_eight_bytes_stay_and_longer_ones_are_told_apart() {
        let short = SpanId::from_bytes(u128::to_be_bytes(0xabc));
        assert_eq!(short_id(short), u64::to_be_bytes(0xabc));
        let (one, other) = (SpanId::from_bytes([7; 16]), SpanId::from_bytes([8; 16]));
        assert_ne!(short_id(one), short_id(other));
        assert_eq!(short_id(one), short_id(one));
        // Zeros are no id in OTLP.
        assert_ne!(short_id(SpanId::from_bytes([0; 16])), [0; 8]);
    }
}
