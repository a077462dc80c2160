//! Connections: how many there are, and how long one may keep the server waiting for a request. It knows
//! nothing of what is asked over them.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    pin,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::lifecycle::Lifecycle;
use crate::config::Limits;

/// How long to wait with the next connection where none can be taken, as when files run out.
const PAUSE: Duration = Duration::from_secs(1);

/// Bytes that are read from a connection at once, and that a request's head may have. Buffers of some hundred
/// kilobytes cost more to make than they save in reads.
const READ_BYTES: usize = 64 << 10;

/// Where connections come from, and the bounds on them.
pub struct Connections {
    listener: TcpListener,
    /// One permit for each connection that may be open.
    free: Arc<Semaphore>,
    header_time: Duration,
}

impl Connections {
    /// The connections of a listener.
    #[must_use]
    pub fn new(listener: TcpListener, limits: &Limits) -> Self {
        let free = Arc::new(Semaphore::new(limits.connections));
        Self { listener, free, header_time: limits.header_time }
    }

    /// Takes connections for ever. Each ends what it is at, and itself, when the server drains.
    pub async fn take(&self, router: &Router, lifecycle: &Lifecycle) {
        loop {
            let (stream, permit) = self.next().await;
            tokio::spawn(self.serve(stream, permit, router.clone(), lifecycle));
        }
    }

    /// The next connection. Past the limit new ones wait, and come in as others close.
    async fn next(&self) -> (TcpStream, Option<OwnedSemaphorePermit>) {
        // Nobody closes the semaphore, so there is always a permit in the end.
        let permit = Arc::clone(&self.free).acquire_owned().await.ok();
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    send_at_once(&stream, peer);
                    return (stream, permit);
                }
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "a connection cannot be taken");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn serve(
        &self,
        stream: TcpStream,
        permit: Option<OwnedSemaphorePermit>,
        router: Router,
        lifecycle: &Lifecycle,
    ) -> impl Future<Output = ()> + use<> {
        let mut stay = lifecycle.stay();
        // What comes while others leave, as health checks do, is answered once.
        let late = stay.is_draining();
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_time)
            .keep_alive(!late)
            .max_buf_size(READ_BYTES);
        let service = TowerToHyperService::new(router);
        let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
        async move {
            pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stay.draining(), if !late => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(permit);
        }
    }
}

/// Small messages must not wait for the acknowledgement of the ones before them.
fn send_at_once(stream: &TcpStream, peer: SocketAddr) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %peer, "a connection could not be set to send at once");
    }
}

/// Whether the other side gave up before it was taken: no reason to wait with the next one.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
