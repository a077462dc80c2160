//! `POST /spans/query`: spans of all traces, looked for by a condition, composed of and, or and not.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    rest::traces::Include,
    service::query::SpanOrdering,
    written::{
        condition::{SpanWhere, TraceWhere},
        object::object,
        words,
    },
};

/// Which spans, in which order, which page.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct QuerySpans {
    /// The condition; any span, where nothing is said.
    #[serde(rename = "where")]
    #[serde(default, deserialize_with = "object")]
    pub(super) condition: Option<SpanWhere>,
    /// Only in traces that fulfil this.
    #[serde(default, deserialize_with = "object")]
    pub(super) traces: Option<TraceWhere>,
    /// Which come first; those of the trace that started last, where nothing is said.
    #[serde(default, deserialize_with = "object")]
    pub(super) order_by: Option<SpanQueryOrder>,
    /// What is shown beside the rest: `bodies`, what went into each span and what came out.
    pub(super) include: Option<Vec<Include>>,
    /// Spans of the page at most; 50 where nothing is said.
    #[schema(minimum = 1)]
    pub(super) limit: Option<u32>,
    /// Go on behind this cursor: `next` of the page before.
    pub(super) after: Option<String>,
}

/// How spans are ordered. Whatever the order, the same are found.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct SpanQueryOrder {
    /// By what; `START_TIME` where nothing is said. What a span does not have counts as less than anything. By a figure,
    /// equal ones come by their start.
    field: Option<words::SpanOrderField>,
    /// Which end comes first; `DESC` where nothing is said.
    direction: Option<words::OrderDirection>,
}

impl SpanQueryOrder {
    pub(super) fn into_model(self) -> SpanOrdering {
        let usual = SpanOrdering::default();
        SpanOrdering {
            field: self.field.map_or(usual.field, |field| field.0),
            direction: self.direction.map_or(usual.direction, |direction| direction.0),
        }
    }
}
