//! Evaluators in the API: making them, and finding them.

mod fields;
mod inputs;
mod judge;
mod mutations;
mod queries;
mod rules;

pub(super) use self::{
    fields::Evaluator, inputs::EvaluatorRefInput, mutations::EvaluatorMutation, queries::EvaluatorQuery,
    rules::SpanSelectorInput,
};
