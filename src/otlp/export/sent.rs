//! What a span was sent as, where that is not what is shown of it: its origin, read again.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    common::v1::{InstrumentationScope, any_value::Value},
    resource::v1::Resource,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    model::span::OperationType,
    otlp::{
        json_value,
        origin::{KINDS, Origin},
        untyped::Untyped,
    },
    service::tracing::WholeSpan,
};

/// Who says so of spans that were recorded here.
const DENDRO: &str = "dendro";

/// The origin of a span.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Sent<'a> {
    /// Whether the span was recorded here, and has no origin.
    #[serde(skip)]
    pub(super) is_recorded: bool,
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    resource_dropped_attributes_count: u32,
    #[serde(borrow)]
    scope: Option<&'a RawValue>,
    resource_schema_url: String,
    schema_url: String,
    kind: String,
    pub(super) trace_state: String,
    pub(super) flags: u32,
    pub(super) dropped_attributes_count: u32,
    pub(super) dropped_events_count: u32,
    pub(super) dropped_links_count: u32,
    pub(super) name: Option<String>,
    pub(super) status_code: Option<String>,
    pub(super) status_message: Option<String>,
    pub(super) end_time_unix_nano: Option<u64>,
    pub(super) pending_span_id: Option<String>,
    pub(super) events: BTreeMap<usize, SentEvent>,
    pub(super) links: BTreeMap<usize, SentLink>,
    pub(super) untyped: Untyped,
}

/// What of an event was sent otherwise.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SentEvent {
    pub(super) name: Option<String>,
    pub(super) time_unix_nano: Option<u64>,
    pub(super) dropped_attributes_count: u32,
}

/// What of a link is not shown.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SentLink {
    pub(super) trace_state: String,
    pub(super) flags: u32,
    pub(super) dropped_attributes_count: u32,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Scope<'a> {
    name: String,
    version: String,
    #[serde(borrow)]
    attributes: Option<&'a RawValue>,
    dropped_attributes_count: u32,
}

/// A resource and a scope that spans share.
pub(super) struct Source {
    pub(super) resource: Option<Resource>,
    pub(super) resource_schema_url: String,
    pub(super) scope: Option<InstrumentationScope>,
    pub(super) schema_url: String,
    /// As an import has it.
    pub(super) origin: Origin,
}

impl<'a> Sent<'a> {
    /// What a span was sent as.
    pub(super) fn of(whole: &'a WholeSpan) -> Self {
        match &whole.own.origin {
            // It is written here and nowhere else: one that cannot be read says nothing.
            Some(origin) => origin.read().unwrap_or_default(),
            // Of a span of which only parts have come nobody says where it comes from.
            None => Self { is_recorded: !whole.head.announced, ..Self::default() },
        }
    }

    /// Tells resources and scopes apart.
    pub(super) fn key(&self) -> String {
        let raw = |raw: Option<&RawValue>| raw.map_or("", RawValue::get).to_owned();
        let of_source = |pointer: &&String| pointer.starts_with("/resource") || pointer.starts_with("/scope");
        let untyped = self.untyped.bytes.iter().filter(of_source).chain(
            // What is bytes here is a text elsewhere.
            self.untyped.doubles.iter().filter(of_source),
        );
        let parts = [
            raw(self.resource),
            self.resource_dropped_attributes_count.to_string(),
            raw(self.scope),
            self.resource_schema_url.clone(),
            self.schema_url.clone(),
            self.is_recorded.to_string(),
        ];
        parts.into_iter().chain(untyped.cloned()).collect::<Vec<_>>().join("\n")
    }

    /// The number of the span's kind.
    pub(super) fn kind(&self, operation: OperationType) -> i32 {
        let calls_out = matches!(operation, OperationType::LlmCall | OperationType::Embedding);
        let word = match (self.is_recorded, calls_out) {
            (false, _) => self.kind.as_str(),
            (true, true) => "CLIENT",
            (true, false) => "INTERNAL",
        };
        let place = KINDS.iter().position(|known| *known == word);
        place.and_then(|place| i32::try_from(place).ok()).unwrap_or_default()
    }
}

impl Source {
    pub(super) fn of(sent: &Sent<'_>) -> Self {
        let (resource, scope) = if sent.is_recorded { recorded() } else { (resource(sent), scope(sent)) };
        let schemas = [sent.resource_schema_url.as_str(), sent.schema_url.as_str()];
        let origin = Origin::of(resource.as_ref(), scope.as_ref(), schemas);
        let (resource_schema_url, schema_url) = (sent.resource_schema_url.clone(), sent.schema_url.clone());
        Self { resource, resource_schema_url, scope, schema_url, origin }
    }
}

fn recorded() -> (Option<Resource>, Option<InstrumentationScope>) {
    let service = json_value::attribute("service.name", Value::StringValue(DENDRO.to_owned()));
    let scope = InstrumentationScope { name: DENDRO.to_owned(), ..InstrumentationScope::default() };
    (Some(Resource { attributes: vec![service], ..Resource::default() }), Some(scope))
}

fn resource(sent: &Sent<'_>) -> Option<Resource> {
    let mut attributes = sent.resource.map(|raw| json_value::members(raw.get())).unwrap_or_default();
    sent.untyped.restore(&mut attributes, "/resource");
    let dropped_attributes_count = sent.resource_dropped_attributes_count;
    Some(Resource { attributes, dropped_attributes_count, ..Resource::default() })
        .filter(|resource| *resource != Resource::default())
}

fn scope(sent: &Sent<'_>) -> Option<InstrumentationScope> {
    let Scope { name, version, attributes, dropped_attributes_count } =
        serde_json::from_str(sent.scope?.get()).ok()?;
    let mut attributes = attributes.map(|raw| json_value::members(raw.get())).unwrap_or_default();
    sent.untyped.restore(&mut attributes, "/scope/attributes");
    Some(InstrumentationScope { name, version, attributes, dropped_attributes_count })
}
