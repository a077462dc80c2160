//! The parts of what clients write to spans.

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::{
        Refusal,
        component::{ComponentRef, VersionHash},
        ledger::TokenCounts,
        span::{SpanEvent, SpanLink},
    },
    rest::scalar::{Document, Moment},
};

/// Tokens by kind, as the caller counts them. What is unknown is left out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct CallTokens {
    /// Tokens read by the model.
    input: Option<u64>,
    /// Tokens written by the model.
    output: Option<u64>,
    /// Input tokens that came from a cache.
    cache_read: Option<u64>,
    /// Input tokens that were written to a cache.
    cache_write: Option<u64>,
    /// Output tokens spent on reasoning.
    reasoning: Option<u64>,
    /// The total, where the caller has one of its own.
    total: Option<u64>,
}

impl From<CallTokens> for TokenCounts {
    fn from(tokens: CallTokens) -> Self {
        let CallTokens { input, output, cache_read, cache_write, reasoning, total } = tokens;
        Self { input, output, cache_read, cache_write, reasoning, total }
    }
}

/// A version of a component.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct ComponentVersionUse {
    /// The component.
    component_id: String,
    /// The hash that names the version.
    #[schema(pattern = "^[0-9a-fA-F]{64}$")]
    version_hash: String,
}

impl ComponentVersionUse {
    pub(super) fn all(given: Option<Vec<Self>>) -> Result<Vec<ComponentRef>, Refusal> {
        let one = |(index, given): (usize, Self)| {
            let version_hash =
                VersionHash::parse(&format!("components.{index}.versionHash"), &given.version_hash)?;
            Ok(ComponentRef { component_id: given.component_id, version_hash })
        };
        given.unwrap_or_default().into_iter().enumerate().map(one).collect()
    }
}

/// A moment inside a span.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct NewEvent {
    /// What happened.
    name: String,
    /// When.
    time: Moment,
    /// More about it: an object.
    #[schema(value_type = Option<Object>)]
    attributes: Option<Document>,
}

impl From<NewEvent> for SpanEvent {
    fn from(NewEvent { name, time, attributes }: NewEvent) -> Self {
        Self { name, time: time.into(), attributes: attributes.map(Into::into) }
    }
}

/// A tie to a span of any trace.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct NewLink {
    /// The other span's trace.
    trace_id: Uuid,
    /// The other span; without it the trace as a whole is meant.
    span_id: Option<Uuid>,
    /// More about it: an object.
    #[schema(value_type = Option<Object>)]
    attributes: Option<Document>,
}

impl From<NewLink> for SpanLink {
    fn from(link: NewLink) -> Self {
        Self {
            trace_id: link.trace_id.into(),
            span_id: link.span_id.map(Into::into),
            attributes: link.attributes.map(Into::into),
        }
    }
}
