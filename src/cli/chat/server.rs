//! A server for this chat alone, in the same process. The chat speaks to it over HTTP as to any other, and so can
//! whoever wants to watch.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::Context as _;
use tokio::task::JoinHandle;

use crate::{
    app::{Additions, Database, Server, Stop},
    config::Config,
    engine::EngineError,
};

/// A server that was started here.
pub(super) struct OwnServer {
    address: SocketAddr,
    stop: Stop,
    serving: JoinHandle<anyhow::Result<()>>,
    database: Database,
}

impl OwnServer {
    /// Opens the database that is configured, and serves it.
    pub(super) async fn start(config: &Config) -> anyhow::Result<Self> {
        let database = Database::open_with_agents(config, Additions::default()).await.map_err(with_advice)?;
        let server = Server::bind(config, database.services.clone()).await?;
        let (stop, address) = (Stop::default(), server.address());
        let stopped = stop.clone();
        let serving = tokio::spawn(async move { server.run(&stopped).await });
        Ok(Self { address, stop, serving, database })
    }

    /// Where it can be reached from here.
    pub(super) fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() {
                Ipv4Addr::LOCALHOST.into()
            } else {
                Ipv6Addr::LOCALHOST.into()
            });
        }
        format!("http://{address}")
    }

    /// Ends what is under way, and closes the database.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.stop.ask();
        let served = self.serving.await;
        self.database.close().await?;
        served.context("the server broke off")?
    }
}

/// Says what to do about a database that is open elsewhere: mostly it is a server that has it.
fn with_advice(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref() {
        Some(EngineError::Locked(_)) => {
            anyhow::anyhow!("{error}; if that is a server, talk to it with --url")
        }
        _ => error,
    }
}
