//! Spans: written one by one, read as a list, as a tree and by their kinds.

use std::time::Duration;

use dendro::graphql::page::PageLimits;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Run, moment};
use crate::support::Server;

fn names(nodes: &Value) -> Vec<&str> {
    nodes.as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_flat_list_is_the_tree_in_pre_order() {
    let server = Server::new().await;
    let run = Run::record(&server).await;
    let read = server
        .data(
            "query($id: ID!) { trace(id: $id) { spans {
              totalCount
              nodes { id name depth childCount descendantCount placement parentId parentSpanId startOffsetMs durationMs }
            } } }",
            json!({"id": run.trace}),
        )
        .await;
    let spans = &read["trace"]["spans"];
    assert_eq!(spans["totalCount"], 5);
    assert_eq!(names(&spans["nodes"]), ["support", "think", "search", "index", "answer"]);
    let index = &spans["nodes"][3];
    assert_eq!(index["parentId"], spans["nodes"][2]["id"]);
    assert_eq!(index["parentSpanId"], Run::span_id("search"));
    assert_eq!((&index["depth"], &index["childCount"]), (&json!(2), &json!(0)));
    assert_eq!((&index["startOffsetMs"], &index["durationMs"]), (&json!(450.0), &json!(100.0)));
    let root = &spans["nodes"][0];
    assert_eq!((&root["placement"], &root["parentId"]), (&json!("ROOT"), &json!(null)));
    assert_eq!((&root["childCount"], &root["descendantCount"]), (&json!(3), &json!(4)));
}

#[tokio::test]
async fn the_tree_is_walked_down_and_up() {
    let server = Server::new().await;
    let run = Run::record(&server).await;
    let read = server
        .data(
            "query($id: ID!) { trace(id: $id) { rootSpans {
              name parent { name }
              children { name parent { name } children { name parent { parent { name } } trace { traceId } } }
            } } }",
            json!({"id": run.trace}),
        )
        .await;
    let root = &read["trace"]["rootSpans"][0];
    assert_eq!(names(&root["children"]), ["think", "search", "answer"]);
    assert_eq!(root["parent"], json!(null));
    let search = &root["children"][1];
    assert_eq!(search["parent"]["name"], "support");
    let index = json!({
        "name": "index", "parent": {"parent": {"name": "support"}}, "trace": {"traceId": run.trace},
    });
    assert_eq!(search["children"], json!([index]));
}

#[tokio::test]
async fn each_kind_has_its_fields() {
    let server = Server::new().await;
    let run = Run::record(&server).await;
    let read = server
        .data(
            "query($id: ID!) { trace(id: $id) { spans(filter: {types: [LLM_CALL, TOOL_CALL]}) { nodes {
              __typename name
              ... on LlmCallSpan { model totalTokens inputTokens countingRule costUsd costSource }
              ... on ToolCallSpan { toolName }
              ... on Node { id }
              ...Named
            } } } }
            fragment Named on Span { operationType inputs outputs }",
            json!({"id": run.trace}),
        )
        .await;
    let nodes = &read["trace"]["spans"]["nodes"];
    assert_eq!(names(nodes), ["think", "search", "answer"]);
    let mut think = nodes[0].clone();
    think.as_object_mut().unwrap().remove("id").unwrap();
    assert_eq!(
        think,
        json!({
            "__typename": "LlmCallSpan", "name": "think", "model": "small-1", "totalTokens": "120",
            "inputTokens": "100", "countingRule": "INCLUSIVE", "costUsd": 0.25, "costSource": "REPORTED",
            "operationType": "LLM_CALL", "inputs": {"of": "think"}, "outputs": null,
        })
    );
    assert_eq!(nodes[1]["__typename"], "ToolCallSpan");
    assert!(nodes[1].get("model").is_none());
}

#[tokio::test]
async fn spans_are_selected_and_paged() {
    let server = Server::new().await;
    let run = Run::record(&server).await;
    let list =
        "query($id: ID!, $first: Int, $after: String, $filter: SpanFilter, $orderBy: SpanOrder! = TREE) {
      trace(id: $id) { spans(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
        totalCount nodes { name } pageInfo { hasNextPage endCursor }
      } }
    }";
    let page = async |variables: Value| {
        let mut variables = variables;
        variables["id"] = json!(run.trace);
        server.data(list, variables).await["trace"]["spans"].clone()
    };
    let subtree = page(json!({"filter": {"subtreeOf": Run::span_id("search")}})).await;
    assert_eq!(names(&subtree["nodes"]), ["search", "index"]);
    let timed = page(json!({"filter": {"from": moment(400), "to": moment(600)}})).await;
    assert_eq!(names(&timed["nodes"]), ["search", "index"]);
    let named = page(json!({"filter": {"name": "ANS", "statuses": ["OK"]}})).await;
    assert_eq!(names(&named["nodes"]), ["answer"]);
    let longest = page(json!({"orderBy": "DURATION", "first": 2})).await;
    assert_eq!(names(&longest["nodes"]), ["support", "think"]);
    assert_eq!(longest["totalCount"], 5);
    let after = &longest["pageInfo"]["endCursor"];
    let rest = page(json!({"orderBy": "DURATION", "first": 9, "after": after})).await;
    assert_eq!(names(&rest["nodes"]), ["answer", "search", "index"]);
    assert_eq!(rest["pageInfo"]["hasNextPage"], false);

    let unknown = json!({"id": run.trace, "filter": {"subtreeOf": run.trace}});
    let errors = server.errors(list, unknown).await;
    assert_eq!(errors[0]["extensions"], json!({"code": "NOT_FOUND", "field": "filter.subtreeOf"}));
    let elsewhere = json!({"id": run.trace, "orderBy": "TREE", "after": after});
    assert_eq!(server.errors(list, elsewhere).await[0]["extensions"]["field"], "after");
}

#[tokio::test]
async fn a_span_is_created_changed_and_ended_once() {
    let server = Server::new().await;
    let run = Run::record(&server).await;
    let create = "mutation($input: CreateSpanInput!) { createSpan(input: $input) {
      span { id spanId status depth placement parent { name } inputs }
      refusal { __typename ... on InvalidInput { field } ... on NotFound { field entity } ... on AlreadyExists { field id } }
    } }";
    let input = json!({
        "traceId": run.trace, "spanId": "11111111-1111-4111-8111-111111111111", "operationType": "GUARDRAIL",
        "name": "check", "parentSpanId": Run::span_id("answer"), "inputs": [1, {"a": null}],
        "startTime": moment(700),
    });
    let created = server.data(create, json!({"input": input})).await["createSpan"].clone();
    assert_eq!(created["span"]["status"], "RUNNING");
    assert_eq!((&created["span"]["depth"], &created["span"]["placement"]), (&json!(2), &json!("CHILD")));
    assert_eq!(created["span"]["parent"]["name"], "answer");
    assert_eq!(created["span"]["inputs"], json!([1, {"a": null}]));
    let again = server.data(create, json!({"input": input})).await["createSpan"].clone();
    assert_eq!(
        again["refusal"],
        json!({"__typename": "AlreadyExists", "field": "spanId", "id": input["spanId"]})
    );

    let update = "mutation($input: UpdateSpanInput!) { updateSpan(input: $input) {
      span { attributes events { name time attributes } eventCount } refusal { message }
    } }";
    let change = json!({
        "spanId": created["span"]["id"], "attributes": {"b": 2},
        "events": [{"name": "seen", "time": moment(750), "attributes": {"x": 1}}],
    });
    let updated = server.data(update, json!({"input": change})).await["updateSpan"]["span"].clone();
    assert_eq!(updated["attributes"], json!({"b": 2}));
    assert_eq!(updated["events"], json!([{"name": "seen", "time": moment(750), "attributes": {"x": 1}}]));

    let complete = "mutation($input: CompleteSpanInput!) { completeSpan(input: $input) {
      span { status endTime durationNanos outputs inputs attributes } refusal { __typename message }
    } }";
    let end = json!({
        "spanId": input["spanId"], "traceId": run.trace, "status": "ERROR", "endTime": moment(800), "outputs": "no",
    });
    let ended = server.data(complete, json!({"input": end})).await["completeSpan"]["span"].clone();
    assert_eq!(
        ended,
        json!({
            "status": "ERROR", "endTime": moment(800), "durationNanos": "100000000", "outputs": "no",
            "inputs": [1, {"a": null}], "attributes": {"b": 2},
        })
    );
    let twice = server.data(complete, json!({"input": end})).await["completeSpan"].clone();
    assert_eq!(twice["refusal"]["__typename"], "IllegalTransition");
    let late = server.data(update, json!({"input": change})).await["updateSpan"].clone();
    assert_eq!(late["span"], json!(null));
}

#[tokio::test]
async fn a_span_is_found_by_either_form_of_its_id() {
    let server = Server::new().await;
    let run = Run::record(&server).await;
    let find = "query($id: ID!, $trace: ID) { span(id: $id, traceId: $trace) { id name } }";
    let by_uuid = json!({"id": Run::span_id("think"), "trace": run.trace});
    let span = server.data(find, by_uuid).await["span"].clone();
    assert_eq!(span["name"], "think");
    let by_global = server.data(find, json!({"id": span["id"]})).await;
    assert_eq!(by_global["span"], span);
    let node = server
        .data(
            "query($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Span { name } } }",
            json!({"ids": [span["id"], span["id"]]}),
        )
        .await;
    assert_eq!(node["nodes"][1], json!({"__typename": "LlmCallSpan", "name": "think"}));
    let missing = json!({"id": run.trace, "trace": run.trace});
    assert_eq!(server.data(find, missing).await["span"], json!(null));
}

#[tokio::test]
async fn a_request_walks_down_trees_only_so_far() {
    let server = Server::with_limits(PageLimits { most_tree_spans: 10, ..PageLimits::default() }).await;
    let trace = Run::record(&server).await.trace;
    let tree = "rootSpans { name children { name children { name } } }";
    let read = async |fields: &str| {
        let query = format!("query($id: ID!) {{ trace(id: $id) {{ {fields} }} }}");
        server.run(&query, json!({"id": trace})).await
    };
    let twice = read(&format!("{tree} again: {tree}")).await;
    assert!(twice.errors.is_empty(), "five spans, twice: {:?}", twice.errors);
    let over = read(&format!("{tree} again: {tree} once: {tree}")).await;
    assert_eq!(over.errors[0]["extensions"]["code"], "LIMIT_EXCEEDED");
    assert!(over.errors[0]["message"].as_str().unwrap().contains("in pages"), "{:?}", over.errors);
    let flat = read("spans { nodes { name parent { name } } } skeleton { names }").await;
    assert!(flat.errors.is_empty(), "{:?}", flat.errors);

    // Each event of a subscription may walk as far as a request.
    let follow = format!("subscription($id: ID!) {{ traceSpans(traceId: $id) {{ trace {{ {tree} }} }} }}");
    let mut stream = server.follow(&follow, json!({"id": trace}));
    for event in 0..4 {
        let answer = timeout(Duration::from_secs(5), stream.next()).await.expect("nothing came").unwrap();
        assert!(answer.errors.is_empty(), "event {event}: {:?}", answer.errors);
        let create =
            "mutation($input: CreateSpanInput!) { createSpan(input: $input) { refusal { message } } }";
        let input = json!({"traceId": trace, "operationType": "CUSTOM", "name": "late"});
        server.data(create, json!({"input": input})).await;
    }
}
