//! Expected refusals: what the rules say no to, in types that a client can act on.

use std::fmt;

/// The kinds of things that an id can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the entity of its name")]
pub enum Entity {
    Conversation,
    Message,
    Plan,
    Step,
    Trace,
    Span,
    Component,
    ComponentVersion,
    Score,
    Dataset,
    DatasetVersion,
    DatasetItem,
    Experiment,
    Evaluation,
    EvaluationRule,
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conversation => "conversation",
            Self::Message => "message",
            Self::Plan => "plan",
            Self::Step => "step",
            Self::Trace => "trace",
            Self::Span => "span",
            Self::Component => "component",
            Self::ComponentVersion => "component version",
            Self::Score => "score",
            Self::Dataset => "dataset",
            Self::DatasetVersion => "dataset version",
            Self::DatasetItem => "dataset item",
            Self::Experiment => "experiment",
            Self::Evaluation => "evaluation",
            Self::EvaluationRule => "evaluation rule",
        })
    }
}

/// Why a rule said no. Nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A field's value is not allowed.
    #[error("{field}: {message}")]
    Invalid {
        /// The path of the field, as a client writes it: `spans.3.endTime`.
        field: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// What an id names is not there.
    #[error("{field}: there is no {entity} `{id}`")]
    NotFound {
        /// The path of the field that holds the id.
        field: String,
        /// What was looked for.
        entity: Entity,
        /// The id.
        id: String,
    },
    /// The id is taken.
    #[error("{field}: there is already {} `{id}`", one(*.entity))]
    AlreadyExists {
        /// The path of the field that holds the id.
        field: String,
        /// What is there.
        entity: Entity,
        /// The id.
        id: String,
    },
    /// The thing is in a state that does not allow the action.
    #[error("{} that is {state} cannot {action}; {}", one(*.entity), legal_text(.legal))]
    IllegalTransition {
        /// What was to change.
        entity: Entity,
        /// The state it is in, as the API writes it.
        state: String,
        /// What was asked of it.
        action: String,
        /// What it can do in this state.
        legal: Vec<String>,
    },
    /// A limit would be passed.
    #[error("{field}: {message}")]
    LimitExceeded {
        /// The path of the field.
        field: String,
        /// Which limit, and what to do.
        message: String,
    },
}

/// One of a kind, with its article.
fn one(entity: Entity) -> String {
    let article = match entity {
        Entity::Evaluation | Entity::EvaluationRule | Entity::Experiment => "an",
        _ => "a",
    };
    format!("{article} {entity}")
}

fn legal_text(legal: &[String]) -> String {
    if legal.is_empty() { "this state is final".to_owned() } else { format!("it can: {}", legal.join(", ")) }
}

impl Refusal {
    /// A refusal of a field's value.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }

    /// A refusal because nothing has this id.
    pub fn not_found(field: impl Into<String>, entity: Entity, id: impl fmt::Display) -> Self {
        Self::NotFound { field: field.into(), entity, id: id.to_string() }
    }

    /// A refusal because the id is taken.
    pub fn already_exists(field: impl Into<String>, entity: Entity, id: impl fmt::Display) -> Self {
        Self::AlreadyExists { field: field.into(), entity, id: id.to_string() }
    }

    /// A refusal because a limit would be passed.
    pub fn limit(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::LimitExceeded { field: field.into(), message: message.into() }
    }

    /// The path of the field at fault, where there is one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. }
            | Self::NotFound { field, .. }
            | Self::AlreadyExists { field, .. }
            | Self::LimitExceeded { field, .. } => Some(field),
            Self::IllegalTransition { .. } => None,
        }
    }

    /// The same refusal, its field below `parent`: `endTime` becomes `spans.3.endTime`.
    #[must_use]
    pub fn below(mut self, parent: &str) -> Self {
        match &mut self {
            Self::Invalid { field, .. }
            | Self::NotFound { field, .. }
            | Self::AlreadyExists { field, .. }
            | Self::LimitExceeded { field, .. } => *field = format!("{parent}.{field}"),
            Self::IllegalTransition { .. } => {}
        }
        self
    }
}
