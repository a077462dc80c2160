//! Tools as whoever calls them sees them: the registry, those that are built in, and MCP servers as they
//! are published and as they misbehave.

mod builtin;
mod mcp;
mod mcp_http;
mod read_url;
mod registry;
mod settings;

use std::{path::PathBuf, sync::Arc};

use dendro::{
    model::Json,
    tools::{ToolError, ToolErrorKind, Tools, ToolsConfig},
};
use serde_json::{Value, json};

use crate::support::SetClock;

/// The tools of a configuration, given as it would be in the file.
pub fn started(config: Value) -> Tools {
    let config: ToolsConfig = serde_json::from_value(config).unwrap();
    config.check().unwrap();
    Tools::start(&config, Arc::new(SetClock::default())).unwrap()
}

/// What a call gives.
async fn call(tools: &Tools, name: &str, arguments: Value) -> Result<Value, ToolError> {
    let arguments = Json::from_value(&arguments).unwrap();
    tools.call(name, &arguments).await.map(|output| output.result.read().unwrap())
}

/// How a call fails.
async fn failure(tools: &Tools, name: &str, arguments: Value) -> (ToolErrorKind, String) {
    let error = call(tools, name, arguments).await.unwrap_err();
    (error.kind, error.message)
}

/// A program of an npm package of `tests/mcp`, or a file there.
fn script(path: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/mcp");
    let installed = folder.join("node_modules").exists();
    assert!(installed, "the servers are not installed: run `npm ci --prefix tests/mcp`, or `make suite`");
    folder.join(path).to_str().unwrap().to_owned()
}

/// The configuration of a server that runs such a program.
pub fn node(path: &str, arguments: &[&str]) -> Value {
    let arguments: Vec<_> =
        [script(path)].into_iter().chain(arguments.iter().map(|it| (*it).to_owned())).collect();
    json!({"command": "node", "args": arguments, "start_seconds": 60})
}
