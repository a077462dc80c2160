//! Queries of traces and spans by conditions composed of and, or and not.

mod leaves;
mod queries;
mod spans;
mod traces;

pub(super) use self::{queries::ConditionQuery, traces::TraceWhere};
