//! The outer layers of a request: resources and scopes are read, spans and records stay the bytes that they
//! are. So nothing is copied that is not looked at, and memory holds one decoded span at a time.

use bytes::Bytes;
use opentelemetry_proto::tonic::{
    common::v1::InstrumentationScope, logs::v1::LogRecord, resource::v1::Resource, trace::v1::Span,
};
use prost::Message;

use super::{json, request::Signal};

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Protocol buffers.
    Protobuf,
    /// JSON, as OTLP maps it.
    Json,
}

/// A request's groups of items: those of one resource and one scope.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Export {
    #[prost(message, repeated, tag = "1")]
    pub(super) resources: Vec<OfResource>,
}

/// What comes from one resource.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OfResource {
    #[prost(message, optional, tag = "1")]
    pub(super) resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    pub(super) scopes: Vec<OfScope>,
    #[prost(string, tag = "3")]
    pub(super) schema_url: String,
}

/// What comes from one scope. Spans and records stand in the same place of their messages.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OfScope {
    #[prost(message, optional, tag = "1")]
    pub(super) scope: Option<InstrumentationScope>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub(super) items: Vec<Bytes>,
    #[prost(string, tag = "3")]
    pub(super) schema_url: String,
}

/// Reads the outer layers of a body.
pub(super) fn read(body: &Bytes, encoding: Encoding, signal: Signal) -> Result<Export, String> {
    match encoding {
        Encoding::Protobuf => {
            // Decoded from `Bytes`, items share its memory.
            Export::decode(body.clone()).map_err(|error| format!("not a protobuf {signal} request: {error}"))
        }
        Encoding::Json => json::outer(body, signal),
    }
}

/// What an item in protobuf is where it was sent to the door of something else: the places of a message's
/// fields tell.
pub(super) fn meant(item: &Bytes, signal: Signal) -> Option<Signal> {
    let (span, log) = (Span::decode(item.clone()), LogRecord::decode(item.clone()));
    match (signal, span, log) {
        // A record with nothing but a body reads as a span with a name.
        (Signal::Traces, Ok(span), Ok(_)) if span.trace_id.is_empty() && span.span_id.is_empty() => {
            Some(Signal::Logs)
        }
        (Signal::Traces, Err(_), Ok(_)) => Some(Signal::Logs),
        (Signal::Logs, Ok(_), Err(_)) => Some(Signal::Traces),
        _ => None,
    }
}

/// Reads a span.
pub(super) fn span(item: &Bytes, encoding: Encoding) -> Result<Span, String> {
    match encoding {
        Encoding::Protobuf => Span::decode(item.clone()).map_err(|error| error.to_string()),
        Encoding::Json => json::span(item),
    }
}

/// Reads a record of a log.
pub(super) fn log(item: &Bytes, encoding: Encoding) -> Result<LogRecord, String> {
    match encoding {
        Encoding::Protobuf => LogRecord::decode(item.clone()).map_err(|error| error.to_string()),
        Encoding::Json => json::log(item),
    }
}
