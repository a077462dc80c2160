//! What is wrong with single items: each is told by its field, and the rest of the request is stored.

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value as Any},
    trace::v1::{Span, Status, span},
};
use prost::Message;
use serde_json::{Value, json};

use super::{
    bed::{Bed, JSON, NOW, PROTOBUF, TRACES},
    samples::{attribute, int, of_spans, span, text, trace_id},
};

const START: u64 = NOW as u64;

/// Sends a span between two good ones, changed; answers how many were not taken, why, and the spans that
/// are stored.
async fn among_others(change: impl FnOnce(&mut Span)) -> (i64, String, Vec<Value>) {
    let mut spans = vec![span(1, 1, START), span(1, 2, START), span(1, 3, START)];
    change(&mut spans[1]);
    send(PROTOBUF, of_spans(spans).encode_to_vec()).await
}

/// As [`among_others`], in JSON.
async fn among_others_in_json(member: &str, value: Value) -> (i64, String, Vec<Value>) {
    let good = |number: u32| {
        json!({ "traceId": "7ace0000000000000000000000000001", "spanId": format!("{number:016}"), "name": "good",
                "startTimeUnixNano": START.to_string(), "endTimeUnixNano": START.to_string() })
    };
    let mut spans = [good(1), good(2), good(3)];
    spans[1][member] = value;
    let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] });
    send(JSON, body.to_string()).await
}

async fn send(content_type: &str, body: impl Into<axum::body::Body>) -> (i64, String, Vec<Value>) {
    let bed = Bed::new().await;
    let (count, message) = bed.post(TRACES, content_type, body).await.rejected(TRACES);
    let mut traces = bed.all_traces().await;
    traces.sort_by_key(|trace| trace["traceId"].as_str().unwrap().to_owned());
    let spans = traces.iter().flat_map(|trace| trace["spans"]["nodes"].as_array().unwrap().clone());
    (count, message, spans.collect())
}

/// A value nested so many levels deep.
fn deep(levels: usize, around: fn(AnyValue) -> Any) -> Any {
    let leaf = Any::StringValue("deep".to_owned());
    (0..levels).fold(leaf, |inner, _| around(AnyValue { value: Some(inner) }))
}

fn in_list(value: AnyValue) -> Any {
    Any::ArrayValue(ArrayValue { values: vec![value] })
}

fn in_map(value: AnyValue) -> Any {
    let value = KeyValue { key: "k".to_owned(), value: Some(value), ..KeyValue::default() };
    Any::KvlistValue(KeyValueList { values: vec![value] })
}

#[tokio::test]
async fn a_span_that_breaks_a_rule_is_refused_alone() {
    type Change = fn(&mut Span);
    let cases: &[(&str, Change)] = &[
        ("traceId: is all zeros", |span| span.trace_id = vec![0; 16]),
        ("traceId: is missing", |span| span.trace_id = Vec::new()),
        ("traceId: has 8 bytes and needs 16", |span| span.trace_id = vec![1; 8]),
        ("traceId: has 17 bytes and needs 16", |span| span.trace_id = vec![1; 17]),
        ("spanId: is all zeros or empty", |span| span.span_id = vec![0; 8]),
        ("spanId: is all zeros or empty", |span| span.span_id = Vec::new()),
        ("spanId: has 16 bytes and needs 8", |span| span.span_id = trace_id(1)),
        ("parentSpanId: has 3 bytes and needs 8", |span| span.parent_span_id = vec![1; 3]),
        // Nothing, seconds, milliseconds and microseconds, all of them taken for nanoseconds.
        ("startTimeUnixNano: 1970-01-01", |span| span.start_time_unix_nano = 0),
        ("startTimeUnixNano: 1970-01-01", |span| span.start_time_unix_nano = START / 1_000_000_000),
        ("startTimeUnixNano: 1970-01-01", |span| span.start_time_unix_nano = START / 1_000_000),
        ("startTimeUnixNano: 1970-01-21", |span| span.start_time_unix_nano = START / 1_000),
        // 2100, and a moment that no signed number holds.
        ("startTimeUnixNano: 2100-01-01", |span| span.start_time_unix_nano = 4_102_444_800_000_000_000),
        ("endTimeUnixNano: 2100-01-01", |span| span.end_time_unix_nano = 4_102_444_800_000_000_000),
        ("endTimeUnixNano: ", |span| span.end_time_unix_nano = u64::MAX),
        ("endTimeUnixNano: 1970-01-01", |span| span.end_time_unix_nano = 1),
        ("events: 10001 items, 10000 are allowed", |span| {
            span.events = vec![span::Event { name: "e".to_owned(), ..span::Event::default() }; 10_001];
        }),
        ("attributes: ", |span| span.attributes = vec![text("large", &"x".repeat(17 << 20))]),
        ("failed to decode", |span| span.attributes = vec![attribute("deep", deep(1_000, in_map))]),
        ("failed to decode", |span| span.attributes = vec![attribute("deep", deep(1_000, in_list))]),
        ("failed to decode", |span| {
            let attributes = vec![attribute("deep", deep(1_000, in_map))];
            span.events = vec![span::Event { name: "e".to_owned(), attributes, ..span::Event::default() }];
        }),
    ];
    for (why, change) in cases {
        let (count, message, spans) = among_others(change).await;
        assert_eq!(count, 1, "{why}: {message}");
        let place = "resourceSpans.0.scopeSpans.0.spans.1";
        let told = message.strip_prefix(place).unwrap_or_else(|| panic!("{message}"));
        assert!(told.trim_start_matches(['.', ':', ' ']).starts_with(why), "{why}: {message}");
        let names: Vec<_> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["span 1", "span 3"], "{why}");
    }
}

#[tokio::test]
async fn a_span_that_is_odd_is_taken() {
    let taken = async |change: fn(&mut Span)| {
        let (count, message, mut spans) = among_others(change).await;
        assert_eq!((count, message.as_str(), spans.len()), (0, "", 3));
        spans.swap_remove(
            spans.iter().position(|span| span["spanId"].as_str().unwrap().ends_with("2")).unwrap(),
        )
    };
    let span = taken(|span| span.end_time_unix_nano = START - 5).await;
    assert_eq!(span["startTime"], span["endTime"], "clocks are set back");
    assert_eq!(span["origin"]["endTimeUnixNano"], START - 5);

    let span = taken(|span| span.end_time_unix_nano = 0).await;
    assert_eq!(span["status"], "RUNNING");

    let span = taken(|span| span.name = " \n\t ".to_owned()).await;
    assert_eq!(span["name"], "custom");
    let span = taken(|span| span.name = "x".repeat(10 << 20)).await;
    assert!(span["name"].as_str().unwrap().len() <= 260, "cut");

    let span = taken(|span| {
        span.kind = 99;
        span.status = Some(Status { code: 77, message: "what?".to_owned() });
        span.flags = u32::MAX;
    })
    .await;
    assert_eq!((&span["origin"]["kind"], &span["status"]), (&json!("UNSPECIFIED"), &json!("OK")));

    let span = taken(|span| {
        span.attributes = vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.request.model", "gpt\u{0}-4o\n mini\u{7f}"),
            text("gen_ai.provider.name", " \u{1b} "),
            int("gen_ai.usage.input_tokens", -5),
            text("gen_ai.usage.output_tokens", "many"),
        ];
    })
    .await;
    assert_eq!((&span["model"], &span["provider"]), (&json!("gpt -4o  mini"), &Value::Null));
    assert_eq!((&span["inputTokens"], &span["countingRule"]), (&Value::Null, &Value::Null));

    let span = taken(|span| {
        let double = |number| Any::DoubleValue(number);
        span.attributes = vec![
            attribute("nan", double(f64::NAN)),
            attribute("up", double(f64::INFINITY)),
            attribute("down", double(f64::NEG_INFINITY)),
            attribute("gen_ai.usage.cost", double(f64::NAN)),
            attribute("bytes", Any::BytesValue(vec![0xff, 0])),
            attribute("least", Any::IntValue(i64::MIN)),
            KeyValue { key: "nothing".to_owned(), ..KeyValue::default() },
            KeyValue { key: "empty".to_owned(), value: Some(AnyValue::default()), ..KeyValue::default() },
            text("", "without a name"),
            text("twice", "first"),
            text("twice", "second"),
            attribute("map", Any::KvlistValue(KeyValueList { values: vec![int("a", 1), int("a", 2)] })),
        ];
    })
    .await;
    let told = json!({ "nan": "NaN", "up": "inf", "down": "-inf", "gen_ai.usage.cost": "NaN", "bytes": "/wA=",
                       "least": i64::MIN, "nothing": null, "empty": null, "": "without a name",
                       "twice": "second", "map": { "a": 2 } });
    assert_eq!(span["attributes"], told);
    assert_eq!(span["costUsd"], Value::Null);

    let span = taken(|span| span.attributes = vec![text("large", &"x".repeat(10 << 20))]).await;
    assert_eq!(span["attributes"]["large"].as_str().unwrap().len(), 10 << 20);

    let span = taken(|span| {
        span.events =
            vec![span::Event::default(), span::Event { time_unix_nano: u64::MAX, ..Default::default() }];
    })
    .await;
    assert_eq!((&span["eventCount"], &span["events"][0]["name"]), (&json!(2), &json!("event")));
    assert_eq!(span["events"][1]["time"], span["startTime"]);

    // Of what leads nowhere only the count is kept.
    let span = taken(|span| {
        let link =
            |trace: Vec<u8>| span::Link { trace_id: trace, span_id: vec![1; 8], ..span::Link::default() };
        span.links = vec![link(vec![1; 32]), link(trace_id(9)), link(Vec::new())];
        span.dropped_links_count = 5;
    })
    .await;
    assert_eq!((&span["linkCount"], &span["origin"]["droppedLinksCount"]), (&json!(1), &json!(7)));
}

/// What the least deep of the two readers takes, both take.
#[tokio::test]
async fn attributes_may_be_nested_as_deep_as_anyone_needs() {
    for around in [in_list, in_map] {
        let (count, message, spans) = among_others(|span| {
            span.attributes = vec![attribute("deep", deep(25, around))];
        })
        .await;
        assert_eq!(count, 0, "{message}");
        let told = spans.iter().find_map(|span| span["attributes"].get("deep")).unwrap().to_string();
        assert!(told.contains("\"deep\"") && told.len() > 50, "{told}");
    }
}

#[tokio::test]
async fn texts_that_are_none_cost_only_their_span() {
    // A name and an attribute's key that are no UTF-8.
    for place in ["span 2", "the key"] {
        let mut spans = vec![span(1, 1, START), span(1, 2, START)];
        spans[1].attributes = vec![text("the key", "value")];
        let mut body = of_spans(spans).encode_to_vec();
        let at = body.windows(place.len()).rposition(|bytes| bytes == place.as_bytes()).unwrap();
        body[at] = 0xff;
        let (count, message, stored) = send(PROTOBUF, body).await;
        assert_eq!((count, stored.len()), (1, 1), "{message}");
        assert!(message.starts_with("resourceSpans.0.scopeSpans.0.spans.1: "), "{message}");
        assert!(message.contains("UTF-8"), "{message}");
    }
}

#[tokio::test]
async fn in_json_the_field_that_is_wrong_is_named() {
    let value = |value: Value| json!([{ "key": "k", "value": value }]);
    let cases = [
        ("traceId", json!("xyz"), "traceId: must be 32 hexadecimal digits, or base64 of 16 bytes"),
        ("traceId", json!(""), "traceId: is missing"),
        ("traceId", json!("7ace"), "traceId: has 2 bytes and needs 16"),
        ("spanId", json!(7), "spanId: must be a text"),
        ("parentSpanId", json!("x"), "parentSpanId: must be 16 hexadecimal digits"),
        ("startTimeUnixNano", json!("soon"), "startTimeUnixNano: must be a whole number"),
        ("startTimeUnixNano", json!(-1), "startTimeUnixNano: must be a whole number"),
        ("startTimeUnixNano", json!(1.5), "startTimeUnixNano: must be a whole number"),
        ("startTimeUnixNano", json!("2027-01-01T00:00:00Z"), "startTimeUnixNano: must be a whole number"),
        ("endTimeUnixNano", json!("1e30"), "endTimeUnixNano: must be a whole number"),
        ("endTimeUnixNano", json!(1e30), "endTimeUnixNano: must be a whole number"),
        ("kind", json!({}), "kind: must be a whole number"),
        ("flags", json!(5_000_000_000_u64), "flags: must be a whole number"),
        ("name", json!(["a"]), "name: must be a text"),
        ("status", json!("OK"), "status: must be an object"),
        ("status", json!({ "message": 5 }), "status.message: must be a text"),
        ("events", json!({}), "events: must be a list"),
        ("events", json!([null]), "events.0: must be an object"),
        ("events", json!([{ "timeUnixNano": "x" }]), "events.0.timeUnixNano: must be a whole number"),
        ("links", json!([{ "traceId": 5 }]), "links.0.traceId: must be a text"),
        ("attributes", json!({ "a": 1 }), "attributes: must be a list of keys and values"),
        ("attributes", json!([{ "value": {} }]), "attributes.0.key: must be a text"),
        ("attributes", json!([{ "key": "a", "value": 1 }]), "attributes.0.value: must be an object"),
        ("attributes", value(json!({ "stringValue": 1 })), "attributes.0.value.stringValue: must be a text"),
        (
            "attributes",
            value(json!({ "intValue": "12a" })),
            "attributes.0.value.intValue: must be a whole number",
        ),
        (
            "attributes",
            value(json!({ "intValue": "9223372036854775808" })),
            "attributes.0.value.intValue: must be a whole number",
        ),
        (
            "attributes",
            value(json!({ "boolValue": "yes" })),
            "attributes.0.value.boolValue: must be true or false",
        ),
        (
            "attributes",
            value(json!({ "doubleValue": "x" })),
            "attributes.0.value.doubleValue: must be a number",
        ),
        ("attributes", value(json!({ "bytesValue": "?" })), "attributes.0.value.bytesValue: must be base64"),
        (
            "attributes",
            value(json!({ "arrayValue": { "values": [{ "intValue": true }] } })),
            "attributes.0.value.arrayValue.values.0.intValue: must be a whole number",
        ),
        (
            "attributes",
            value(json!({ "kvlistValue": { "values": [{ "key": 1 }] } })),
            "attributes.0.value.kvlistValue.values.0.key: must be a text",
        ),
    ];
    for (member, value, why) in cases {
        let (count, message, spans) = among_others_in_json(member, value).await;
        assert_eq!((count, spans.len()), (1, 2), "{why}: {message}");
        let told = message.strip_prefix("resourceSpans.0.scopeSpans.0.spans.1.");
        assert!(told.is_some_and(|told| told.starts_with(why)), "{why}: {message}");
    }
}

#[tokio::test]
async fn json_that_is_nested_a_thousand_levels_deep_costs_only_its_span() {
    let good = json!({ "traceId": "7ace0000000000000000000000000001", "spanId": "0000000000000001",
                       "startTimeUnixNano": START.to_string(), "endTimeUnixNano": START.to_string() });
    let bad = |attributes: &str| {
        let span = good.to_string().replace("0000000000000001\",\"start", "0000000000000002\",\"start");
        format!("{},\"attributes\":{attributes}}}", span.trim_end_matches('}'))
    };
    let list = |open: &str, inner: &str, close: &str| {
        format!("[{{\"key\":\"k\",\"value\":{}{inner}{}}}]", open.repeat(1_000), close.repeat(1_000))
    };
    for attributes in [
        list("{\"arrayValue\":{\"values\":[", "{\"intValue\":1}", "]}}"),
        list("{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":", "{\"intValue\":1}", "}]}}"),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
    ] {
        let body = format!(
            "{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{good},{}]}}]}}]}}",
            bad(&attributes)
        );
        let (count, message, spans) = send(JSON, body).await;
        assert_eq!((count, spans.len()), (1, 1), "{message}");
        assert!(
            message.starts_with("resourceSpans.0.scopeSpans.0.spans.1: recursion limit exceeded"),
            "{message}"
        );
    }
}
