//! Finding traces and spans by conditions composed of and, or and not.
//!
//! A plan chooses where to look: the index that leaves least, in the order that is asked for where it has that. What is
//! found there is judged by its row first; heads, scores and bodies are read only for what that leaves open. A page
//! costs a bounded number of reads, and ends early where it used them up.

mod best;
mod candidates;
mod choices;
mod decide;
mod order;
mod plan;
mod ranked;
mod selection;
mod span_walk;
mod spans;
mod texts;
mod walk;

use std::sync::Arc;

use self::{candidates::Candidates, decide::Spent};
pub use self::{
    order::{SpanOrdering, TraceOrdering},
    plan::{MOST_COUNTED, Plan},
    selection::{SelectedTraces, Selection},
    spans::FoundSpan,
    walk::Walk,
};
use super::{Context, ServiceResult, search::Search, tracing::Tracing};
use crate::model::{
    page::{Cursor, ListId, Page, PageRequest},
    query::TraceCondition,
    trace::Trace,
};

/// Traces that are looked at at a time, at the least where their rows tell enough.
const FEWEST_AT_ONCE: usize = 64;

/// The same where their spans are read.
const FEWEST_WITH_SPANS: usize = 12;

/// Traces that are looked at at a time at most.
const MOST_AT_ONCE: usize = 512;

/// How much a query may look at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueryLimits {
    /// Traces that one page looks at. A page that used them up ends early, and its end cursor goes on from there.
    pub traces_per_page: usize,
    /// Spans whose heads one page reads, in the same way: 0.3 µs each.
    pub spans_per_page: usize,
    /// Traces that are put in order in memory, where no index has the order. Their rows are read for each page.
    pub sorted: usize,
    /// Spans that a query may have to look at in all, by the estimate of its plan. One that would look at more is
    /// refused, with advice.
    pub spans: u64,
    /// Spans whose attributes a query may have to read in all, by the same estimate.
    pub attribute_spans: u64,
    /// Spans that may be meant by a query that orders spans by a figure. There is no index of them, so each of its pages
    /// reads the heads of all of them: 1.2 µs each with their tree.
    pub ranked_spans: u64,
    /// The same where it may have to read their attributes.
    pub ranked_attribute_spans: u64,
    /// Traces that a text may be found in, where all of them have to be known before anything else.
    pub texts: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            traces_per_page: 10_000,
            spans_per_page: 200_000,
            sorted: 50_000,
            spans: 5_000_000,
            attribute_spans: 500_000,
            ranked_spans: 500_000,
            ranked_attribute_spans: 50_000,
            texts: 10_000,
        }
    }
}

/// Use cases of queries. Cheap to clone.
#[derive(Clone)]
pub struct Queries {
    context: Context,
    tracing: Tracing,
    search: Search,
}

impl Queries {
    /// The use cases over one context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        let (tracing, search) = (Tracing::new(context.clone()), Search::new(context.clone()));
        Self { context, tracing, search }
    }

    /// A page of the traces that fulfil a condition.
    ///
    /// # Errors
    /// A refusal where it would look at too much, with what to ask instead.
    pub async fn traces(
        &self,
        condition: &TraceCondition,
        ordering: TraceOrdering,
        page: &PageRequest,
    ) -> ServiceResult<Page<Trace>> {
        let list = ListId::of(&format!("query {condition:?} {ordering:?}"));
        let after = page.after.as_deref().map(|cursor| Cursor::decode(list, cursor)).transpose()?;
        let prepared = self.prepare(condition, ordering).await?;
        let found = self.find(&prepared, after, page.first).await?;
        let cursor = |key: &[u8]| Cursor::new(list, key);
        let items = found.traces.into_iter().map(|(key, trace)| (cursor(&key), trace)).collect();
        Ok(Page { items, has_next: found.more, end: found.end.map(|key| cursor(&key)) })
    }

    /// How a query would be answered, and what it may have to look at. It is told also of one that would be refused.
    ///
    /// # Errors
    /// When the condition cannot be read, or the store fails.
    pub async fn explain(&self, condition: &TraceCondition, ordering: TraceOrdering) -> ServiceResult<Plan> {
        self.planned(condition, None, ordering).await.map(|prepared| prepared.plan)
    }

    async fn prepare(&self, condition: &TraceCondition, ordering: TraceOrdering) -> ServiceResult<Prepared> {
        let prepared = self.planned(condition, None, ordering).await?;
        prepared.plan.check(&self.context.query)?;
        Ok(prepared)
    }

    /// The traces behind a place that fulfil a condition, as many as are wanted.
    async fn find(
        &self,
        prepared: &Prepared,
        after: Option<Vec<u8>>,
        wanted: usize,
    ) -> ServiceResult<FoundTraces> {
        let limits = Arc::clone(&self.context.query);
        let mut candidates =
            Candidates::begin(self, &prepared.plan, prepared.ordering, after.as_deref()).await?;
        let mut spent = Spent::default();
        let mut found = FoundTraces { traces: Vec::new(), more: false, end: after };
        let needs = prepared.condition.needs();
        let least = if needs.heads || needs.bodies { FEWEST_WITH_SPANS } else { FEWEST_AT_ONCE };
        loop {
            // As many as it takes, by the share of those before that fulfilled it: what is read for more is lost.
            let left = (wanted + 1).saturating_sub(found.traces.len());
            let size = left.saturating_mul(spent.traces.max(1)) / found.traces.len().max(1);
            let size = size.clamp(least, MOST_AT_ONCE);
            let chunk = candidates.next(self, size).await?;
            spent.traces += chunk.len();
            let rows: Vec<_> = chunk.iter().map(|(_, trace)| trace).collect();
            let mut decided = 0;
            while decided < rows.len() {
                // As many at a time as the heads that may be read leave.
                let part = rows.get(decided..).unwrap_or_default();
                let left = limits.spans_per_page.saturating_sub(spent.spans);
                let verdicts = self.decide(&prepared.condition, part, left).await?;
                spent.spans = spent.spans.saturating_add(verdicts.spans);
                let of_part = chunk.get(decided..).unwrap_or_default();
                decided += verdicts.held.len();
                for ((key, trace), held) in of_part.iter().zip(verdicts.held) {
                    if held && found.traces.len() == wanted {
                        found.more = true;
                        return Ok(found);
                    }
                    found.end = Some(key.clone());
                    if held {
                        found.traces.push((key.clone(), trace.clone()));
                    }
                }
                if decided < rows.len() && spent.spans >= limits.spans_per_page {
                    found.more = true;
                    return Ok(found);
                }
            }
            if candidates.are_over() {
                return Ok(found);
            }
            if spent.is_used_up(&limits) {
                found.more = true;
                return Ok(found);
            }
        }
    }
}

/// A condition with its plan.
struct Prepared {
    condition: TraceCondition,
    ordering: TraceOrdering,
    plan: Plan,
}

/// Traces that were found, with their places in the order.
struct FoundTraces {
    traces: Vec<(Vec<u8>, Trace)>,
    more: bool,
    /// Where to go on.
    end: Option<Vec<u8>>,
}
