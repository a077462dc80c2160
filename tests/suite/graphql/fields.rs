//! Every field that can be written comes back as it was, and what is left out has its default.

use serde_json::{Value, json};

use super::{Run, moment};
use crate::support::Server;

const NOWHERE: &str = "99999999-9999-4999-8999-999999999999";

/// Where the clock of a new server stands.
const NOW: &str = "2025-01-01T00:00:00.000000000Z";

async fn conversation(server: &Server) -> String {
    let create = "mutation { createConversation(input: {}) { conversation { conversationId } } }";
    let created = server.data(create, json!({})).await;
    created["createConversation"]["conversation"]["conversationId"].as_str().unwrap().to_owned()
}

/// Asserts that the fields of a thing are these.
fn assert_fields(found: &Value, expected: &Value) {
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&found[field], value, "{field}");
    }
}

/// A query for some fields of a node.
async fn node(server: &Server, id: &Value, ty: &str, fields: &Value) -> Value {
    let fields: Vec<_> = fields.as_object().unwrap().keys().map(String::as_str).collect();
    let query = format!("query($id: ID!) {{ node(id: $id) {{ ... on {ty} {{ {} }} }} }}", fields.join(" "));
    server.data(&query, json!({"id": id})).await["node"].clone()
}

#[tokio::test]
async fn a_conversation() {
    let server = Server::new().await;
    let create = "mutation($input: CreateConversationInput!) { createConversation(input: $input) { conversation { id title } refusal { message } } }";
    let mut input = json!({
        "title": "Flights", "modelName": "small-1", "systemPrompt": "Be kind.", "temperature": 0.0, "maxTokens": 1,
        "metadata": {"a": [1, {"b": null}]}, "tags": ["x"], "userId": "ada", "createdAt": "2024-06-01T12:00:00.500000000Z",
    });
    let id = server.data(create, json!({"input": input})).await["createConversation"]["conversation"]["id"]
        .clone();
    input["createdAt"] = json!("2024-06-01T12:00:00.500000000Z");
    assert_fields(&node(&server, &id, "Conversation", &input).await, &input);

    let id =
        server.data(create, json!({"input": {}})).await["createConversation"]["conversation"]["id"].clone();
    let defaults = json!({
        "title": null, "modelName": null, "systemPrompt": null, "temperature": 0.7, "maxTokens": null, "metadata": {},
        "tags": [], "userId": null, "messageCount": 0, "branchCount": 0, "parentConversationId": null,
        "branchedFromMessageId": null, "createdAt": NOW, "updatedAt": NOW, "lastActivityAt": NOW,
    });
    assert_fields(&node(&server, &id, "Conversation", &defaults).await, &defaults);
}

#[tokio::test]
async fn a_message() {
    let server = Server::new().await;
    let talk = conversation(&server).await;
    let add = "mutation($input: AddMessageInput!) { addMessage(input: $input) { message { id messageId } refusal { message } } }";
    let first = json!({"conversationId": talk, "role": "USER", "content": "Hi"});
    let first = server.data(add, json!({"input": first})).await["addMessage"]["message"].clone();
    let defaults = json!({
        "conversationId": talk, "ordinal": 0, "turnId": null, "role": "USER", "messageType": "TEXT", "content": "Hi",
        "thinking": null, "confidenceScore": null, "timestamp": NOW, "modelName": null, "tokenCount": null,
        "processingTimeMs": null, "metadata": {}, "parentMessageId": null, "referenceIds": [], "toolCallId": null,
        "traceId": null,
    });
    assert_fields(&node(&server, &first["id"], "Message", &defaults).await, &defaults);

    let mut fields = json!({
        "turnId": NOWHERE, "role": "ASSISTANT", "messageType": "THINKING", "content": "text", "thinking": "Hm.",
        "confidenceScore": 0.5, "timestamp": moment(5), "modelName": "small-1", "tokenCount": "5000000000",
        "processingTimeMs": 1234.0, "metadata": {"k": "v"}, "parentMessageId": first["messageId"], "traceId": NOWHERE,
    });
    let mut input = fields.clone();
    input["conversationId"] = json!(talk);
    input["references"] = json!([first["id"]]);
    input["processingTimeMs"] = json!(1234);
    let second = server.data(add, json!({"input": input})).await["addMessage"]["message"].clone();
    fields["referenceIds"] = json!([first["messageId"]]);
    assert_fields(&node(&server, &second["id"], "Message", &fields).await, &fields);
}

#[tokio::test]
async fn a_plan() {
    let server = Server::new().await;
    let talk = conversation(&server).await;
    let create = "mutation($input: CreatePlanInput!) { createPlan(input: $input) { plan { id steps { id } } refusal { message } } }";
    let input = json!({"conversationId": talk, "title": "p", "steps": [{"description": "s"}]});
    let plan = server.data(create, json!({"input": input})).await["createPlan"]["plan"].clone();
    let defaults = json!({
        "conversationId": talk, "title": "p", "description": null, "status": "PENDING", "currentStepIndex": 0,
        "context": {}, "maxRetries": 3, "timeoutMinutes": null, "createdAt": NOW, "updatedAt": NOW,
        "startedAt": null, "completedAt": null, "errorMessage": null,
    });
    assert_fields(&node(&server, &plan["id"], "Plan", &defaults).await, &defaults);
    let defaults = json!({
        "order": 0, "description": "s", "status": "PENDING", "result": null, "errorMessage": null, "startedAt": null,
        "completedAt": null, "dependencyIds": [],
    });
    assert_fields(&node(&server, &plan["steps"][0]["id"], "PlanStep", &defaults).await, &defaults);

    let fields = json!({
        "title": "q", "description": "long", "context": {"a": 1}, "maxRetries": 0, "timeoutMinutes": 90,
    });
    let mut input = fields.clone();
    input["conversationId"] = json!(talk);
    input["steps"] = json!([{"description": "s"}]);
    let plan = server.data(create, json!({"input": input})).await["createPlan"]["plan"].clone();
    assert_fields(&node(&server, &plan["id"], "Plan", &fields).await, &fields);
}

#[tokio::test]
async fn a_trace() {
    let server = Server::new().await;
    let talk = conversation(&server).await;
    let start = "mutation($input: StartTraceInput!) { startTrace(input: $input) { trace { id } refusal { message } } }";
    let fields = json!({
        "name": "run", "conversationId": talk, "messageId": NOWHERE, "turnId": NOWHERE, "userId": "ada", "sessionId": "s",
        "startTime": moment(5), "userInput": "Where?", "initialMemoryState": [1], "initialConversationState": {"a": null},
        "systemConfig": "text", "metadata": {"k": 1.5},
    });
    let id = server.data(start, json!({"input": fields})).await["startTrace"]["trace"]["id"].clone();
    assert_fields(&node(&server, &id, "Trace", &fields).await, &fields);

    let id = server.data(start, json!({"input": {}})).await["startTrace"]["trace"]["id"].clone();
    let defaults = json!({
        "name": null, "conversationId": null, "messageId": null, "turnId": null, "userId": null, "sessionId": null,
        "status": "RUNNING", "startTime": NOW, "endTime": null, "durationMs": null, "userInput": null,
        "finalOutput": null, "initialMemoryState": null, "initialConversationState": null, "systemConfig": null,
        "metadata": null, "totalTokens": "0", "totalCostUsd": null, "spanCount": 0,
    });
    assert_fields(&node(&server, &id, "Trace", &defaults).await, &defaults);
}

#[tokio::test]
async fn a_span() {
    let server = Server::new().await;
    let trace = Run::record(&server).await.trace;
    let create = "mutation($input: CreateSpanInput!) { createSpan(input: $input) { span { id } refusal { message } } }";
    let bare = json!({"traceId": trace, "operationType": "CUSTOM", "name": "n"});
    let id = server.data(create, json!({"input": bare})).await["createSpan"]["span"]["id"].clone();
    let defaults = json!({
        "parentSpanId": null, "operationType": "CUSTOM", "startTime": NOW, "endTime": null, "durationMs": null,
        "status": "RUNNING", "statusMessage": null, "inputs": null, "outputs": null, "memorySnapshot": null,
        "conversationContext": null, "errorDetails": null, "attributes": null, "totalTokens": null, "costUsd": null,
        "eventCount": 0, "linkCount": 0, "model": null, "toolName": null, "agentName": null, "documentCount": null,
    });
    assert_fields(&node(&server, &id, "CustomSpan", &defaults).await, &defaults);

    let fields = json!({
        "parentSpanId": NOWHERE, "operationType": "CUSTOM", "name": "all", "startTime": moment(10), "endTime": moment(30),
        "status": "ERROR", "statusMessage": "no", "model": "small-1", "provider": "somebody", "finishReason": "stop",
        "timeToFirstTokenMs": 1.5, "toolName": "find", "toolCallId": "c", "agentName": "helper", "planId": NOWHERE,
        "stepId": NOWHERE, "documentCount": 4, "costUsd": 0.25, "countingRule": "EXCLUSIVE", "inputs": {"q": "where"},
        "outputs": [1, null], "memorySnapshot": "m", "conversationContext": {"c": []}, "errorDetails": {"e": true},
        "attributes": {"a": {"b": 2}},
    });
    let mut input = fields.clone();
    input["traceId"] = json!(trace);
    input["tokens"] =
        json!({"input": 10, "output": 5, "cacheRead": 3, "cacheWrite": 2, "reasoning": 1, "total": 21});
    let id = server.data(create, json!({"input": input})).await["createSpan"]["span"]["id"].clone();
    assert_fields(&node(&server, &id, "CustomSpan", &fields).await, &fields);
    let derived = json!({
        "placement": "ORPHAN", "durationMs": 20.0, "durationNanos": "20000000", "costSource": "REPORTED",
        "totalTokens": "21", "cacheReadTokens": "3", "cacheWriteTokens": "2", "reasoningTokens": "1",
    });
    assert_fields(&node(&server, &id, "CustomSpan", &derived).await, &derived);
}
