//! Agents that the server runs, through the API, with a model that says what a script says.

mod drafts;
mod ends;
mod flags;
mod follow;
mod making;
mod plans;
mod replay;
mod runs;
mod wire;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use dendro::{
    llm::{Models, Scripted},
    model::Json,
    service::agents::{AgentsConfig, Runtime},
    tools::{Tool, ToolError, ToolErrorKind, ToolSource, ToolSpec, Tools, ToolsConfig},
};
use futures_util::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};

use crate::support::Server;

/// A tool that adds two numbers, and refuses to add to 13.
struct Adder;

impl Tool for Adder {
    fn spec(&self) -> ToolSpec {
        let parameters = json!({
            "type": "object",
            "properties": { "a": { "type": "number" }, "b": { "type": "number" } },
            "required": ["a", "b"],
            "additionalProperties": false,
        });
        ToolSpec {
            name: "add".to_owned(),
            description: "Adds two numbers.".to_owned(),
            parameters: Json::from_value(&parameters).unwrap(),
            source: ToolSource::BuiltIn,
        }
    }

    fn call(&self, arguments: Value) -> BoxFuture<'_, Result<Json, ToolError>> {
        async move {
            let [a, b] = ["a", "b"].map(|name| arguments[name].as_i64().unwrap());
            if a == 13 {
                return Err(ToolError::new(ToolErrorKind::Failed, "13 is unlucky"));
            }
            Ok(Json::from_value(&(a + b)).unwrap())
        }
        .boxed()
    }
}

/// A tool that answers how often it was called.
#[derive(Default)]
struct Counter(AtomicU64);

impl Tool for Counter {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "count".to_owned(),
            description: "Counts.".to_owned(),
            parameters: Json::parse(r#"{"type": "object"}"#).unwrap(),
            source: ToolSource::BuiltIn,
        }
    }

    fn call(&self, _: Value) -> BoxFuture<'_, Result<Json, ToolError>> {
        async { Ok(Json::of(&json!(self.0.fetch_add(1, Ordering::Relaxed) + 1))) }.boxed()
    }
}

/// A tool that never answers.
struct Waiter;

impl Tool for Waiter {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "wait".to_owned(),
            description: "Waits.".to_owned(),
            parameters: Json::parse(r#"{"type": "object"}"#).unwrap(),
            source: ToolSource::BuiltIn,
        }
    }

    fn call(&self, _: Value) -> BoxFuture<'_, Result<Json, ToolError>> {
        std::future::pending().boxed()
    }
}

/// A server whose models say what `scripts` says: turns of scripts by name, in YAML.
async fn server(scripts: &str) -> Server {
    Server::running(runtime(scripts)).await
}

/// What agents of such a server run with.
fn runtime(scripts: &str) -> Runtime {
    let scripts = Scripted::parse(scripts).unwrap();
    let config = AgentsConfig { first_retry_ms: 1, ..AgentsConfig::default() };
    Runtime {
        models: Models::default().with("scripted", Arc::new(scripts)),
        tools: Tools::empty(&ToolsConfig::default())
            .with(Arc::new(Adder))
            .with(Arc::new(Waiter))
            .with(Arc::new(Counter::default())),
        config,
    }
}

/// Makes an agent and answers its component's id.
async fn agent(server: &Server, changes: Value) -> String {
    let mut input = json!({
        "name": "helper",
        "systemPrompt": "Help {{user}}.",
        "variables": { "user": "Ada" },
        "model": { "name": "scripted/test" },
        "tools": ["add"],
    });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    const CREATE: &str = "mutation($input: CreateAgentInput!) {
      createAgent(input: $input) { component { componentId } version { versionHash } refusal { message } }
    }";
    let made = server.data(CREATE, json!({ "input": input })).await;
    assert!(made["createAgent"]["refusal"].is_null(), "{made}");
    made["createAgent"]["component"]["componentId"].as_str().unwrap().to_owned()
}

async fn conversation(server: &Server) -> String {
    let made = server
        .data("mutation { createConversation(input: {}) { conversation { conversationId } } }", json!({}))
        .await;
    made["createConversation"]["conversation"]["conversationId"].as_str().unwrap().to_owned()
}

const SAY: &str = "mutation($input: ProcessUserInputInput!) { processUserInput(input: $input) {
  traceId
  trace { traceId status finalOutput }
  message { messageId role content }
  answer { role messageType content thinking }
  failure { kind message }
  refusal { message }
} }";

/// Says something to the agent `agents/helper`.
async fn say(server: &Server, conversation: &str, content: &str, changes: Value) -> Value {
    let mut input = json!({ "conversationId": conversation, "agentId": "agents/helper", "content": content });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    server.data(SAY, json!({ "input": input })).await["processUserInput"].clone()
}

/// The spans of a trace, in the order of the tree, each in one line.
async fn tree(server: &Server, trace: &Value) -> Vec<String> {
    const TREE: &str = "query($id: ID!) { trace(id: $id) { spans(first: 100) { nodes {
      depth operationType name status statusMessage placement
    } } } }";
    let found = server.data(TREE, json!({ "id": trace["traceId"] })).await;
    let nodes = found["trace"]["spans"]["nodes"].as_array().unwrap().clone();
    let line = |node: &Value| {
        let text = |name: &str| node[name].as_str().unwrap_or_default().to_owned();
        let message = text("statusMessage");
        let message = if message.is_empty() { message } else { format!(": {message}") };
        let depth = usize::try_from(node["depth"].as_u64().unwrap()).unwrap();
        format!(
            "{}{} {} {}{message}",
            "  ".repeat(depth),
            text("operationType"),
            text("name"),
            text("status")
        )
    };
    nodes.iter().map(line).collect()
}

/// The messages of a conversation, each in one line.
async fn messages(server: &Server, conversation: &str) -> Vec<String> {
    const MESSAGES: &str = "query($id: ID!) { conversation(id: $id) { messages(first: 100) { nodes {
      role messageType content toolCalls { name arguments }
    } } } }";
    let found = server.data(MESSAGES, json!({ "id": conversation })).await;
    let line = |message: &Value| {
        let calls = message["toolCalls"].as_array().unwrap().iter();
        let calls: String =
            calls.map(|call| format!(" {}({})", call["name"].as_str().unwrap(), call["arguments"])).collect();
        let (role, content) = (&message["role"], &message["content"]);
        let kind = message["messageType"].as_str().unwrap();
        format!("{} {kind}: {}{calls}", role.as_str().unwrap(), content.as_str().unwrap_or_default())
    };
    found["conversation"]["messages"]["nodes"].as_array().unwrap().iter().map(line).collect()
}
