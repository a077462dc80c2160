//! How conversations went, in the API: one, many, and two choices of many against each other.
//!
//! The figures are the model's, and `docs/analysis.md` defines them.

mod compare;
mod conversation;
mod group;
mod parts;
mod queries;

pub(super) use self::{conversation::ConversationEvaluation, queries::EvaluationQuery};
