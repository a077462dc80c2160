//! How the program ends: the codes that scripts read, and the last words that people do.

use std::{
    io::{ErrorKind, Write},
    process::ExitCode,
};

/// How a command that could do its work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Done,
    /// What was looked for damage has some, or the work was stopped because of it.
    Problems,
    /// Done, but something damaged was left out.
    Skipped,
}

impl Outcome {
    /// The exit code.
    #[must_use]
    pub fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Problems => 1,
            Self::Skipped => 3,
        })
    }
}

/// Writes to standard output. A reader that has seen enough, such as `head`, is no failure.
pub(super) fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Tells of a failure, and of what it comes from.
pub(super) fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("dendro: {error:#}");
    ExitCode::from(1)
}

/// Tells of settings that cannot be used.
pub(super) fn wrong(error: &crate::config::ReadError) -> ExitCode {
    eprintln!("dendro: {error}");
    ExitCode::from(2)
}
