//! OpenTelemetry's own ports: bound with the server, served and stopped with it.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use axum::Router;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Stop, server::access};
use crate::{
    config::{Config, Port},
    http::{self, Connections, Lifecycle},
    otlp::{self, Otlp},
};

/// The ports, bound.
pub(super) struct OtlpPorts {
    otlp: Otlp,
    http: Option<(SocketAddr, Connections, Router)>,
    grpc: Option<(SocketAddr, TcpListener)>,
    connections: usize,
}

impl OtlpPorts {
    /// Takes the ports that are configured.
    pub(super) async fn bind(config: &Config, otlp: Otlp) -> anyhow::Result<Self> {
        let http = bind(config.otlp.http, "OTLP/HTTP").await?.map(|(address, listener)| {
            let router = http::guarded(otlp::router(otlp.clone()), &access(&config.server, address));
            (address, Connections::new(listener, &config.limits), router)
        });
        let grpc = bind(config.otlp.grpc, "OTLP/gRPC").await?;
        Ok(Self { otlp, http, grpc, connections: config.limits.connections })
    }

    /// The paths, for the main port.
    pub(super) fn paths(&self) -> Router {
        otlp::router(self.otlp.clone())
    }

    pub(super) fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(|(address, ..)| *address)
    }

    pub(super) fn grpc_address(&self) -> Option<SocketAddr> {
        self.grpc.as_ref().map(|(address, _)| *address)
    }

    /// Serves until it is to stop, beside whoever calls this; the future ends once all is let go.
    pub(super) fn serve(
        self,
        lifecycle: &Lifecycle,
        stop: &Stop,
        grace: Duration,
    ) -> impl Future<Output = ()> + use<> {
        let mut tasks: Vec<JoinHandle<()>> = Vec::new();
        if let Some((_, connections, router)) = self.http {
            let lifecycle = lifecycle.clone();
            tasks.push(tokio::spawn(async move { connections.take(&router, &lifecycle).await }));
        }
        let grpc = self.grpc.map(|(_, listener)| {
            let (otlp, asked) = (self.otlp, stop.clone());
            tokio::spawn(async move {
                let served =
                    otlp::serve_grpc(otlp, listener, self.connections, async move { asked.asked().await });
                if let Err(error) = served.await {
                    tracing::error!(%error, "gRPC is not served any more");
                }
            })
        });
        async move {
            // What came over HTTP drains with the main port's connections.
            tasks.iter().for_each(JoinHandle::abort);
            if let Some(grpc) = grpc
                && tokio::time::timeout(grace, grpc).await.is_err()
            {
                tracing::warn!("some gRPC requests did not end in time");
            }
        }
    }
}

/// Takes a port, if there is to be one. A standard port that another program has is gone without.
async fn bind(port: Port, what: &str) -> anyhow::Result<Option<(SocketAddr, TcpListener)>> {
    let Some(address) = port.address else { return Ok(None) };
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some((listener.local_addr()?, listener))),
        Err(error) if port.is_standard && error.kind() == std::io::ErrorKind::AddrInUse => {
            tracing::warn!(%address, "another program has the port; {what} is not listened to");
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("cannot listen on {address} for {what}")),
    }
}
