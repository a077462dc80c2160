//! Traces that are over and go on: a late span corrects what they add up to, and leaves them over. And traces
//! whose root never comes, or that have none.

use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message;
use serde_json::{Value, json};

use super::{
    bed::{Bed, NOW, PROTOBUF, TRACES},
    samples::{int, of_spans, span, span_id, text},
};

/// A minute before now.
const START: u64 = NOW as u64 - 60_000_000_000;

fn child(number: u64, parent: u64) -> Span {
    Span { parent_span_id: span_id(parent), ..span(1, number, START + number * 1_000_000) }
}

fn call(number: u64, parent: u64, tokens: i64) -> Span {
    let attributes = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.request.model", "gpt-4o"),
        int("gen_ai.usage.input_tokens", tokens),
    ];
    Span { attributes, ..child(number, parent) }
}

fn failed(span: Span) -> Span {
    Span { status: Some(Status { code: 2, message: "no".to_owned() }), ..span }
}

async fn send(bed: &Bed, spans: Vec<Span>) -> Value {
    let reply = bed.post(TRACES, PROTOBUF, of_spans(spans).encode_to_vec()).await;
    assert_eq!(reply.rejected(TRACES), (0, String::new()));
    trace(bed).await
}

async fn trace(bed: &Bed) -> Value {
    bed.all_traces().await.pop().unwrap()
}

/// What a trace adds up to: status, spans, failed, running, input tokens, levels, and milliseconds until
/// its end.
fn sums(trace: &Value) -> (Value, [u64; 5], Option<f64>) {
    let number = |name: &str| match &trace[name] {
        Value::String(text) => text.parse().unwrap(),
        number => number.as_u64().unwrap(),
    };
    let sums = ["spanCount", "errorCount", "runningSpanCount", "inputTokens", "depth"].map(number);
    let end = trace["endTime"].as_str().map(|end| {
        let nanos = |text: &str| {
            text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_nanos_opt().unwrap()
        };
        (nanos(end) - nanos(trace["startTime"].as_str().unwrap())) as f64 / 1e6
    });
    (trace["status"].clone(), sums, end)
}

fn placements(trace: &Value) -> Vec<(&str, &str)> {
    let spans = trace["spans"]["nodes"].as_array().unwrap().iter();
    spans.map(|span| (span["name"].as_str().unwrap(), span["placement"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_trace_that_is_over_takes_late_spans_and_stays_over() {
    let bed = Bed::new().await;
    let told = send(&bed, vec![span(1, 1, START), call(2, 1, 100)]).await;
    assert_eq!(sums(&told), (json!("COMPLETED"), [2, 0, 0, 100, 2], Some(3.0)));
    let told = send(&bed, vec![call(3, 2, 50), call(30, 1, 7), failed(child(4, 3))]).await;
    // A call below a call that reports tokens too: only the inner one counts.
    assert_eq!(sums(&told), (json!("COMPLETED"), [5, 1, 0, 57, 4], Some(31.0)));
    // It is known when it comes again, also at the wrong end of its life.
    let told = send(&bed, vec![call(30, 1, 7), Span { end_time_unix_nano: 0, ..call(30, 1, 7) }]).await;
    assert_eq!(sums(&told).1, [5, 1, 0, 57, 4]);
    // One that goes on is counted as such.
    let told = send(&bed, vec![Span { end_time_unix_nano: 0, ..child(5, 1) }]).await;
    assert_eq!(sums(&told), (json!("COMPLETED"), [6, 1, 1, 57, 4], Some(31.0)));
    let told = send(&bed, vec![child(5, 1)]).await;
    assert_eq!(sums(&told).1, [6, 1, 0, 57, 4]);
    // A second root that failed: now the whole has.
    let told = send(&bed, vec![failed(span(1, 9, START))]).await;
    assert_eq!(sums(&told).0, "FAILED");
}

#[tokio::test]
async fn what_somebody_ended_stays_as_they_said() {
    let bed = Bed::new().await;
    send(&bed, vec![Span { end_time_unix_nano: 0, ..span(1, 1, START) }]).await;
    let end = "mutation($id: ID!) { completeTrace(input: { traceId: $id, status: CANCELLED, finalOutput: \"enough\" }) { refusal { message } } }";
    let told = bed.data(end, json!({ "id": trace(&bed).await["traceId"] })).await;
    assert_eq!(told["completeTrace"]["refusal"], Value::Null);
    let told = send(&bed, vec![span(1, 1, START), call(2, 1, 10)]).await;
    assert_eq!((&told["status"], &told["inputTokens"]), (&json!("CANCELLED"), &json!("10")));
    assert_eq!(told["outputPreview"], "enough");
}

#[tokio::test]
async fn a_trace_whose_root_never_comes_is_over_when_nothing_comes() {
    let bed = Bed::new().await;
    let told = send(&bed, vec![call(2, 1, 10), child(3, 2)]).await;
    assert_eq!(sums(&told), (json!("RUNNING"), [2, 0, 0, 10, 2], None));
    assert_eq!(placements(&told), [("span 2", "PROVISIONAL_ROOT"), ("span 3", "CHILD")]);

    bed.server.clock.advance_ms(299_000);
    assert_eq!(bed.server.services.ingest.settle_due().await.unwrap(), 0);
    bed.server.clock.advance_ms(2_000);
    assert_eq!(bed.server.services.ingest.settle_due().await.unwrap(), 1);
    let told = trace(&bed).await;
    assert_eq!(sums(&told), (json!("COMPLETED"), [2, 0, 0, 10, 2], Some(2.0)));
    assert_eq!(placements(&told), [("span 2", "ORPHAN"), ("span 3", "CHILD")]);

    let told = send(&bed, vec![child(4, 2), Span { end_time_unix_nano: 0, ..child(5, 2) }]).await;
    assert_eq!(sums(&told), (json!("COMPLETED"), [4, 0, 1, 10, 2], Some(3.0)));
    // At last it comes all the same, and says more.
    let told = send(&bed, vec![failed(span(1, 1, START))]).await;
    assert_eq!(sums(&told), (json!("FAILED"), [5, 1, 1, 10, 3], Some(5.0)));
    assert!(placements(&told).iter().all(|(_, placement)| ["ROOT", "CHILD"].contains(placement)));
    assert_eq!(bed.server.services.ingest.settle_due().await.unwrap(), 0);
}

#[tokio::test]
async fn spans_in_a_circle_are_a_tree_and_end() {
    let bed = Bed::new().await;
    let told = send(&bed, vec![child(2, 4), child(3, 2), child(4, 3), child(5, 4), child(6, 6)]).await;
    let expected = [
        ("span 2", "CYCLE_BROKEN"),
        ("span 3", "CHILD"),
        ("span 4", "CHILD"),
        ("span 5", "CHILD"),
        ("span 6", "CYCLE_BROKEN"),
    ];
    assert_eq!(placements(&told), expected);
    assert_eq!(sums(&told).0, "RUNNING");
    bed.server.clock.advance_ms(301_000);
    bed.server.services.ingest.settle_due().await.unwrap();
    let told = trace(&bed).await;
    assert_eq!(sums(&told), (json!("COMPLETED"), [5, 0, 0, 0, 4], Some(5.0)));
    assert_eq!(placements(&told), expected);
}
