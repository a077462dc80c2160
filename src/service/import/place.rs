//! Where in a file something is wrong, and what was left out because of it.

use std::{fmt, sync::Arc};

use crate::model::Refusal;

/// A place in an imported file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as the user named it.
    pub file: Arc<str>,
    /// The line on which the record begins, from 1; 0 in a file without lines.
    pub line: u64,
    /// The record, from 1: a line, an element of the outermost list, or a request.
    pub record: u64,
}

/// What a problem costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// One message; the rest of its conversation goes in.
    Message,
    /// One span of a request; the others go in.
    Span,
    /// One record of a log in a request; the others go in.
    LogRecord,
    /// A whole record.
    Record,
    /// All that follows in the file.
    Rest,
}

/// Something in a file that cannot go in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// The path of the field inside the record, where there is one: `messages.3.role`.
    pub field: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What was left out.
    pub skipped: Skipped,
}

impl Problem {
    /// The problem of a refused field of the record at `place`, its path below `parent`.
    pub(super) fn new(place: Place, parent: &str, refusal: &Refusal, skipped: Skipped) -> Self {
        let (field, message) = match refusal {
            Refusal::Invalid { field, message } | Refusal::LimitExceeded { field, message } => {
                (field.as_str(), message.clone())
            }
            other => ("", other.to_string()),
        };
        let path: Vec<_> = [parent, field].into_iter().filter(|part| !part.is_empty()).collect();
        let field = (!path.is_empty()).then(|| path.join("."));
        Self { place, field, message, skipped }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}, request {}", self.file, self.record),
            line => write!(f, "{}, line {line}, record {}", self.file, self.record),
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Message => "the message was skipped",
            Self::Span => "the span was skipped",
            Self::LogRecord => "the log record was skipped",
            Self::Record => "the record was skipped",
            Self::Rest => "the rest of the file was skipped",
        })
    }
}

/// With `{:#}` it does not say what was left out.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.message)?;
        if f.alternate() { Ok(()) } else { write!(f, " ({})", self.skipped) }
    }
}
