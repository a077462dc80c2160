//! Lines from the user: edited in a terminal, with those said before at hand, or read as they come.
//!
//! Reading waits as long as people think, so it has a thread of its own, which reads a line only when asked.

use std::{
    io::{self, BufRead, ErrorKind, IsTerminal, Read, stdin},
    sync::mpsc,
    thread,
};

use rustyline::{Config, Editor, error::ReadlineError, history::MemHistory};

use crate::cli::exit::print;

/// Bytes of a line at most: the server takes no longer message either.
const LINE_BYTES: u64 = 1 << 20;

/// Lines that can be fetched back. They are kept in memory only.
const HISTORY: usize = 1_000;

/// What came instead of asking further.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A line.
    Line(String),
    /// The wish to drop the line that was begun.
    Interrupt,
    /// There will be no further line.
    End,
}

/// Ends what the editor asks of a terminal: to mark what is pasted. Then the line that was begun is over.
#[cfg(unix)]
const END_OF_PASTES: &str = "\x1b[?2004l\n";

/// A line that is asked for.
struct Question {
    prompt: String,
    /// What stands in the line already.
    initial: String,
}

/// Where lines come from.
pub(super) struct Input {
    ask: mpsc::Sender<Question>,
    lines: tokio::sync::mpsc::Receiver<io::Result<Heard>>,
    is_terminal: bool,
    is_edited: bool,
    /// Whether a line is being read.
    is_asked: bool,
    /// How the terminal was, in case that it has to be left while a line is edited.
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Input {
    /// Standard input. Lines are edited where it is a terminal, and `styled` one that may be sent escape codes.
    pub(super) fn new(styled: bool) -> anyhow::Result<Self> {
        let is_terminal = stdin().is_terminal();
        let is_edited = is_terminal && styled;
        let mut reader = if is_edited { Reader::edited()? } else { Reader::Plain };
        let (ask, asked) = mpsc::channel::<Question>();
        let (tell, lines) = tokio::sync::mpsc::channel(1);
        thread::Builder::new().name("input".to_owned()).spawn(move || {
            for question in asked {
                if tell.blocking_send(reader.read(&question)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self {
            ask,
            lines,
            is_terminal,
            is_edited,
            is_asked: false,
            #[cfg(unix)]
            before: if is_edited { rustix::termios::tcgetattr(stdin()).ok() } else { None },
        })
    }

    /// Whether somebody is there who can be asked.
    pub(super) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Asks for a line; where one is being read already, for the same one again.
    pub(super) fn ask(&mut self, prompt: &str, initial: &str) -> io::Result<()> {
        if self.is_terminal && !self.is_edited {
            print(prompt)?;
        }
        if !self.is_asked {
            let question = Question { prompt: prompt.to_owned(), initial: initial.to_owned() };
            self.ask.send(question).map_err(|_| io::Error::from(ErrorKind::BrokenPipe))?;
            self.is_asked = true;
        }
        Ok(())
    }

    /// What comes of asking. Who stops waiting loses nothing.
    pub(super) async fn heard(&mut self) -> io::Result<Heard> {
        let heard = self.lines.recv().await.unwrap_or(Ok(Heard::End));
        self.is_asked = false;
        if self.is_terminal && !self.is_edited && matches!(heard, Ok(Heard::End)) {
            // The prompt's line is not ended by whoever ends it all.
            print("\n")?;
        }
        heard
    }

    /// Leaves the terminal as it was, also where a line is being edited: the editor waits in its thread then, and
    /// cannot do it.
    pub(super) fn leave(&mut self) -> io::Result<()> {
        #[cfg(unix)]
        if let Some(before) = self.before.take().filter(|_| self.is_asked) {
            use rustix::termios::{OptionalActions, tcsetattr};
            // Without a terminal there is nothing to leave.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
            print(END_OF_PASTES)?;
        }
        Ok(())
    }
}

/// How lines are read.
enum Reader {
    Edited(Box<Editor<(), MemHistory>>),
    Plain,
}

impl Reader {
    fn edited() -> anyhow::Result<Self> {
        let config = Config::builder().max_history_size(HISTORY)?.auto_add_history(true).build();
        let history = MemHistory::with_config(&config);
        Ok(Self::Edited(Box::new(Editor::with_history(config, history)?)))
    }

    fn read(&mut self, question: &Question) -> io::Result<Heard> {
        match self {
            Self::Edited(editor) => {
                match editor.readline_with_initial(&question.prompt, (&question.initial, "")) {
                    Ok(line) => Ok(Heard::Line(line)),
                    Err(ReadlineError::Interrupted) => Ok(Heard::Interrupt),
                    Err(ReadlineError::Eof) => Ok(Heard::End),
                    Err(ReadlineError::Io(error)) => Err(error),
                    Err(error) => Err(io::Error::other(error)),
                }
            }
            Self::Plain => plain_line(&mut stdin().lock()),
        }
    }
}

fn plain_line(from: &mut impl BufRead) -> io::Result<Heard> {
    let mut line = Vec::new();
    from.by_ref().take(LINE_BYTES + 1).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(Heard::End);
    }
    if line.len() as u64 > LINE_BYTES {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            format!("a line has more than {LINE_BYTES} bytes"),
        ));
    }
    Ok(Heard::Line(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_to_the_last_and_are_bounded() {
        let mut from = &b"one\r\n\ntwo"[..];
        let mut next = || plain_line(&mut from).unwrap();
        let line = |text: &str| Heard::Line(text.to_owned());
        assert_eq!([next(), next(), next(), next()], [line("one"), line(""), line("two"), Heard::End]);
        let long = vec![b'x'; (2 << 20) + 1];
        assert!(plain_line(&mut &long[..]).unwrap_err().to_string().contains("1048576 bytes"));
    }
}
