//! Why the guard refuses an operation.

use async_graphql::{Pos, parser};
use thiserror::Error;

/// A refusal, made before anything was executed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct GuardError {
    /// What kind of fault it is.
    pub fault: Fault,
    /// What is wrong, without quoting more of the document than a name.
    pub message: String,
    /// Where in the document; empty where it concerns the whole.
    pub locations: Vec<Pos>,
}

/// The kinds of fault that the guard finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The document is not GraphQL.
    Syntax,
    /// The document asks for more than a limit allows.
    Limit,
    /// The document breaks a rule of GraphQL.
    Invalid,
    /// The document has no such operation, or several and none was named.
    Operation,
    /// A variable that the operation requires is missing.
    Variable,
}

impl GuardError {
    pub(super) fn new(fault: Fault, message: String) -> Self {
        Self { fault, message, locations: Vec::new() }
    }

    pub(super) fn limit(message: String) -> Self {
        Self::new(Fault::Limit, message)
    }

    pub(super) fn syntax(message: &str, locations: Vec<Pos>) -> Self {
        Self { fault: Fault::Syntax, message: format!("Syntax error: {message}"), locations }
    }

    pub(super) fn at(mut self, position: Pos) -> Self {
        self.locations.push(position);
        self
    }
}

/// The parser's message draws the offending line, however long it is; only what was expected is kept.
impl From<parser::Error> for GuardError {
    fn from(error: parser::Error) -> Self {
        let drawn = error.to_string();
        let said = drawn.lines().rev().find_map(|line| line.trim().strip_prefix("= "));
        let message = match (said, &error) {
            (Some(said), _) => said,
            (None, parser::Error::Syntax { message, .. }) => message.lines().next().unwrap_or_default(),
            (None, _) => &drawn,
        };
        Self::syntax(message, error.positions().collect())
    }
}
