//! Something said to an agent of this server.

use std::sync::Arc;

use dendro::{
    llm::{Models, Scripted},
    service::agents::Runtime,
};
use serde_json::{Value, json};

use super::bed::{Bed, NOBODY};

const SCRIPT: &str = "
scripts:
  test:
    turns:
      - when: { user: greet }
        text: Hello!
    otherwise: { text: What? }
";

async fn bed() -> (Bed, String) {
    let models = Models::default().with("scripted", Arc::new(Scripted::parse(SCRIPT).unwrap()));
    let bed = Bed::running(Runtime { models, ..Runtime::default() }).await;
    let input = json!({ "name": "helper", "systemPrompt": "Help {{user}}.", "variables": { "user": "Ada" }, "model": { "name": "scripted/test" } });
    let create = "mutation($input: CreateAgentInput!) { createAgent(input: $input) { refusal { message } } }";
    assert!(bed.inner.data(create, json!({ "input": input })).await["createAgent"]["refusal"].is_null());
    let conversation = bed.made("/conversations", json!({})).await["conversationId"].clone();
    (bed, format!("/conversations/{}/messages", conversation.as_str().unwrap()))
}

fn to_agent(content: &str, agent: Value) -> Value {
    json!({ "content": content, "agent": agent })
}

#[tokio::test]
async fn an_agent_answers_and_its_run_is_a_trace() {
    let (bed, messages) = bed().await;
    let agent = json!({ "agentId": "agents/helper", "variables": { "user": "Bob" }, "traceId": NOBODY });
    let said = bed.made(&messages, to_agent("greet me", agent)).await;
    assert_eq!((&said["answer"]["content"], &said["failure"]), (&json!("Hello!"), &json!(null)));
    assert_eq!((&said["traceId"], &said["trace"]["status"]), (&json!(NOBODY), &json!("COMPLETED")));
    let trace = bed.shown(&format!("/traces/{NOBODY}")).await;
    assert_eq!((&trace["userInput"], &trace["finalOutput"]), (&json!("greet me"), &json!("Hello!")));
    assert!(trace["llmCallCount"].as_u64() > Some(0));
    assert_eq!(bed.all(&messages).await.len(), 2);

    let at_once =
        bed.post(&messages, to_agent("greet", json!({ "agentId": "agents/helper", "wait": false }))).await;
    assert_eq!((at_once.status, &at_once.body["answer"]), (201, &json!(null)));
    assert!(at_once.body["traceId"].is_string() && at_once.body["trace"]["status"] == "RUNNING");
}

#[tokio::test]
async fn what_an_agent_cannot_be_told_is_refused_by_its_name() {
    let (bed, messages) = bed().await;
    let helper = json!({ "agentId": "agents/helper" });
    for (body, code, field) in [
        (to_agent("hi", json!({ "agentId": "agents/nobody" })), "NOT_FOUND", "agent.agentId"),
        (to_agent("hi", json!({ "agentId": "agents/helper", "label": "x" })), "NOT_FOUND", "agent.label"),
        (
            to_agent("hi", json!({ "agentId": "agents/helper", "label": "x", "versionHash": "0" })),
            "BAD_USER_INPUT",
            "agent.label",
        ),
        (json!({ "agent": helper }), "BAD_USER_INPUT", "content"),
        (json!({ "agent": helper, "content": "hi", "role": "TOOL" }), "BAD_USER_INPUT", "role"),
        (json!({ "agent": helper, "content": "hi", "trace": {} }), "BAD_USER_INPUT", "trace"),
        (
            json!({ "agent": { "agentId": "agents/helper", "who": 1 }, "content": "hi" }),
            "BAD_USER_INPUT",
            "agent.who",
        ),
    ] {
        bed.post(&messages, body).await.is_problem(422, code, field);
    }
    assert!(bed.all(&messages).await.is_empty());
}
