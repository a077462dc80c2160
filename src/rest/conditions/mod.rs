//! Conditions on traces and spans, as bodies of requests have them: the same words as in GraphQL.

mod leaves;
mod spans;
mod traces;

pub(super) use self::{spans::SpanWhere, traces::TraceWhere};
