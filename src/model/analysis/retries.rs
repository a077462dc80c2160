//! What failed and was tried again.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use super::layout::{Layout, Placed};
use crate::model::{
    span::{OperationType, SpanStatus},
    words::words,
};

words! {
    /// What came of trying again.
    RetryOutcome {
        /// The last attempt ended well.
        Recovered = 1 "RECOVERED",
        /// The last attempt failed too, and nobody tried again.
        Failed = 2 "FAILED",
        /// The last attempt was stopped.
        Cancelled = 3 "CANCELLED",
        /// The last attempt goes on.
        Running = 4 "RUNNING",
    }
}

/// Something that failed and was tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// The attempts, in the order of time: two or more. All but the last failed.
    pub attempts: Vec<usize>,
    /// What came of the last.
    pub outcome: RetryOutcome,
}

/// What spans that may be attempts at the same have in common, beside the span above them.
type Same<'a> = (OperationType, &'a str, Option<&'a str>, Option<&'a str>);

/// What was tried again, in the order of the first attempts.
///
/// Spans are attempts at the same where they stand directly below the same span (or at the top), are of the
/// same operation type, and have the same name, tool and model; each starts when the one before has failed. A
/// span that starts earlier is a call beside it, not an attempt.
pub(super) fn of(layout: &Layout<'_>) -> Vec<Retry> {
    let mut retries = Vec::new();
    add_siblings(layout, layout.roots(), &mut retries);
    for span in layout.all().filter(|span| span.node.child_count > 1) {
        add_siblings(layout, layout.children(span.place), &mut retries);
    }
    let start = |retry: &Retry| {
        let first = retry.attempts.first().and_then(|place| layout.at(*place));
        first.map(|span| (span.lane.start, span.place))
    };
    retries.sort_by_cached_key(start);
    retries
}

fn add_siblings<'a>(
    layout: &Layout<'a>,
    siblings: impl Iterator<Item = Placed<'a>>,
    retries: &mut Vec<Retry>,
) {
    let mut same: BTreeMap<Same<'a>, Vec<Placed<'a>>> = BTreeMap::new();
    for span in siblings {
        let details = &span.head.details;
        let key = (
            span.head.operation_type,
            span.head.name.as_str(),
            details.tool_name.as_deref(),
            details.model.as_deref(),
        );
        same.entry(key).or_default().push(span);
    }
    let tried_again = |spans: &Vec<Placed<'_>>| {
        spans.len() > 1 && spans.iter().any(|span| span.head.status == SpanStatus::Error)
    };
    for spans in same.into_values().filter(tried_again) {
        add_chains(layout, &spans, retries);
    }
}

/// Ties each span to the attempt that failed longest ago and was not tried again yet.
fn add_chains(layout: &Layout<'_>, spans: &[Placed<'_>], retries: &mut Vec<Retry>) {
    let mut chains: Vec<Vec<usize>> = Vec::new();
    // Chains whose last attempt has failed, by its end.
    let mut open: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
    for span in spans {
        let again = open.peek().is_some_and(|Reverse((end, _))| *end <= span.lane.start);
        let before = if again { open.pop() } else { None };
        let index = before.map_or(chains.len(), |Reverse((_, index))| index);
        if index == chains.len() {
            chains.push(Vec::new());
        }
        if let Some(chain) = chains.get_mut(index) {
            chain.push(span.place);
        }
        if span.head.status == SpanStatus::Error {
            open.push(Reverse((span.lane.end, index)));
        }
    }
    let outcome = |chain: &Vec<usize>| {
        let last = chain.last().and_then(|place| layout.at(*place))?;
        Some(match last.head.status {
            SpanStatus::Ok => RetryOutcome::Recovered,
            SpanStatus::Error => RetryOutcome::Failed,
            SpanStatus::Cancelled => RetryOutcome::Cancelled,
            SpanStatus::Running => RetryOutcome::Running,
        })
    };
    let chains = chains.into_iter().filter(|chain| chain.len() > 1);
    retries.extend(chains.filter_map(|attempts| Some(Retry { outcome: outcome(&attempts)?, attempts })));
}
