//! Bad input: each gets a typed refusal, or an error with a code, that names the field; and nothing of
//! it is stored.

use serde_json::{Value, json};

use super::Run;
use crate::support::Server;

/// Inputs of `createSpan` that are wrong in one field, and the refusal's type.
fn bad_spans(trace: &str) -> Vec<(&'static str, Value, &'static str)> {
    let deep = (0..130).fold(json!(null), |inner, _| json!([inner]));
    vec![
        ("traceId", json!("not-a-uuid"), "InvalidInput"),
        ("traceId", json!("99999999-9999-4999-8999-999999999999"), "NotFound"),
        ("spanId", json!("123"), "InvalidInput"),
        ("spanId", json!(Run::span_id("think")), "AlreadyExists"),
        ("parentSpanId", json!(trace.replace('-', "x")), "InvalidInput"),
        ("name", json!("  "), "InvalidInput"),
        ("name", json!("n".repeat(600)), "LimitExceeded"),
        ("startTime", json!("2025-13-01T00:00:00Z"), "InvalidInput"),
        ("startTime", json!("1066-10-14T09:00:00Z"), "InvalidInput"),
        ("endTime", json!("2024-12-31T23:59:59Z"), "InvalidInput"),
        ("timeToFirstTokenMs", json!(-1), "InvalidInput"),
        ("documentCount", json!(-1), "InvalidInput"),
        ("costUsd", json!(-0.5), "InvalidInput"),
        ("costUsd", json!(1e300), "InvalidInput"),
        ("tokens.input", json!({"input": "many"}), "InvalidInput"),
        ("inputs", deep, "InvalidInput"),
        ("attributes", json!([1]), "InvalidInput"),
        ("components.0.versionHash", json!([{"componentId": "a", "versionHash": "abc"}]), "InvalidInput"),
        ("links.1.traceId", json!([{"traceId": trace}, {"traceId": "x"}]), "InvalidInput"),
        ("events.0.time", json!([{"name": "a", "time": "noon"}]), "InvalidInput"),
    ]
}

#[tokio::test]
async fn each_bad_field_of_a_span_is_named_and_nothing_is_stored() {
    let server = Server::new().await;
    let trace = Run::record(&server).await.trace;
    let create = "mutation($input: CreateSpanInput!) { createSpan(input: $input) {
      span { id }
      refusal { __typename message ... on InvalidInput { field } ... on NotFound { field } ... on AlreadyExists { field } ... on LimitExceeded { field } }
    } }";
    for (field, value, kind) in bad_spans(&trace) {
        let mut input = json!({
            "traceId": trace, "operationType": "CUSTOM", "name": "x", "startTime": "2025-01-01T00:00:00Z",
        });
        let member = field.split('.').next().unwrap();
        input[member] = value;
        let payload = server.data(create, json!({"input": input})).await["createSpan"].clone();
        assert_eq!(payload["span"], json!(null), "{field}");
        let refusal = &payload["refusal"];
        assert_eq!((&refusal["__typename"], &refusal["field"]), (&json!(kind), &json!(field)), "{refusal}");
        assert!(refusal["message"].as_str().unwrap().len() < 400, "{refusal}");
    }
    let count = server.data("query($id: ID!) { trace(id: $id) { spanCount } }", json!({"id": trace})).await;
    assert_eq!(count["trace"]["spanCount"], 5);
}

#[tokio::test]
async fn arguments_of_queries_are_judged_too() {
    let server = Server::new().await;
    let trace = Run::record(&server).await.trace;
    for (query, field) in [
        ("{ trace(id: \"zzz\") { id } }".to_owned(), "id"),
        ("{ node(id: \"zzz\") { id } }".to_owned(), "id"),
        ("{ nodes(ids: [\"zzz\"]) { id } }".to_owned(), "ids.0"),
        ("{ traces(first: 0) { totalCount } }".to_owned(), "first"),
        ("{ traces(first: -5) { totalCount } }".to_owned(), "first"),
        ("{ traces(first: 1001) { totalCount } }".to_owned(), "first"),
        ("{ traces(first: 3000000000) { totalCount } }".to_owned(), "first"),
        ("{ traces(after: \"?\") { totalCount } }".to_owned(), "after"),
        ("{ traces(filter: {from: \"x\"}) { totalCount } }".to_owned(), "filter.from"),
        ("{ traces(filter: {conversationId: \"x\"}) { totalCount } }".to_owned(), "filter.conversationId"),
        (
            "{ traces(filter: {component: {componentId: \"a\", versionHash: \"x\"}}) { totalCount } }"
                .to_owned(),
            "filter.component.versionHash",
        ),
        (format!("{{ span(id: \"{}\") {{ id }} }}", Run::span_id("think")), "traceId"),
        (format!("{{ trace(id: \"{trace}\") {{ spans(first: 0) {{ totalCount }} }} }}"), "first"),
    ] {
        let errors = server.errors(&query, json!({})).await;
        assert_eq!(errors[0]["extensions"], json!({"code": "BAD_USER_INPUT", "field": field}), "{query}");
    }
}

#[tokio::test]
async fn values_of_the_wrong_type_are_refused_by_their_path() {
    let server = Server::new().await;
    let create = "mutation($input: CreateSpanInput!) { createSpan(input: $input) { span { id } } }";
    for (member, value, path) in [
        ("operationType", json!("DREAM"), "input.operationType"),
        ("status", json!("HAPPY"), "input.status"),
        ("name", json!(1), "input.name"),
        ("startTime", json!(12), "input.startTime"),
        ("events", json!([{"time": "2025-01-01T00:00:00Z"}]), "input.events.0"),
        ("colour", json!("red"), "input"),
    ] {
        let mut input = json!({"traceId": "t", "operationType": "CUSTOM", "name": "x"});
        input[member] = value;
        let message = server.errors(create, json!({"input": input})).await[0]["message"].clone();
        assert!(message.as_str().unwrap().contains(&format!("\"{path}\"")), "{message}");
    }
}
