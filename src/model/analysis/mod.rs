//! What a trace tells: where its time went, what it cost, what went wrong, how sound its tree is.
//!
//! A pure function of a trace's row, the heads of its spans and their tree; only where spans run does the
//! moment matter. The same spans give the same analysis in whatever order they came, whatever is missing, in
//! a circle or absurd of them. It takes O(n log n) and walks no tree by recursion. Spans are named by their
//! places in the tree. `docs/analysis.md` defines every figure for users. This module must not know where
//! spans come from or who asks.

mod concurrency;
mod context;
mod critical;
mod failures;
mod faults;
mod figures;
mod first_token;
mod groups;
mod lane;
mod layout;
mod retries;
mod self_time;
#[cfg(test)]
mod tests;

use self::layout::Layout;
pub use self::{
    concurrency::Concurrency,
    context::{ContextGrowth, ContextPoint},
    critical::{CriticalPath, PathSegment},
    failures::{Failure, Failures},
    faults::{ABSURD_NANOS, Fault, TreeFault},
    figures::{CostCoverage, SpanFigures, Totals},
    first_token::FirstTokens,
    groups::{Group, ModelKey},
    lane::Lane,
    retries::{Retry, RetryOutcome},
};
use super::{
    Timestamp,
    span::{OperationType, SpanHead},
    trace::Trace,
    tree::SpanTree,
};

/// What a trace tells. Places are those of the tree that it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceAnalysis {
    /// Whether the trace goes on: then running spans count up to `as_of`, and all of it may change.
    pub is_running: bool,
    /// The moment up to which spans without an end count: now, or the end of a trace that is over.
    pub as_of: Timestamp,
    /// From the start of the trace to `as_of`, in nanoseconds.
    pub duration_nanos: u64,
    /// What all spans come to.
    pub totals: Totals,
    /// The figures of each span, by its place.
    pub spans: Vec<SpanFigures>,
    /// Spans by what kind of operation they are, those with the most self time first.
    pub operations: Vec<(OperationType, Group)>,
    /// Calls of models, by model: see [`ModelKey`].
    pub models: Vec<(ModelKey, Group)>,
    /// Calls of tools, by tool.
    pub tools: Vec<(String, Group)>,
    /// What the trace had to wait for.
    pub critical_path: CriticalPath,
    /// How much went on at once.
    pub concurrency: Concurrency,
    /// Spans that failed.
    pub failures: Failures,
    /// What was tried again.
    pub retries: Vec<Retry>,
    /// How long models took to begin.
    pub first_tokens: FirstTokens,
    /// How the input of models grew.
    pub context: ContextGrowth,
    /// What is not sound about the tree, by span.
    pub faults: Vec<Fault>,
}

impl TraceAnalysis {
    /// The analysis of a trace at the moment `now`. `tree` must be of `heads`.
    #[must_use]
    pub fn of(trace: &Trace, heads: &[&SpanHead], tree: &SpanTree, now: Timestamp) -> Self {
        let layout = &Layout::of(trace, heads, tree, now);
        let critical_path = critical::path(layout);
        let spans = figures::of_spans(layout, heads, &critical_path);
        Self {
            is_running: layout.is_running,
            as_of: layout.as_of,
            duration_nanos: layout.as_of.nanos_since(trace.start_time),
            totals: figures::totals(layout, &spans),
            operations: groups::by_operation(layout, &spans),
            models: groups::by_model(layout, &spans),
            tools: groups::by_tool(layout, &spans),
            concurrency: concurrency::of(layout),
            failures: failures::of(layout),
            retries: retries::of(layout),
            first_tokens: first_token::of(layout, &spans),
            context: context::of(layout, &spans),
            faults: faults::of(layout),
            critical_path,
            spans,
        }
    }
}
