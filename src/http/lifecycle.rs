//! From start to stop: whether the server takes work, and how it lets go of what is open.
//!
//! Sockets and event streams have no end of their own. Each holds a [`Stay`], learns from it that the
//! server drains, and says good-bye; the server has drained when the last one is dropped.

use std::{future::Future, io, sync::Arc, time::Duration};

use axum::{Router, serve::ListenerExt};
use tokio::{net::TcpListener, sync::watch, time::timeout};

/// How far the server is between start and stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Serving,
    Draining,
}

/// The server's life, shared by all who take part in it.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    phase: Arc<watch::Sender<Phase>>,
}

/// Held by whatever must say good-bye before the server stops.
#[derive(Debug)]
pub(super) struct Stay {
    phase: watch::Receiver<Phase>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self { phase: Arc::new(watch::Sender::new(Phase::Starting)) }
    }
}

impl Lifecycle {
    /// Says that the server is ready for work: `/readyz` answers 200 from now on.
    pub fn ready(&self) {
        self.phase.send_if_modified(|phase| {
            let starts = *phase == Phase::Starting;
            if starts {
                *phase = Phase::Serving;
            }
            starts
        });
    }

    /// Says that the server stops: `/readyz` answers 503, sockets close, event streams end.
    pub fn drain(&self) {
        self.phase.send_replace(Phase::Draining);
    }

    /// Whether the server takes work.
    pub fn is_ready(&self) -> bool {
        *self.phase.borrow() == Phase::Serving
    }

    /// Waits until every socket and event stream is closed.
    pub async fn drained(&self) {
        self.phase.closed().await;
    }

    pub(super) fn stay(&self) -> Stay {
        Stay { phase: self.phase.subscribe() }
    }
}

impl Stay {
    /// Waits until the server drains.
    pub(super) async fn draining(&mut self) {
        // Without a sender the server is gone, which is as much a reason to leave.
        let _ = self.phase.wait_for(|phase| *phase == Phase::Draining).await;
    }
}

/// Serves until `stop` is done, then drains for at most `grace`.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    lifecycle: Lifecycle,
    stop: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> io::Result<()> {
    let mut stay = lifecycle.stay();
    let stopping = lifecycle.clone();
    // Small messages must not wait for the acknowledgement of the ones before them.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection could not be set to send at once");
        }
    });
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        stop.await;
        stopping.drain();
    });
    lifecycle.ready();
    let too_long = async {
        stay.draining().await;
        drop(stay);
        if timeout(grace, lifecycle.drained()).await.is_err() {
            tracing::warn!("some sockets or streams did not close in time");
        }
        // Plain requests have what is left of the grace period, and then a moment.
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    tokio::select! {
        result = serving => result,
        () = too_long => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn draining_waits_for_the_last_to_leave() {
        let lifecycle = Lifecycle::default();
        assert!(!lifecycle.is_ready());
        lifecycle.ready();
        assert!(lifecycle.is_ready());
        let mut stay = lifecycle.stay();
        lifecycle.drain();
        assert!(!lifecycle.is_ready());
        lifecycle.ready();
        assert!(!lifecycle.is_ready(), "there is no way back");
        stay.draining().await;
        assert!(timeout(Duration::from_millis(20), lifecycle.drained()).await.is_err());
        drop(stay);
        lifecycle.drained().await;
    }
}
