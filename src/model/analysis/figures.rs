//! The figures of each span, and what all of them come to.

use super::{critical::CriticalPath, layout::Layout, self_time};
use crate::model::{
    ledger::{NanoUsd, TokenTotals},
    span::{SpanHead, SpanStatus},
    summary::{Share, shares},
    words::words,
};

/// The figures of one span. Times are in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpanFigures {
    /// How long it took: up to now where it runs.
    pub nanos: u64,
    /// Of it: while nothing below it was at work.
    pub self_nanos: u64,
    /// Of it: on the critical path.
    pub path_nanos: u64,
    /// What it spent itself: see [`Share`].
    pub own: Share,
    /// Tokens that count at it and at all below it; `None` where none of them counts any.
    pub tokens: Option<TokenTotals>,
    /// The same of cost.
    pub cost: Option<NanoUsd>,
}

words! {
    /// How much of a cost is known.
    CostCoverage {
        /// Nothing was used that costs anything, as far as spans tell.
        Nothing = 1 "NOTHING",
        /// The cost of everything that was used is known.
        Known = 2 "KNOWN",
        /// The cost of a part is known: the sum is too low.
        Partly = 3 "PARTLY",
        /// Something was used, and no cost is known.
        Unknown = 4 "UNKNOWN",
    }
}

/// What all spans come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Spans; those that only parts have come of count too.
    pub spans: u64,
    /// Not ended.
    pub running: u64,
    /// Ended with an error.
    pub failed: u64,
    /// Stopped.
    pub cancelled: u64,
    /// Tokens, each where it was spent; `None` where none are reported.
    pub tokens: Option<TokenTotals>,
    /// Cost, as far as it is known.
    pub cost: Option<NanoUsd>,
    /// How much of it that is.
    pub coverage: CostCoverage,
    /// Spans that used something whose cost nobody knows.
    pub unpriced: u64,
}

pub(super) fn of_spans(layout: &Layout<'_>, heads: &[&SpanHead], path: &CriticalPath) -> Vec<SpanFigures> {
    let own = shares(heads, layout.tree);
    let mut figures: Vec<_> = layout
        .all()
        .zip(self_time::of(layout))
        .zip(own)
        .map(|((span, self_nanos), own)| SpanFigures {
            nanos: span.lane.nanos(),
            self_nanos,
            path_nanos: 0,
            own,
            tokens: own.tokens,
            cost: own.cost,
        })
        .collect();
    for segment in &path.segments {
        if let Some(figures) = figures.get_mut(segment.place) {
            figures.path_nanos = figures.path_nanos.saturating_add(segment.lane.nanos());
        }
    }
    // Children stand after their parents: from the end, a span is whole before it is added to the one above.
    for span in layout.all().rev() {
        let Some(SpanFigures { tokens, cost, .. }) = figures.get(span.place).copied() else { continue };
        if let Some(parent) = span.node.parent.and_then(|parent| figures.get_mut(parent)) {
            add_tokens(&mut parent.tokens, tokens);
            add_cost(&mut parent.cost, cost);
        }
    }
    figures
}

pub(super) fn totals(layout: &Layout<'_>, figures: &[SpanFigures]) -> Totals {
    let count = |status: SpanStatus| layout.all().filter(|span| span.head.status == status).count() as u64;
    let (mut tokens, mut cost, mut unpriced) = (None, None, 0);
    for own in figures.iter().map(|figures| &figures.own) {
        add_tokens(&mut tokens, own.tokens);
        add_cost(&mut cost, own.cost);
        unpriced += u64::from(own.is_unpriced);
    }
    Totals {
        spans: layout.len() as u64,
        running: count(SpanStatus::Running),
        failed: count(SpanStatus::Error),
        cancelled: count(SpanStatus::Cancelled),
        tokens,
        cost,
        coverage: CostCoverage::of(cost.is_some(), unpriced > 0),
        unpriced,
    }
}

impl CostCoverage {
    /// By whether some of a cost is known, and some of it is not.
    #[must_use]
    pub const fn of(some_known: bool, some_unknown: bool) -> Self {
        match (some_known, some_unknown) {
            (false, false) => Self::Nothing,
            (true, false) => Self::Known,
            (true, true) => Self::Partly,
            (false, true) => Self::Unknown,
        }
    }
}

/// Adds what is known to what is known.
pub(super) fn add_tokens(sum: &mut Option<TokenTotals>, more: Option<TokenTotals>) {
    if let Some(more) = more {
        *sum = Some(sum.map_or(more, |sum| sum.plus(&more)));
    }
}

/// Adds what is known to what is known.
pub(super) fn add_cost(sum: &mut Option<NanoUsd>, more: Option<NanoUsd>) {
    if let Some(more) = more {
        *sum = Some(sum.map_or(more, |sum| sum.plus(more)));
    }
}
