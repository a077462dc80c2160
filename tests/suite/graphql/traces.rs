//! Traces: their life, their lists, their summaries.

use std::sync::Arc;

use dendro::{
    engine::{EngineError, MemoryEngine},
    store::StoreConfig,
};
use serde_json::json;

use super::{Run, moment};
use crate::support::{
    Server,
    engines::{Failing, wrap},
};

const START: &str = "mutation($input: StartTraceInput!) {
  startTrace(input: $input) { trace { id traceId name status startTime } refusal { __typename message } }
}";

#[tokio::test]
async fn a_trace_is_started_read_and_ended_once() {
    let server = Server::new().await;
    let id = "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44";
    let input = json!({
        "traceId": id, "name": "support", "userInput": "Hello", "userId": "ada", "sessionId": "s1",
        "metadata": {"a": 1.50}, "startTime": "2025-01-01T01:00:00.000000001+01:00",
    });
    let started = server.data(START, json!({"input": input})).await;
    let trace = &started["startTrace"]["trace"];
    assert_eq!(trace["traceId"], id);
    assert_eq!(trace["startTime"], "2025-01-01T00:00:00.000000001Z");
    let again = server.data(START, json!({"input": input})).await;
    assert_eq!(again["startTrace"]["refusal"]["__typename"], "AlreadyExists");

    let end =
        "mutation($id: ID!) { completeTrace(input: {traceId: $id, status: FAILED, finalOutput: \"no\"}) {
      trace { status durationMs } refusal { ... on IllegalTransition { entity state action legal } }
    } }";
    server.clock.advance_ms(1500);
    let ended = server.data(end, json!({"id": trace["id"]})).await;
    assert_eq!(ended["completeTrace"]["trace"]["status"], "FAILED");
    let twice = server.data(end, json!({"id": id})).await;
    let refusal = json!({"entity": "TRACE", "state": "FAILED", "action": "be completed", "legal": []});
    assert_eq!(twice["completeTrace"], json!({"trace": null, "refusal": refusal}));

    let read = server
        .data(
            "query($id: ID!) {
              trace(id: $id) {
                traceId name userId sessionId userInput finalOutput metadata inputPreview outputPreview
                status durationMs durationNanos endTime revision
              }
              node(id: $id) { __typename id }
            }",
            json!({"id": trace["id"]}),
        )
        .await;
    assert_eq!(
        read["trace"],
        json!({
            "traceId": id, "name": "support", "userId": "ada", "sessionId": "s1", "userInput": "Hello",
            "finalOutput": "no", "metadata": {"a": 1.50}, "inputPreview": "Hello", "outputPreview": "no",
            "status": "FAILED", "durationMs": 1_499.999_999, "durationNanos": "1499999999",
            "endTime": "2025-01-01T00:00:01.500000000Z", "revision": "2",
        })
    );
    assert_eq!(read["node"], json!({"__typename": "Trace", "id": trace["id"]}));
}

#[tokio::test]
async fn a_summary_adds_up_what_the_spans_say() {
    let server = Server::new().await;
    let run = Run::record(&server).await;
    let read = server
        .data(
            "query($id: ID!) { trace(id: $id) {
              name spanCount runningSpanCount errorCount llmCallCount toolCallCount depth models
              totalTokens inputTokens outputTokens totalCostUsd durationMs
            } }",
            json!({"id": run.trace}),
        )
        .await;
    assert_eq!(
        read["trace"],
        json!({
            "name": "support", "spanCount": 5, "runningSpanCount": 0, "errorCount": 0, "llmCallCount": 2,
            "toolCallCount": 1, "depth": 3, "models": ["small-1"], "totalTokens": "240",
            "inputTokens": "200", "outputTokens": "40", "totalCostUsd": 0.5, "durationMs": 1000.0,
        })
    );
}

#[tokio::test]
async fn lists_are_filtered_ordered_and_paged() {
    let server = Server::new().await;
    for (index, user) in ["ada", "ada", "bob", "ada"].into_iter().enumerate() {
        let start = moment(i64::try_from(index).unwrap() * 1000);
        let input = json!({"name": format!("Run {index}"), "userId": user, "startTime": start});
        server.data(START, json!({"input": input})).await;
    }
    let list =
        "query($first: Int, $after: String, $filter: TraceFilter, $orderBy: TraceOrder! = NEWEST_FIRST) {
      traces(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
        totalCount edges { cursor node { name } } nodes { name }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }";
    let names = |page: &serde_json::Value| {
        let names = page["traces"]["nodes"].as_array().unwrap().iter();
        names.map(|node| node["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let of_ada = json!({"userId": "ada"});
    let first = server.data(list, json!({"first": 2, "filter": of_ada})).await;
    assert_eq!(names(&first), ["Run 3", "Run 1"]);
    assert_eq!(first["traces"]["totalCount"], 3);
    assert_eq!(first["traces"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(first["traces"]["pageInfo"]["hasPreviousPage"], false);
    assert_eq!(first["traces"]["pageInfo"]["startCursor"], first["traces"]["edges"][0]["cursor"]);
    let after = &first["traces"]["pageInfo"]["endCursor"];
    let second = server.data(list, json!({"first": 2, "after": after, "filter": of_ada})).await;
    assert_eq!(names(&second), ["Run 0"]);
    assert_eq!(second["traces"]["pageInfo"]["hasNextPage"], false);
    assert_eq!(second["traces"]["pageInfo"]["hasPreviousPage"], true);

    let oldest = server
        .data(list, json!({"orderBy": "OLDEST_FIRST", "filter": {"from": moment(1000), "to": moment(3000)}}))
        .await;
    assert_eq!(names(&oldest), ["Run 1", "Run 2"]);
    let by_name = server.data(list, json!({"filter": {"name": "RUN 2", "statuses": ["RUNNING"]}})).await;
    assert_eq!(names(&by_name), ["Run 2"]);
    let none = server.data(list, json!({"filter": {"hasErrors": true}})).await;
    assert!(names(&none).is_empty());

    let elsewhere = server.errors(list, json!({"after": after, "filter": {"userId": "bob"}})).await;
    assert_eq!(elsewhere[0]["extensions"]["field"], "after");
}

#[tokio::test]
async fn traces_are_found_by_where_they_belong() {
    let server = Server::new().await;
    let create =
        "mutation { createConversation(input: {userId: \"ada\"}) { conversation { id conversationId } } }";
    let talk = server.data(create, json!({})).await["createConversation"]["conversation"].clone();
    for (index, (conversation, session, status)) in [
        (Some(&talk["id"]), Some("s1"), "COMPLETED"),
        (Some(&talk["conversationId"]), Some("s2"), "FAILED"),
        (None, Some("s1"), "CANCELLED"),
        (None, None, "RUNNING"),
    ]
    .into_iter()
    .enumerate()
    {
        let input = json!({
            "name": index.to_string(), "conversationId": conversation, "sessionId": session,
            "startTime": moment(i64::try_from(index).unwrap() * 1000),
        });
        let started = server.data(START, json!({"input": input})).await["startTrace"].clone();
        let end = "mutation($id: ID!, $status: TraceStatus!) { completeTrace(input: {traceId: $id, status: $status}) { refusal { message } } }";
        if status != "RUNNING" {
            server.clock.advance_ms(5000);
            server.data(end, json!({"id": started["trace"]["id"], "status": status})).await;
        }
    }
    let list = "query($filter: TraceFilter) { traces(filter: $filter) { totalCount nodes { name } } }";
    for (filter, expected) in [
        (json!({"conversationId": talk["id"]}), vec!["1", "0"]),
        (json!({"conversationId": talk["conversationId"], "statuses": ["FAILED"]}), vec!["1"]),
        (json!({"sessionId": "s1"}), vec!["2", "0"]),
        (json!({"sessionId": "s1", "conversationId": talk["id"]}), vec!["0"]),
        (json!({"sessionId": "s1", "from": moment(1)}), vec!["2"]),
        (json!({"statuses": ["RUNNING", "CANCELLED"]}), vec!["3", "2"]),
        (json!({"statuses": []}), vec!["3", "2", "1", "0"]),
        (json!({"statuses": ["FAILED", "FAILED"]}), vec!["1"]),
        (json!({"from": moment(1000), "to": moment(2001)}), vec!["2", "1"]),
        (json!({"sessionId": ""}), vec![]),
    ] {
        let found = server.data(list, json!({"filter": filter})).await["traces"]["nodes"].clone();
        let names: Vec<_> =
            found.as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{filter}");
    }
}

/// A store that fails says by a code of its own whether the same request can succeed later.
#[tokio::test]
async fn a_store_that_fails_tells_when_to_try_again() {
    let failing = Arc::new(Failing::default());
    let engine = wrap(Arc::new(MemoryEngine::new()), &failing);
    let server = Server::on(engine, StoreConfig::default(), Default::default()).await;
    let input = json!({"input": {"name": "support"}});
    let why = || "not for clients".to_owned();
    for (error, told) in [
        (EngineError::Full(why()), json!({"code": "UNAVAILABLE", "retryAfterMs": 5_000})),
        (EngineError::Stopped(why()), json!({"code": "UNAVAILABLE", "retryAfterMs": 5_000})),
        (EngineError::Corrupt(why()), json!({"code": "INTERNAL"})),
    ] {
        failing.with(Some(error));
        let errors = server.errors(START, input.clone()).await;
        assert_eq!(errors[0]["extensions"], told);
        assert!(!errors[0]["message"].to_string().contains("not for clients"));
    }
    failing.with(None);
    let started = server.data(START, input).await;
    assert_eq!(started["startTrace"]["trace"]["name"], "support");
}
