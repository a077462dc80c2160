//! OTLP in JSON, the mirror of `otlp::json`: ids in hexadecimal digits, whole numbers of 64 bits as texts,
//! enums as numbers, and nothing that is empty.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{
        Span, Status,
        span::{Event, Link},
    },
};

use crate::otlp::{any_value::write_text, id};

/// An object that is being written.
pub(super) struct Object<'a>(&'a mut Vec<u8>);

/// Writes an object.
pub(super) fn object(out: &mut Vec<u8>, write: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    write(&mut Object(out));
    out.push(b'}');
}

impl Object<'_> {
    /// Begins a member, and gives where its value is to be written.
    pub(super) fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        write_text(name, self.0);
        self.0.push(b':');
        self.0
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            write_text(text, self.member(name));
        }
    }

    fn id(&mut self, name: &str, bytes: &[u8]) {
        self.text(name, &id::digits(bytes));
    }

    fn number(&mut self, name: &str, number: i64) {
        if number != 0 {
            write_number(number, self.member(name));
        }
    }

    fn moment(&mut self, name: &str, nanos: u64) {
        write_text(&nanos.to_string(), self.member(name));
    }

    /// Writes a list; an empty one is left out.
    pub(super) fn list<T>(&mut self, name: &str, items: &[T], write: impl Fn(&T, &mut Vec<u8>)) {
        if !items.is_empty() {
            write_list(items, self.member(name), write);
        }
    }

    fn attributes(&mut self, attributes: &[KeyValue]) {
        self.list("attributes", attributes, write_attribute);
    }
}

/// Writes a span.
pub(super) fn write_span(span: &Span, out: &mut Vec<u8>) {
    object(out, |object| {
        object.id("traceId", &span.trace_id);
        object.id("spanId", &span.span_id);
        object.text("traceState", &span.trace_state);
        object.id("parentSpanId", &span.parent_span_id);
        object.number("flags", span.flags.into());
        object.text("name", &span.name);
        object.number("kind", span.kind.into());
        object.moment("startTimeUnixNano", span.start_time_unix_nano);
        object.moment("endTimeUnixNano", span.end_time_unix_nano);
        object.attributes(&span.attributes);
        object.number("droppedAttributesCount", span.dropped_attributes_count.into());
        object.list("events", &span.events, write_event);
        object.number("droppedEventsCount", span.dropped_events_count.into());
        object.list("links", &span.links, write_link);
        object.number("droppedLinksCount", span.dropped_links_count.into());
        if let Some(status) = &span.status {
            write_status(status, object.member("status"));
        }
    });
}

fn write_event(event: &Event, out: &mut Vec<u8>) {
    object(out, |object| {
        object.moment("timeUnixNano", event.time_unix_nano);
        object.text("name", &event.name);
        object.attributes(&event.attributes);
        object.number("droppedAttributesCount", event.dropped_attributes_count.into());
    });
}

fn write_link(link: &Link, out: &mut Vec<u8>) {
    object(out, |object| {
        object.id("traceId", &link.trace_id);
        object.id("spanId", &link.span_id);
        object.text("traceState", &link.trace_state);
        object.attributes(&link.attributes);
        object.number("droppedAttributesCount", link.dropped_attributes_count.into());
        object.number("flags", link.flags.into());
    });
}

fn write_status(status: &Status, out: &mut Vec<u8>) {
    object(out, |object| {
        object.text("message", &status.message);
        object.number("code", status.code.into());
    });
}

/// Writes a resource.
pub(super) fn write_resource(resource: &Resource, out: &mut Vec<u8>) {
    object(out, |object| {
        object.attributes(&resource.attributes);
        object.number("droppedAttributesCount", resource.dropped_attributes_count.into());
    });
}

/// Writes a scope.
pub(super) fn write_scope(scope: &InstrumentationScope, out: &mut Vec<u8>) {
    object(out, |object| {
        object.text("name", &scope.name);
        object.text("version", &scope.version);
        object.attributes(&scope.attributes);
        object.number("droppedAttributesCount", scope.dropped_attributes_count.into());
    });
}

fn write_attribute(attribute: &KeyValue, out: &mut Vec<u8>) {
    object(out, |object| {
        write_text(&attribute.key, object.member("key"));
        if let Some(value) = &attribute.value {
            write_value(value, object.member("value"));
        }
    });
}

fn write_value(value: &AnyValue, out: &mut Vec<u8>) {
    object(out, |object| match &value.value {
        None | Some(Value::StringValueStrindex(_)) => {}
        Some(Value::StringValue(text)) => write_text(text, object.member("stringValue")),
        Some(Value::BoolValue(flag)) => {
            object.member("boolValue").extend_from_slice(if *flag { b"true" } else { b"false" });
        }
        Some(Value::IntValue(number)) => write_text(&number.to_string(), object.member("intValue")),
        Some(Value::DoubleValue(number)) => write_double(*number, object.member("doubleValue")),
        Some(Value::BytesValue(bytes)) => write_text(&STANDARD.encode(bytes), object.member("bytesValue")),
        Some(Value::ArrayValue(list)) => {
            let list = &list.values;
            self::object(object.member("arrayValue"), |object| object.list("values", list, write_value));
        }
        Some(Value::KvlistValue(members)) => {
            let members = &members.values;
            self::object(object.member("kvlistValue"), |object| {
                object.list("values", members, write_attribute);
            });
        }
    });
}

/// A number that JSON has not is written as protobuf's JSON names it.
fn write_double(number: f64, out: &mut Vec<u8>) {
    if number.is_finite() {
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(out, &number);
    } else if number.is_nan() {
        write_text("NaN", out);
    } else {
        write_text(if number > 0.0 { "Infinity" } else { "-Infinity" }, out);
    }
}

fn write_number(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(number.to_string().as_bytes());
}

/// Writes a list.
pub(super) fn write_list<T>(items: &[T], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}
