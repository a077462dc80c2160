//! Tools that agents call: the registry, those that are built in, and those of MCP servers.
//!
//! A call is checked against the tool's JSON Schema before it is made; each has a time-out, and what it
//! answers is bounded. This module knows nothing of agents, traces or the store: what a tool needs of them
//! comes with it, as whoever adds it made it.

mod arguments;
pub mod builtin;
mod config;
pub mod mcp;
mod names;
mod output;
mod registry;
mod schema;

use std::fmt;

use futures_util::future::BoxFuture;

pub use self::{
    config::{McpServerConfig, ReadUrlConfig, ToolsConfig, WrongSetting},
    registry::{ListedTool, Tools},
    schema::JsonSchema,
};
use crate::model::Json;

/// What a tool is: this, without its `source`, is the content of its component version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolSpec {
    /// The name by which it is asked for: letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// What it does, for a model to read.
    pub description: String,
    /// The JSON Schema of its arguments: an object.
    pub parameters: Json,
    /// Where it comes from.
    pub source: ToolSource,
}

/// Where a tool comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolSource {
    /// This program.
    BuiltIn,
    /// The MCP server of this name.
    Mcp(String),
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolOutput {
    /// The answer: a JSON string where it is a text.
    pub result: Json,
    /// Whether it was cut to the bound; then `result` is a text.
    pub truncated: bool,
}

/// Why a call gave no result. The model is told, and may try otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ToolError {
    /// What kind of failure it is.
    pub kind: ToolErrorKind,
    /// What happened and what would be right, for a model and for people to read.
    pub message: String,
}

/// Kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToolErrorKind {
    /// There is no tool of this name.
    Unknown,
    /// The tool is switched off.
    Disabled,
    /// The arguments are no JSON, or not what the schema asks for.
    InvalidArguments,
    /// It took too long.
    TimedOut,
    /// It failed, or says that it did.
    Failed,
    /// Its server is not there: it died, or never came up.
    Unavailable,
}

impl fmt::Display for ToolErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown tool",
            Self::Disabled => "disabled",
            Self::InvalidArguments => "invalid arguments",
            Self::TimedOut => "timed out",
            Self::Failed => "failed",
            Self::Unavailable => "unavailable",
        })
    }
}

impl ToolError {
    /// A failure.
    pub fn new(kind: ToolErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// Something that an agent can call.
pub trait Tool: Send + Sync + 'static {
    /// What it is.
    fn spec(&self) -> ToolSpec;

    /// Calls it with arguments that its schema allows. Dropping the future ends the call.
    fn call(&self, arguments: serde_json::Value) -> BoxFuture<'_, Result<Json, ToolError>>;
}
