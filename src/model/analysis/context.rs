//! How the input of models grew from call to call.

use super::{figures::SpanFigures, first_token::model_calls, layout::Layout};
use crate::model::stats::{float, slope};

/// How the input of models grew: over the calls that report their input, in the order of their starts. Where
/// several agents call models, their calls stand in one row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContextGrowth {
    /// The calls.
    pub points: Vec<ContextPoint>,
    /// The largest input, in tokens.
    pub largest: Option<u64>,
    /// By how many tokens the input grows from one call to the next, by the line that fits best; `None` below
    /// two calls.
    pub slope: Option<f64>,
}

/// The input of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextPoint {
    /// The call.
    pub place: usize,
    /// What the model read, in tokens, cached ones included.
    pub input: u64,
    /// By how many more than in the call before; `None` of the first.
    pub growth: Option<i64>,
}

pub(super) fn of(layout: &Layout<'_>, figures: &[SpanFigures]) -> ContextGrowth {
    let input = |place: usize| {
        let ledger = &layout.at(place)?.head.ledger;
        let tokens = &ledger.tokens;
        // A cached part alone is not known to be the whole.
        tokens.input.is_some().then(|| (place, ledger.totals().input))
    };
    let mut points: Vec<ContextPoint> = Vec::new();
    for (place, input) in model_calls(layout, figures).into_iter().filter_map(input) {
        let growth = points.last().map(|before| difference(input, before.input));
        points.push(ContextPoint { place, input, growth });
    }
    let line: Vec<_> =
        points.iter().enumerate().map(|(at, point)| (float(at as u64), float(point.input))).collect();
    ContextGrowth { largest: points.iter().map(|point| point.input).max(), slope: slope(&line), points }
}

/// How much more `now` is, up to the ends of the range.
fn difference(now: u64, before: u64) -> i64 {
    let difference = i128::from(now) - i128::from(before);
    i64::try_from(difference).unwrap_or(if difference > 0 { i64::MAX } else { i64::MIN })
}
