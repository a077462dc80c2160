//! How long models took to begin with their answers.

use super::{figures::SpanFigures, layout::Layout};
use crate::model::{
    span::OperationType,
    stats::{Distribution, float},
};

/// How long models took to their first token, where that is known: a span says it, as an attribute or as an
/// event of that name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FirstTokens {
    /// Calls of language models; where several spans tell of one call, the one that counts.
    pub calls: u64,
    /// Those that say it, in the order of their starts, with nanoseconds from the start of the call.
    pub known: Vec<(usize, u64)>,
    /// How these are spread, in nanoseconds; `None` where no call says it.
    pub spread: Option<Distribution>,
}

pub(super) fn of(layout: &Layout<'_>, figures: &[SpanFigures]) -> FirstTokens {
    let calls: Vec<_> = model_calls(layout, figures);
    let mut known: Vec<_> = calls
        .iter()
        .filter_map(|place| layout.at(*place))
        .filter_map(|span| Some((span.place, span.head.details.time_to_first_token_nanos?)))
        .collect();
    known.shrink_to_fit();
    let spread = Distribution::of(known.iter().map(|(_, nanos)| float(*nanos)));
    FirstTokens { calls: calls.len() as u64, known, spread }
}

/// The calls of language models in the order of their starts, each once.
pub(super) fn model_calls(layout: &Layout<'_>, figures: &[SpanFigures]) -> Vec<usize> {
    let is_call = |operation| operation == OperationType::LlmCall;
    let calls = layout.all().zip(figures);
    let calls = calls.filter(|(span, figures)| is_call(span.head.operation_type) && !figures.own.is_repeat);
    let mut calls: Vec<_> = calls.map(|(span, _)| (span.lane.start, span.head.id, span.place)).collect();
    calls.sort_unstable();
    calls.into_iter().map(|(_, _, place)| place).collect()
}
