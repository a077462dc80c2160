//! Searching what traces say, through the API: what is found, what is shown of it, and an index that stays in step with
//! the store whatever happens to either.

mod common;
mod found;
mod kept;
mod program;
mod running;
mod tool;

use std::sync::Arc;

use dendro::{
    engine::MemoryEngine,
    search::{Index, SearchConfig},
};
use serde_json::{Value, json};

use crate::support::Server;

const SEARCH: &str = "query($text: String!, $in: [TextKind!], $first: Int, $after: String) {
  search(text: $text, in: $in, first: $first, after: $after) {
    totalCount
    unsearchedTraceCount
    pageInfo { hasNextPage endCursor }
    nodes { traceId trace { name } span { name } message { content } excerpt { kind text matches { start end } } }
  }
}";

async fn server() -> Server {
    configured(&SearchConfig::default()).await
}

async fn configured(config: &SearchConfig) -> Server {
    let index = Index::in_memory(config, 1).unwrap();
    Server::searching(Arc::new(MemoryEngine::default()), Arc::new(index)).await
}

/// Starts a trace and answers its UUID.
async fn start(server: &Server, input: Value) -> String {
    const START: &str = "mutation($input: StartTraceInput!) { startTrace(input: $input) { trace { traceId } refusal { message } } }";
    let started = server.data(START, json!({ "input": input })).await["startTrace"].clone();
    assert!(started["refusal"].is_null(), "{started}");
    started["trace"]["traceId"].as_str().unwrap().to_owned()
}

async fn span(server: &Server, trace: &str, mut input: Value) {
    const CREATE: &str = "mutation($input: CreateSpanInput!) { createSpan(input: $input) { span { spanId } refusal { message } } }";
    input["traceId"] = json!(trace);
    let created = server.data(CREATE, json!({ "input": input })).await["createSpan"].clone();
    assert!(created["refusal"].is_null(), "{created}");
}

async fn complete(server: &Server, trace: &str, output: &str) {
    const COMPLETE: &str = "mutation($input: CompleteTraceInput!) { completeTrace(input: $input) { trace { status } refusal { message } } }";
    let input = json!({ "traceId": trace, "status": "COMPLETED", "finalOutput": output });
    let completed = server.data(COMPLETE, json!({ "input": input })).await["completeTrace"].clone();
    assert!(completed["refusal"].is_null(), "{completed}");
}

/// Has the index follow what is over.
async fn follow(server: &Server) {
    assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
}

async fn search(server: &Server, variables: Value) -> Value {
    server.data(SEARCH, variables).await["search"].clone()
}

/// What is found: of each hit the name of its span, what its message says, or else the name of its trace.
async fn found(server: &Server, text: &str) -> Vec<String> {
    let hits = search(server, json!({ "text": text })).await;
    let of = |hit: &Value| {
        let names = [&hit["span"]["name"], &hit["message"]["content"], &hit["trace"]["name"]];
        names.into_iter().find_map(Value::as_str).map(str::to_owned).unwrap()
    };
    hits["nodes"].as_array().unwrap().iter().map(of).collect()
}
