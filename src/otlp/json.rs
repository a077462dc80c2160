//! OTLP in JSON, as clients really write it: ids in digits or base64, whole numbers as numbers or texts,
//! names in either spelling. What is not known is passed over, as OTLP asks; what is known and wrong is an
//! error that names its place.

use bytes::Bytes;
use opentelemetry_proto::tonic::{
    common::v1::{
        AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value as Any,
    },
    logs::v1::LogRecord,
    resource::v1::Resource,
    trace::v1::{Span, Status, span},
};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{
    id,
    request::Signal,
    wire::{Export, OfResource, OfScope},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The outer layers of a body, whose items share its memory.
pub(super) fn outer(body: &Bytes, signal: Signal) -> Result<Export, String> {
    let outer: Outer<'_> =
        serde_json::from_slice(body).map_err(|error| format!("not a JSON {signal} request: {error}"))?;
    let (resources, others, meant) = match signal {
        Signal::Traces => (outer.resource_spans, outer.resource_logs, Signal::Logs),
        Signal::Logs => (outer.resource_logs, outer.resource_spans, Signal::Traces),
    };
    if resources.is_none() && others.is_some() {
        return Err(meant.elsewhere());
    }
    let mut export = Export::default();
    for (index, of_resource) in resources.unwrap_or_default().into_iter().enumerate() {
        let resource =
            of_resource.read(body, signal).map_err(|error| format!("{}.{index}.{error}", signal.root()))?;
        export.resources.push(resource);
    }
    Ok(export)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outer<'a> {
    #[serde(borrow, alias = "resource_spans")]
    resource_spans: Option<Vec<OuterResource<'a>>>,
    #[serde(borrow, alias = "resource_logs")]
    resource_logs: Option<Vec<OuterResource<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OuterResource<'a> {
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "scope_spans", alias = "scopeLogs", alias = "scope_logs")]
    scope_spans: Option<Vec<OuterScope<'a>>>,
    #[serde(default, alias = "schema_url")]
    schema_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OuterScope<'a> {
    #[serde(borrow)]
    scope: Option<&'a RawValue>,
    #[serde(borrow, default)]
    spans: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default, alias = "log_records")]
    log_records: Option<Vec<&'a RawValue>>,
    #[serde(default, alias = "schema_url")]
    schema_url: Option<String>,
}

impl OuterResource<'_> {
    fn read(self, body: &Bytes, signal: Signal) -> Result<OfResource, String> {
        let resource = self.resource.map(resource).transpose().map_err(|error| below("resource", &error))?;
        let scopes = self.scope_spans.unwrap_or_default().into_iter().enumerate().map(|(index, scope)| {
            scope.read(body, signal).map_err(|error| format!("{}.{index}.{error}", signal.scopes()))
        });
        let scopes = scopes.collect::<Result<_, _>>()?;
        Ok(OfResource { resource, scopes, schema_url: self.schema_url.unwrap_or_default() })
    }
}

impl OuterScope<'_> {
    fn read(self, body: &Bytes, signal: Signal) -> Result<OfScope, String> {
        let items = match signal {
            Signal::Traces => self.spans,
            Signal::Logs => self.log_records,
        };
        let items = items.unwrap_or_default().into_iter();
        Ok(OfScope {
            scope: self.scope.map(scope).transpose().map_err(|error| below("scope", &error))?,
            items: items.map(|item| body.slice_ref(item.get().as_bytes())).collect(),
            schema_url: self.schema_url.unwrap_or_default(),
        })
    }
}

/// What is wrong at a place: of the whole, or of a field of it that the text names first.
pub(super) fn below(place: &str, error: &str) -> String {
    let error = error.strip_prefix(": ").unwrap_or(error);
    let names_a_field = error.split_once(": ").is_some_and(|(field, _)| !field.contains(' '));
    format!("{place}{}{error}", if names_a_field { "." } else { ": " })
}

/// A span.
pub(super) fn span(item: &[u8]) -> Result<Span, String> {
    let object = Object::parse(item)?;
    Ok(Span {
        trace_id: object.id("traceId", 16)?,
        span_id: object.id("spanId", 8)?,
        trace_state: object.text("traceState")?,
        parent_span_id: object.id("parentSpanId", 8)?,
        flags: object.number("flags")?,
        name: object.text("name")?,
        kind: object.word(
            "kind",
            &[
                "SPAN_KIND_INTERNAL",
                "SPAN_KIND_SERVER",
                "SPAN_KIND_CLIENT",
                "SPAN_KIND_PRODUCER",
                "SPAN_KIND_CONSUMER",
            ],
        )?,
        start_time_unix_nano: object.number("startTimeUnixNano")?,
        end_time_unix_nano: object.number("endTimeUnixNano")?,
        attributes: object.attributes()?,
        dropped_attributes_count: object.number("droppedAttributesCount")?,
        events: object.list("events", |event| {
            Ok(span::Event {
                time_unix_nano: event.number("timeUnixNano")?,
                name: event.text("name")?,
                attributes: event.attributes()?,
                dropped_attributes_count: event.number("droppedAttributesCount")?,
            })
        })?,
        dropped_events_count: object.number("droppedEventsCount")?,
        links: object.list("links", |link| {
            Ok(span::Link {
                trace_id: link.id("traceId", 16)?,
                span_id: link.id("spanId", 8)?,
                trace_state: link.text("traceState")?,
                attributes: link.attributes()?,
                dropped_attributes_count: link.number("droppedAttributesCount")?,
                flags: link.number("flags")?,
            })
        })?,
        dropped_links_count: object.number("droppedLinksCount")?,
        status: object.member("status", |status| {
            let code = status.word("code", &["STATUS_CODE_OK", "STATUS_CODE_ERROR"])?;
            Ok(Status { message: status.text("message")?, code })
        })?,
    })
}

/// A record of a log.
pub(super) fn log(item: &[u8]) -> Result<LogRecord, String> {
    let object = Object::parse(item)?;
    Ok(LogRecord {
        time_unix_nano: object.number("timeUnixNano")?,
        observed_time_unix_nano: object.number("observedTimeUnixNano")?,
        severity_number: object.number::<i32>("severityNumber").unwrap_or_default(),
        severity_text: object.text("severityText")?,
        body: object
            .get("body")
            .map(|body| any_value(body).map_err(|error| format!("body{error}")))
            .transpose()?,
        attributes: object.attributes()?,
        dropped_attributes_count: object.number("droppedAttributesCount")?,
        flags: object.number("flags")?,
        trace_id: object.id("traceId", 16)?,
        span_id: object.id("spanId", 8)?,
        event_name: object.text("eventName")?,
    })
}

fn resource(raw: &RawValue) -> Result<Resource, String> {
    let object = Object::parse(raw.get().as_bytes())?;
    Ok(Resource {
        attributes: object.attributes()?,
        dropped_attributes_count: object.number("droppedAttributesCount")?,
        entity_refs: Vec::new(),
    })
}

fn scope(raw: &RawValue) -> Result<InstrumentationScope, String> {
    let object = Object::parse(raw.get().as_bytes())?;
    Ok(InstrumentationScope {
        name: object.text("name")?,
        version: object.text("version")?,
        attributes: object.attributes()?,
        dropped_attributes_count: object.number("droppedAttributesCount")?,
    })
}

/// An object, whose members are asked for by their names in JSON or in protobuf.
struct Object(Map<String, Value>);

impl Object {
    fn parse(text: &[u8]) -> Result<Self, String> {
        match serde_json::from_slice(text).map_err(|error| error.to_string())? {
            Value::Object(members) => Ok(Self(members)),
            Value::Null => Ok(Self(Map::new())),
            _ => Err("must be an object".to_owned()),
        }
    }

    /// A member; null is as good as none.
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).or_else(|| self.0.get(&spelled_for_protobuf(name))).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<String, String> {
        match self.get(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(format!("{name}: must be a text")),
        }
    }

    fn id(&self, name: &str, length: usize) -> Result<Vec<u8>, String> {
        let wrong =
            || format!("{name}: must be {} hexadecimal digits, or base64 of {length} bytes", length * 2);
        id::decoded(&self.text(name)?, length).ok_or_else(wrong)
    }

    /// A whole number, as a number or as its text.
    fn number<T: TryFrom<u64> + Default>(&self, name: &str) -> Result<T, String> {
        let Some(value) = self.get(name) else { return Ok(T::default()) };
        let number = match value {
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| format!("{name}: must be a whole number of 0 or more"))
    }

    /// An enum, as its number or its name; the names count from 1.
    fn word(&self, name: &str, names: &[&str]) -> Result<i32, String> {
        match self.get(name) {
            Some(Value::String(word)) if word.parse::<i32>().is_err() => {
                let place = names.iter().position(|known| known == word);
                Ok(place.and_then(|place| i32::try_from(place + 1).ok()).unwrap_or_default())
            }
            _ => self.number(name),
        }
    }

    fn member<T>(&self, name: &str, read: impl Fn(&Self) -> Result<T, String>) -> Result<Option<T>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let Value::Object(members) = value else { return Err(format!("{name}: must be an object")) };
        read(&Self(members.clone())).map(Some).map_err(|error| format!("{name}.{error}"))
    }

    fn list<T>(&self, name: &str, read: impl Fn(&Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let items = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(format!("{name}: must be a list")),
        };
        let item = |(index, item): (usize, &Value)| match item {
            Value::Object(members) => {
                read(&Self(members.clone())).map_err(|error| format!("{name}.{index}.{error}"))
            }
            _ => Err(format!("{name}.{index}: must be an object")),
        };
        items.iter().enumerate().map(item).collect()
    }

    fn attributes(&self) -> Result<Vec<KeyValue>, String> {
        key_values(self.get("attributes"), "attributes")
    }
}

/// `startTimeUnixNano` as protobuf spells it: `start_time_unix_nano`.
fn spelled_for_protobuf(name: &str) -> String {
    let mut spelled = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            spelled.push('_');
        }
        spelled.push(letter.to_ascii_lowercase());
    }
    spelled
}

/// A number with a fraction of 0 that fits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..1.8e19).contains(&number)).then_some(number as u64)
}

fn key_values(list: Option<&Value>, name: &str) -> Result<Vec<KeyValue>, String> {
    let items = match list {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(format!("{name}: must be a list of keys and values")),
    };
    let item = |(index, item): (usize, &Value)| {
        let place = |error: String| format!("{name}.{index}{error}");
        let key = item
            .get("key")
            .and_then(Value::as_str)
            .ok_or_else(|| place(".key: must be a text".to_owned()))?;
        let value = item.get("value").filter(|value| !value.is_null());
        let value = value
            .map(|value| any_value(value).map_err(|error| place(format!(".value{error}"))))
            .transpose()?;
        Ok(KeyValue { key: key.to_owned(), value, ..KeyValue::default() })
    };
    items.iter().enumerate().map(item).collect()
}

fn any_value(value: &Value) -> Result<AnyValue, String> {
    let Value::Object(members) = value else { return Err(": must be an object".to_owned()) };
    // An object without a kind that is known is an empty value.
    let read = members.iter().find_map(|(kind, value)| read_kind(kind, value).transpose());
    Ok(AnyValue { value: read.transpose()? })
}

/// The value of a kind; `None` where there is no such kind.
fn read_kind(kind: &str, value: &Value) -> Result<Option<Any>, String> {
    let wrong = |what: &str| format!(".{kind}: must be {what}");
    Ok(Some(match kind {
        "stringValue" | "string_value" => {
            Any::StringValue(value.as_str().ok_or_else(|| wrong("a text"))?.to_owned())
        }
        "boolValue" | "bool_value" => Any::BoolValue(value.as_bool().ok_or_else(|| wrong("true or false"))?),
        "intValue" | "int_value" => {
            let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
            Any::IntValue(number.ok_or_else(|| wrong("a whole number"))?)
        }
        "doubleValue" | "double_value" => {
            let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
            Any::DoubleValue(number.ok_or_else(|| wrong("a number"))?)
        }
        "bytesValue" | "bytes_value" => {
            let bytes = value.as_str().and_then(|text| STANDARD.decode(text).ok());
            Any::BytesValue(bytes.ok_or_else(|| wrong("base64"))?)
        }
        "arrayValue" | "array_value" => {
            let items = match value.get("values") {
                Some(Value::Array(items)) => items.as_slice(),
                None | Some(Value::Null) => &[],
                Some(_) => return Err(format!(".{kind}.values: must be a list")),
            };
            let item = |(index, item): (usize, &Value)| {
                any_value(item).map_err(|error| format!(".{kind}.values.{index}{error}"))
            };
            Any::ArrayValue(ArrayValue {
                values: items.iter().enumerate().map(item).collect::<Result<_, _>>()?,
            })
        }
        "kvlistValue" | "kvlist_value" => {
            let values =
                key_values(value.get("values"), "values").map_err(|error| format!(".{kind}.{error}"))?;
            Any::KvlistValue(KeyValueList { values })
        }
        _ => return Ok(None),
    }))
}
