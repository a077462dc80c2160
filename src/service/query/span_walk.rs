//! Going through the traces of a plan, a few at a time, with the spans of those that are meant.

use std::collections::VecDeque;

use super::{
    Queries, TraceOrdering,
    candidates::{Candidates, Placed},
    decide::{JudgedSpan, Known, Spent},
    plan::Plan,
};
use crate::{
    model::{
        TraceId,
        query::{SpanCondition, TraceCondition},
        trace::Trace,
    },
    service::{ServiceResult, tracing::BodyKey},
};

/// Rows of traces that are judged at a time.
const ROWS_AT_ONCE: usize = 64;

/// Traces whose spans are looked through at a time.
const TRACES_AT_ONCE: usize = 16;

/// Spans that are looked through at a time, unless one trace has more.
const SPANS_AT_ONCE: usize = 20_000;

/// Which spans, of which traces, and how these are found.
pub(super) struct Wanted<'a> {
    pub(super) spans: &'a SpanCondition,
    /// The condition on traces, with its texts found.
    pub(super) traces: TraceCondition,
    pub(super) plan: Plan,
    pub(super) ordering: TraceOrdering,
}

/// The way through the traces of a plan.
pub(super) struct SpanWalk<'a> {
    queries: &'a Queries,
    wanted: &'a Wanted<'a>,
    candidates: Candidates,
    /// Traces that are not judged yet.
    rows: VecDeque<Placed>,
    /// Traces that are meant, and not looked through yet.
    meant: VecDeque<Placed>,
    /// The place of the last trace that was judged.
    judged: Option<Vec<u8>>,
    /// What has been looked at.
    pub(super) spent: Spent,
    /// The place of the last trace that is done with, whether it was meant or not.
    pub(super) place: Option<Vec<u8>>,
}

/// Some traces, with what a condition on their spans must know.
pub(super) struct Group {
    pub(super) traces: Vec<Placed>,
    pub(super) known: Vec<Known>,
}

impl<'a> SpanWalk<'a> {
    /// Begins behind a place.
    pub(super) async fn begin(
        queries: &'a Queries,
        wanted: &'a Wanted<'a>,
        after: Option<Vec<u8>>,
    ) -> ServiceResult<Self> {
        let candidates = Candidates::begin(queries, &wanted.plan, wanted.ordering, after.as_deref()).await?;
        Ok(Self {
            queries,
            wanted,
            candidates,
            rows: VecDeque::new(),
            meant: VecDeque::new(),
            judged: after.clone(),
            spent: Spent::default(),
            place: after,
        })
    }

    /// The next traces that are meant: maybe none of those that were looked at. `None`: there are no more.
    pub(super) async fn next(&mut self) -> ServiceResult<Option<Group>> {
        if self.meant.is_empty() {
            if self.rows.is_empty() {
                if self.candidates.are_over() {
                    return Ok(None);
                }
                self.rows = self.candidates.next(self.queries, ROWS_AT_ONCE).await?.into();
            }
            self.judge().await?;
        }
        let mut spans = 0_usize;
        let fit = self.meant.iter().take(TRACES_AT_ONCE).take_while(|(_, row)| {
            spans = spans.saturating_add(spans_of(row));
            spans <= SPANS_AT_ONCE
        });
        let count = fit.count().max(1).min(self.meant.len());
        let traces: Vec<_> = self.meant.drain(..count).collect();
        let read = traces.iter().map(|(_, row)| spans_of(row)).fold(0, usize::saturating_add);
        self.spent.spans = self.spent.spans.saturating_add(read);
        self.place = match traces.last() {
            Some((key, _)) if !self.meant.is_empty() => Some(key.clone()),
            _ => self.judged.clone(),
        };
        self.queries.group(self.wanted.spans, traces).await.map(Some)
    }

    /// Judges rows, as many as can be without reading more spans than are looked through at a time.
    async fn judge(&mut self) -> ServiceResult<()> {
        let rows: Vec<_> = self.rows.iter().map(|(_, row)| row).collect();
        let decided = self.queries.decide(&self.wanted.traces, &rows, SPANS_AT_ONCE).await?;
        self.spent.traces += decided.held.len();
        self.spent.spans = self.spent.spans.saturating_add(decided.spans);
        for held in decided.held {
            let Some(placed) = self.rows.pop_front() else { break };
            self.judged = Some(placed.0.clone());
            if held {
                self.meant.push_back(placed);
            }
        }
        Ok(())
    }
}

/// How many spans a trace has.
pub(super) fn spans_of(row: &Trace) -> usize {
    usize::try_from(row.summary.span_count).unwrap_or(usize::MAX)
}

impl Queries {
    /// These traces with what a condition must know of their spans, but for attributes.
    pub(super) async fn group(&self, condition: &SpanCondition, traces: Vec<Placed>) -> ServiceResult<Group> {
        let rows: Vec<_> = traces.iter().map(|(_, row)| row).collect();
        let known = self.known(&TraceCondition::Span(condition.clone()), &rows).await?;
        Ok(Group { traces, known })
    }

    /// Reads the attributes of the spans that a condition does not decide on without them, where they are wanted.
    pub(super) async fn learn_attributes(
        &self,
        condition: &SpanCondition,
        group: &mut Group,
        is_wanted: impl Fn(TraceId, &JudgedSpan<'_>) -> bool,
    ) -> ServiceResult<()> {
        let mut wanted: Vec<(usize, BodyKey)> = Vec::new();
        for (index, ((_, row), known)) in group.traces.iter().zip(&group.known).enumerate() {
            for span in known.judged(condition) {
                if span.verdict.is_none() && is_wanted(row.id, &span) {
                    wanted.push((index, (row.id, span.head.id, span.head.part_blocks())));
                }
            }
        }
        self.read_attributes(wanted, &mut group.known).await
    }
}
