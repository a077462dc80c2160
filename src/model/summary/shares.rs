//! What each span of a tree adds to what its trace spent: the parts of a [`Summary`](super::Summary)'s sums.

use super::{Below, Repeats};
use crate::model::{
    ledger::{CostSource, NanoUsd, TokenTotals},
    span::SpanHead,
    tree::SpanTree,
};

/// What a span adds to its trace's tokens and cost. Summed up over a tree, these are the summary's figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Tokens that count here; `None` where it reports none, or spans below it do.
    pub tokens: Option<TokenTotals>,
    /// Cost that counts here; `None` where it says none, or spans below it do.
    pub cost: Option<NanoUsd>,
    /// Whether it used something whose cost nobody knows: neither it, nor a span above or below it that counts.
    pub is_unpriced: bool,
    /// Whether another span tells of the same call of a model, and counts instead.
    pub is_repeat: bool,
}

/// The shares of the spans of a tree, by their places in it. `tree` must be of these heads.
#[must_use]
pub fn shares(heads: &[&SpanHead], tree: &SpanTree) -> Vec<Share> {
    let nodes = tree.nodes();
    let repeats = Repeats::among(heads.iter().copied());
    let mut below = vec![Below::default(); nodes.len()];
    let mut shares = vec![Share::default(); nodes.len()];
    // Children stand after their parents: from the end, what lies below is known first.
    for (place, node) in nodes.iter().enumerate().rev() {
        let Some(head) = heads.get(node.span) else { continue };
        let here = below.get(place).copied().unwrap_or_default();
        let counts = repeats.counts(head);
        if let Some(share) = shares.get_mut(place) {
            *share = Share::of(head, here, counts);
        }
        if let Some(parent) = node.parent.and_then(|parent| below.get_mut(parent)) {
            *parent = parent.with(here.and(head, counts));
        }
    }
    // And from the beginning, what lies above: a cost that is told there covers what is told here.
    let mut covered = vec![false; nodes.len()];
    for (place, node) in nodes.iter().enumerate() {
        let above = node.parent.and_then(|parent| covered.get(parent)).copied().unwrap_or(false);
        let Some(share) = shares.get_mut(place) else { continue };
        share.is_unpriced &= !above;
        if let Some(covered) = covered.get_mut(place) {
            *covered = above || share.cost.is_some();
        }
    }
    shares
}

impl Share {
    fn of(head: &SpanHead, below: Below, counts: bool) -> Self {
        let ledger = &head.ledger;
        let reports = ledger.reports_tokens();
        let unknown = ledger.source == Some(CostSource::Unknown) || (reports && ledger.source.is_none());
        Self {
            tokens: (counts && reports && !below.tokens).then(|| ledger.totals()),
            cost: ledger.cost.filter(|_| counts && !below.cost),
            is_unpriced: counts && ledger.cost.is_none() && unknown && !below.cost && !below.tokens,
            is_repeat: !counts,
        }
    }
}

/// The shares of whole subtrees: of each place, that of its span with those of all spans below it. Of calls that several
/// spans tell of, and of what is not priced, nothing is said.
#[must_use]
pub fn with_below(shares: &[Share], tree: &SpanTree) -> Vec<Share> {
    let mut sums: Vec<_> =
        shares.iter().map(|own| Share { is_repeat: false, is_unpriced: false, ..*own }).collect();
    for (place, node) in tree.nodes().iter().enumerate().rev() {
        let here = sums.get(place).copied().unwrap_or_default();
        if let Some(above) = node.parent.and_then(|parent| sums.get_mut(parent)) {
            above.tokens = either(above.tokens, here.tokens, |a, b| a.plus(&b));
            above.cost = either(above.cost, here.cost, NanoUsd::plus);
        }
    }
    sums
}

/// Both together, or the one that is there.
fn either<T>(a: Option<T>, b: Option<T>, both: impl FnOnce(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(both(a, b)),
        (a, b) => a.or(b),
    }
}
