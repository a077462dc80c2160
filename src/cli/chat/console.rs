//! The user's side: what is shown, what is said, and the wish to stop.

use super::{
    input::{Heard, Input},
    screen::{Look, Screen},
    signals::{Signal, Signals},
};
use crate::cli::exit::print;

/// The user's side of a chat.
pub(super) struct Console {
    /// What is shown.
    pub screen: Screen,
    /// What stops a run.
    pub signals: Signals,
    input: Input,
}

impl Console {
    /// The terminal, or what stands in its place.
    pub(super) fn open() -> anyhow::Result<Self> {
        let screen = Screen::new();
        let input = Input::new(screen.is_styled())?;
        Ok(Self { screen, signals: Signals::listen()?, input })
    }

    /// Whether somebody is there who can be asked.
    pub(super) fn is_interactive(&self) -> bool {
        self.input.is_terminal()
    }

    /// Asks for a line. `None`: the user leaves. To interrupt drops the line that was begun; to do it twice leaves, and
    /// where lines are read from a file or a pipe, once.
    pub(super) async fn hear(&mut self, prompt: &str, initial: &str) -> anyhow::Result<Option<String>> {
        let mut heard = self.hear_once(prompt, initial).await?;
        if heard == Heard::Interrupt && self.is_interactive() {
            self.screen.line(Look::Dim, 0, "(Ctrl-C once more leaves, as Ctrl-D does)")?;
            heard = self.hear_once(prompt, "").await?;
        }
        if let Heard::Line(line) = heard {
            return Ok(Some(line));
        }
        self.input.leave()?;
        Ok(None)
    }

    async fn hear_once(&mut self, prompt: &str, initial: &str) -> std::io::Result<Heard> {
        self.screen.end_paragraph()?;
        self.input.ask(prompt, initial)?;
        tokio::select! {
            heard = self.input.heard() => heard,
            signal = self.signals.next() => match signal {
                Signal::Interrupt => {
                    // The line that was begun stays where it is, and is over.
                    print("\n")?;
                    Ok(Heard::Interrupt)
                }
                Signal::End => Ok(Heard::End),
            },
        }
    }
}
