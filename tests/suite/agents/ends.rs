//! Runs that end otherwise: each in a state that a person understands, with nothing left running.

use std::{sync::Arc, time::Duration};

use dendro::engine::MemoryEngine;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{agent, conversation, messages, say, server, tree};
use crate::support::Server;

const STUBBORN: &str = "
scripts:
  test:
    turns:
      - when: { user: loop }
        tool_calls: [{ name: add, arguments: { a: 1, b: 1 } }]
        tokens: { input: 600, output: 100 }
      - when: { tool: add }
        tool_calls: [{ name: add, arguments: { a: 1, b: 1 } }]
        tokens: { input: 600, output: 100 }
      - when: { user: wait }
        tool_calls: [{ name: wait }]
      - when: { user: break }
        text: This will not
        fail: { kind: refused, message: no such luck, after_pieces: 1 }
      - when: { user: odd, step: 0 }
        tool_calls: [{ name: \"a\\tdd\" }, { name: \" \" }]
      - when: { user: odd, step: 1 }
        text: '{{tool_results}}'
      - when: { user: mute }
        text: ' '
        finish_reason: content_filter
      - when: { user: slow }
        text: Never.
        delay_ms: 600000
    otherwise: { text: Fine. }
";

/// No span of a trace goes on.
async fn nothing_runs(server: &Server, trace: &Value) {
    let spans = tree(server, trace).await;
    assert!(!spans.is_empty() && spans.iter().all(|line| !line.contains("RUNNING")), "{spans:#?}");
}

#[tokio::test]
async fn an_agent_that_loops_ends_at_its_limit() {
    let server = server(STUBBORN).await;
    let limits = [
        (json!({ "steps": 3 }), "STEP_LIMIT", "the model asked for tools in each of 3 steps"),
        (json!({ "tokens": "1000" }), "TOKEN_LIMIT", "the run used 1400 tokens, and may use 1000"),
    ];
    for (limits, kind, message) in limits {
        agent(&server, json!({ "limits": limits })).await;
        let conversation = conversation(&server).await;
        let done = say(&server, &conversation, "loop", json!({})).await;
        assert_eq!(done["failure"], json!({ "kind": kind, "message": message }));
        assert_eq!(done["trace"]["status"], "FAILED");
        assert_eq!(done["answer"]["messageType"], "ERROR");
        nothing_runs(&server, &done["trace"]).await;
    }
}

#[tokio::test]
async fn a_model_that_refuses_fails_the_run() {
    let server = server(STUBBORN).await;
    agent(&server, json!({})).await;
    let conversation = conversation(&server).await;
    let done = say(&server, &conversation, "break", json!({})).await;
    assert_eq!(done["failure"], json!({ "kind": "MODEL_FAILED", "message": "refused: no such luck" }));
    let said = messages(&server, &conversation).await;
    assert_eq!(said.last().unwrap(), "ASSISTANT ERROR: refused: no such luck");
    let spans = tree(&server, &done["trace"]).await;
    assert_eq!(spans.last().unwrap(), "  LLM_CALL chat test ERROR: refused: no such luck");
    // What was said of the failure is nothing that a model hears.
    let next = say(&server, &conversation, "And now?", json!({})).await;
    assert_eq!(next["answer"]["content"], "Fine.");
}

#[tokio::test]
async fn a_run_that_takes_too_long_ends() {
    let server = server(STUBBORN).await;
    agent(&server, json!({ "limits": { "seconds": "1" } })).await;
    let conversation = conversation(&server).await;
    let done = say(&server, &conversation, "slow", json!({})).await;
    assert_eq!(done["failure"]["kind"], "TIME_LIMIT");
    nothing_runs(&server, &done["trace"]).await;
}

#[tokio::test]
async fn a_run_is_stopped_wherever_it_is() {
    let server = server(STUBBORN).await;
    agent(&server, json!({ "tools": ["add", "wait"] })).await;
    for input in ["wait", "slow"] {
        let conversation = conversation(&server).await;
        let begun = say(&server, &conversation, input, json!({ "wait": false })).await;
        assert_eq!(begun["trace"]["status"], "RUNNING");
        const CANCEL: &str = "mutation($id: ID!) { cancelTrace(input: {traceId: $id}) {
          trace { traceId status } refusal { message }
        } }";
        let id = json!({ "id": begun["trace"]["traceId"] });
        let stopped = server.data(CANCEL, id.clone()).await["cancelTrace"].clone();
        assert_eq!(stopped["trace"]["status"], "CANCELLED", "{stopped}");
        let said = messages(&server, &conversation).await;
        assert_eq!(said.last().unwrap(), "ASSISTANT ERROR: The run was stopped.");
        nothing_runs(&server, &stopped["trace"]).await;
        // Again, it stays as it is.
        assert_eq!(server.data(CANCEL, id).await["cancelTrace"], stopped);
        let next = say(&server, &conversation, "And now?", json!({})).await;
        assert_eq!(next["answer"]["content"], "Fine.");
    }
}

#[tokio::test]
async fn a_run_that_was_cut_off_with_its_process_is_ended_by_the_next() {
    let engine: dendro::engine::SharedEngine = Arc::new(MemoryEngine::default());
    let runtime = super::runtime(STUBBORN);
    let first = Server::running_on(engine.clone(), runtime.clone()).await;
    agent(&first, json!({ "tools": [] })).await;
    let conversation = conversation(&first).await;
    let begun = say(&first, &conversation, "slow", json!({ "wait": false })).await;
    // It is at work before it is cut off.
    while tree(&first, &begun["trace"]).await.len() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = Server::running_on(engine, runtime).await;
    // The first process is gone as far as the second knows; what it still does comes too late.
    assert_eq!(second.services.agents.end_interrupted().await.unwrap(), 1);
    assert_eq!(second.services.agents.end_interrupted().await.unwrap(), 0);
    nothing_runs(&second, &begun["trace"]).await;
    const STATUS: &str = "query($id: ID!) { trace(id: $id) { status } }";
    let found = second.data(STATUS, json!({ "id": begun["trace"]["traceId"] })).await;
    assert_eq!(found["trace"]["status"], "FAILED");
    let said = messages(&second, &conversation).await;
    assert_eq!(said.last().unwrap(), "ASSISTANT ERROR: The server stopped while the agent was at work.");
}

#[tokio::test]
async fn a_server_that_stops_ends_its_runs_first() {
    let server = server(STUBBORN).await;
    agent(&server, json!({ "tools": ["wait"] })).await;
    let conversation = conversation(&server).await;
    let begun = say(&server, &conversation, "wait", json!({ "wait": false })).await;
    tokio::time::timeout(Duration::from_secs(30), server.services.agents.stop()).await.unwrap();
    nothing_runs(&server, &begun["trace"]).await;
    assert_eq!(server.services.agents.end_interrupted().await.unwrap(), 0);
    let errors = server
        .errors(
            super::SAY,
            json!({ "input": { "conversationId": conversation, "agentId": "agents/helper", "content": "more" } }),
        )
        .await;
    assert_eq!(errors[0]["extensions"]["code"], "OVERLOADED");
}

#[tokio::test]
async fn a_second_run_of_the_same_id_is_refused_and_the_first_goes_on() {
    let server = server(STUBBORN).await;
    agent(&server, json!({ "tools": ["wait"] })).await;
    let conversation = conversation(&server).await;
    let id = "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44";
    let chosen = json!({ "wait": false, "traceId": id });
    let first = say(&server, &conversation, "wait", chosen.clone()).await;
    let second = say(&server, &conversation, "wait", chosen).await;
    assert!(second["refusal"]["message"].as_str().unwrap().contains("already"), "{second}");
    const CANCEL: &str = "mutation($id: ID!) { cancelTrace(input: {traceId: $id}) { trace { status } } }";
    let stopped = server.data(CANCEL, json!({ "id": id })).await;
    assert_eq!(stopped["cancelTrace"]["trace"]["status"], "CANCELLED");
    nothing_runs(&server, &first["trace"]).await;
}

#[tokio::test]
async fn a_run_whose_trace_somebody_else_ends_leaves_nothing_open() {
    let server = server(STUBBORN).await;
    agent(&server, json!({ "tools": ["wait"] })).await;
    let conversation = conversation(&server).await;
    let begun = say(&server, &conversation, "wait", json!({ "wait": false })).await;
    let id = json!({ "id": begun["trace"]["traceId"] });
    // It is at work before it is ended.
    while tree(&server, &begun["trace"]).await.len() < 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    const END: &str =
        "mutation($id: ID!) { completeTrace(input: {traceId: $id, status: COMPLETED}) { trace { status } } }";
    server.data(END, id.clone()).await;
    const CANCEL: &str = "mutation($id: ID!) { cancelTrace(input: {traceId: $id}) { trace { status } } }";
    assert_eq!(server.data(CANCEL, id).await["cancelTrace"]["trace"]["status"], "COMPLETED");
    nothing_runs(&server, &begun["trace"]).await;
    assert_eq!(server.services.agents.end_interrupted().await.unwrap(), 0);
}

#[tokio::test]
async fn a_model_that_answers_nothing_fails_the_run() {
    let server = server(STUBBORN).await;
    agent(&server, json!({ "tools": [] })).await;
    let conversation = conversation(&server).await;
    let done = say(&server, &conversation, "be mute", json!({})).await;
    assert_eq!(done["failure"]["kind"], "MODEL_FAILED", "{done}");
    assert!(done["failure"]["message"].as_str().unwrap().contains("content_filter"), "{done}");
    nothing_runs(&server, &done["trace"]).await;
}

#[tokio::test]
async fn a_tool_whose_name_is_none_is_unknown() {
    let server = server(STUBBORN).await;
    agent(&server, json!({})).await;
    let conversation = conversation(&server).await;
    let done = say(&server, &conversation, "be odd", json!({})).await;
    let told = "Error: there is no tool `a\u{fffd}dd`; there are: add\nError: there is no tool `(no name)`; there are: add";
    assert_eq!(done["answer"]["content"], told, "{done}");
}

#[tokio::test]
async fn a_run_that_failed_long_ago_says_why_and_what_its_model_was() {
    let engine: dendro::engine::SharedEngine = Arc::new(MemoryEngine::default());
    let first = Server::running_on(engine.clone(), super::runtime(STUBBORN)).await;
    agent(&first, json!({ "tools": [] })).await;
    let conversation = conversation(&first).await;
    let failed = say(&first, &conversation, "break", json!({})).await;
    const MODEL: &str =
        "query($id: ID!) { trace(id: $id) { models spans(first: 50, filter: {types: [LLM_CALL]}) {
      nodes { ... on LlmCallSpan { model } }
    } } }";
    let found = first.data(MODEL, json!({ "id": failed["traceId"] })).await;
    assert_eq!(found["trace"]["models"], json!(["scripted/test"]), "{found}");
    // Another process knows nothing of what the run put out.
    let later = Server::running_on(engine, super::runtime(STUBBORN)).await;
    const OUTPUT: &str = "subscription($id: ID!) { agentOutput(traceId: $id) { events { ... on AgentEnd { status error } } } }";
    let parts: Vec<_> = later.follow(OUTPUT, json!({ "id": failed["traceId"] })).collect().await;
    let end = json!([{ "status": "FAILED", "error": "refused: no such luck" }]);
    assert_eq!(parts[0].data["agentOutput"]["events"], end);
}
