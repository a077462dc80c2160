//! The spans of an analysis: by their names, with their figures.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::{
        analysis::{self, TraceAnalysis},
        ledger::NanoUsd,
    },
    rest::{figures::TokenFigures, scalar::millis, words},
    service::tracing::TraceSpans,
};

/// A span that is spoken of.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct SpanRef {
    /// The span.
    span_id: Uuid,
    /// What the operation is called.
    name: String,
    /// What kind of operation it is.
    operation_type: words::OperationType,
}

impl SpanRef {
    /// The span at a place of its trace's tree.
    pub(super) fn at(spans: &TraceSpans, place: usize) -> Option<Self> {
        let (_, head) = spans.at(place)?;
        let (name, operation_type) = (head.name.clone(), head.operation_type.into());
        Some(Self { span_id: head.id.uuid(), name, operation_type })
    }
}

/// The figures of one span. A span's tokens and cost count only where no span below it reports any, because agents
/// repeat the sums of what they called: what counts at it is exclusive; with all that counts below it, inclusive.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct SpanFigures {
    /// The span.
    span: SpanRef,
    /// How long it took, in milliseconds; one that runs up to `asOf`.
    duration_ms: f64,
    /// Of that: while no span directly below it was at work.
    self_time_ms: f64,
    /// Of that: while the trace waited for it.
    critical_path_ms: f64,
    /// Tokens that count at it; null where none do.
    exclusive_tokens: Option<TokenFigures>,
    /// Tokens that count at it and at all below it; null where none do.
    inclusive_tokens: Option<TokenFigures>,
    /// Cost in US dollars that counts at it; null where none does.
    exclusive_cost_usd: Option<f64>,
    /// Cost in US dollars that counts at it and at all below it; null where none does.
    inclusive_cost_usd: Option<f64>,
    /// Whether it used something whose cost nobody knows.
    is_unpriced: bool,
}

impl SpanFigures {
    fn at(spans: &TraceSpans, analysis: &TraceAnalysis, place: usize) -> Option<Self> {
        let figures = analysis.spans.get(place)?;
        Some(Self {
            span: SpanRef::at(spans, place)?,
            duration_ms: millis(figures.nanos),
            self_time_ms: millis(figures.self_nanos),
            critical_path_ms: millis(figures.path_nanos),
            exclusive_tokens: figures.own.tokens.map(Into::into),
            inclusive_tokens: figures.tokens.map(Into::into),
            exclusive_cost_usd: figures.own.cost.map(NanoUsd::dollars),
            inclusive_cost_usd: figures.cost.map(NanoUsd::dollars),
            is_unpriced: figures.own.is_unpriced,
        })
    }

    /// The spans with the largest of something, largest first; of two with as much, the first in the tree. Those that
    /// have none of it are left out.
    pub(super) fn largest<T: Ord>(
        (spans, analysis): (&TraceSpans, &TraceAnalysis),
        most: usize,
        of: impl Fn(&analysis::SpanFigures) -> Option<T>,
    ) -> Vec<Self> {
        let places = analysis.spans.iter().enumerate();
        let mut places: Vec<_> = places.filter_map(|(place, figures)| Some((of(figures)?, place))).collect();
        places.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        places.into_iter().take(most).filter_map(|(_, place)| Self::at(spans, analysis, place)).collect()
    }
}
