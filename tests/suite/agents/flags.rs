//! What of runs is recorded: all, some, or nothing, and with which content. Whatever it is, runs are answered.

use std::{sync::Arc, time::Duration};

use dendro::engine::{MemoryEngine, SharedEngine};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{agent, conversation, messages, say, server, tree};
use crate::support::Server;

const SCRIPT: &str = "
scripts:
  test:
    turns:
      - when: { user: sum, step: 0 }
        thinking: Ask ada@example.org.
        text: A sum for ada@example.org.
        tool_calls: [{ name: add, arguments: { a: 4111, b: 2 } }]
      - when: { user: sum, step: 1 }
        text: Sent to ada@example.org.
      - when: { user: slow }
        text: At last.
        delay_ms: 300
      - when: { user: never }
        text: Never.
        delay_ms: 600000
      - when: { user: fail }
        fail: { kind: refused, message: \"No, ada@example.org.\" }
    otherwise: { text: Yes. }
";

const SETTINGS: &str = "{ tracingSettings {
  enabled sampleRatio slowMs captureInputs captureOutputs memorySnapshots redact
} }";

async fn change(server: &Server, input: Value) -> Value {
    const CHANGE: &str =
        "mutation($input: UpdateTracingSettingsInput!) { updateTracingSettings(input: $input) {
      settings { sampleRatio } refusal { message ... on InvalidInput { field } }
    } }";
    server.data(CHANGE, json!({ "input": input })).await["updateTracingSettings"].clone()
}

async fn server_with(input: Value) -> (Server, String) {
    let server = server(SCRIPT).await;
    agent(&server, json!({})).await;
    let changed = change(&server, input).await;
    assert!(changed["refusal"].is_null(), "{changed}");
    let conversation = conversation(&server).await;
    (server, conversation)
}

async fn traces(server: &Server) -> Vec<Value> {
    const TRACES: &str = "{ traces(first: 50) { nodes {
      traceId status name inputPreview outputPreview userInput finalOutput initialConversationState conversationId messageId
    } } }";
    server.data(TRACES, json!({})).await["traces"]["nodes"].as_array().unwrap().clone()
}

#[tokio::test]
async fn settings_are_seen_and_changed_and_wrong_ones_change_nothing() {
    let server = server(SCRIPT).await;
    let usual = server.data(SETTINGS, json!({})).await;
    assert_eq!(
        usual["tracingSettings"],
        json!({
            "enabled": true, "sampleRatio": 1.0, "slowMs": "30000", "captureInputs": true,
            "captureOutputs": true, "memorySnapshots": false, "redact": [],
        })
    );
    for (wrong, field) in [
        (json!({ "sampleRatio": 1.5, "enabled": false }), "sampleRatio"),
        (json!({ "redact": ["fine", "(open"] }), "redact.1"),
        (json!({ "redact": ["x*"] }), "redact.0"),
        (json!({ "slowMs": -1 }), "slowMs"),
    ] {
        let refused = change(&server, wrong).await;
        assert_eq!(refused["refusal"]["field"], field, "{refused}");
    }
    assert_eq!(server.data(SETTINGS, json!({})).await, usual);
    change(&server, json!({ "sampleRatio": 0.25, "memorySnapshots": true })).await;
    let now = server.data(SETTINGS, json!({})).await["tracingSettings"].clone();
    assert_eq!((&now["sampleRatio"], &now["memorySnapshots"]), (&json!(0.25), &json!(true)));
    assert_eq!(now["enabled"], true);
}

#[tokio::test]
async fn without_tracing_runs_are_answered_followed_and_stopped() {
    let (server, conversation) = server_with(json!({ "enabled": false })).await;
    let done = say(&server, &conversation, "sum", json!({})).await;
    assert_eq!(done["answer"]["content"], "Sent to ada@example.org.", "{done}");
    assert!(done["trace"].is_null() && done["traceId"].is_string());
    assert_eq!(messages(&server, &conversation).await.len(), 4);
    const OUTPUT: &str = "subscription($id: ID!) { agentOutput(traceId: $id) { events { __typename
      ... on AgentEnd { status }
    } } }";
    let parts: Vec<_> = server.follow(OUTPUT, json!({ "id": done["traceId"] })).collect().await;
    let last = &parts.last().unwrap().data["agentOutput"]["events"];
    assert_eq!(last.as_array().unwrap().last().unwrap()["status"], "COMPLETED");
    let begun = say(&server, &conversation, "never", json!({ "wait": false })).await;
    const CANCEL: &str =
        "mutation($id: ID!) { cancelTrace(input: {traceId: $id}) { trace { status } refusal { message } } }";
    let stopped = server.data(CANCEL, json!({ "id": begun["traceId"] })).await;
    assert_eq!(stopped["cancelTrace"], json!({ "trace": null, "refusal": null }));
    assert!(messages(&server, &conversation).await.last().unwrap().contains("was stopped"));
    assert_eq!(traces(&server).await, Vec::<Value>::new());
    assert_eq!(server.services.agents.end_interrupted().await.unwrap(), 0);
}

#[tokio::test]
async fn of_runs_that_are_not_sampled_those_that_end_badly_or_are_slow_are_whole() {
    let (server, conversation) = server_with(json!({ "sampleRatio": 0, "slowMs": 100 })).await;
    let done = say(&server, &conversation, "sum", json!({})).await;
    assert!(done["trace"].is_null() && done["answer"]["content"].is_string(), "{done}");
    assert_eq!(traces(&server).await.len(), 0);

    let failed = say(&server, &conversation, "fail", json!({})).await;
    assert_eq!(failed["trace"]["status"], "FAILED", "{failed}");
    assert_eq!(
        tree(&server, &failed["trace"]).await,
        [
            "AGENT helper ERROR: refused: No, ada@example.org.",
            "  MEMORY load history OK",
            "  LLM_CALL chat test ERROR: refused: No, ada@example.org."
        ]
    );
    let kept = &traces(&server).await[0];
    assert_eq!((&kept["userInput"], &kept["conversationId"]), (&json!("fail"), &json!(conversation)));
    assert_eq!(kept["messageId"], failed["message"]["messageId"]);
    let given = kept["initialConversationState"]["messages"].as_array().unwrap();
    assert_eq!(given.last().unwrap()["parts"][0]["content"], "fail", "{given:?}");

    let slow = say(&server, &conversation, "slow", json!({})).await;
    assert_eq!(
        (&slow["trace"]["status"], &slow["trace"]["finalOutput"]),
        (&json!("COMPLETED"), &json!("At last."))
    );
    assert_eq!(tree(&server, &slow["trace"]).await.len(), 3);

    let stopped = say(&server, &conversation, "never", json!({ "wait": false })).await;
    assert!(stopped["trace"].is_null());
    // Once it is slow, it is seen while it goes on.
    while traces(&server).await.len() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(traces(&server).await[0]["status"], "RUNNING");
    const CANCEL: &str = "mutation($id: ID!) { cancelTrace(input: {traceId: $id}) { trace { status } } }";
    let stopped = server.data(CANCEL, json!({ "id": stopped["traceId"] })).await;
    assert_eq!(stopped["cancelTrace"]["trace"]["status"], "CANCELLED");
}

#[tokio::test]
async fn what_is_not_captured_is_not_there() {
    let (server, conversation) =
        server_with(json!({ "captureInputs": false, "captureOutputs": false })).await;
    let done = say(&server, &conversation, "sum", json!({})).await;
    assert_eq!(done["answer"]["content"], "Sent to ada@example.org.");
    let trace = &traces(&server).await[0];
    for field in ["inputPreview", "outputPreview", "userInput", "finalOutput", "initialConversationState"] {
        assert!(trace[field].is_null(), "{field}: {trace}");
    }
    const SPANS: &str =
        "query($id: ID!) { trace(id: $id) { spans(first: 50) { nodes { inputs outputs } } } }";
    let found = server.data(SPANS, json!({ "id": trace["traceId"] })).await;
    let spans = found["trace"]["spans"]["nodes"].as_array().unwrap();
    assert_eq!(spans.len(), 5);
    assert!(spans.iter().all(|span| span["inputs"].is_null() && span["outputs"].is_null()), "{spans:?}");
}

#[tokio::test]
async fn what_is_to_be_redacted_is_nowhere_in_traces_and_still_in_the_conversation() {
    let (server, conversation) =
        server_with(json!({ "redact": ["[a-z]+@[a-z.]+", "\\b4[0-9]{3}\\b"] })).await;
    let done = say(&server, &conversation, "the sum for bob@example.org", json!({})).await;
    assert_eq!(done["answer"]["content"], "Sent to ada@example.org.");
    assert!(messages(&server, &conversation).await[0].contains("bob@example.org"));
    say(&server, &conversation, "fail", json!({})).await;
    const ALL: &str = "{ traces(first: 50) { nodes {
      inputPreview outputPreview userInput finalOutput initialConversationState
      spans(first: 50) { nodes { statusMessage inputs outputs errorDetails } }
    } } }";
    let found = server.data(ALL, json!({})).await.to_string();
    assert!(!found.contains("example.org") && !found.contains("4111"), "{found}");
    assert!(found.matches("[redacted]").count() > 8, "{found}");
}

#[tokio::test]
async fn a_step_that_is_named_by_what_is_to_be_redacted_has_another_name_in_its_trace() {
    let (server, conversation) = server_with(json!({ "redact": ["[a-z]+@[a-z.]+"] })).await;
    const PLAN: &str = "mutation($conversation: ID!) { createPlan(input: {
      conversationId: $conversation, title: \"For ada@example.org\", steps: [{ description: \"Write to ada@example.org\" }]
    }) { plan { steps { id } } } }";
    let made = server.data(PLAN, json!({ "conversation": conversation })).await;
    let step = &made["createPlan"]["plan"]["steps"][0]["id"];
    const EXECUTE: &str = "mutation($step: ID!) {
      executePlanStep(input: {stepId: $step, agentId: \"agents/helper\"}) { step { status } trace { name inputPreview
        spans(first: 9) { nodes { name inputs } } } }
    }";
    let done = server.data(EXECUTE, json!({ "step": step })).await["executePlanStep"].clone();
    assert_eq!(done["step"]["status"], "COMPLETED", "{done}");
    assert!(!done["trace"].to_string().contains("example.org"), "{done}");
    assert_eq!(done["trace"]["name"], "For [redacted]");
    assert_eq!(done["trace"]["spans"]["nodes"][0]["name"], "Write to [redacted]");
}

#[tokio::test]
async fn spans_tell_what_the_agent_knew_where_that_is_wanted() {
    let (server, conversation) = server_with(json!({ "memorySnapshots": true })).await;
    let done = say(&server, &conversation, "sum", json!({})).await;
    const SPANS: &str = "query($id: ID!) { trace(id: $id) { spans(first: 50) { nodes {
      operationType memorySnapshot conversationContext
    } } } }";
    let found = server.data(SPANS, json!({ "id": done["traceId"] })).await;
    let spans = found["trace"]["spans"]["nodes"].as_array().unwrap();
    let with: Vec<_> = spans.iter().filter(|span| !span["memorySnapshot"].is_null()).collect();
    let kinds: Vec<_> = with.iter().map(|span| span["operationType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["LLM_CALL", "TOOL_CALL", "LLM_CALL"]);
    assert_eq!(with[2]["memorySnapshot"]["step"], 1);
    assert_eq!(with[2]["memorySnapshot"]["messages"], 3);
    assert!(with[2]["memorySnapshot"]["used"]["tokens"].as_u64().unwrap() > 0);
    assert_eq!(with[1]["conversationContext"]["conversationId"], json!(conversation));
}

#[tokio::test]
async fn a_run_that_was_held_back_and_cut_off_is_told_in_its_conversation() {
    let engine: SharedEngine = Arc::new(MemoryEngine::default());
    let first = Server::running_on(engine.clone(), super::runtime(SCRIPT)).await;
    agent(&first, json!({})).await;
    change(&first, json!({ "sampleRatio": 0 })).await;
    let conversation = conversation(&first).await;
    say(&first, &conversation, "never", json!({ "wait": false })).await;
    let second = Server::running_on(engine, super::runtime(SCRIPT)).await;
    assert_eq!(second.services.agents.end_interrupted().await.unwrap(), 1);
    let said = messages(&second, &conversation).await;
    assert_eq!(said.last().unwrap(), "ASSISTANT ERROR: The server stopped while the agent was at work.");
    assert_eq!(traces(&second).await.len(), 0);
}
