//! Subscriptions: a snapshot first, then every change, resumable.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::Run;
use crate::support::{Answer, Server};

const SPANS: &str = "subscription($id: ID!, $after: BigInt) { traceSpans(traceId: $id, after: $after) {
  revision snapshot trace { status } spans { name status depth }
} }";

const COMPLETE: &str = "mutation($id: ID!) { completeTrace(input: {traceId: $id}) { refusal { message } } }";

/// The next message, which must come soon.
async fn next(stream: &mut (impl futures_util::Stream<Item = Answer> + Unpin)) -> Value {
    let answer = timeout(Duration::from_secs(5), stream.next()).await.expect("nothing came").unwrap();
    assert!(answer.errors.is_empty(), "{:#?}", answer.errors);
    answer.data
}

async fn create(server: &Server, trace: &str, name: &str) {
    let input = json!({"traceId": trace, "operationType": "CUSTOM", "name": name});
    let mutation = "mutation($input: CreateSpanInput!) { createSpan(input: $input) { refusal { message } } }";
    server.data(mutation, json!({"input": input})).await;
}

#[tokio::test]
async fn spans_come_as_a_snapshot_and_then_as_they_change() {
    let server = Server::new().await;
    let trace = Run::record(&server).await.trace;
    let mut stream = server.follow(SPANS, json!({"id": trace}));
    let first = next(&mut stream).await["traceSpans"].clone();
    assert_eq!(first["snapshot"], true);
    assert_eq!(first["spans"].as_array().unwrap().len(), 5);
    create(&server, &trace, "late").await;
    let second = next(&mut stream).await["traceSpans"].clone();
    assert_eq!(second["snapshot"], false);
    assert_eq!(second["spans"], json!([{"name": "late", "status": "RUNNING", "depth": 0}]));

    create(&server, &trace, "later").await;
    let mut resumed = server.follow(SPANS, json!({"id": trace, "after": second["revision"]}));
    let third = next(&mut resumed).await["traceSpans"].clone();
    assert_eq!(third["snapshot"], false);
    assert_eq!(third["spans"][0]["name"], "later");
    assert_eq!(third["spans"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_subscription_to_nothing_is_an_error() {
    let server = Server::new().await;
    let unknown = "99999999-9999-4999-8999-999999999999";
    for (variables, code, field) in [
        (json!({"id": unknown}), "NOT_FOUND", "traceId"),
        (json!({"id": "x"}), "BAD_USER_INPUT", "traceId"),
        (json!({"id": unknown, "after": "-1"}), "BAD_USER_INPUT", "after"),
    ] {
        let answer = server.follow(SPANS, variables).next().await.unwrap();
        assert_eq!(answer.errors[0]["extensions"], json!({"code": code, "field": field}));
    }
}

#[tokio::test]
async fn running_traces_begin_with_those_that_run() {
    let server = Server::new().await;
    let start = "mutation($name: String!) { startTrace(input: {name: $name}) { trace { traceId } } }";
    let trace = server.data(start, json!({"name": "one"})).await["startTrace"]["trace"]["traceId"].clone();
    Run::record(&server).await;
    let follow = "subscription($filter: TraceFilter) { runningTraces(filter: $filter) { snapshot traces { name status revision } } }";
    let mut stream = server.follow(follow, json!({}));
    let first = next(&mut stream).await["runningTraces"].clone();
    assert_eq!(
        first,
        json!({"snapshot": true, "traces": [{"name": "one", "status": "RUNNING", "revision": "1"}]})
    );
    server.data(COMPLETE, json!({"id": trace})).await;
    let last = next(&mut stream).await["runningTraces"].clone();
    assert_eq!(
        last,
        json!({"snapshot": false, "traces": [{"name": "one", "status": "COMPLETED", "revision": "2"}]})
    );
}
