//! What is wrong with whole requests: a clear status, and words by which whoever sent it can mend it.

use axum::body::Body;
use bytes::Bytes;
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, InstrumentationScope, any_value::Value as Any},
    logs::v1::LogRecord,
    resource::v1::Resource,
};
use prost::Message;
use serde_json::json;

use super::{
    bed::{Bed, JSON, LOGS, NOW, PROTOBUF, Reply, TRACES},
    corpus::{handmade, of_client},
    grpc::{self, call},
    real::Real,
    samples::{attribute, evaluation, of_logs, of_spans, span, trace_id},
};

const START: u64 = NOW as u64;

async fn told(path: &str, content_type: &str, body: impl Into<Body>) -> (u16, i32, String) {
    let reply = Bed::new().await.post(path, content_type, body).await;
    let complaint = reply.complaint();
    (reply.status, complaint.code, complaint.message)
}

async fn is_malformed(path: &str, content_type: &str, body: impl Into<Body>, why: &str) {
    let (status, code, message) = told(path, content_type, body).await;
    assert_eq!((status, code), (400, 3), "{message}");
    assert!(message.contains(why), "{why}: {message}");
}

#[tokio::test]
async fn what_came_to_the_wrong_door_is_told_the_right_one() {
    let (to_logs, to_traces) = ("send it to /v1/logs", "send it to /v1/traces");
    // As clients really send them: some records name no span, some have nothing but a body.
    for client in ["openai-official", "openai-official-older", "otel-sdk-python", "otel-sdk-js"] {
        for recorded in of_client(client) {
            let (wrong, right) = if recorded.path == LOGS { (TRACES, to_logs) } else { (LOGS, to_traces) };
            is_malformed(wrong, &recorded.content_type, recorded.body, right).await;
        }
    }
    for recorded in handmade(&["claude-code-logs", "google-adk-logs"]) {
        is_malformed(TRACES, JSON, recorded.body, to_logs).await;
    }
    let only_a_body = AnyValue { value: Some(Any::StringValue("hello".to_owned())) };
    for record in [
        LogRecord { body: Some(only_a_body.clone()), ..LogRecord::default() },
        LogRecord { body: Some(only_a_body), time_unix_nano: START, ..LogRecord::default() },
        LogRecord { severity_number: 9, event_name: "e".to_owned(), ..LogRecord::default() },
        evaluation(1, 1, START, 1.0),
    ] {
        is_malformed(TRACES, PROTOBUF, of_logs(vec![record]).encode_to_vec(), to_logs).await;
    }
    is_malformed(LOGS, PROTOBUF, of_spans(vec![span(1, 1, START)]).encode_to_vec(), to_traces).await;
    let server = Real::start();
    let ended =
        call(&server.grpc, grpc::TRACES, &of_logs(vec![evaluation(1, 1, START, 1.0)]).encode_to_vec()).await;
    assert_eq!(ended.code, grpc::INVALID_ARGUMENT);
    assert!(ended.message.contains(to_logs), "{ended:?}");
}

#[tokio::test]
async fn what_cannot_be_read_is_told_why() {
    let protobuf = of_spans(vec![span(1, 1, START), span(1, 2, START)]).encode_to_vec();
    let as_json = json!({ "resourceSpans": [] }).to_string();
    for (content_type, body, why) in [
        (PROTOBUF, as_json.clone().into_bytes(), "not a protobuf traces request"),
        (JSON, protobuf.clone(), "not a JSON traces request"),
        (PROTOBUF, protobuf[..protobuf.len() - 1].to_vec(), "not a protobuf traces request"),
        (PROTOBUF, protobuf[..5].to_vec(), "not a protobuf traces request"),
        (JSON, as_json.into_bytes()[..10].to_vec(), "EOF while parsing"),
        (JSON, Vec::new(), "EOF while parsing"),
        (JSON, b"[]".to_vec(), "not a JSON traces request"),
        (JSON, b"null".to_vec(), "not a JSON traces request"),
        (JSON, b"7".to_vec(), "not a JSON traces request"),
        (JSON, b"{\"resourceSpans\": {}}".to_vec(), "expected a sequence"),
        (JSON, b"{\"resourceSpans\": [{\"scopeSpans\": 7}]}".to_vec(), "expected a sequence"),
        (JSON, b"{\"resourceSpans\": [7]}".to_vec(), "not a JSON traces request"),
        (
            JSON,
            b"{\"resourceSpans\": [{\"resource\": 7}]}".to_vec(),
            "resourceSpans.0.resource: must be an object",
        ),
        (
            JSON,
            br#"{"resourceSpans": [{"resource": {"attributes": [{"key": 7}]}}]}"#.to_vec(),
            "resourceSpans.0.resource.attributes.0.key: must be a text",
        ),
        (
            JSON,
            br#"{"resourceSpans": [{"scopeSpans": [{}, {"scope": {"name": 7}}]}]}"#.to_vec(),
            "resourceSpans.0.scopeSpans.1.scope.name: must be a text",
        ),
        (JSON, b"{\"resourceSpans\": [{\"schemaUrl\": \"\xff\"}]}".to_vec(), "invalid unicode"),
        (
            JSON,
            format!("{{\"resourceSpans\":{}", "[".repeat(1 << 20)).into_bytes(),
            "not a JSON traces request",
        ),
    ] {
        is_malformed(TRACES, content_type, body, why).await;
    }
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_told() {
    let deep = (0..1_000).fold(Any::IntValue(1), |inner, _| {
        let values = vec![AnyValue { value: Some(inner) }];
        Any::ArrayValue(opentelemetry_proto::tonic::common::v1::ArrayValue { values })
    });
    let mut request = of_spans(vec![span(1, 1, START)]);
    let attributes = vec![attribute("deep", deep)];
    request.resource_spans[0].resource =
        Some(Resource { attributes: attributes.clone(), ..Resource::default() });
    is_malformed(TRACES, PROTOBUF, request.encode_to_vec(), "recursion limit").await;
    request.resource_spans[0].resource = None;
    request.resource_spans[0].scope_spans[0].scope =
        Some(InstrumentationScope { attributes, ..InstrumentationScope::default() });
    is_malformed(TRACES, PROTOBUF, request.encode_to_vec(), "recursion limit").await;
}

#[tokio::test]
async fn nothing_and_what_nobody_knows_are_nothing_wrong() {
    let deep = format!("{{\"new\": {}{}}}", "[".repeat(1 << 20), "]".repeat(1 << 20));
    for (path, content_type, body) in [
        (TRACES, PROTOBUF, String::new()),
        (LOGS, PROTOBUF, String::new()),
        (TRACES, JSON, "{}".to_owned()),
        (LOGS, JSON, " {} \n".to_owned()),
        (TRACES, JSON, r#"{"resourceSpans": []}"#.to_owned()),
        (TRACES, JSON, r#"{"resourceSpans": null, "somethingNew": {"a": [1]}}"#.to_owned()),
        (TRACES, JSON, r#"{"resourceSpans": [{"scopeSpans": [{"spans": []}, {}]}, {}]}"#.to_owned()),
        (LOGS, JSON, r#"{"resource_logs": [{"scope_logs": [{"log_records": []}]}]}"#.to_owned()),
        (TRACES, JSON, deep),
    ] {
        let reply = Bed::new().await.post(path, content_type, body.clone()).await;
        assert_eq!(
            reply.rejected(path),
            (0, String::new()),
            "{path} {content_type} {}",
            &body[..body.len().min(99)]
        );
    }
    // Fields of a later version of the protocol: number 1000, as a text and as a number.
    let mut body = of_spans(vec![span(1, 1, START)]).encode_to_vec();
    body.extend_from_slice(&[0xc2, 0x3e, 3, b'n', b'e', b'w', 0xc0, 0x3e, 7]);
    let bed = Bed::new().await;
    assert_eq!(bed.post(TRACES, PROTOBUF, body).await.rejected(TRACES), (0, String::new()));
    assert_eq!(bed.all_traces().await.len(), 1);
}

/// A request of which nothing can be taken is no success: whoever sent it would not look into the answer.
#[tokio::test]
async fn of_a_request_without_anything_good_the_first_faults_are_told() {
    let mut spans: Vec<_> = (1..=5).map(|number| span(1, number, START)).collect();
    spans.iter_mut().for_each(|span| span.trace_id = trace_id(1)[..8].to_vec());
    let (status, code, message) = told(TRACES, PROTOBUF, of_spans(spans).encode_to_vec()).await;
    assert_eq!((status, code), (400, 3));
    assert!(message.starts_with("nothing of the request was taken: resourceSpans.0"), "{message}");
    assert!(message.ends_with("; and 2 more"), "{message}");
}

#[tokio::test]
async fn sixty_four_megabytes_are_told_to_be_too_many() {
    let server = Real::start();
    let body = Bytes::from(vec![b' '; 64 << 20]);
    for content_type in [JSON, PROTOBUF] {
        let request = reqwest::Client::new().post(format!("{}/v1/traces", server.http));
        let request = request.header("content-type", content_type).body(body.clone());
        let reply = Reply::of(request.send().await.unwrap()).await;
        let complaint = reply.complaint();
        assert_eq!((reply.status, complaint.code), (413, 8));
        assert!(
            complaint.message.contains("more than 33554432 bytes; send smaller batches"),
            "{complaint:?}"
        );
    }
}
