//! The attributes by which an export says more than OTLP has words for: whoever sends them to a door has sent
//! attributes like any others, which set no field and let nothing past a rule.

use dendro::otlp::Encoding;
use opentelemetry_proto::tonic::{
    common::v1::{ArrayValue, KeyValue, any_value::Value as Any},
    trace::v1::{Span, span::Link},
};
use prost::Message;
use serde_json::{Value, json};

use super::{
    bed::{Bed, NOW, PROTOBUF, TRACES},
    samples::{attribute, of_spans, span, span_id, text, trace_id},
};
use crate::otlp_files::{answers, export, import, server};

const START: u64 = NOW as u64 - 1_000_000_000;

/// All of these words, with what an export might say.
fn words() -> Vec<KeyValue> {
    let other = "07070707-0707-0707-0707-070707070707";
    let derived = [text("", "gen_ai.request.model")].map(|attribute| attribute.value.unwrap()).to_vec();
    vec![
        text("dendro.span.id", other),
        text("dendro.span.parent_id", other),
        attribute("dendro.span.derived", Any::ArrayValue(ArrayValue { values: derived })),
        text(
            "dendro.span.fields",
            r#"{"name":"another","status":"CANCELLED","model":"another","costNanoUsd":5,"components":["a@b"]}"#,
        ),
        text("dendro.span.attached", r#"{"events":1,"fingerprints":[1],"announced":true}"#),
        text("dendro.trace.fields", r#"{"name":"another","session":"another","input":"another"}"#),
        text("dendro.sent.dendro.span.id", "as an export would write it"),
    ]
}

fn call() -> Span {
    let mut span = span(1, 1, START);
    span.attributes = vec![text("gen_ai.operation.name", "chat"), text("gen_ai.request.model", "gpt-4o")];
    span.attributes.extend(words());
    let (trace_id, span_id) = (trace_id(2), span_id(2));
    span.links = vec![Link { trace_id, span_id, attributes: words(), ..Link::default() }];
    span
}

async fn bed_with(span: Span) -> Bed {
    let bed = Bed::new().await;
    let reply = bed.post(TRACES, PROTOBUF, of_spans(vec![span]).encode_to_vec()).await;
    assert_eq!(reply.rejected(TRACES), (0, String::new()));
    bed
}

#[tokio::test]
async fn a_door_takes_them_for_attributes() {
    let without_words = |mut span: Span| {
        span.attributes.retain(|attribute| !attribute.key.starts_with("dendro."));
        span.links.iter_mut().for_each(|link| link.attributes.clear());
        span
    };
    let mut traces = bed_with(call()).await.all_traces().await;
    let found = &mut traces[0]["spans"]["nodes"][0];
    for attributes in ["/attributes", "/links/0/attributes"] {
        let members = found.pointer_mut(attributes).unwrap().as_object_mut().unwrap();
        for word in words() {
            let kept = members.remove(&word.key).unwrap_or_else(|| panic!("{} is gone", word.key));
            let sent = match word.value.unwrap().value.unwrap() {
                Any::StringValue(text) => json!(text),
                _ => json!(["gen_ai.request.model"]),
            };
            assert_eq!(kept, sent);
        }
    }
    found["links"][0]["attributes"] = Value::Null;
    // All else is as if they had not been sent.
    let mut expected = bed_with(without_words(call())).await.all_traces().await;
    expected[0]["spans"]["nodes"][0]["links"][0]["attributes"] = Value::Null;
    assert_eq!(traces, expected);
}

#[tokio::test]
async fn what_they_say_is_not_even_read() {
    let mut span = span(1, 1, START);
    span.attributes = vec![text("dendro.span.id", "no id"), text("dendro.span.fields", "no object")];
    let traces = bed_with(span).await.all_traces().await;
    assert_eq!(traces[0]["spans"]["nodes"][0]["attributes"]["dendro.span.fields"], "no object");
}

#[tokio::test]
async fn they_let_no_time_pass_that_is_none() {
    let bed = Bed::new().await;
    for time in [5, NOW as u64 + 3 * 86_400_000_000_000] {
        let mut span = Span { start_time_unix_nano: time, end_time_unix_nano: time + 1, ..call() };
        let reply = bed.post(TRACES, PROTOBUF, of_spans(vec![span.clone()]).encode_to_vec()).await;
        assert_eq!(reply.status, 400, "{reply:?}");
        let told = reply.complaint().message;
        assert!(told.contains("startTimeUnixNano"), "{told}");
        span.attributes.clear();
        let reply = bed.post(TRACES, PROTOBUF, of_spans(vec![span]).encode_to_vec()).await;
        assert_eq!(reply.complaint().message, told, "it is told as of any other");
    }
    assert!(bed.all_traces().await.is_empty());
}

/// In an export, attributes that were sent under these names are told apart from the export's own words.
#[tokio::test]
async fn they_come_back_from_an_export_as_they_were_sent() {
    let first = bed_with(call()).await.server;
    let expected = answers::of(&first).await;
    for encoding in [Encoding::Json, Encoding::Protobuf] {
        let out = export(&first, encoding).await;
        let second = server().await;
        let (report, problems) = import(&second, "export", &out).await;
        assert_eq!((report.new_spans, problems), (1, Vec::new()));
        answers::assert_same(&expected, &answers::of(&second).await, "another database");
        assert!(export(&second, encoding).await == out, "a second export is another one");
        let (again, _) = import(&first, "export", &out).await;
        assert_eq!(again.new_spans, 0, "it is known where it comes from");
    }
}
