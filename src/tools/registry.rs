//! Which tools there are, and the way of a call: found, allowed, its arguments checked, made in time, its
//! answer bounded.

use std::{
    any::Any,
    collections::{BTreeMap, HashSet},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use parking_lot::RwLock;
use serde_json::{Value, json};

use super::{
    Tool, ToolError, ToolErrorKind, ToolOutput, ToolSpec, ToolsConfig,
    arguments::Arguments,
    builtin,
    mcp::{McpServers, ServerState},
    names::nearest,
    output::bounded,
};
use crate::model::{Json, clock::SharedClock, text::shortened};

/// The tools that agents can call. Clones share them.
#[derive(Clone)]
pub struct Tools(Arc<Inner>);

struct Inner {
    timeout: Duration,
    output_bytes: usize,
    own: RwLock<BTreeMap<String, Arc<Entry>>>,
    disabled: RwLock<HashSet<String>>,
    servers: McpServers,
}

/// A tool and whether it may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTool {
    /// What it is.
    pub spec: ToolSpec,
    /// Whether it may be called.
    pub enabled: bool,
}

/// A tool that is there.
pub(super) struct Entry {
    spec: ToolSpec,
    tool: Arc<dyn Tool>,
    arguments: Arguments,
}

impl Entry {
    pub(super) fn new(tool: Arc<dyn Tool>) -> Self {
        let spec = tool.spec();
        Self { arguments: Arguments::new(&spec.name, &spec.parameters), spec, tool }
    }

    pub(super) const fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    /// Checks its own schema.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) async fn prepare(&self) -> Result<(), String> {
        self.arguments.prepare().await
    }
}

impl Tools {
    /// The tools that are built in and those of the MCP servers, which are started now and come up beside
    /// whatever else is done. Must be called inside a runtime.
    ///
    /// # Errors
    /// When a setting that was not checked cannot be used.
    pub fn start(config: &ToolsConfig, clock: SharedClock) -> Result<Self, ToolError> {
        let tools = Self::of(config, McpServers::start(&config.mcp));
        Ok(builtin::all(&config.read_url, clock)?.into_iter().fold(tools, Self::with))
    }

    /// No tools yet, with the bounds of a configuration.
    #[must_use]
    pub fn empty(config: &ToolsConfig) -> Self {
        Self::of(config, McpServers::default())
    }

    fn of(config: &ToolsConfig, servers: McpServers) -> Self {
        Self(Arc::new(Inner {
            timeout: config.timeout(),
            output_bytes: config.output_bytes,
            own: RwLock::default(),
            disabled: RwLock::new(config.disabled.iter().cloned().collect()),
            servers,
        }))
    }

    /// Adds a tool, for all clones. It takes the place of one with the same name.
    #[must_use]
    pub fn with(self, tool: Arc<dyn Tool>) -> Self {
        let entry = Entry::new(tool);
        self.0.own.write().insert(entry.spec.name.clone(), Arc::new(entry));
        self
    }

    /// Waits until each MCP server is ready or failed to be, so that [`Tools::list`] is complete. It takes
    /// no longer than the longest of their times to start.
    pub async fn ready(&self) {
        self.0.servers.ready().await;
    }

    /// The tools that are there, by name. Those of an MCP server stay while it is restarted.
    #[must_use]
    pub fn list(&self) -> Vec<ListedTool> {
        let disabled = self.0.disabled.read();
        self.entries()
            .into_values()
            .map(|entry| ListedTool {
                enabled: !disabled.contains(&entry.spec.name),
                spec: entry.spec.clone(),
            })
            .collect()
    }

    /// How the MCP servers are, by name.
    #[must_use]
    pub fn servers(&self) -> BTreeMap<String, ServerState> {
        self.0.servers.states()
    }

    /// Says whether a tool may be called, from the next call on.
    ///
    /// # Errors
    /// When there is no tool of this name.
    pub fn set_enabled(&self, name: &str, enabled: bool) -> Result<(), ToolError> {
        self.find(name)?;
        let mut disabled = self.0.disabled.write();
        if enabled {
            disabled.remove(name);
        } else {
            disabled.insert(name.to_owned());
        }
        Ok(())
    }

    /// What a tool is, as the content of its component version.
    #[must_use]
    pub fn definition(spec: &ToolSpec) -> Json {
        let parameters: Value = spec.parameters.read().unwrap_or_default();
        let definition =
            json!({"name": spec.name, "description": spec.description, "parameters": parameters});
        Json::from_value(&definition).unwrap_or_default()
    }

    /// Calls a tool. Dropping the future ends the call.
    ///
    /// # Errors
    /// One of each [`ToolErrorKind`]; what a tool does by itself, a panic included, is no other.
    pub async fn call(&self, name: &str, arguments: &Json) -> Result<ToolOutput, ToolError> {
        let entry = self.find(name)?;
        if self.0.disabled.read().contains(name) {
            return Err(ToolError::new(ToolErrorKind::Disabled, format!("`{name}` is switched off")));
        }
        // All of it is inside: a tool may panic before it gives its future.
        let call = AssertUnwindSafe(async {
            let arguments = entry.arguments.check(arguments).await?;
            entry.tool.call(arguments).await
        });
        let result = match tokio::time::timeout(self.0.timeout, call.catch_unwind()).await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => Err(panicked(name, panic.as_ref())),
            Err(_) => {
                let seconds = self.0.timeout.as_secs();
                let message = format!("`{name}` did not answer within {seconds} seconds");
                Err(ToolError::new(ToolErrorKind::TimedOut, message))
            }
        };
        match result {
            Ok(result) => Ok(bounded(result, self.0.output_bytes)),
            Err(error) => {
                let message = shortened(&error.message, self.0.output_bytes);
                Err(ToolError { message, ..error })
            }
        }
    }

    fn find(&self, name: &str) -> Result<Arc<Entry>, ToolError> {
        if let Some(entry) = self.0.own.read().get(name) {
            return Ok(entry.clone());
        }
        self.0.servers.find(name).ok_or_else(|| {
            if let Some(error) = self.0.servers.missing(name) {
                return error;
            }
            let entries = self.entries();
            let near = nearest(name, entries.keys().map(String::as_str));
            let name = shortened(name, 100);
            let message = if near.is_empty() {
                format!("there is no tool `{name}`")
            } else {
                format!("there is no tool `{name}`; the nearest: {}", near.join(", "))
            };
            ToolError::new(ToolErrorKind::Unknown, message)
        })
    }

    fn entries(&self) -> BTreeMap<String, Arc<Entry>> {
        let mut entries = self.0.servers.entries();
        entries.extend(self.0.own.read().iter().map(|(name, entry)| (name.clone(), entry.clone())));
        entries
    }
}

fn panicked(name: &str, panic: &(dyn Any + Send)) -> ToolError {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a word");
    tracing::error!(tool = name, "a tool panicked: {said}");
    // What it said is for those who run the program, not for a model.
    ToolError::new(ToolErrorKind::Failed, format!("`{name}` failed by a fault of its own"))
}
