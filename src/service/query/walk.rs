//! The way through all that fulfils a condition, in memory that does not grow with it.

use std::collections::VecDeque;

use super::{
    Prepared, Queries,
    candidates::{Candidates, Placed},
};
use crate::{
    model::{query::TraceCondition, trace::Trace},
    service::ServiceResult,
};

/// Candidates that are judged at a time.
const AT_ONCE: (usize, usize) = (64, 512);

/// Traces that fulfil a condition and are not read yet, in their order. What is written meanwhile may or may not be
/// among them.
pub struct Walk {
    queries: Queries,
    condition: TraceCondition,
    candidates: Candidates,
    /// What was found and is not handed out.
    ready: VecDeque<Placed>,
}

impl Walk {
    /// Those behind a place.
    pub(super) async fn begin(
        queries: &Queries,
        prepared: Prepared,
        after: Option<Vec<u8>>,
    ) -> ServiceResult<Self> {
        let candidates =
            Candidates::begin(queries, &prepared.plan, prepared.ordering, after.as_deref()).await?;
        let condition = prepared.condition;
        Ok(Self { queries: queries.clone(), condition, candidates, ready: VecDeque::new() })
    }

    /// The next ones with their places, `most` of them at most and maybe none of those that were looked at; `None`
    /// behind the last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next(&mut self, most: usize) -> ServiceResult<Option<Vec<(Vec<u8>, Trace)>>> {
        if self.ready.is_empty() {
            if self.candidates.are_over() {
                return Ok(None);
            }
            let chunk = self.candidates.next(&self.queries, most.clamp(AT_ONCE.0, AT_ONCE.1)).await?;
            let rows: Vec<_> = chunk.iter().map(|(_, row)| row).collect();
            let verdicts = self.queries.which(&self.condition, &rows).await?;
            let judged = chunk.into_iter().zip(verdicts);
            self.ready.extend(judged.filter_map(|(placed, held)| held.then_some(placed)));
        }
        let count = most.min(self.ready.len());
        Ok(Some(self.ready.drain(..count).collect()))
    }
}

impl Queries {
    /// Refuses a condition that would have to look at too much, or cannot be read.
    ///
    /// # Errors
    /// So, with what to ask instead; and when the store fails.
    pub async fn check(&self, condition: &TraceCondition) -> ServiceResult<()> {
        self.prepare(condition, super::TraceOrdering::default()).await.map(drop)
    }

    /// All traces that fulfil a condition that was checked, behind a place: the one that started last first. It is not
    /// refused where there is more to look at by now.
    ///
    /// # Errors
    /// Where its texts are found too often, and when the store fails.
    pub async fn walk(&self, condition: &TraceCondition, after: Option<Vec<u8>>) -> ServiceResult<Walk> {
        let prepared = self.planned(condition, None, super::TraceOrdering::default()).await?;
        Walk::begin(self, prepared, after).await
    }

    /// Which of some traces fulfil a condition, by what is known of them now. A text is not looked for: nothing
    /// fulfils it here.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn which(&self, condition: &TraceCondition, rows: &[&Trace]) -> ServiceResult<Vec<bool>> {
        let mut verdicts = Vec::with_capacity(rows.len());
        while let Some(rest) = rows.get(verdicts.len()..).filter(|rest| !rest.is_empty()) {
            // The heads that may be in memory at a time are counted anew: one trace at least is decided.
            let decided = self.decide(condition, rest, self.context.query.spans_per_page).await?;
            verdicts.extend(decided.held);
        }
        Ok(verdicts)
    }
}
