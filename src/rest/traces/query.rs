//! `POST /traces/query`: traces that are looked for by a condition, composed of and, or and not.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    service::query::TraceOrdering,
    written::{condition::TraceWhere, object::object, words},
};

/// Which traces, in which order, which page.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct QueryTraces {
    /// The condition; any trace, where nothing is said.
    #[serde(rename = "where")]
    #[serde(default, deserialize_with = "object")]
    pub(super) condition: Option<TraceWhere>,
    /// Which come first; those that started last, where nothing is said.
    #[serde(default, deserialize_with = "object")]
    pub(super) order_by: Option<TraceQueryOrder>,
    /// Traces of the page at most; 50 where nothing is said.
    #[schema(minimum = 1)]
    pub(super) limit: Option<u32>,
    /// Go on behind this cursor: `next` of the page before.
    pub(super) after: Option<String>,
}

/// How traces are ordered.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct TraceQueryOrder {
    /// By what; `START_TIME` where nothing is said. But for the start, only traces that are over are listed, a moment
    /// after their end.
    field: Option<words::TraceOrderField>,
    /// Which end comes first; `DESC` where nothing is said.
    direction: Option<words::OrderDirection>,
}

impl TraceQueryOrder {
    pub(in crate::rest) fn into_model(self) -> TraceOrdering {
        let usual = TraceOrdering::default();
        TraceOrdering {
            field: self.field.map_or(usual.field, |field| field.0),
            direction: self.direction.map_or(usual.direction, |direction| direction.0),
        }
    }
}
