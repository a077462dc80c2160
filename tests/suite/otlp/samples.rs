//! Spans and records in few words, made with OTLP's own types.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, KeyValue, any_value::Value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};

/// A moment that is neither far behind nor ahead of any clock: now, in whole seconds.
#[expect(clippy::disallowed_methods, reason = "a server that runs by itself goes by the machine's clock")]
pub fn just_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() * 1_000_000_000
}

pub fn trace_id(number: u64) -> Vec<u8> {
    (0x7ace_u128 << 112 | u128::from(number)).to_be_bytes().to_vec()
}

pub fn span_id(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// A span that has ended, without anything optional.
pub fn span(trace: u64, number: u64, start: u64) -> Span {
    Span {
        trace_id: trace_id(trace),
        span_id: span_id(number),
        name: format!("span {number}"),
        start_time_unix_nano: start,
        end_time_unix_nano: start + 1_000_000,
        ..Span::default()
    }
}

pub fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

pub fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

pub fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

pub fn of_spans(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }],
    }
}

pub fn of_logs(log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] }
}

/// A record that judges a span.
pub fn evaluation(trace: u64, span: u64, time: u64, score: f64) -> LogRecord {
    LogRecord {
        time_unix_nano: time,
        trace_id: trace_id(trace),
        span_id: span_id(span),
        event_name: "gen_ai.evaluation.result".to_owned(),
        attributes: vec![
            text("gen_ai.evaluation.name", "quality"),
            attribute("gen_ai.evaluation.score.value", Value::DoubleValue(score)),
        ],
        ..LogRecord::default()
    }
}
