//! What models did call after call: how soon they began, and how much they had to read.

use serde::Serialize;
use utoipa::ToSchema;

use super::spans::SpanRef;
use crate::{
    model::analysis::{ContextGrowth, ContextPoint, FirstTokens},
    rest::{
        figures::{DistributionFigures, NANOS_A_MILLI},
        scalar::millis,
    },
    service::tracing::TraceSpans,
};

/// How long models took to begin with their answers, where their spans say so.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct FirstTokenFigures {
    /// Calls of language models, each once.
    call_count: u64,
    /// Those that say it.
    known_count: u64,
    /// How the times are spread, in milliseconds; null where no call says it.
    spread: Option<DistributionFigures>,
    /// The calls that say it, in the order of their starts.
    calls: Vec<FirstTokenCallFigures>,
}

/// A call whose first token has a time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct FirstTokenCallFigures {
    /// The call.
    span: SpanRef,
    /// Milliseconds from its start to the first token.
    time_to_first_token_ms: f64,
}

impl FirstTokenFigures {
    pub(super) fn of(spans: &TraceSpans, found: &FirstTokens, most: usize) -> Self {
        let call = |(place, nanos): &(usize, u64)| {
            let span = SpanRef::at(spans, *place)?;
            Some(FirstTokenCallFigures { span, time_to_first_token_ms: millis(*nanos) })
        };
        let spread = found.spread.as_ref();
        Self {
            call_count: found.calls,
            known_count: found.known.len() as u64,
            spread: spread.map(|spread| DistributionFigures::scaled(spread, NANOS_A_MILLI)),
            calls: found.known.iter().take(most).filter_map(call).collect(),
        }
    }
}

/// How the input of models grew, over the calls that report their input, in the order of their starts. Where several
/// agents call models, their calls stand in one row.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct ContextFigures {
    /// The calls that report their input.
    call_count: u64,
    /// The input of the first, in tokens; null where there is none.
    first_input_tokens: Option<u64>,
    /// The input of the last, in tokens; null where there is none.
    last_input_tokens: Option<u64>,
    /// The largest input, in tokens; null where there is none.
    largest_input_tokens: Option<u64>,
    /// By how many tokens the input grows from one call to the next, by the straight line that fits best; null below
    /// two calls.
    tokens_per_call: Option<f64>,
    /// The calls.
    calls: Vec<ContextCallFigures>,
}

/// The input of one call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct ContextCallFigures {
    /// The call.
    span: SpanRef,
    /// What the model read, in tokens, cached ones included.
    input_tokens: u64,
    /// By how many tokens more than in the call before; negative where it read less, null of the first.
    growth: Option<i64>,
}

impl ContextFigures {
    pub(super) fn of(spans: &TraceSpans, found: &ContextGrowth, most: usize) -> Self {
        let call = |point: &ContextPoint| {
            let span = SpanRef::at(spans, point.place)?;
            Some(ContextCallFigures { span, input_tokens: point.input, growth: point.growth })
        };
        Self {
            call_count: found.points.len() as u64,
            first_input_tokens: found.points.first().map(|point| point.input),
            last_input_tokens: found.points.last().map(|point| point.input),
            largest_input_tokens: found.largest,
            tokens_per_call: found.slope,
            calls: found.points.iter().take(most).filter_map(call).collect(),
        }
    }
}
