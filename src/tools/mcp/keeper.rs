//! Keeps one server: starts it, knows its tools, notices that it is gone, starts it again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rmcp::{Peer, RoleClient};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    super::{McpServerConfig, ToolError, ToolErrorKind, registry::Entry},
    ServerState, ServerStatus,
    attempts::{Attempts, Next},
    connect::{Connection, connect},
    listing,
    process::LastWords,
};

/// How long is waited after a server said that its tools are others, so that many such words are one.
const CHANGE_WAIT: Duration = Duration::from_millis(100);

/// Tools by name.
pub(super) type Listed = Arc<BTreeMap<String, Arc<Entry>>>;

/// A server as its tools see it.
pub(super) struct Server {
    name: String,
    state: watch::Sender<State>,
    /// Told by a call while the server rests.
    wanted: Notify,
}

/// How a server is now.
pub(super) struct State {
    /// Whether its first start has ended, well or not.
    pub(super) was_tried: bool,
    status: ServerStatus,
    line: Option<Line>,
    tools: Listed,
    fault: Option<String>,
}

/// A connection as a call sees it.
#[derive(Clone)]
pub(super) struct Line {
    /// Who is asked.
    pub(super) peer: Peer<RoleClient>,
    /// Told by a call that found this connection gone.
    pub(super) lost: Arc<Notify>,
}

impl Server {
    pub(super) fn new(name: &str) -> Self {
        let (state, _) = watch::channel(State {
            was_tried: false,
            status: ServerStatus::Starting,
            line: None,
            tools: Listed::default(),
            fault: None,
        });
        Self { name: name.to_owned(), state, wanted: Notify::new() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(super) fn state(&self) -> ServerState {
        let state = self.state.borrow();
        ServerState { status: state.status, tools: state.tools.len(), fault: state.fault.clone() }
    }

    pub(super) fn tools(&self) -> Listed {
        self.state.borrow().tools.clone()
    }

    /// The connection.
    ///
    /// # Errors
    /// When the server is not there.
    pub(super) fn line(&self) -> Result<Line, ToolError> {
        let line = self.state.borrow().line.clone();
        if line.is_none() {
            self.wanted.notify_one();
        }
        line.ok_or_else(|| self.unavailable().unwrap_or_else(|| self.gone()))
    }

    /// That the server is not there, if it is so.
    pub(super) fn unavailable(&self) -> Option<ToolError> {
        let status = self.state.borrow().status;
        (status != ServerStatus::Ready).then(|| {
            let message = format!("the MCP server `{}` is {status}", self.name);
            ToolError::new(ToolErrorKind::Unavailable, message)
        })
    }

    /// That the connection was lost in a call.
    pub(super) fn gone(&self) -> ToolError {
        let message = format!("the MCP server `{}` went away; it is being started again", self.name);
        ToolError::new(ToolErrorKind::Unavailable, message)
    }

    fn starting(&self) {
        self.state.send_modify(|state| state.status = ServerStatus::Starting);
    }

    fn ready(&self, line: Line, tools: Listed) {
        tracing::info!(server = self.name, tools = tools.len(), "an MCP server is ready");
        self.state.send_modify(|state| {
            *state =
                State { was_tried: true, status: ServerStatus::Ready, line: Some(line), tools, fault: None };
        });
    }

    fn listed_anew(&self, tools: Listed) {
        tracing::info!(server = self.name, tools = tools.len(), "the tools of an MCP server are others now");
        self.state.send_modify(|state| state.tools = tools);
    }

    fn down(&self, fault: String) {
        tracing::warn!(server = self.name, "an MCP server is gone: {fault}");
        self.state.send_modify(|state| {
            state.was_tried = true;
            state.status = ServerStatus::Down;
            state.line = None;
            state.fault = Some(fault);
        });
    }

    fn resting(&self) {
        tracing::error!(server = self.name, "an MCP server went too often and is left alone");
        self.state.send_modify(|state| state.status = ServerStatus::Resting);
    }
}

/// Keeps a server until the task is ended.
pub(super) async fn keep(server: Arc<Server>, config: McpServerConfig) {
    let mut attempts = Attempts::default();
    loop {
        match attempts.next(Instant::now()) {
            Next::After(wait) => {
                sleep(wait).await;
                attempts.started(Instant::now());
                server.starting();
                let fault = run(&server, &config).await;
                server.down(fault);
            }
            Next::Rest(until) => {
                server.resting();
                sleep_until(until).await;
                server.wanted.notified().await;
            }
        }
    }
}

/// Starts a server once and stays until it is gone. Gives why it is.
async fn run(server: &Arc<Server>, config: &McpServerConfig) -> String {
    let last_words = LastWords::default();
    let fault = stay(server, config, &last_words).await;
    // What a program complains of mostly says more than that it is gone.
    let words = last_words.lock();
    if words.is_empty() { fault } else { format!("{fault}; its last words: {words}") }
}

async fn stay(server: &Arc<Server>, config: &McpServerConfig, last_words: &LastWords) -> String {
    let changed = Arc::new(Notify::new());
    let started = async {
        let connection = connect(server.name(), config, changed.clone(), last_words).await?;
        let tools = listing::list(server, &connection.peer).await?;
        Ok::<_, String>((connection, tools))
    };
    let (connection, tools) = match timeout(config.start_time(), started).await {
        Ok(Ok(started)) => started,
        Ok(Err(fault)) => return fault,
        Err(_) => return format!("it was not ready within {} seconds", config.start_seconds),
    };
    let Connection { peer, service, process } = connection;
    let line = Line { peer, lost: Arc::new(Notify::new()) };
    server.ready(line.clone(), tools);
    let fault = tokio::select! {
        _ = service.waiting() => "its connection ended",
        () = line.lost.notified() => "its connection was lost",
        () = list_on_change(server, config, &line.peer, &changed) => "its tools are listed no more",
    };
    if let Some(process) = process {
        process.end().await;
    }
    fault.to_owned()
}

/// Lists the tools anew whenever they are others. It does not end by itself.
async fn list_on_change(
    server: &Arc<Server>,
    config: &McpServerConfig,
    peer: &Peer<RoleClient>,
    changed: &Notify,
) {
    loop {
        changed.notified().await;
        sleep(CHANGE_WAIT).await;
        match timeout(config.start_time(), listing::list(server, peer)).await {
            Ok(Ok(tools)) => server.listed_anew(tools),
            Ok(Err(fault)) => tracing::warn!(server = server.name(), "its tools cannot be listed: {fault}"),
            Err(_) => tracing::warn!(server = server.name(), "its tools cannot be listed in time"),
        }
    }
}
