//! Refusals in the payloads of mutations: what a rule said no to, in types that a client can act on.

use async_graphql::{Enum, ID, Interface, SimpleObject};

use super::ids;
use crate::model::{self, text::shortened};

/// The kinds of things that an ID can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "model::Entity")]
pub(super) enum Entity {
    /// A conversation.
    Conversation,
    /// A message of a conversation.
    Message,
    /// A plan.
    Plan,
    /// A step of a plan.
    Step,
    /// A trace.
    Trace,
    /// A span of a trace.
    Span,
    /// A component.
    Component,
    /// A version of a component.
    ComponentVersion,
    /// A score.
    Score,
    /// A dataset.
    Dataset,
    /// A version of a dataset.
    DatasetVersion,
    /// An item of a dataset.
    DatasetItem,
    /// An experiment.
    Experiment,
    /// A run of evaluators over traces.
    Evaluation,
    /// A rule by which new traces are evaluated.
    EvaluationRule,
}

/// Why a mutation did not do what was asked. Nothing of it was stored.
#[derive(Debug, Clone, Interface)]
#[graphql(field(
    name = "message",
    ty = "&String",
    desc = "What is wrong and what would be right, in words."
))]
pub(super) enum Refusal {
    InvalidInput(InvalidInput),
    NotFound(NotFound),
    AlreadyExists(AlreadyExists),
    IllegalTransition(IllegalTransition),
    LimitExceeded(LimitExceeded),
}

/// A field's value is not allowed.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct InvalidInput {
    /// Tells refusals apart in client caches: equal ones have equal IDs.
    id: ID,
    /// What is wrong and what would be right, in words.
    message: String,
    /// The path of the field below the mutation's input: `spans.3.endTime`.
    field: String,
}

/// What an ID names is not there.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct NotFound {
    /// What was looked for, as a plain ID.
    id: ID,
    /// What is wrong, in words.
    message: String,
    /// The path of the field that holds the ID, below the mutation's input.
    field: String,
    /// What kind of thing was looked for.
    entity: Entity,
}

/// The ID that the client chose is taken.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct AlreadyExists {
    /// The ID that is taken, as a plain ID.
    id: ID,
    /// What is wrong, in words.
    message: String,
    /// The path of the field that holds the ID, below the mutation's input.
    field: String,
    /// What kind of thing has it.
    entity: Entity,
}

/// The thing is in a state that does not allow the action.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct IllegalTransition {
    /// Tells refusals apart in client caches: equal ones have equal IDs.
    id: ID,
    /// What is wrong, in words.
    message: String,
    /// What kind of thing was to change.
    entity: Entity,
    /// The state it is in.
    state: String,
    /// What was asked of it.
    action: String,
    /// What it can do in this state; empty where the state is final.
    legal: Vec<String>,
}

/// A limit would be passed.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct LimitExceeded {
    /// Tells refusals apart in client caches: equal ones have equal IDs.
    id: ID,
    /// Which limit, and what to do, in words.
    message: String,
    /// The path of the field below the mutation's input.
    field: String,
}

/// Bytes that a refusal repeats of what a client sent as an ID.
const ID_BYTES: usize = 200;

impl From<model::Refusal> for Refusal {
    fn from(refusal: model::Refusal) -> Self {
        let message = refusal.to_string();
        let content = || ids::of_content(&message);
        match refusal {
            model::Refusal::Invalid { field, message } => {
                InvalidInput { id: ids::of_content(&format!("{field}: {message}")), message, field }.into()
            }
            model::Refusal::NotFound { field, entity, id } => {
                let id = ID(shortened(&id, ID_BYTES));
                NotFound { id, message, field, entity: entity.into() }.into()
            }
            model::Refusal::AlreadyExists { field, entity, id } => {
                let id = ID(shortened(&id, ID_BYTES));
                AlreadyExists { id, message, field, entity: entity.into() }.into()
            }
            model::Refusal::IllegalTransition { entity, state, action, legal } => {
                IllegalTransition { id: content(), message, entity: entity.into(), state, action, legal }
                    .into()
            }
            model::Refusal::LimitExceeded { field, message } => {
                LimitExceeded { id: ids::of_content(&format!("{field}: {message}")), message, field }.into()
            }
        }
    }
}
