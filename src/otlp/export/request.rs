//! Requests: spans grouped by their resource and scope, cut where they grow too large.

use std::sync::Arc;

use bytes::Bytes;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use super::{json, sent::Source};
use crate::otlp::wire::{Encoding, Export, OfResource, OfScope};

/// Bytes of spans after which a request is full. The OpenTelemetry Collector reads lines of up to one
/// mebibyte where nothing else is configured, and what stands around the spans needs room too.
const REQUEST_BYTES: usize = 960 << 10;

/// Requests on their way out.
pub(super) struct Requests {
    encoding: Encoding,
    groups: Vec<Group>,
    bytes: usize,
    written: u64,
}

/// Spans of one resource and one scope.
struct Group {
    source: Arc<Source>,
    spans: Vec<Bytes>,
}

impl Requests {
    pub(super) const fn new(encoding: Encoding) -> Self {
        Self { encoding, groups: Vec::new(), bytes: 0, written: 0 }
    }

    /// How many were written.
    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    /// Adds a span. Writes what is full.
    pub(super) fn add(&mut self, source: &Arc<Source>, span: &Span, out: &mut Vec<u8>) {
        let bytes = match self.encoding {
            Encoding::Protobuf => span.encode_to_vec(),
            Encoding::Json => {
                let mut text = Vec::with_capacity(1 << 10);
                json::write_span(span, &mut text);
                text
            }
        };
        if self.bytes > 0 && self.bytes + bytes.len() > REQUEST_BYTES {
            self.end(out);
        }
        self.bytes += bytes.len();
        match self.groups.iter_mut().find(|group| Arc::ptr_eq(&group.source, source)) {
            Some(group) => group.spans.push(bytes.into()),
            None => self.groups.push(Group { source: Arc::clone(source), spans: vec![bytes.into()] }),
        }
    }

    /// Ends the request: what comes next is in another.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        let groups = std::mem::take(&mut self.groups);
        self.bytes = 0;
        if groups.is_empty() {
            return;
        }
        self.written += 1;
        let groups = by_resource(groups);
        match self.encoding {
            Encoding::Protobuf => write_protobuf(groups, out),
            Encoding::Json => write_json(&groups, out),
        }
    }
}

/// Puts the groups of one resource together.
fn by_resource(groups: Vec<Group>) -> Vec<Vec<Group>> {
    let mut resources: Vec<Vec<Group>> = Vec::new();
    for group in groups {
        let is_of = |first: &Group| {
            let (one, other) = (&first.source, &group.source);
            one.resource == other.resource && one.resource_schema_url == other.resource_schema_url
        };
        match resources.iter_mut().find(|groups| groups.first().is_some_and(is_of)) {
            Some(groups) => groups.push(group),
            None => resources.push(vec![group]),
        }
    }
    resources
}

/// Writes a request behind its length.
fn write_protobuf(resources: Vec<Vec<Group>>, out: &mut Vec<u8>) {
    let scope = |Group { source, spans: items }: Group| OfScope {
        scope: source.scope.clone(),
        items,
        schema_url: source.schema_url.clone(),
    };
    let resource = |groups: Vec<Group>| {
        let source = groups.first().map(|group| Arc::clone(&group.source))?;
        Some(OfResource {
            resource: source.resource.clone(),
            scopes: groups.into_iter().map(scope).collect(),
            schema_url: source.resource_schema_url.clone(),
        })
    };
    let bytes = Export { resources: resources.into_iter().filter_map(resource).collect() }.encode_to_vec();
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&bytes);
}

/// Writes a request as a line.
fn write_json(resources: &[Vec<Group>], out: &mut Vec<u8>) {
    json::object(out, |request| {
        request.list("resourceSpans", resources, |groups, out| write_resource_spans(groups, out));
    });
    out.push(b'\n');
}

fn write_resource_spans(groups: &[Group], out: &mut Vec<u8>) {
    let Some(source) = groups.first().map(|group| &group.source) else { return };
    json::object(out, |of_resource| {
        if let Some(resource) = &source.resource {
            json::write_resource(resource, of_resource.member("resource"));
        }
        of_resource.list("scopeSpans", groups, write_scope_spans);
        of_resource.text("schemaUrl", &source.resource_schema_url);
    });
}

fn write_scope_spans(group: &Group, out: &mut Vec<u8>) {
    json::object(out, |of_scope| {
        if let Some(scope) = &group.source.scope {
            json::write_scope(scope, of_scope.member("scope"));
        }
        of_scope.list("spans", &group.spans, |span, out| out.extend_from_slice(span));
        of_scope.text("schemaUrl", &group.source.schema_url);
    });
}
