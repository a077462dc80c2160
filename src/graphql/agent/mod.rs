//! Agents that the server runs, in the API: making them, giving them input, following what they put out.

pub(super) mod inputs;
mod live;
mod mutations;
mod plans;
mod queries;
mod replay;
mod tracing;

pub(super) use self::{
    inputs::{AgentModelInput, version},
    live::AgentSubscription,
    mutations::AgentMutation,
    plans::ExecutionMutation,
    queries::AgentQuery,
    replay::ReplayMutation,
    tracing::{TracingMutation, TracingQuery},
};
