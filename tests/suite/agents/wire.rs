//! Whole runs over real HTTP, with real streaming: models that speak as OpenAI's and Anthropic's do, and a tool of a
//! published MCP server.

use std::{collections::BTreeMap, time::Duration};

use dendro::model::secret::Secret;
use dendro::{
    llm::{Models, ModelsConfig, ProviderConfig, ProviderKind},
    service::agents::{AgentsConfig, Runtime},
    tools::{Tools, ToolsConfig},
};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{Adder, agent, conversation, messages, say, tree};
use crate::{
    support::{
        Server,
        providers::{FakeProviders, Piece, Reply, Tokens},
    },
    tools::{node, started},
};

fn runtime(provider: &FakeProviders, kind: ProviderKind, tools: Tools) -> Runtime {
    let provider = ProviderConfig {
        kind: Some(kind),
        url: Some(provider.url()),
        key: Some(Secret::new("sk-secret")),
        ..ProviderConfig::default()
    };
    let providers = BTreeMap::from([("test".to_owned(), provider)]);
    let config = ModelsConfig { providers, ..ModelsConfig::default() };
    Runtime {
        models: Models::with_environment(&config, |_| None).unwrap(),
        tools,
        config: AgentsConfig { first_retry_ms: 1, ..AgentsConfig::default() },
    }
}

/// A server with the agent `helper`, which asks this provider.
async fn helped_by(provider: &FakeProviders, kind: ProviderKind) -> (Server, String) {
    let tools = Tools::empty(&ToolsConfig::default()).with(std::sync::Arc::new(Adder));
    let server = Server::running(runtime(provider, kind, tools)).await;
    agent(&server, json!({ "model": { "name": "test/large-1" } })).await;
    let conversation = conversation(&server).await;
    (server, conversation)
}

const CALLS: &str = "query($id: ID!) { trace(id: $id) { totalTokens spans(first: 50, filter: {types: [LLM_CALL]}) { nodes {
  status ... on LlmCallSpan { model provider inputTokens outputTokens cacheReadTokens finishReason outputMessages { text reasoning } }
} } } }";

async fn calls(server: &Server, done: &Value) -> Vec<Value> {
    let found = server.data(CALLS, json!({ "id": done["trace"]["traceId"] })).await;
    found["trace"]["spans"]["nodes"].as_array().unwrap().clone()
}

/// Every span of a run lies within the one above it, and names the versions that it used.
async fn is_sound(server: &Server, done: &Value) {
    const SPANS: &str =
        "query($id: ID!) { trace(id: $id) { startTime endTime runningSpanCount spans(first: 50) { nodes {
      spanId parentId operationType startTime endTime components { componentId version { versionHash } }
    } } } }";
    let found = server.data(SPANS, json!({ "id": done["traceId"] })).await;
    let trace = &found["trace"];
    assert_eq!(trace["runningSpanCount"], 0);
    let nodes = trace["spans"]["nodes"].as_array().unwrap();
    for span in nodes {
        let above = nodes.iter().find(|above| above["spanId"] == span["parentId"]).unwrap_or(trace);
        // Moments have nine digits, so their texts sort as they do.
        let moment = |of: &Value, which: &str| of[which].as_str().unwrap().to_owned();
        assert!(moment(above, "startTime") <= moment(span, "startTime"), "{span} begins before {above}");
        assert!(moment(span, "endTime") <= moment(above, "endTime"), "{span} ends after {above}");
        let components = span["components"].as_array().unwrap();
        assert!(components.iter().all(|used| used["version"]["versionHash"].is_string()), "{span}");
        let used: Vec<_> = components.iter().map(|used| used["componentId"].as_str().unwrap()).collect();
        match span["operationType"].as_str().unwrap() {
            "AGENT" => assert_eq!(used, ["agents/helper"]),
            "LLM_CALL" => assert_eq!(used, ["prompts/helper", "models/large-1", "tools/add"]),
            "TOOL_CALL" => assert_eq!(used, ["tools/add"]),
            _ => assert!(used.is_empty(), "{span}"),
        }
    }
}

#[tokio::test]
async fn a_run_with_parallel_tools_is_whole() {
    let provider = FakeProviders::new([
        Reply::said([
            Piece::Thinking("Two sums."),
            Piece::Text("Let me see."),
            Piece::Call("c1", "add", &["{\"a\": 1,", " \"b\": 2}"]),
            Piece::Call("c2", "add", &["{\"a\": 3, \"b\": 4}"]),
        ])
        .with_tokens(Tokens { input: 100, output: 20, cache_read: 60, ..Tokens::default() }),
        Reply::text("Three and seven.").with_tokens(Tokens { input: 150, output: 5, ..Tokens::default() }),
    ])
    .await;
    let (server, conversation) = helped_by(&provider, ProviderKind::OpenAi).await;
    let done = say(&server, &conversation, "Add them", json!({})).await;
    assert_eq!(done["answer"]["content"], "Three and seven.", "{done}");
    assert_eq!(
        tree(&server, &done["trace"]).await,
        [
            "AGENT helper OK",
            "  MEMORY load history OK",
            "  LLM_CALL chat large-1 OK",
            "  TOOL_CALL add OK",
            "  TOOL_CALL add OK",
            "  LLM_CALL chat large-1 OK",
        ]
    );
    let calls = calls(&server, &done).await;
    assert_eq!((&calls[0]["inputTokens"], &calls[0]["cacheReadTokens"]), (&json!("100"), &json!("60")));
    assert_eq!(calls[0]["outputMessages"][0]["reasoning"], "Two sums.");
    assert_eq!(calls[1]["outputMessages"][0]["text"], "Three and seven.");
    assert_eq!(
        messages(&server, &conversation).await[1..4],
        [
            "ASSISTANT TOOL_CALL: Let me see. add({\"a\": 1, \"b\": 2}) add({\"a\": 3, \"b\": 4})",
            "TOOL TOOL_RESULT: 3",
            "TOOL TOOL_RESULT: 7",
        ]
        .map(|line| line.replace("\": ", "\":").replace(", \"", ",\""))
    );
    is_sound(&server, &done).await;
    // What was called is told again, each result under the id of its call.
    let asked = provider.last_body()["messages"].as_array().unwrap().clone();
    let results: Vec<_> = asked.iter().filter(|message| message["role"] == "tool").collect();
    assert_eq!(results.len(), 2, "{asked:#?}");
    assert_eq!((&results[1]["tool_call_id"], &results[1]["content"]), (&json!("c2"), &json!("7")));
    // The key is nowhere.
    let all = server.data("{ traces(first: 5) { nodes { systemConfig spans(first: 50) { nodes { inputs outputs attributes } } } } }", json!({})).await;
    assert!(!all.to_string().contains("sk-secret"));
}

#[tokio::test]
async fn a_provider_that_stumbles_is_asked_again_and_each_attempt_is_seen() {
    let provider = FakeProviders::new([
        Reply::Status(
            429,
            vec![("retry-after", "0".to_owned())],
            "{\"error\":{\"message\":\"slow down\"}}".to_owned(),
        ),
        Reply::status(500, "oops"),
        Reply::said([Piece::Text("Half an ans"), Piece::Cut]),
        Reply::text("A whole answer."),
    ])
    .await;
    let (server, conversation) = helped_by(&provider, ProviderKind::OpenAi).await;
    let done = say(&server, &conversation, "Hello", json!({})).await;
    assert_eq!(done["answer"]["content"], "A whole answer.", "{done}");
    let calls = calls(&server, &done).await;
    let statuses: Vec<_> = calls.iter().map(|call| call["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["ERROR", "ERROR", "ERROR", "OK"]);
    is_sound(&server, &done).await;
    // What was said before it broke off is not lost.
    assert_eq!(calls[2]["outputMessages"][0]["text"], "Half an ans");
    assert_eq!(messages(&server, &conversation).await.len(), 2);
}

#[tokio::test]
async fn a_model_of_anthropics_kind_thinks_and_answers() {
    let provider = FakeProviders::new([Reply::said([Piece::Thinking("Hm."), Piece::Text("Yes.")])]).await;
    let (server, conversation) = helped_by(&provider, ProviderKind::Anthropic).await;
    let done = say(&server, &conversation, "Is it so?", json!({})).await;
    assert_eq!(
        (&done["answer"]["content"], &done["answer"]["thinking"]),
        (&json!("Yes."), &json!("Hm.")),
        "{done}"
    );
    assert!(provider.last_body()["system"].to_string().contains("Help Ada."));
    is_sound(&server, &done).await;
}

#[tokio::test]
async fn stopping_a_run_ends_the_request() {
    let provider = FakeProviders::new([Reply::said([Piece::Text("Well"), Piece::Hang])]).await;
    let (server, conversation) = helped_by(&provider, ProviderKind::OpenAi).await;
    let begun = say(&server, &conversation, "Hello", json!({ "wait": false })).await;
    const TEXT: &str =
        "subscription($id: ID!) { agentOutput(traceId: $id) { events { ... on AgentTextDelta { text } } } }";
    let mut output = server.follow(TEXT, json!({ "id": begun["trace"]["traceId"] }));
    while !output.next().await.unwrap().data.to_string().contains("Well") {}
    const CANCEL: &str = "mutation($id: ID!) { cancelTrace(input: {traceId: $id}) { trace { status } } }";
    let stopped = server.data(CANCEL, json!({ "id": begun["trace"]["traceId"] })).await;
    assert_eq!(stopped["cancelTrace"]["trace"]["status"], "CANCELLED");
    tokio::time::timeout(Duration::from_secs(30), provider.client_left()).await.unwrap();
    let calls = calls(&server, &begun).await;
    assert_eq!(calls[0]["status"], "CANCELLED");
    assert_eq!(calls[0]["outputMessages"][0]["text"], "Well");
}

#[tokio::test]
async fn a_tool_of_a_published_mcp_server_is_called() {
    let provider = FakeProviders::new([
        Reply::said([Piece::Call("c1", "every_echo", &["{\"message\": \"hello\"}"])]),
        Reply::text("It said hello."),
    ])
    .await;
    let every = node("node_modules/@modelcontextprotocol/server-everything/dist/index.js", &["stdio"]);
    let tools = started(json!({ "mcp": { "every": every } }));
    tokio::time::timeout(Duration::from_secs(120), tools.ready()).await.unwrap();
    let server = Server::running(runtime(&provider, ProviderKind::OpenAi, tools)).await;
    agent(&server, json!({ "model": { "name": "test/large-1" }, "tools": ["every_echo"] })).await;
    let conversation = conversation(&server).await;
    let done = say(&server, &conversation, "Echo hello", json!({})).await;
    assert_eq!(done["answer"]["content"], "It said hello.", "{done}");
    let said = messages(&server, &conversation).await;
    assert!(said[2].starts_with("TOOL TOOL_RESULT: ") && said[2].contains("hello"), "{said:#?}");
    const PARTS: &str = "query($id: ID!) { trace(id: $id) { spans(first: 9, filter: {types: [TOOL_CALL]}) { nodes { components { componentId } } } } }";
    let found = server.data(PARTS, json!({ "id": done["trace"]["traceId"] })).await;
    assert_eq!(found["trace"]["spans"]["nodes"][0]["components"][0]["componentId"], "tools/every_echo");
}
