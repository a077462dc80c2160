//! Where spans come from: their resource and scope, written once for all that share them, and what of a
//! span was sent otherwise than it is shown.
//!
//! `export` reads it again: what a span was sent as can be told from what is shown of it and from this.

use opentelemetry_proto::tonic::{
    common::v1::{InstrumentationScope, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{
        Span,
        span::{Event, Link, SpanKind},
        status::StatusCode,
    },
};

use super::{
    any_value::{self, write_text},
    untyped::Untyped,
};
use crate::model::{Json, span::SpanEvent};

/// A resource and a scope, as JSON.
pub(super) struct Origin {
    /// The beginning of the object, up to what differs from span to span.
    start: Vec<u8>,
    untyped: Untyped,
    service: Option<String>,
    scope: Option<String>,
}

/// What is shown of a span.
pub(super) struct Shown<'a> {
    /// What it is called.
    pub(super) name: &'a str,
    /// Whether it is shown to have ended with an error.
    pub(super) failed: bool,
    /// Why it stands where it stands.
    pub(super) message: Option<&'a str>,
    /// Its events.
    pub(super) events: &'a [SpanEvent],
    /// Whether its end is another than was sent, or none.
    pub(super) other_end: bool,
    /// Whether it stands for another span, which has started.
    pub(super) is_pending: bool,
}

/// The words for the kinds of spans, by their numbers.
pub(super) const KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];

/// The words for the codes of a status, by their numbers.
pub(super) const CODES: [&str; 3] = ["UNSET", "OK", "ERROR"];

impl Origin {
    pub(super) fn of(
        resource: Option<&Resource>,
        scope: Option<&InstrumentationScope>,
        schemas: [&str; 2],
    ) -> Self {
        let mut out = vec![b'{'];
        let mut untyped = Untyped::default();
        let attributes = resource.map(|resource| resource.attributes.as_slice()).unwrap_or_default();
        if !attributes.is_empty() {
            out.extend_from_slice(b"\"resource\":");
            any_value::write_members(attributes, &mut out);
            untyped.note(attributes, "/resource");
        }
        let dropped = resource.map_or(0, |resource| resource.dropped_attributes_count);
        write_number(&mut out, "resourceDroppedAttributesCount", dropped.into());
        if let Some(scope) = scope.filter(|scope| **scope != InstrumentationScope::default()) {
            name(&mut out, "scope");
            write_scope(scope, &mut out);
            untyped.note(&scope.attributes, "/scope/attributes");
        }
        for (key, schema) in ["resourceSchemaUrl", "schemaUrl"].into_iter().zip(schemas) {
            write_filled(&mut out, key, schema);
        }
        let scope = scope.map(|scope| scope.name.clone()).filter(|name| !name.is_empty());
        Self { start: out, untyped, service: text(attributes, "service.name"), scope }
    }

    /// The name of the service; `None` where none is given.
    pub(super) fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// The name of what made the spans; `None` where none is given.
    pub(super) fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// The origin of a span.
    pub(super) fn of_span(&self, span: &Span, shown: &Shown<'_>) -> Json {
        Json::trusted(any_value::text(|out| {
            out.extend_from_slice(&self.start);
            name(out, "kind");
            write_text(kind(span.kind), out);
            write_filled(out, "traceState", &span.trace_state);
            for (key, number) in [
                ("flags", span.flags),
                ("droppedAttributesCount", span.dropped_attributes_count),
                ("droppedEventsCount", span.dropped_events_count),
                ("droppedLinksCount", span.dropped_links_count),
            ] {
                write_number(out, key, number.into());
            }
            write_differences(span, shown, out);
            write_each(out, "events", span.events.iter().zip(shown.events), write_event);
            write_each(out, "links", &span.links, write_link);
            write_untyped(&self.untyped, span, out);
            out.push(b'}');
        }))
    }
}

/// What was sent otherwise than it is shown.
fn write_differences(span: &Span, shown: &Shown<'_>, out: &mut Vec<u8>) {
    if span.name != shown.name {
        name(out, "name");
        write_text(&span.name, out);
    }
    let code = span.status.as_ref().map_or(0, |status| status.code);
    let is_error = code == StatusCode::Error as i32;
    if is_error != shown.failed || code == StatusCode::Ok as i32 {
        name(out, "statusCode");
        write_text(word(&CODES, code), out);
    }
    let message = span.status.as_ref().map_or("", |status| status.message.as_str());
    if message != shown.message.unwrap_or_default() {
        name(out, "statusMessage");
        write_text(message, out);
    }
    if shown.other_end {
        write_number(out, "endTimeUnixNano", span.end_time_unix_nano);
    }
    if shown.is_pending {
        name(out, "pendingSpanId");
        write_text(&super::id::digits(&span.span_id), out);
    }
}

fn write_event((sent, shown): (&Event, &SpanEvent), out: &mut Vec<u8>) {
    if sent.name != shown.name {
        name(out, "name");
        write_text(&sent.name, out);
    }
    if i64::try_from(sent.time_unix_nano) != Ok(shown.time.nanos()) {
        name(out, "timeUnixNano");
        out.extend_from_slice(sent.time_unix_nano.to_string().as_bytes());
    }
    write_number(out, "droppedAttributesCount", sent.dropped_attributes_count.into());
}

fn write_link(sent: &Link, out: &mut Vec<u8>) {
    write_filled(out, "traceState", &sent.trace_state);
    write_number(out, "flags", sent.flags.into());
    write_number(out, "droppedAttributesCount", sent.dropped_attributes_count.into());
}

/// Writes an object of objects, by their places in the list; those with nothing in them are left out.
fn write_each<T>(
    out: &mut Vec<u8>,
    key: &str,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    let mut all = vec![b'{'];
    for (index, item) in items.into_iter().enumerate() {
        let mut one = vec![b'{'];
        write(item, &mut one);
        if one.len() > 1 {
            name(&mut all, &index.to_string());
            all.extend_from_slice(&one);
            all.push(b'}');
        }
    }
    if all.len() > 1 {
        name(out, key);
        out.extend_from_slice(&all);
        out.push(b'}');
    }
}

fn write_untyped(of_origin: &Untyped, span: &Span, out: &mut Vec<u8>) {
    let mut untyped = of_origin.clone();
    untyped.note(&span.attributes, "/attributes");
    let is_there = |attributes: &[KeyValue]| Untyped::stands_in(attributes);
    for (index, event) in span.events.iter().enumerate().filter(|(_, event)| is_there(&event.attributes)) {
        untyped.note(&event.attributes, &format!("/events/{index}/attributes"));
    }
    for (index, link) in span.links.iter().enumerate().filter(|(_, link)| is_there(&link.attributes)) {
        untyped.note(&link.attributes, &format!("/links/{index}/attributes"));
    }
    if !untyped.is_empty() {
        name(out, "untyped");
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(out, &untyped);
    }
}

/// Begins a member of the object.
fn name(out: &mut Vec<u8>, key: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    write_text(key, out);
    out.push(b':');
}

/// Writes a number, if it is not 0.
fn write_number(out: &mut Vec<u8>, key: &str, number: u64) {
    if number > 0 {
        name(out, key);
        out.extend_from_slice(number.to_string().as_bytes());
    }
}

/// Writes a text, if it is not empty.
fn write_filled(out: &mut Vec<u8>, key: &str, text: &str) {
    if !text.is_empty() {
        name(out, key);
        write_text(text, out);
    }
}

fn write_scope(scope: &InstrumentationScope, out: &mut Vec<u8>) {
    out.push(b'{');
    write_filled(out, "name", &scope.name);
    write_filled(out, "version", &scope.version);
    if !scope.attributes.is_empty() {
        name(out, "attributes");
        any_value::write_members(&scope.attributes, out);
    }
    write_number(out, "droppedAttributesCount", scope.dropped_attributes_count.into());
    out.push(b'}');
}

fn kind(code: i32) -> &'static str {
    word(&KINDS, SpanKind::try_from(code).map_or(0, |kind| kind as i32))
}

/// The word with a number; the first where there is none.
fn word(words: &'static [&'static str], code: i32) -> &'static str {
    usize::try_from(code).ok().and_then(|code| words.get(code)).or(words.first()).copied().unwrap_or_default()
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        _ => None,
    }
}
