//! A connection to a server: over the pipes of its program, or over HTTP.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use reqwest::{
    Client,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use rmcp::{
    ClientHandler, Peer, RoleClient,
    model::{ClientCapabilities, ClientConfig, Implementation},
    service::{NotificationContext, RunningService, ServiceExt},
    transport::{
        StreamableHttpClientTransport, async_rw::AsyncRwTransport,
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use tokio::sync::Notify;

use super::{
    super::McpServerConfig,
    process::{LastWords, Process},
};
use crate::model::{secret::Secret, text::shortened};

/// Bytes of one message at most. A larger one is left out, so its call comes to no answer.
const MESSAGE_BYTES: usize = 4 << 20;

/// How long a connection to a server at a URL may take.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Bytes of what a server says of a failure, at most.
pub(super) const FAULT_BYTES: usize = 500;

/// A server that has answered the first greeting.
pub(super) struct Connection {
    /// Who is asked.
    pub(super) peer: Peer<RoleClient>,
    /// Ends when the connection does; dropping it ends the connection.
    pub(super) service: RunningService<RoleClient, Listener>,
    /// The program behind it.
    pub(super) process: Option<Process>,
}

/// What a server may ask of us: nothing. It may only say that its tools are others now.
pub(super) struct Listener {
    changed: Arc<Notify>,
}

impl ClientHandler for Listener {
    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }

    fn get_info(&self) -> ClientConfig {
        let us = Implementation::new("dendro", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), us)
    }
}

/// Connects to a server and greets it. `changed` is told when its tools are others.
///
/// # Errors
/// Why there is no connection, for whoever runs the server.
pub(super) async fn connect(
    name: &str,
    config: &McpServerConfig,
    changed: Arc<Notify>,
    last_words: &LastWords,
) -> Result<Connection, String> {
    let listener = Listener { changed };
    let (greeted, process) = if let Some(url) = &config.url {
        (listener.serve(over_http(url, &config.headers)?).await, None)
    } else {
        let (process, (output, input)) = Process::start(name, config, last_words)?;
        let transport = AsyncRwTransport::new_client(output, input).with_max_line_length(MESSAGE_BYTES);
        (listener.serve(transport).await, Some(process))
    };
    match greeted {
        Ok(service) => Ok(Connection { peer: service.peer().clone(), service, process }),
        Err(error) => {
            if let Some(process) = process {
                process.end().await;
            }
            Err(shortened(&error.to_string(), FAULT_BYTES))
        }
    }
}

fn over_http(
    url: &str,
    headers: &BTreeMap<String, Secret>,
) -> Result<StreamableHttpClientTransport<Client>, String> {
    let client = Client::builder()
        .default_headers(http_headers(headers)?)
        .user_agent(concat!("dendro/", env!("CARGO_PKG_VERSION")))
        // A redirect would take the headers elsewhere.
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIME)
        .build()
        .map_err(|error| error.to_string())?;
    let config = StreamableHttpClientTransportConfig::with_uri(url)
        .max_sse_event_size(MESSAGE_BYTES)
        .max_json_response_size(MESSAGE_BYTES);
    Ok(StreamableHttpClientTransport::with_client(client, config))
}

/// The headers of a configuration.
///
/// # Errors
/// Which of them is none. No value is told.
pub(in crate::tools) fn http_headers(headers: &BTreeMap<String, Secret>) -> Result<HeaderMap, String> {
    let mut read = HeaderMap::new();
    for (name, value) in headers {
        let known: HeaderName = name.parse().map_err(|_| format!("`{name}` is no name of a header"))?;
        let mut value = HeaderValue::from_str(value.expose())
            .map_err(|_| format!("the value of header `{name}` has characters that no header can have"))?;
        value.set_sensitive(true);
        read.insert(known, value);
    }
    Ok(read)
}
