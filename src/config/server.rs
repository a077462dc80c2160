//! Where the server listens, whom it lets in, and how it stops.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{Fault, limits};

/// The server's own settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// The address and port to listen on. Port 0 takes a free one, which the log names.
    pub listen: SocketAddr,
    /// A file to write the address to once the server listens, for programs that start it.
    pub address_file: Option<PathBuf>,
    /// Whether to listen where other machines can reach the server. There are no API keys yet: whoever
    /// reaches it may read and write everything, so that has to be said.
    pub allow_remote: bool,
    /// Names by which the server may be called, beside those of the local machine. Where others can
    /// reach it and none is given, it may be called by any.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may use the API from a browser, beside the server's own:
    /// `https://app.example.com`.
    pub allowed_origins: Vec<String>,
    /// How long requests, sockets and streams may take to end when the server stops.
    #[serde(with = "limits::seconds")]
    pub shutdown_time: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 4000).into(),
            address_file: None,
            allow_remote: false,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            shutdown_time: Duration::from_secs(10),
        }
    }
}

impl ServerConfig {
    /// Whether an address may be listened on.
    pub(super) fn check_reach(&self, key: &'static str, address: SocketAddr) -> Result<(), Fault> {
        if address.ip().is_loopback() || self.allow_remote {
            return Ok(());
        }
        let message = format!(
            "other machines can reach {address}, and whoever does may read and write everything; \
             listen on 127.0.0.1, or allow it with `server.allow_remote` (--allow-remote)"
        );
        Err(Fault::new(key, message))
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        self.check_reach("server.listen", self.listen)?;
        for origin in &self.allowed_origins {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            if !host.is_some_and(|host| !host.is_empty() && !host.trim_end_matches('/').contains(['/', '*']))
            {
                return Err(Fault::new(
                    "server.allowed_origins",
                    format!("`{origin}` is not an origin; one looks like https://app.example.com"),
                ));
            }
        }
        Ok(())
    }
}
