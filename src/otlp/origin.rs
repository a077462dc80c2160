//! Where spans come from: their resource and scope, written once for all that share them.

use opentelemetry_proto::tonic::{
    common::v1::{InstrumentationScope, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{Span, span::SpanKind},
};

use super::any_value::{self, write_text};
use crate::model::Json;

/// A resource and a scope, as JSON.
pub(super) struct Origin {
    /// The beginning of the object, up to what differs from span to span.
    start: Vec<u8>,
    service: Option<String>,
    scope: Option<String>,
}

impl Origin {
    pub(super) fn of(
        resource: Option<&Resource>,
        scope: Option<&InstrumentationScope>,
        schemas: [&str; 2],
    ) -> Self {
        let mut out = vec![b'{'];
        let attributes = resource.map(|resource| resource.attributes.as_slice()).unwrap_or_default();
        if !attributes.is_empty() {
            out.extend_from_slice(b"\"resource\":");
            any_value::write_members(attributes, &mut out);
        }
        if let Some(scope) = scope.filter(|scope| !scope.name.is_empty() || !scope.attributes.is_empty()) {
            name(&mut out, "scope");
            write_scope(scope, &mut out);
        }
        for (key, schema) in ["resourceSchemaUrl", "schemaUrl"].into_iter().zip(schemas) {
            if !schema.is_empty() {
                name(&mut out, key);
                write_text(schema, &mut out);
            }
        }
        let scope = scope.map(|scope| scope.name.clone()).filter(|name| !name.is_empty());
        Self { start: out, service: text(attributes, "service.name"), scope }
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
    pub(super) fn of_span(&self, span: &Span, end_was: Option<u64>) -> Json {
        let text = any_value::text(|out| {
            out.extend_from_slice(&self.start);
            name(out, "kind");
            write_text(kind(span.kind), out);
            if !span.trace_state.is_empty() {
                name(out, "traceState");
                write_text(&span.trace_state, out);
            }
            for (key, number) in [
                ("flags", u64::from(span.flags)),
                ("droppedAttributesCount", u64::from(span.dropped_attributes_count)),
                ("droppedEventsCount", u64::from(span.dropped_events_count)),
                ("droppedLinksCount", u64::from(span.dropped_links_count)),
                ("endTimeUnixNano", end_was.unwrap_or_default()),
            ] {
                if number > 0 {
                    name(out, key);
                    out.extend_from_slice(number.to_string().as_bytes());
                }
            }
            out.push(b'}');
        });
        Json::trusted(text)
    }
}

/// Begins a member of the object.
fn name(out: &mut Vec<u8>, key: &str) {
    if out.len() > 1 {
        out.push(b',');
    }
    write_text(key, out);
    out.push(b':');
}

fn write_scope(scope: &InstrumentationScope, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"name\":");
    write_text(&scope.name, out);
    if !scope.version.is_empty() {
        out.extend_from_slice(b",\"version\":");
        write_text(&scope.version, out);
    }
    if !scope.attributes.is_empty() {
        out.extend_from_slice(b",\"attributes\":");
        any_value::write_members(&scope.attributes, out);
    }
    out.push(b'}');
}

fn kind(code: i32) -> &'static str {
    match SpanKind::try_from(code) {
        Ok(SpanKind::Internal) => "INTERNAL",
        Ok(SpanKind::Server) => "SERVER",
        Ok(SpanKind::Client) => "CLIENT",
        Ok(SpanKind::Producer) => "PRODUCER",
        Ok(SpanKind::Consumer) => "CONSUMER",
        Ok(SpanKind::Unspecified) | Err(_) => "UNSPECIFIED",
    }
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        _ => None,
    }
}
