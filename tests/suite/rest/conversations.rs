//! Conversations and their messages.

use reqwest::Method;
use serde_json::json;

use super::bed::{Bed, NOBODY};

#[tokio::test]
async fn a_conversation_is_made_found_changed_and_deleted() {
    let bed = Bed::start().await;
    let new = json!({
        "conversationId": NOBODY, "title": "Weather", "tags": ["a", "b"], "userId": "ada",
        "metadata": { "kept": [1, 2.5, null] }, "temperature": 0.2, "createdAt": "2024-02-29T12:00:00.123456789Z",
    });
    let made = bed.made("/conversations", new.clone()).await;
    assert_eq!(made["createdAt"], "2024-02-29T12:00:00.123456789Z");
    assert_eq!(made["metadata"], new["metadata"]);
    assert!(made["maxTokens"].is_null() && made["messageCount"] == 0);
    bed.post("/conversations", new).await.is_problem(409, "ALREADY_EXISTS", "conversationId");

    let path = format!("/conversations/{NOBODY}");
    let changed =
        bed.send(Method::PATCH, &path, json!({ "title": null, "maxTokens": 5, "tags": ["c"] })).await;
    assert_eq!(
        (changed.status, &changed.body["title"], &changed.body["maxTokens"]),
        (200, &json!(null), &json!(5))
    );
    assert_eq!(bed.shown(&path).await, changed.body);

    for (query, count) in [
        ("tag=c", 1),
        ("tag=a", 0),
        ("userId=ada&title=", 1),
        ("isBranch=true", 0),
        ("createdTo=2024-01-01T00:00:00Z", 0),
    ] {
        let found = bed.shown(&format!("/conversations?{query}")).await;
        assert_eq!(found["items"].as_array().unwrap().len(), count, "{query}");
    }
    let deleted = bed.send(Method::DELETE, &path, json!({})).await;
    assert_eq!((deleted.status, &deleted.body["conversationIds"]), (200, &json!([NOBODY])));
    bed.get(&path).await.is_problem(404, "NOT_FOUND", "conversationId");
    bed.send(Method::DELETE, &path, json!({})).await.is_problem(404, "NOT_FOUND", "conversationId");
}

#[tokio::test]
async fn messages_are_added_answered_and_shared_by_branches() {
    let bed = Bed::start().await;
    let conversation = bed.made("/conversations", json!({})).await;
    let path = format!("/conversations/{}", conversation["conversationId"].as_str().unwrap());
    let messages = format!("{path}/messages");
    let asked = bed.made(&messages, json!({ "content": "2 + 2?", "trace": { "name": "sum" } })).await;
    assert_eq!(asked["message"]["role"], "USER");
    assert_eq!(asked["trace"]["traceId"], asked["traceId"]);
    assert_eq!(asked["message"]["traceId"], asked["traceId"]);
    let call = json!({ "role": "ASSISTANT", "toolCalls": [{ "callId": "c1", "name": "add", "arguments": { "a": 2 } }] });
    let called = bed.made(&messages, call).await;
    assert_eq!(called["message"]["messageType"], "TOOL_CALL");
    let result = bed.made(&messages, json!({ "role": "TOOL", "content": "4", "toolCallId": "c1" })).await;
    let listed = bed.shown(&messages).await;
    assert_eq!(listed["items"][1]["toolCalls"][0]["resultMessageId"], result["message"]["messageId"]);
    assert_eq!(listed["items"][1]["toolCalls"][0]["arguments"], json!({ "a": 2 }));
    assert_eq!(
        bed.shown(&format!("{messages}?role=TOOL&role=USER&order=NEWEST_FIRST")).await["items"][0],
        result["message"]
    );

    let from = asked["message"]["messageId"].clone();
    let branch = bed.made(&format!("{path}/branches"), json!({ "messageId": from, "title": "other" })).await;
    assert_eq!(
        (&branch["messageCount"], &branch["parentConversationId"]),
        (&json!(1), &conversation["conversationId"])
    );
    bed.post(&format!("{path}/branches"), json!({ "messageId": NOBODY })).await.is_problem(
        422,
        "NOT_FOUND",
        "messageId",
    );
    bed.send(Method::DELETE, &path, json!({})).await.is_problem(422, "BAD_USER_INPUT", "conversationId");
    let deleted = bed.send(Method::DELETE, &format!("{path}?deleteBranches=true"), json!({})).await;
    assert_eq!(deleted.body["conversationIds"].as_array().unwrap().len(), 2, "{}", deleted.text);
}

#[tokio::test]
async fn what_belongs_to_no_conversation_is_not_found() {
    let bed = Bed::start().await;
    for below in ["", "/messages", "/traces", "/plans", "/evaluation"] {
        let path = format!("/conversations/{NOBODY}{below}");
        bed.get(&path).await.is_problem(404, "NOT_FOUND", "conversationId");
    }
    let path = format!("/conversations/{NOBODY}/messages");
    bed.post(&path, json!({ "content": "?" })).await.is_problem(404, "NOT_FOUND", "conversationId");
    bed.get(&format!("/messages/{NOBODY}")).await.is_problem(404, "NOT_FOUND", "messageId");
    bed.get(&format!("/plans/{NOBODY}")).await.is_problem(404, "NOT_FOUND", "planId");
}

#[tokio::test]
async fn plans_are_shown_with_their_steps() {
    let bed = Bed::start().await;
    let conversation = bed.made("/conversations", json!({})).await["conversationId"].clone();
    let create = "mutation($input: CreatePlanInput!) { createPlan(input: $input) { plan { planId } } }";
    let steps =
        json!([{ "key": "a", "description": "one" }, { "description": "two", "dependencies": ["a"] }]);
    let input = json!({ "conversationId": conversation, "title": "Move", "steps": steps });
    let made = bed.inner.data(create, json!({ "input": input })).await;
    let id = made["createPlan"]["plan"]["planId"].as_str().unwrap();
    let plan = bed.shown(&format!("/plans/{id}")).await;
    assert_eq!(plan["steps"][1]["dependencyIds"], json!([plan["steps"][0]["stepId"]]));
    assert_eq!(plan["status"], "PENDING");
    let of = format!("/conversations/{}/plans", conversation.as_str().unwrap());
    for (list, count) in
        [("/plans?status=PENDING&title=mov".to_owned(), 1), ("/plans?status=FAILED".to_owned(), 0), (of, 1)]
    {
        assert_eq!(bed.all(&list).await.len(), count, "{list}");
    }
}
