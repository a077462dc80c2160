//! Finding traces and spans by conditions composed of and, or and not.
//!
//! A plan chooses where to look: the index that leaves least, in the order that is asked for where it has that. What is
//! found there is judged by its row first; heads, scores and bodies are read only for what that leaves open. A page
//! costs a bounded number of reads, and ends early where it used them up.

mod candidates;
mod decide;
mod order;
mod plan;
mod selection;
mod spans;
mod texts;
mod walk;

use std::sync::Arc;

use self::{candidates::Candidates, decide::Spent};
pub use self::{
    order::TraceOrdering,
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

/// How much a query may look at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueryLimits {
    /// Traces that one page looks at. A page that used them up ends early, and its end cursor goes on from there.
    pub traces_per_page: usize,
    /// Spans whose heads one page reads, in the same way: 0.3 µs each.
    pub spans_per_page: usize,
    /// Traces that are put in order in memory, where no index has the order.
    pub sorted: usize,
    /// Spans that a query may have to look at in all, by the estimate of its plan. One that would look at more is
    /// refused, with advice.
    pub spans: u64,
    /// Spans whose attributes a query may have to read in all, by the same estimate.
    pub attribute_spans: u64,
    /// Traces that a text may be found in, beside other conditions.
    pub texts: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            traces_per_page: 10_000,
            spans_per_page: 200_000,
            sorted: 5_000,
            spans: 5_000_000,
            attribute_spans: 500_000,
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
        let condition = self.with_texts_found(condition.clone()).await?;
        self.plan(&condition, ordering).await
    }

    async fn prepare(&self, condition: &TraceCondition, ordering: TraceOrdering) -> ServiceResult<Prepared> {
        let prepared = self.planned(condition, ordering).await?;
        prepared.plan.check(&self.context.query)?;
        Ok(prepared)
    }

    /// A condition with its plan, however much that looks at.
    async fn planned(&self, condition: &TraceCondition, ordering: TraceOrdering) -> ServiceResult<Prepared> {
        let condition = self.with_texts_found(condition.clone()).await?;
        let plan = self.plan(&condition, ordering).await?;
        Ok(Prepared { condition, ordering, plan })
    }

    /// The traces behind a place that fulfil a condition, as many as are wanted.
    async fn find(
        &self,
        prepared: &Prepared,
        after: Option<Vec<u8>>,
        wanted: usize,
    ) -> ServiceResult<FoundTraces> {
        let limits = Arc::clone(&self.context.query);
        let mut candidates = Candidates::begin(self, prepared, after.clone()).await?;
        let mut spent = Spent::default();
        let mut found = FoundTraces { traces: Vec::new(), more: false, end: after };
        loop {
            let size = (2 * (wanted + 1).saturating_sub(found.traces.len())).clamp(64, 512);
            let chunk = candidates.next(self, size).await?;
            spent.traces += chunk.len();
            let rows: Vec<_> = chunk.iter().map(|(_, trace)| trace).collect();
            let mut decided = 0;
            while decided < rows.len() {
                // As many at a time as the heads that may be read leave.
                let part = rows.get(decided..).unwrap_or_default();
                let verdicts = self.decide(&prepared.condition, part, &mut spent).await?;
                let of_part = chunk.get(decided..).unwrap_or_default();
                decided += verdicts.len();
                for ((key, trace), held) in of_part.iter().zip(verdicts) {
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
            if spent.traces >= limits.traces_per_page || spent.spans >= limits.spans_per_page {
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
