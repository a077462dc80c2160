//! In from files, out as JSON and as protobuf, in again elsewhere: both databases answer the same, and what
//! comes out is what went in.

use std::collections::HashMap;

use dendro::otlp::Encoding;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::InstrumentationScope,
    resource::v1::Resource, trace::v1::Span,
};
use prost::Message as _;
use serde_json::{Value, json};

use super::{answers, corpus, export, frames, import, lines, server};

#[tokio::test]
async fn another_database_answers_the_same() {
    for sent in corpus::all() {
        let first = server().await;
        for (name, bytes) in &sent.files {
            import(&first, name, bytes).await;
        }
        let expected = answers::of(&first).await;
        assert!(!expected.is_empty(), "{}", sent.name);
        let mut exports = Vec::new();
        for encoding in [Encoding::Json, Encoding::Protobuf] {
            let why = format!("{} by {encoding:?}", sent.name);
            let out = export(&first, encoding).await;
            let second = server().await;
            let (report, problems) = import(&second, "export", &out).await;
            assert_eq!(problems, Vec::<String>::new(), "{why}");
            assert_eq!(report.spans, report.new_spans, "{why}");
            answers::assert_same(&expected, &answers::of(&second).await, &why);
            assert!(export(&second, encoding).await == out, "{why}: a second export is another one");
            exports.push((why, out));
        }
        // Where it came from it changes nothing, whatever way it takes.
        for (why, out) in exports {
            let (report, _) = import(&first, "export", &out).await;
            assert_eq!(report.new_spans, 0, "{why}: it is known where it comes from");
            answers::assert_same(&expected, &answers::of(&first).await, &why);
        }
        for (name, bytes) in &sent.files {
            let (report, _) = import(&first, name, bytes).await;
            assert_eq!((report.new_spans, report.new_log_records), (0, 0), "{name}: it is known");
        }
    }
}

/// A span with where it comes from.
type Whole = (Option<Resource>, String, Option<InstrumentationScope>, String, Span);

fn spans(requests: Vec<ExportTraceServiceRequest>) -> HashMap<(Vec<u8>, Vec<u8>), Whole> {
    let mut spans = HashMap::new();
    for of_resource in requests.into_iter().flat_map(|request| request.resource_spans) {
        for of_scope in of_resource.scope_spans {
            for span in of_scope.spans {
                let (resource, scope) = (of_resource.resource.clone(), of_scope.scope.clone());
                let schemas = (of_resource.schema_url.clone(), of_scope.schema_url.clone());
                let key = (span.trace_id.clone(), span.span_id.clone());
                spans.insert(key, (resource, schemas.0, scope, schemas.1, span));
            }
        }
    }
    spans
}

#[tokio::test]
async fn what_clients_sent_comes_out_as_it_went_in() {
    let mut compared = 0;
    for sent in corpus::all() {
        let server = server().await;
        let mut requests = Vec::new();
        for (name, bytes) in &sent.files {
            import(&server, name, bytes).await;
            if name.ends_with("-traces.pb") {
                requests.push(ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap());
            }
        }
        let mut out = spans(frames(&export(&server, Encoding::Protobuf).await));
        for (key, mut expected) in spans(requests) {
            let mut found = out.remove(&key).unwrap_or_else(|| panic!("{}: {key:?} is not there", sent.name));
            // What came in records of logs is in it too; of the rest nothing is another.
            let attached =
                &found.4.attributes.iter().find(|attribute| attribute.key == "dendro.span.attached");
            if attached.is_some() {
                let known = expected.4.events.len();
                found.4.events.truncate(known);
                let names: Vec<_> =
                    expected.4.attributes.iter().map(|attribute| attribute.key.clone()).collect();
                found.4.attributes.retain(|attribute| names.contains(&attribute.key));
            }
            // Nothing may be sent as nothing or as something empty.
            expected.4.status = expected.4.status.filter(|status| *status != Default::default());
            assert_eq!(found, expected, "{}", sent.name);
            compared += 1;
        }
    }
    assert!(compared > 30, "{compared} spans were compared");
}

#[tokio::test]
async fn types_that_json_has_not_come_out_too() {
    let server = server().await;
    let spellings = corpus::all().into_iter().find(|sent| sent.name == "json-spellings").unwrap();
    let (name, bytes) = &spellings.files[0];
    import(&server, name, bytes).await;
    let out = lines(&export(&server, Encoding::Json).await);
    let spans = &out[0]["resourceSpans"][0]["scopeSpans"][0]["spans"];
    let span = |id: &str| {
        let found = spans.as_array().unwrap().iter().find(|span| span["spanId"] == id);
        found.unwrap_or_else(|| panic!("{id} in {spans:#}"))
    };
    let second = span("0000000000000002");
    assert_eq!(
        second["attributes"],
        json!([
            {"key": "int as number", "value": {"intValue": "1"}},
            {"key": "a whole double", "value": {"doubleValue": 1.0}},
            {"key": "double as text", "value": {"doubleValue": "NaN"}},
            {"key": "bytes", "value": {"bytesValue": "3q2+7w=="}},
            {"key": "nothing"},
            {"key": "no value"},
            {"key": "empty list", "value": {"arrayValue": {}}},
        ])
    );
    assert_eq!((&second["flags"], &second["traceState"]), (&json!(257), &json!("vendor=1")));
    assert_eq!(second["status"], json!({"code": 2, "message": "no"}));
    assert_eq!(second["kind"], 3);
    let twice = &span("0000000000000abc")["attributes"];
    assert_eq!(*twice, json!([{"key": "twice", "value": {"stringValue": "second"}}]), "the last one holds");
    assert_eq!(span("0000000000000007")["endTimeUnixNano"], "0", "it goes on");
    let backwards = span("0000000000000008");
    assert_eq!(backwards["startTimeUnixNano"], "1750000000008000000");
    assert_eq!(backwards["endTimeUnixNano"], "1750000000007000000");
}

#[tokio::test]
async fn all_that_a_span_can_have_comes_out_as_it_went_in() {
    let server = server().await;
    let text = |text: &str| json!({"stringValue": text});
    let sent = json!({"resourceSpans": [{
        "resource": {
            "attributes": [
                {"key": "service.name", "value": text("service")},
                {"key": "blob", "value": {"bytesValue": "AQI="}},
            ],
            "droppedAttributesCount": 1,
        },
        "scopeSpans": [{
            "scope": {
                "name": "scope", "version": "1.2", "droppedAttributesCount": 2,
                "attributes": [{"key": "a", "value": {"doubleValue": 2.0}}],
            },
            "spans": [{
                "traceId": "000000000000000000000000000000aa",
                "spanId": "0000000000000001",
                "traceState": "a=b",
                "parentSpanId": "0000000000000002",
                "flags": 769,
                "name": format!(" a\nname {}", "x".repeat(300)),
                "kind": 5,
                "startTimeUnixNano": "1750000000000000001",
                "endTimeUnixNano": "1750000000000000002",
                "attributes": [
                    {"key": "z", "value": {"intValue": "-9223372036854775808"}},
                    {"key": "a", "value": {"doubleValue": 0.30000000000000004}},
                    {"key": "nested", "value": {"kvlistValue": {"values": [
                        {"key": "list", "value": {"arrayValue": {"values": [
                            {"bytesValue": "AA=="}, {}, {"boolValue": false}, {"doubleValue": "-Infinity"},
                        ]}}},
                        {"key": "a/b", "value": {"bytesValue": ""}},
                    ]}}},
                ],
                "droppedAttributesCount": 3,
                "events": [
                    {"timeUnixNano": "0"},
                    {"timeUnixNano": "1750000000000000003", "name": " padded ", "droppedAttributesCount": 4,
                     "attributes": [{"key": "e", "value": {"bytesValue": "/w=="}}]},
                ],
                "droppedEventsCount": 5,
                "links": [
                    {"traceId": "000000000000000000000000000000bb", "spanId": "0000000000000003", "traceState": "c=d",
                     "attributes": [{"key": "l", "value": {"doubleValue": "Infinity"}}],
                     "droppedAttributesCount": 6, "flags": 256},
                    {"traceId": "000000000000000000000000000000cc"},
                ],
                "droppedLinksCount": 7,
                "status": {"message": "m".repeat(5_000), "code": 1},
            }],
            "schemaUrl": "https://example.com/scope",
        }],
        "schemaUrl": "https://example.com/resource",
    }]});
    let (report, problems) = import(&server, "sent", sent.to_string().as_bytes()).await;
    assert_eq!((report.spans, problems), (1, Vec::new()));
    let out = lines(&export(&server, Encoding::Json).await);
    assert_eq!(out, [sent]);
    let shown = &answers::of(&server).await[0]["spans"]["nodes"][0];
    assert_eq!(shown["status"], "OK");
    assert!(shown["name"].as_str().unwrap().starts_with("a name xxx"), "{}", shown["name"]);
}

#[tokio::test]
async fn a_span_that_has_only_started_comes_out_as_it_was_sent() {
    let pending = corpus::all().into_iter().find(|sent| sent.name == "logfire").unwrap();
    let server = server().await;
    let (name, bytes) = &pending.files[0];
    assert!(name.contains("pending"));
    import(&server, name, bytes).await;
    let sent: Value = serde_json::from_slice(bytes).unwrap();
    let ids = |requests: &[Value]| {
        let scopes = requests.iter().flat_map(|request| request["resourceSpans"].as_array().unwrap());
        let scopes = scopes.flat_map(|resource| resource["scopeSpans"].as_array().unwrap());
        let spans = scopes.flat_map(|scope| scope["spans"].as_array().unwrap());
        let mut ids: Vec<_> = spans
            .map(|span| {
                ["spanId", "parentSpanId", "startTimeUnixNano", "endTimeUnixNano"]
                    .map(|key| span[key].clone())
            })
            .map(|ids| format!("{ids:?}"))
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&lines(&export(&server, Encoding::Json).await)), ids(&[sent]));
}

#[tokio::test]
async fn what_was_changed_here_after_it_came_goes_out_too() {
    let first = server().await;
    let text = |key: &str, text: &str| json!({"key": key, "value": {"stringValue": text}});
    let sent = json!({"resourceSpans": [{"scopeSpans": [{"spans": [{
        "traceId": "000000000000000000000000000000aa", "spanId": "0000000000000001", "name": "chat",
        "startTimeUnixNano": "1750000000000000001",
        "attributes": [text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", "gpt-4o")],
    }]}]}]});
    import(&first, "sent", sent.to_string().as_bytes()).await;
    let complete =
        "mutation($input: CompleteSpanInput!) { completeSpan(input: $input) { refusal { message } } }";
    let input = json!({
        "traceId": "00000000-0000-0000-0000-0000000000aa", "spanId": "00000000-0000-0000-0000-000000000001",
        "status": "CANCELLED", "endTime": "2025-06-16T00:00:00.000000000Z", "statusMessage": "enough",
        "model": "gpt-4o-mini", "tokens": {"input": 7}, "costUsd": 0.5, "inputs": {"a": 1}, "attributes": {"b": 2.0},
    });
    let completed = first.data(complete, json!({ "input": input })).await;
    assert_eq!(completed["completeSpan"]["refusal"], Value::Null);
    let expected = answers::of(&first).await;
    for encoding in [Encoding::Json, Encoding::Protobuf] {
        let second = server().await;
        import(&second, "export", &export(&first, encoding).await).await;
        let found = answers::of(&second).await;
        assert_eq!(found[0]["spans"], expected[0]["spans"]);
    }
    let span = &expected[0]["spans"]["nodes"][0];
    assert_eq!((&span["status"], &span["model"]), (&json!("CANCELLED"), &json!("gpt-4o-mini")));
}
