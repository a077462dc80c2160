//! Recorded runs that are made again: as they ran, or with other versions, with what their tools answered then.

use serde_json::{Value, json};

use super::{agent, conversation, messages, say, server, tree};
use crate::support::Server;

/// `count` answers how often it was called.
const SCRIPT: &str = "
scripts:
  test:
    turns:
      - when: { user: count, step: 0 }
        tool_calls: [{ name: count, arguments: { of: sheep } }, { name: add, arguments: { a: 13, b: 1 } }]
      - when: { user: count, step: 1 }
        text: 'Results: {{tool_results}}'
      - when: { user: never }
        text: Never.
        delay_ms: 600000
      - when: { user: fail }
        fail: { kind: refused }
    otherwise: { text: 'You said {{input}}.' }
  other:
    turns:
      - when: { step: 0 }
        tool_calls: [{ name: count, arguments: { of: goats } }]
      - when: { step: 1 }
        text: 'Other: {{tool_results}}'
";

const REPLAY: &str = "mutation($input: ReplayTraceInput!) { replayTrace(input: $input) {
  traceId
  trace {
    traceId status finalOutput userInput conversationId replayOfId
    replayOf { traceId }
    spans(first: 50) { nodes {
      operationType name status attributes outputs components { componentId versionHash }
      links { traceId spanId }
      ... on LlmCallSpan { model inputMessages { role text } }
    } }
  }
  failure { kind message }
  refusal { message ... on InvalidInput { field } ... on NotFound { field } }
} }";

async fn replay(server: &Server, trace: &Value, changes: Value) -> Value {
    let mut input = json!({ "traceId": trace["traceId"] });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    server.data(REPLAY, json!({ "input": input })).await["replayTrace"].clone()
}

fn spans<'a>(replayed: &'a Value, kind: &str) -> Vec<&'a Value> {
    let nodes = replayed["trace"]["spans"]["nodes"].as_array().unwrap();
    nodes.iter().filter(|node| node["operationType"] == kind).collect()
}

/// A server, a conversation in it, and what became of a run that called tools.
async fn counted() -> (Server, String, Value) {
    let server = server(SCRIPT).await;
    agent(&server, json!({ "tools": ["count", "add"] })).await;
    let conversation = conversation(&server).await;
    say(&server, &conversation, "hello", json!({})).await;
    let done = say(&server, &conversation, "count", json!({ "variables": { "user": "Bob" } })).await;
    assert_eq!(done["answer"]["content"], "Results: 1\nError: 13 is unlucky", "{done}");
    (server, conversation, done)
}

#[tokio::test]
async fn a_run_is_made_again_from_what_it_began_with() {
    let (server, conversation, done) = counted().await;
    say(&server, &conversation, "and more", json!({})).await;
    let before = messages(&server, &conversation).await;
    let again = replay(&server, &done["trace"], json!({})).await;
    let trace = &again["trace"];
    assert_eq!(trace["status"], "COMPLETED", "{again}");
    assert_eq!(trace["finalOutput"], "Results: 1\nError: 13 is unlucky");
    assert_eq!(trace["userInput"], "count");
    assert_eq!(trace["replayOf"]["traceId"], done["traceId"]);
    assert!(trace["conversationId"].is_null());
    assert_eq!(messages(&server, &conversation).await, before);
    // The model is given what it was given then, by the same instructions.
    let first = spans(&again, "LLM_CALL")[0];
    let texts: Vec<_> =
        first["inputMessages"].as_array().unwrap().iter().map(|it| it["text"].clone()).collect();
    assert_eq!(texts, ["Help Bob.", "hello", "You said hello.", "count"]);
    // No tool was called: each span says whose result it has.
    const OLD: &str = "query($id: ID!) { trace(id: $id) {
      spans(first: 50, filter: {types: [TOOL_CALL]}) { nodes { name spanId } }
    } }";
    let old = server.data(OLD, json!({ "id": done["traceId"] })).await;
    for tool in spans(&again, "TOOL_CALL") {
        let old = old["trace"]["spans"]["nodes"].as_array().unwrap().iter();
        let same = { old }.find(|node| node["name"] == tool["name"]).unwrap();
        assert_eq!(tool["attributes"], json!({ "dendro.reused": true }));
        assert_eq!(tool["links"], json!([{ "traceId": done["traceId"], "spanId": same["spanId"] }]));
    }
    let again = replay(&server, &again["trace"], json!({ "tools": "CALL" })).await;
    assert_eq!(again["trace"]["finalOutput"], "Results: 2\nError: 13 is unlucky", "{again}");
    const REPLAYS: &str =
        "query($id: ID!) { traces(first: 10, filter: {replayOf: $id}) { nodes { traceId } totalCount } }";
    let found = server.data(REPLAYS, json!({ "id": done["traceId"] })).await;
    assert_eq!(found["traces"], json!({ "nodes": [{ "traceId": trace["traceId"] }], "totalCount": 1 }));
}

#[tokio::test]
async fn a_run_is_made_again_with_other_versions_of_its_parts() {
    let (server, _, done) = counted().await;
    const REGISTER: &str = "mutation($input: RegisterComponentVersionInput!) {
      registerComponentVersion(input: $input) { version { versionHash } refusal { message } }
    }";
    let prompt = json!({
        "componentId": "prompts/helper", "componentType": "PROMPT", "definition": "Be short, {{user}}.",
    });
    let registered = server.data(REGISTER, json!({ "input": prompt })).await;
    let hash = registered["registerComponentVersion"]["version"]["versionHash"].clone();
    let version = json!({ "componentId": "prompts/helper", "versionHash": hash });
    let again = replay(&server, &done["trace"], json!({ "components": [version] })).await;
    let call = spans(&again, "LLM_CALL")[0];
    assert_eq!(call["inputMessages"][0]["text"], "Be short, Bob.", "{again}");
    assert!(call["components"].as_array().unwrap().contains(&version), "{call}");
    assert_eq!(spans(&again, "AGENT")[0]["components"], json!([version]));
    // A model that asks for something else: what is not recorded is called, or not.
    let other = json!({ "model": "scripted/other", "variables": { "user": "Eve" } });
    let again = replay(&server, &done["trace"], other).await;
    assert_eq!(again["trace"]["finalOutput"], "Other: 2", "{again}");
    assert_eq!(spans(&again, "LLM_CALL")[0]["inputMessages"][0]["text"], "Help Eve.");
    let only = json!({ "model": "scripted/other", "tools": "RECORDED_ONLY" });
    let again = replay(&server, &done["trace"], only).await;
    let said = again["trace"]["finalOutput"].as_str().unwrap();
    assert!(said.starts_with("Other: Error: `count` was not called with these arguments"), "{said}");
    assert_eq!(spans(&again, "TOOL_CALL")[0]["status"], "ERROR");
    // Another version of the agent.
    agent(&server, json!({ "systemPrompt": "New.", "tools": ["count", "add"] })).await;
    let again = replay(&server, &done["trace"], json!({ "agentId": "agents/helper" })).await;
    assert_eq!(spans(&again, "LLM_CALL")[0]["inputMessages"][0]["text"], "New.");
    let again = replay(&server, &done["trace"], json!({})).await;
    assert_eq!(spans(&again, "LLM_CALL")[0]["inputMessages"][0]["text"], "Help Bob.");
}

#[tokio::test]
async fn what_cannot_be_made_again_says_why() {
    let (server, conversation, done) = counted().await;
    let failed = say(&server, &conversation, "fail", json!({})).await;
    let again = replay(&server, &failed["trace"], json!({ "model": "scripted/other" })).await;
    assert!(again["trace"]["finalOutput"].as_str().unwrap().starts_with("Other"), "{again}");
    let running = say(&server, &conversation, "never", json!({ "wait": false })).await;
    let hash = "0".repeat(64);
    for (trace, changes, field, why) in [
        (&running["trace"], json!({}), "traceId", "once it is over"),
        (&json!({ "traceId": "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44" }), json!({}), "traceId", "no trace"),
        (&done["trace"], json!({ "label": "production" }), "agentId", "say which"),
        (&done["trace"], json!({ "agentId": "agents/nobody" }), "componentId", ""),
        (&done["trace"], json!({ "model": "nobody/nothing" }), "agentId.name", "nobody"),
        (
            &done["trace"],
            json!({ "components": [{ "componentId": "prompts/helper", "versionHash": hash }] }),
            "components.0",
            "prompts/helper",
        ),
    ] {
        let refused = replay(&server, trace, changes).await;
        let refusal = &refused["refusal"];
        assert_eq!(refusal["field"], field, "{refused}");
        assert!(refusal["message"].as_str().unwrap().contains(why), "{refused}");
        assert!(refused["trace"].is_null());
    }
    const OFF: &str = "mutation { updateTracingSettings(input: {enabled: false}) { settings { enabled } } }";
    server.data(OFF, json!({})).await;
    let refused = replay(&server, &done["trace"], json!({})).await;
    assert!(refused["refusal"]["message"].as_str().unwrap().contains("tracingSettings"), "{refused}");
}

#[tokio::test]
async fn a_run_of_another_system_is_made_again_by_an_agent_of_this_one() {
    let (server, _, _) = counted().await;
    const RECORD: &str = "mutation($id: ID!, $spans: [CreateSpanInput!]!) {
      startTrace(input: {traceId: $id, name: \"elsewhere\"}) { refusal { message } }
      createSpans(input: {spans: $spans}) { results { refusal { message } } }
      completeTrace(input: {traceId: $id, status: COMPLETED}) { refusal { message } }
    }";
    let id = "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a45";
    let given =
        json!([{ "role": "system", "content": "Be elsewhere." }, { "role": "user", "content": "count" }]);
    let at = |second: u32| format!("2026-01-01T00:00:0{second}Z");
    let spans = json!([
        {
            "traceId": id, "operationType": "LLM_CALL", "name": "chat", "status": "OK", "inputs": given,
            "startTime": at(1), "endTime": at(2),
        },
        {
            "traceId": id, "operationType": "TOOL_CALL", "name": "count", "toolName": "count", "status": "OK",
            "inputs": "{\"of\": \"sheep\"}", "outputs": 77, "startTime": at(3), "endTime": at(4),
        },
    ]);
    server.data(RECORD, json!({ "id": id, "spans": spans })).await;
    let trace = json!({ "traceId": id });
    let refused = replay(&server, &trace, json!({})).await;
    assert_eq!(refused["refusal"]["field"], "agentId", "{refused}");
    let again = replay(&server, &trace, json!({ "agentId": "agents/helper" })).await;
    assert_eq!(again["trace"]["finalOutput"], "Results: 77\nError: 13 is unlucky", "{again}");
    assert_eq!(spans_text(&again), ["Help Ada.", "count"]);
    assert_eq!(tree(&server, &again["trace"]).await.len(), 5);
}

#[tokio::test]
async fn what_was_redacted_in_a_trace_is_not_in_its_replay() {
    let server = server(SCRIPT).await;
    agent(&server, json!({ "tools": [] })).await;
    let conversation = conversation(&server).await;
    const REDACT: &str = "mutation($redact: [String!]!) {
      updateTracingSettings(input: {redact: $redact}) { refusal { message } }
    }";
    server.data(REDACT, json!({ "redact": ["Help"] })).await;
    let done = say(&server, &conversation, "hello", json!({})).await;
    server.data(REDACT, json!({ "redact": [] })).await;
    let again = replay(&server, &done["trace"], json!({})).await;
    // The instructions are those of the agent's version, not of what the trace kept.
    assert_eq!(spans_text(&again), ["Help Ada.", "hello"]);
}

fn spans_text(replayed: &Value) -> Vec<&str> {
    let given = spans(replayed, "LLM_CALL")[0]["inputMessages"].as_array().unwrap();
    given.iter().map(|message| message["text"].as_str().unwrap()).collect()
}
