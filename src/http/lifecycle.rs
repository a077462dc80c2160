//! From start to stop: whether the server takes work, and how it lets go of what is open.
//!
//! Connections, sockets and event streams have no end of their own. Each holds a [`Stay`], learns from
//! it that the server drains, and says good-bye; the server has drained when the last one is dropped.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use axum::Router;
use tokio::{sync::watch, time::timeout};

use super::Connections;

/// How far the server is between start and stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Serving,
    Draining,
}

/// The server's life, shared by all who take part in it.
#[derive(Clone)]
pub struct Lifecycle {
    phase: Arc<watch::Sender<Phase>>,
    works: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// Held by whatever must say good-bye before the server stops.
#[derive(Debug)]
pub(super) struct Stay {
    phase: watch::Receiver<Phase>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self::of(|| true)
    }
}

impl fmt::Debug for Lifecycle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lifecycle").field("phase", &*self.phase.borrow()).finish_non_exhaustive()
    }
}

impl Lifecycle {
    /// The life of a server that cannot work while `works`, which is asked often, says no.
    pub fn of(works: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { phase: Arc::new(watch::Sender::new(Phase::Starting)), works: Arc::new(works) }
    }

    /// Says that the server is ready for work: `/readyz` answers 200 from now on, as long as it can work.
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

    /// Why the server takes no work, in a few words; `None`: it does.
    pub fn unready(&self) -> Option<&'static str> {
        match *self.phase.borrow() {
            Phase::Starting => Some("the server starts"),
            Phase::Draining => Some("the server stops"),
            // Whoever watches the server may be anyone: what has happened is for its log.
            Phase::Serving if !(self.works)() => Some("the store does not work now; its log says why"),
            Phase::Serving => None,
        }
    }

    /// Waits until every connection, socket and event stream is closed.
    pub async fn drained(&self) {
        self.phase.closed().await;
    }

    pub(super) fn stay(&self) -> Stay {
        Stay { phase: self.phase.subscribe() }
    }
}

impl Stay {
    /// Whether the server drains.
    pub(super) fn is_draining(&self) -> bool {
        *self.phase.borrow() == Phase::Draining
    }

    /// Waits until the server drains.
    pub(super) async fn draining(&mut self) {
        // Without a sender the server is gone, which is as much a reason to leave.
        let _ = self.phase.wait_for(|phase| *phase == Phase::Draining).await;
    }
}

/// Serves until `stop` is done, then drains for at most `grace`.
pub async fn serve(
    connections: Connections,
    router: Router,
    lifecycle: Lifecycle,
    stop: impl Future<Output = ()>,
    grace: Duration,
) {
    lifecycle.ready();
    tokio::select! {
        () = connections.take(&router, &lifecycle) => {}
        () = stop => {}
    }
    lifecycle.drain();
    // New clients must not wait for a server that is going.
    drop(connections);
    if timeout(grace, lifecycle.drained()).await.is_err() {
        tracing::warn!("some requests, sockets or streams did not end in time");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn draining_waits_for_the_last_to_leave() {
        let lifecycle = Lifecycle::default();
        assert_eq!(lifecycle.unready(), Some("the server starts"));
        lifecycle.ready();
        assert_eq!(lifecycle.unready(), None);
        let mut stay = lifecycle.stay();
        lifecycle.drain();
        assert_eq!(lifecycle.unready(), Some("the server stops"));
        lifecycle.ready();
        assert_eq!(lifecycle.unready(), Some("the server stops"), "there is no way back");
        stay.draining().await;
        assert!(timeout(Duration::from_millis(20), lifecycle.drained()).await.is_err());
        drop(stay);
        lifecycle.drained().await;
    }
}
