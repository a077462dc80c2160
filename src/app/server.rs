//! The server: bound to its address, serving until it is to stop.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{Router, http::StatusCode, http::Uri, response::Redirect, routing::get};
use tokio::net::TcpListener;

use super::{Database, Stop, api::Api, chores, ports::OtlpPorts};
use crate::{
    config::{Config, ServerConfig},
    http::{self, Access, Connections, Gateway, Lifecycle, assets},
    otlp::Otlp,
    rest,
    service::Services,
};

/// A server that has its address and does not answer yet: connections wait.
pub struct Server {
    services: Services,
    connections: Connections,
    address: SocketAddr,
    router: Router,
    otlp: OtlpPorts,
    lifecycle: Lifecycle,
    grace: Duration,
    address_file: Option<PathBuf>,
}

impl Server {
    /// Takes the address that is configured.
    ///
    /// # Errors
    /// When the address cannot be had, or the schema and its guard do not fit together.
    pub async fn bind(config: &Config, services: Services) -> anyhow::Result<Self> {
        let listen = config.server.listen;
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
        let address = listener.local_addr()?;
        let api = Arc::new(Api::new(services.clone(), config.pages.clone()));
        let gateway = Arc::new(Gateway::new(api, config.limits.clone())?);
        let watched = services.clone();
        let lifecycle = Lifecycle::of(move || watched.upkeep.health().is_ok());
        let otlp = Otlp::new(services.ingest.clone(), Database::clock(), config.otlp.limits.clone());
        let otlp = OtlpPorts::bind(config, otlp).await?;
        let pages = assets::router().route("/", get(|| async { Redirect::temporary("/graphiql") }));
        let access = access(&config.server, address);
        let router = http::router(gateway, &access, lifecycle.clone(), pages.merge(otlp.paths()))
            .merge(rest_router(config, services.clone(), &access)?)
            // What is at no address is answered alike, whoever has the addresses beside it.
            .fallback(|| async { StatusCode::NOT_FOUND });
        let (grace, address_file) = (config.server.shutdown_time, config.server.address_file.clone());
        let connections = Connections::new(listener, &config.limits);
        Ok(Self { services, connections, address, router, otlp, lifecycle, grace, address_file })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where OTLP over HTTP is listened to, beside the paths on the main port.
    #[must_use]
    pub fn otlp_http(&self) -> Option<SocketAddr> {
        self.otlp.http_address()
    }

    /// Where OTLP over gRPC is listened to.
    #[must_use]
    pub fn otlp_grpc(&self) -> Option<SocketAddr> {
        self.otlp.grpc_address()
    }

    /// Serves until it is to stop, then lets what is under way end, for as long as is configured.
    ///
    /// # Errors
    /// When the file for the address cannot be written.
    pub async fn run(self, stop: &Stop) -> anyhow::Result<()> {
        if let Some(file) = &self.address_file {
            write_whole(file, &format!("{}\n", self.address))
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        // What an earlier run left to be said is on its way before anyone reads.
        if let Err(error) = self.services.ingest.find_due().await {
            tracing::warn!(%error, "messages that are still to be made are not known");
        }
        tracing::info!(address = %self.address, "listening on http://{}", self.address);
        let (asked, agents) = (stop.clone(), self.services.agents.clone());
        let evaluations = self.services.evaluations.clone();
        let stopping = async move {
            asked.asked().await;
            // Before the agents, so that no judging counts as failed because the server stops.
            evaluations.stop().await;
            // Who waits for an agent is answered before the connections close.
            agents.stop().await;
        };
        let chores = tokio::spawn(chores::run(self.services));
        let otlp = self.otlp.serve(&self.lifecycle, stop, self.grace);
        http::serve(self.connections, self.router, self.lifecycle, stopping, self.grace).await;
        otlp.await;
        chores.abort();
        if let Some(file) = &self.address_file {
            // It names an address that nobody listens on any more. Whoever removed it already is right.
            let _ = std::fs::remove_file(file);
        }
        Ok(())
    }
}

/// REST, protected as the rest of the server is.
fn rest_router(config: &Config, services: Services, access: &Access) -> anyhow::Result<Router> {
    let router = rest::router(services, rest_pages(config)).context("REST cannot be described")?;
    let render = |refusal: &http::Refusal, uri: &Uri| {
        rest::refused(refusal.code.status(), refusal.code.as_str(), &refusal.message, uri.path())
    };
    Ok(http::endpoints(router, access, &config.limits, render))
}

/// How long pages of lists may be over REST.
pub(crate) fn rest_pages(config: &Config) -> rest::Pages {
    rest::Pages { most: config.pages.most, most_spans: config.pages.most_spans }
}

/// Writes a file so that whoever waits for it never reads a part of it.
fn write_whole(file: &std::path::Path, text: &str) -> std::io::Result<()> {
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".new");
    std::fs::write(&unfinished, text)?;
    std::fs::rename(&unfinished, file)
}

/// Others can call a server that they can reach by any name, unless its names are configured.
pub(super) fn access(config: &ServerConfig, address: SocketAddr) -> Access {
    if address.ip().is_loopback() || !config.allowed_hosts.is_empty() {
        Access::loopback(&config.allowed_hosts, &config.allowed_origins)
    } else {
        Access::any_host(&config.allowed_origins)
    }
}
