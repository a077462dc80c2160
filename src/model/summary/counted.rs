//! What each span of a trace counts in the trace's sums, and what the spans below it count.

use super::{Below, Repeats, Spending};
use crate::model::{
    ledger::{NanoUsd, TokenTotals},
    span::SpanHead,
    tree::SpanTree,
};

/// Tokens and cost that count; `None`: nobody reported any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spend {
    /// Tokens.
    pub tokens: Option<TokenTotals>,
    /// Cost.
    pub cost: Option<NanoUsd>,
}

impl Spend {
    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let tokens = match (self.tokens, other.tokens) {
            (Some(a), Some(b)) => Some(a.plus(&b)),
            (a, b) => a.or(b),
        };
        let cost = match (self.cost, other.cost) {
            (Some(a), Some(b)) => Some(a.plus(b)),
            (a, b) => a.or(b),
        };
        Self { tokens, cost }
    }
}

/// What a span counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpanSpend {
    /// For itself: nothing where spans below it report the same, or another span tells of the same call.
    pub own: Spend,
    /// With all that is below it.
    pub with_below: Spend,
    /// Whether another span tells of the same call, and better.
    pub is_repeat: bool,
}

/// What each node of the tree counts, in its order. The `own` ones add up to the trace's summary.
#[must_use]
pub fn spend(heads: &[&SpanHead], tree: &SpanTree) -> Vec<SpanSpend> {
    let repeats = Repeats::among(heads.iter().copied());
    let mut below = vec![Below::default(); tree.nodes().len()];
    let mut spend = vec![SpanSpend::default(); tree.nodes().len()];
    for (place, node) in tree.nodes().iter().enumerate().rev() {
        let Some(head) = heads.get(node.span) else { continue };
        let here = below.get(place).copied().unwrap_or_default();
        let counts = repeats.counts(head);
        let counted = Spending::of(head).counted(here);
        let own = Spend {
            tokens: (counts && !here.tokens && head.ledger.reports_tokens()).then_some(counted.tokens),
            cost: head.ledger.cost.filter(|_| counts && !here.cost).map(|_| counted.cost),
        };
        let mut all = own;
        if let Some(this) = spend.get_mut(place) {
            all = this.with_below.plus(&own);
            *this = SpanSpend { own, with_below: all, is_repeat: !counts };
        }
        if let Some(parent) = node.parent {
            if let Some(above) = below.get_mut(parent) {
                *above = above.with(here.and(head, counts));
            }
            if let Some(above) = spend.get_mut(parent) {
                above.with_below = above.with_below.plus(&all);
            }
        }
    }
    spend
}
