//! The wish to stop: from a signal or from the program itself, known to all who work.

use tokio::sync::watch;

/// Whether the program is to stop. Clones share it.
#[derive(Debug, Clone)]
pub struct Stop {
    wished: watch::Sender<bool>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { wished: watch::Sender::new(false) }
    }
}

impl Stop {
    /// Asks all who work to stop.
    pub fn ask(&self) {
        self.wished.send_replace(true);
    }

    /// Becomes true when the program is to stop.
    #[must_use]
    pub fn receiver(&self) -> watch::Receiver<bool> {
        self.wished.subscribe()
    }

    /// Waits until the program is to stop.
    pub async fn asked(&self) {
        // This handle keeps the channel open, so there is no error to come.
        let _ = self.wished.subscribe().wait_for(|wished| *wished).await;
    }

    /// Asks to stop at the first signal (SIGINT or SIGTERM), and ends the process at the second: what
    /// was acknowledged is on disk by then, and a third way would be SIGKILL.
    pub fn at_signals(&self) {
        let stop = self.clone();
        tokio::spawn(async move {
            let name = signal().await;
            tracing::info!(signal = name, "stopping");
            stop.ask();
            let name = signal().await;
            tracing::warn!(signal = name, "stopping at once");
            std::process::exit(EXIT_INTERRUPTED);
        });
    }
}

/// What shells say of a program that SIGINT ended.
const EXIT_INTERRUPTED: i32 = 130;

/// Waits for a signal that asks to stop, and tells its name.
#[cfg(unix)]
async fn signal() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return interrupt().await };
    tokio::select! {
        name = interrupt() => name,
        _ = terminate.recv() => "SIGTERM",
    }
}

#[cfg(not(unix))]
async fn signal() -> &'static str {
    interrupt().await
}

async fn interrupt() -> &'static str {
    if tokio::signal::ctrl_c().await.is_err() {
        // Signals cannot be heard: then there is nothing to wait for.
        std::future::pending::<()>().await;
    }
    "SIGINT"
}
