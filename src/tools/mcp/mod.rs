//! The tools of MCP servers: programs that are started here, or servers at a URL.
//!
//! Each server has a keeper, a task that starts it, lists its tools, and starts it again when it is gone. A
//! server that hangs or talks nonsense costs only its own calls. This module knows nothing of who calls.

mod attempts;
mod connect;
mod content;
mod keeper;
mod listing;
mod process;

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    sync::Arc,
};

use tokio::{sync::watch, task::JoinHandle};

pub(super) use self::connect::http_headers;
use self::keeper::Server;
use super::{McpServerConfig, ToolError, registry::Entry};

/// The servers of a configuration. They end when this is dropped.
#[derive(Default)]
pub(super) struct McpServers(BTreeMap<String, Kept>);

/// A server with the task that keeps it.
struct Kept {
    server: Arc<Server>,
    keeper: JoinHandle<()>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        // The connection is dropped with the task, and the program with the connection.
        self.keeper.abort();
    }
}

/// How a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerState {
    /// Whether it answers.
    pub status: ServerStatus,
    /// How many tools it has, or had when it was last ready.
    pub tools: usize,
    /// Why it is not ready, for whoever runs it.
    pub fault: Option<String>,
}

/// Whether a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerStatus {
    /// It is being started.
    Starting,
    /// It answers.
    Ready,
    /// It is gone and will be started again.
    Down,
    /// It went too often: it is left alone for a minute.
    Resting,
}

impl fmt::Display for ServerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "being started",
            Self::Ready => "ready",
            Self::Down => "gone and will be started again",
            Self::Resting => "gone too often and left alone for a minute",
        })
    }
}

impl McpServers {
    /// Starts the servers. None is waited for.
    pub(super) fn start(servers: &BTreeMap<String, McpServerConfig>) -> Self {
        let kept = servers.iter().map(|(name, config)| {
            let server = Arc::new(Server::new(name));
            let keeper = tokio::spawn(keeper::keep(server.clone(), config.clone()));
            (name.clone(), Kept { server, keeper })
        });
        Self(kept.collect())
    }

    /// Waits until the first start of each has succeeded or failed.
    pub(super) async fn ready(&self) {
        let watched: Vec<watch::Receiver<_>> = self.0.values().map(|kept| kept.server.watch()).collect();
        for mut state in watched {
            // It ends with the server, which is as good as a failure.
            let _ = state.wait_for(|state| state.was_tried).await;
        }
    }

    pub(super) fn states(&self) -> BTreeMap<String, ServerState> {
        self.0.iter().map(|(name, kept)| (name.clone(), kept.server.state())).collect()
    }

    /// The tools of all servers, by name.
    pub(super) fn entries(&self) -> BTreeMap<String, Arc<Entry>> {
        let mut entries = BTreeMap::new();
        for kept in self.0.values() {
            for (name, entry) in kept.server.tools().iter() {
                // `a_b` of server `x` and `b` of `x_a` would have one name: the first server keeps it.
                entries.entry(name.clone()).or_insert_with(|| entry.clone());
            }
        }
        entries
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Entry>> {
        self.0.values().find_map(|kept| kept.server.tools().get(name).cloned())
    }

    /// Why a tool that would be a server's is not there: that has never been ready.
    pub(super) fn missing(&self, name: &str) -> Option<ToolError> {
        let begins = |server: &str| name.strip_prefix(server).is_some_and(|rest| rest.starts_with('_'));
        let kept = self.0.iter().filter(|(server, _)| begins(server)).map(|(_, kept)| kept);
        kept.filter(|kept| kept.server.tools().is_empty()).find_map(|kept| kept.server.unavailable())
    }
}

/// Names that are given to the tools of one listing.
type Taken = HashSet<String>;
