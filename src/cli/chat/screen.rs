//! What the terminal shows: the answer as it comes, and lines beside it. A line never begins inside a paragraph, and
//! everything that others wrote is cleaned here or where the line is made ([`words`]).
//!
//! Nothing is drawn over: what was shown stays, so a transcript in a file reads the same.

use std::io::{IsTerminal, stdout};

use super::words;
use crate::cli::exit::print;

/// How a text looks, where there are looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// As the terminal shows text.
    Normal,
    /// What one may look past.
    Dim,
    /// What one should not.
    Red,
}

impl Look {
    /// The text in this look. Each piece ends its look, so that one that breaks off leaves the terminal as it was.
    fn of(self, text: &str, styled: bool) -> String {
        match self {
            Self::Dim if styled => format!("\x1b[2m{text}\x1b[0m"),
            Self::Red if styled => format!("\x1b[31m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

/// What is being said in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    Answer,
    Thinking,
}

/// Standard output, and what stands on its last line.
pub(super) struct Screen {
    styled: bool,
    /// Whether spans are shown.
    pub spans: bool,
    speech: Option<Speech>,
    at_line_start: bool,
}

impl Screen {
    /// The screen of this process. Where it is no terminal, or colours are not wanted, it is sent no escape codes.
    pub(super) fn new() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { styled: stdout().is_terminal() && !unwanted, spans: true, speech: None, at_line_start: true }
    }

    /// Whether escape codes may be sent.
    pub(super) fn is_styled(&self) -> bool {
        self.styled
    }

    /// Shows more of the answer.
    pub(super) fn answer(&mut self, text: &str) -> std::io::Result<()> {
        self.speak(Speech::Answer, text)
    }

    /// Shows more of the reasoning.
    pub(super) fn thinking(&mut self, text: &str) -> std::io::Result<()> {
        self.speak(Speech::Thinking, text)
    }

    /// Shows a line, which may have several: they are indented alike.
    pub(super) fn line(&mut self, look: Look, indent: usize, text: &str) -> std::io::Result<()> {
        self.end_paragraph()?;
        let text = words::clean(text);
        let lines = text.lines().map(|line| look.of(&format!("{:indent$}{line}", ""), self.styled) + "\n");
        print(&lines.collect::<String>())
    }

    /// Ends what is being said, so that something else can begin.
    pub(super) fn end_paragraph(&mut self) -> std::io::Result<()> {
        self.speech = None;
        if std::mem::replace(&mut self.at_line_start, true) { Ok(()) } else { print("\n") }
    }

    fn speak(&mut self, speech: Speech, text: &str) -> std::io::Result<()> {
        let text = words::clean(text);
        if text.is_empty() {
            return Ok(());
        }
        if self.speech != Some(speech) {
            self.end_paragraph()?;
            self.speech = Some(speech);
            if speech == Speech::Thinking && !self.styled {
                print("(thinking) ")?;
            }
        }
        self.at_line_start = text.ends_with('\n');
        let look = if speech == Speech::Thinking { Look::Dim } else { Look::Normal };
        print(&look.of(&text, self.styled))
    }
}
