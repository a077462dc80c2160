//! Batches of writes: each item has its own outcome, in order.

use serde_json::{Value, json};

use super::Run;
use crate::support::Server;

const WRITE: &str = "mutation($writes: [SpanWriteInput!]!) { writeSpans(input: {writes: $writes}) { results {
  span { spanId name status }
  refusal { __typename message ... on InvalidInput { field } ... on NotFound { field entity id } }
} } }";

#[expect(clippy::needless_pass_by_value, reason = "the callers make it for this")]
fn span(trace: &str, number: u8, more: Value) -> Value {
    let mut span = json!({
        "traceId": trace, "spanId": format!("22222222-2222-4222-8222-{number:012}"), "operationType": "CUSTOM",
        "name": format!("span {number}"),
    });
    span.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    span
}

#[tokio::test]
async fn a_refused_item_does_not_hold_up_the_others() {
    let server = Server::new().await;
    let trace = Run::record(&server).await.trace;
    let nowhere = "99999999-9999-4999-8999-999999999999";
    let writes = json!([
        {"create": span(&trace, 0, json!({}))},
        {"create": span(&trace, 1, json!({"startTime": "yesterday"}))},
        {"create": span(nowhere, 2, json!({}))},
        {"complete": {"traceId": trace, "spanId": "22222222-2222-4222-8222-000000000000"}},
        {"update": {"traceId": trace, "spanId": "not an id"}},
        {"record": span(&trace, 3, json!({"costUsd": -1}))},
        {"create": span(&trace, 4, json!({"events": [{"name": "x", "time": "2025-01-01T00:00:00Z", "attributes": []}]}))},
        {"record": span(&trace, 5, json!({"parentSpanId": "22222222-2222-4222-8222-000000000005"}))},
    ]);
    let written = server.data(WRITE, json!({"writes": writes})).await;
    let results = written["writeSpans"]["results"].as_array().unwrap();
    let field = |index: usize| results[index]["refusal"]["field"].clone();
    assert_eq!(results[0]["span"]["name"], "span 0");
    assert_eq!(field(1), "writes.1.create.startTime");
    assert_eq!(results[2]["refusal"]["__typename"], "NotFound");
    assert_eq!(results[2]["refusal"]["id"], nowhere);
    assert_eq!(results[3]["span"]["status"], "OK");
    assert_eq!(field(4), "writes.4.update.spanId");
    assert_eq!(field(5), "writes.5.record.costUsd");
    assert_eq!(results[6]["refusal"]["__typename"], "InvalidInput");
    assert_eq!(results[7]["refusal"], json!(null));

    let stored = server
        .data(
            "query($id: ID!) { trace(id: $id) { spans(filter: {types: [CUSTOM]}) { nodes { name } } } }",
            json!({"id": trace}),
        )
        .await;
    assert_eq!(stored["trace"]["spans"]["nodes"], json!([{"name": "span 0"}, {"name": "span 5"}]));
}

#[tokio::test]
async fn a_batch_can_be_sent_again() {
    let server = Server::new().await;
    let trace = Run::record(&server).await.trace;
    let create = "mutation($spans: [CreateSpanInput!]!, $replace: Boolean!) {
      createSpans(input: {spans: $spans, replace: $replace}) { results { span { name } refusal { __typename } } }
    }";
    let spans = |name: &str| json!([span(&trace, 0, json!({"name": name}))]);
    let first = server.data(create, json!({"spans": spans("a"), "replace": false})).await;
    assert_eq!(first["createSpans"]["results"][0]["span"]["name"], "a");
    let second = server.data(create, json!({"spans": spans("b"), "replace": false})).await;
    assert_eq!(second["createSpans"]["results"][0]["refusal"]["__typename"], "AlreadyExists");
    let third = server.data(create, json!({"spans": spans("c"), "replace": true})).await;
    assert_eq!(third["createSpans"]["results"][0]["span"]["name"], "c");
}
