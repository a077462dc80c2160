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

#[tokio::test]
async fn running_traces_are_resumed() {
    let server = Server::new().await;
    let start = "mutation($name: String!) { startTrace(input: {name: $name}) { trace { traceId } } }";
    let trace = server.data(start, json!({"name": "one"})).await["startTrace"]["trace"]["traceId"].clone();
    let follow = "subscription($after: String) { runningTraces(after: $after) { cursor snapshot traces { name status } } }";
    let first = next(&mut server.follow(follow, json!({}))).await["runningTraces"].clone();
    server.data(COMPLETE, json!({"id": trace})).await;
    let missed =
        next(&mut server.follow(follow, json!({"after": first["cursor"]}))).await["runningTraces"].clone();
    assert_eq!(missed["snapshot"], false);
    assert_eq!(missed["traces"], json!([{"name": "one", "status": "COMPLETED"}]));
    let answer = server.follow(follow, json!({"after": "yesterday"})).next().await.unwrap();
    assert_eq!(answer.errors[0]["extensions"], json!({"code": "BAD_USER_INPUT", "field": "after"}));
}

const MESSAGES: &str =
    "subscription($id: ID!, $after: BigInt) { conversationMessages(conversationId: $id, after: $after) {
  revision snapshot conversation { messageCount } messages { content toolCalls { resultMessage { content } } }
} }";

async fn say(server: &Server, conversation: &Value, more: Value) -> Value {
    let mut input = json!({"conversationId": conversation});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let add = "mutation($input: AddMessageInput!) { addMessage(input: $input) { message { id } refusal { message } } }";
    server.data(add, json!({"input": input})).await["addMessage"]["message"]["id"].clone()
}

fn contents(payload: &Value) -> Vec<&str> {
    let messages = payload["messages"].as_array().unwrap().iter();
    messages.map(|message| message["content"].as_str().unwrap_or("-")).collect()
}

#[tokio::test]
async fn messages_come_as_a_snapshot_then_as_they_are_said_and_a_follower_resumes() {
    let server = Server::new().await;
    let create = "mutation { createConversation(input: {}) { conversation { id } } }";
    let id = server.data(create, json!({})).await["createConversation"]["conversation"]["id"].clone();
    let first = say(&server, &id, json!({"role": "USER", "content": "one"})).await;
    let call = json!([{"name": "search", "callId": "c1", "arguments": {}}]);
    say(&server, &id, json!({"role": "ASSISTANT", "toolCalls": call})).await;
    let mut stream = server.follow(MESSAGES, json!({"id": id}));
    let snapshot = next(&mut stream).await["conversationMessages"].clone();
    assert_eq!((&snapshot["snapshot"], contents(&snapshot)), (&json!(true), vec!["one", "-"]));

    say(&server, &id, json!({"role": "TOOL", "content": "found", "toolCallId": "c1"})).await;
    let change = next(&mut stream).await["conversationMessages"].clone();
    assert_eq!(change["snapshot"], false);
    assert_eq!(change["conversation"]["messageCount"], 3);
    let mut changed = contents(&change);
    changed.sort_unstable();
    assert_eq!(changed, ["-", "found"], "the call comes again, with its result");
    let call = change["messages"].as_array().unwrap().iter().find(|message| message["content"].is_null());
    assert_eq!(call.unwrap()["toolCalls"], json!([{"resultMessage": {"content": "found"}}]));

    say(&server, &id, json!({"role": "ASSISTANT", "content": "done"})).await;
    let mut resumed = server.follow(MESSAGES, json!({"id": id, "after": change["revision"]}));
    let rest = next(&mut resumed).await["conversationMessages"].clone();
    assert_eq!((&rest["snapshot"], contents(&rest)), (&json!(false), vec!["done"]));

    let branch = "mutation($id: ID!, $message: ID!) { branchConversation(input: {conversationId: $id, messageId: $message}) { conversation { id } } }";
    let branched = server.data(branch, json!({"id": id, "message": first})).await;
    let branched = branched["branchConversation"]["conversation"]["id"].clone();
    say(&server, &branched, json!({"role": "USER", "content": "other"})).await;
    let mut stream = server.follow(MESSAGES, json!({"id": branched}));
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let part = next(&mut stream).await["conversationMessages"].clone();
        seen.extend(contents(&part).into_iter().map(str::to_owned));
    }
    assert_eq!(seen, ["one", "other"]);
}

#[tokio::test]
async fn each_feed_names_what_it_cannot_follow() {
    let server = Server::new().await;
    let create = "mutation { createConversation(input: {}) { conversation { id } } }";
    let id = server.data(create, json!({})).await["createConversation"]["conversation"]["id"].clone();
    let trace = Run::record(&server).await.trace;
    let nowhere = "99999999-9999-4999-8999-999999999999";
    let steps =
        "subscription($id: ID!, $after: BigInt) { planSteps(planId: $id, after: $after) { revision } }";
    for (follow, variables, code, field) in [
        (MESSAGES, json!({"id": nowhere}), "NOT_FOUND", "conversationId"),
        (MESSAGES, json!({"id": "x"}), "BAD_USER_INPUT", "conversationId"),
        (MESSAGES, json!({"id": id, "after": "x"}), "BAD_USER_INPUT", "after"),
        (MESSAGES, json!({"id": id, "after": "999"}), "BAD_USER_INPUT", "after"),
        (SPANS, json!({"id": trace, "after": "999"}), "BAD_USER_INPUT", "after"),
        (steps, json!({"id": nowhere}), "NOT_FOUND", "planId"),
        (steps, json!({"id": "x"}), "BAD_USER_INPUT", "planId"),
    ] {
        let answer = server.follow(follow, variables.clone()).next().await.unwrap();
        let expected = json!({"code": code, "field": field});
        assert_eq!(answer.errors[0]["extensions"], expected, "{variables} {:?}", answer.errors);
    }
}

#[tokio::test]
async fn running_traces_are_followed_by_what_they_are() {
    let server = Server::new().await;
    let start = "mutation($input: StartTraceInput!) { startTrace(input: $input) { trace { traceId } } }";
    for user in ["ada", "bob"] {
        server.data(start, json!({"input": {"userId": user, "sessionId": "s", "name": user}})).await;
    }
    let follow =
        "subscription($filter: TraceFilter) { runningTraces(filter: $filter) { snapshot traces { name } } }";
    let mut stream = server.follow(follow, json!({"filter": {"userId": "ada"}}));
    let first = next(&mut stream).await["runningTraces"].clone();
    assert_eq!(first, json!({"snapshot": true, "traces": [{"name": "ada"}]}));
    for (user, name) in [("bob", "bob again"), ("ada", "ada again")] {
        server.data(start, json!({"input": {"userId": user, "name": name}})).await;
    }
    let second = next(&mut stream).await["runningTraces"].clone();
    assert_eq!(second, json!({"snapshot": false, "traces": [{"name": "ada again"}]}));
}
