//! Pydantic's Logfire and pydantic-ai, <https://pydantic.dev/docs/logfire>: what they add to OpenTelemetry's.
//!
//! Logfire sends a span when it starts, as a span of its own whose parent is the one that starts: the
//! mark and the true parent are here, what they make of it is in [`super::told`].

use super::{Field, Fields};
use crate::model::span::OperationType;

pub(super) const FIELDS: Fields = &[
    (Field::PendingMark, &["logfire.span_type"]),
    (Field::PendingParent, &["logfire.pending_parent_id"]),
    (Field::InputMessages, &["pydantic_ai.all_messages", "all_messages_events", "events"]),
    (Field::Output, &["final_result"]),
    (Field::ToolArguments, &["tool_arguments"]),
    (Field::ToolResult, &["tool_response"]),
    (Field::Cost, &["operation.cost"]),
];

/// What [`Field::PendingMark`] says of a span that has started and not ended.
pub(super) const PENDING: &str = "pending_span";

/// Words of `gen_ai.operation.name` that only its older versions sent.
pub(super) const OPERATIONS: &[(&str, OperationType)] = &[("running tools", OperationType::Chain)];
