//! Signals that people and systems send to the chat. They are heard from the start on, so that none ends the process
//! with a run under way.

use tokio::sync::mpsc;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// To stop what goes on.
    Interrupt,
    /// To leave.
    End,
}

/// Signals that nobody has taken yet; of further ones it is enough to know these.
const UNTAKEN: usize = 4;

/// The signals of this process.
pub(super) struct Signals {
    heard: mpsc::Receiver<Signal>,
    is_ended: bool,
}

impl Signals {
    /// Hears signals from now on.
    pub(super) fn listen() -> std::io::Result<Self> {
        let (tell, heard) = mpsc::channel(UNTAKEN);
        hear(tell)?;
        Ok(Self { heard, is_ended: false })
    }

    /// The next signal. Who stops waiting loses none.
    pub(super) async fn next(&mut self) -> Signal {
        if self.is_ended {
            return Signal::End;
        }
        match self.heard.recv().await {
            Some(Signal::Interrupt) => Signal::Interrupt,
            Some(Signal::End) => {
                self.is_ended = true;
                Signal::End
            }
            // Signals cannot be heard any more: then there is nothing to wait for.
            None => std::future::pending().await,
        }
    }

    /// Forgets interrupts that came before: they meant something else.
    pub(super) fn begin_anew(&mut self) {
        while let Ok(signal) = self.heard.try_recv() {
            self.is_ended |= signal == Signal::End;
        }
    }
}

#[cfg(unix)]
fn hear(tell: mpsc::Sender<Signal>) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (mut terminate, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    tokio::spawn(async move {
        loop {
            let signal = tokio::select! {
                _ = interrupt.recv() => Signal::Interrupt,
                _ = terminate.recv() => Signal::End,
                _ = hangup.recv() => Signal::End,
            };
            if tell.send(signal).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn hear(tell: mpsc::Sender<Signal>) -> std::io::Result<()> {
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() && tell.send(Signal::Interrupt).await.is_ok() {}
    });
    Ok(())
}
