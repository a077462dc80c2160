//! What Dendro says in OTLP of its own spans, and OTLP has no words for: attributes that begin with
//! `dendro.`. An export writes them; they are taken off a span that is read from a file, and what they say
//! holds. At a door they are attributes like any others: a sender is not to set fields past the rules that
//! hold for all spans.
//!
//! | attribute | what |
//! |---|---|
//! | `dendro.span.id`, `dendro.span.parent_id` | whole ids, where OTLP has room for half of one; the first also on a link |
//! | `dendro.span.derived` | the names of attributes that stand for fields: the span was recorded here, and has no such attributes |
//! | `dendro.span.fields` | fields that the attributes do not tell, or tell otherwise: an object, as JSON |
//! | `dendro.span.attached` | what of the span came apart from it, as records of logs: an object, as JSON |
//! | `dendro.trace.fields` | what was said of the trace when it was started: an object, as JSON |
//! | `dendro.sent.…` | an attribute of the span or of a link that was itself sent under one of these names |

mod fields;

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    common::v1::{ArrayValue, KeyValue, any_value::Value},
    logs::v1::LogRecord,
    trace::v1::{Span, span::Event},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

pub(super) use self::fields::OwnFields;
use super::{fingerprint, json_value};
use crate::{
    model::{Refusal, SpanId},
    semconv,
    service::ingest::OfTrace,
};

/// What all names begin with.
const PREFIX: &str = "dendro.";

/// A span's whole id.
pub(super) const SPAN_ID: &str = "dendro.span.id";

/// The whole id of the span that caused it.
pub(super) const PARENT_ID: &str = "dendro.span.parent_id";

/// The names of attributes that stand for fields.
pub(super) const DERIVED: &str = "dendro.span.derived";

/// Fields that the attributes do not tell.
pub(super) const FIELDS: &str = "dendro.span.fields";

/// What came apart from the span.
pub(super) const ATTACHED: &str = "dendro.span.attached";

/// What was said of the trace.
pub(super) const TRACE: &str = "dendro.trace.fields";

/// Stands before the names of attributes that would be taken for these words, and were sent so.
const SENT: &str = "dendro.sent.";

/// What a span says of itself in Dendro's own words.
#[derive(Debug, Default)]
pub(super) struct Own {
    pub(super) span_id: Option<SpanId>,
    pub(super) parent_id: Option<SpanId>,
    /// The whole ids of the spans that links lead to.
    pub(super) link_ids: Vec<Option<SpanId>>,
    pub(super) fields: OwnFields,
    pub(super) derived: Option<Vec<String>>,
    attached: Option<Attached>,
    trace: Option<OwnTrace>,
}

/// What of a span came apart from it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Attached {
    /// How many of the last events.
    pub(super) events: usize,
    /// The names of attributes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) attributes: Vec<String>,
    /// The names of attributes that the span has itself, with the same values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) shared: Vec<String>,
    /// Attributes that the span has itself, with other values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) others: BTreeMap<String, Box<RawValue>>,
    /// By which each part is known when it comes again.
    pub(super) fingerprints: Vec<u64>,
    /// Whether nothing else of the span has come.
    pub(super) announced: bool,
}

/// What was said of a trace when it was started.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OwnTrace {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) conversation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<String>,
}

impl Own {
    /// Takes what a span says in these words off its attributes and those of its links.
    pub(super) fn take(span: &mut Span) -> Result<Self, Refusal> {
        let link_ids = span.links.iter_mut().map(|link| take_link_id(&mut link.attributes));
        let mut own = Self { link_ids: link_ids.collect::<Result<_, _>>()?, ..Self::default() };
        let attributes = &mut span.attributes;
        if !attributes.iter().any(|attribute| attribute.key.starts_with(PREFIX)) {
            return Ok(own);
        }
        let mut rest = Vec::with_capacity(attributes.len());
        for mut attribute in std::mem::take(attributes) {
            match attribute.key.as_str() {
                SPAN_ID => own.span_id = Some(id(&attribute)?),
                PARENT_ID => own.parent_id = Some(id(&attribute)?),
                DERIVED => own.derived = Some(names(&attribute)?),
                FIELDS => own.fields = OwnFields::read(&attribute)?,
                ATTACHED => own.attached = Some(object(&attribute)?),
                TRACE => own.trace = Some(object(&attribute)?),
                _ => {
                    unquote(&mut attribute);
                    rest.push(attribute);
                }
            }
        }
        *attributes = rest;
        Ok(own)
    }

    /// Whether the span was recorded here, so that some of its attributes only stand for fields.
    pub(super) const fn is_recorded(&self) -> bool {
        self.derived.is_some()
    }

    /// Whether nothing has come of the span itself.
    pub(super) fn is_announced(&self) -> bool {
        self.attached.as_ref().is_some_and(|attached| attached.announced)
    }

    /// What it says of its trace; `None` where that is to be told from its attributes.
    pub(super) fn of_trace(&mut self) -> Option<OfTrace> {
        let Some(trace) = self.trace.take() else { return self.is_recorded().then(OfTrace::default) };
        let OwnTrace { name, conversation, session, user, input, output } = trace;
        Some(OfTrace { name, conversation, session, user, input, output, is_given: true })
    }

    /// Takes what came apart from the span off it, as the records that it came in, each with the hash by
    /// which it is known. A hash without a record is of one that told nothing.
    pub(super) fn records(&self, span: &mut Span) -> Vec<(u64, Option<LogRecord>)> {
        let Some(attached) = &self.attached else { return Vec::new() };
        let own_events = span.events.len().saturating_sub(attached.events);
        let mut records: Vec<_> = span.events.split_off(own_events).into_iter().map(record_of).collect();
        let (apart, own) = std::mem::take(&mut span.attributes)
            .into_iter()
            .partition::<Vec<_>, _>(|attribute| attached.attributes.contains(&attribute.key));
        let is_shared = |attribute: &&KeyValue| attached.shared.contains(&attribute.key);
        let mut apart = apart;
        apart.extend(own.iter().filter(is_shared).cloned());
        span.attributes = own;
        if !attached.others.is_empty()
            && let Ok(others) = serde_json::to_string(&attached.others)
        {
            apart.extend(json_value::members(&others));
        }
        if !apart.is_empty() {
            let event_name = semconv::DETAILS.to_owned();
            let time_unix_nano = span.start_time_unix_nano;
            records.insert(
                0,
                LogRecord { event_name, time_unix_nano, attributes: apart, ..LogRecord::default() },
            );
        }
        for record in &mut records {
            record.trace_id.clone_from(&span.trace_id);
            record.span_id.clone_from(&span.span_id);
        }
        let mut fingerprints = attached.fingerprints.iter().copied();
        let mut all: Vec<_> = records
            .into_iter()
            .map(|record| {
                let other = || fingerprint::of_record(&record);
                (fingerprints.next().unwrap_or_else(other), Some(record))
            })
            .collect();
        all.extend(fingerprints.map(|fingerprint| (fingerprint, None)));
        all
    }
}

/// The record that an event was.
fn record_of(event: Event) -> LogRecord {
    let Event { time_unix_nano, name: event_name, mut attributes, .. } = event;
    let body = attributes.iter().rposition(|attribute| attribute.key == semconv::BODY);
    let body = body.and_then(|at| attributes.remove(at).value);
    LogRecord { time_unix_nano, event_name, attributes, body, ..LogRecord::default() }
}

/// Takes the whole id of a link's span off its attributes.
fn take_link_id(attributes: &mut Vec<KeyValue>) -> Result<Option<SpanId>, Refusal> {
    let at = attributes.iter().position(|attribute| attribute.key == SPAN_ID);
    let id = at.map(|at| id(&attributes.remove(at))).transpose()?;
    attributes.iter_mut().for_each(unquote);
    Ok(id)
}

/// Whether a name would be taken for one of these words.
fn is_word(name: &str) -> bool {
    [SPAN_ID, PARENT_ID, DERIVED, FIELDS, ATTACHED, TRACE].contains(&name) || name.starts_with(SENT)
}

/// Names attributes that would be taken for these words so that they are not.
pub(super) fn quote(attributes: &mut [KeyValue]) {
    for attribute in attributes.iter_mut().filter(|attribute| is_word(&attribute.key)) {
        attribute.key.insert_str(0, SENT);
    }
}

/// Names an attribute again as it was sent.
fn unquote(attribute: &mut KeyValue) {
    if let Some(name) = attribute.key.strip_prefix(SENT).filter(|name| is_word(name)) {
        attribute.key = name.to_owned();
    }
}

fn text(attribute: &KeyValue) -> Result<&str, Refusal> {
    match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => Ok(text),
        _ => Err(wrong(attribute, "must be a text")),
    }
}

fn id(attribute: &KeyValue) -> Result<SpanId, Refusal> {
    text(attribute)?
        .parse()
        .map_err(|error: crate::model::ids::MalformedId| wrong(attribute, error.to_string()))
}

fn object<T: DeserializeOwned>(attribute: &KeyValue) -> Result<T, Refusal> {
    serde_json::from_str(text(attribute)?).map_err(|error| wrong(attribute, error.to_string()))
}

fn names(attribute: &KeyValue) -> Result<Vec<String>, Refusal> {
    let list = || attribute.value.as_ref()?.value.as_ref();
    let Some(Value::ArrayValue(ArrayValue { values })) = list() else {
        return Err(wrong(attribute, "must be a list of texts"));
    };
    let name = |value: &Option<Value>| match value {
        Some(Value::StringValue(name)) => Ok(name.clone()),
        _ => Err(wrong(attribute, "must be a list of texts")),
    };
    values.iter().map(|value| name(&value.value)).collect()
}

fn wrong(attribute: &KeyValue, message: impl Into<String>) -> Refusal {
    Refusal::invalid(format!("attributes.{}", attribute.key), message)
}
