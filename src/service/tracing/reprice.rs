//! Costs computed anew: at the prices that hold now instead of those that held when the spans came.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{TraceFilter, TraceOrder, Tracing};
use crate::{
    model::{
        Refusal, Timestamp, TraceId,
        ledger::{CostSource, NanoUsd},
        page::PageRequest,
        span::{Effect, SpanAction, SpanHead, SpanOp},
        trace::Trace,
    },
    service::ServiceResult,
    store::spans::TraceWrite,
};

/// Which costs are computed anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repricing {
    /// Of traces that started at this moment or later.
    pub started_from: Option<Timestamp>,
    /// Of these models, by their names in any case; empty: of all.
    pub models: Vec<String>,
    /// Whether to say what would change, and change nothing.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repriced {
    /// Traces that were looked at.
    pub traces: u64,
    /// Of them: with a span that was written anew.
    pub changed_traces: u64,
    /// Spans whose cost is another now.
    pub changed_spans: u64,
    /// Spans whose cost is the same by the table that holds now, which they name now.
    pub confirmed_spans: u64,
    /// Spans whose cost was reported, and stays.
    pub reported_spans: u64,
    /// What spans cost by model; those that name none are under an empty name.
    pub models: BTreeMap<String, ModelCosts>,
}

/// What the spans of a model cost, as far as it is computed. A trace counts a call once that several spans
/// tell of; here each span counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ModelCosts {
    /// Spans.
    pub spans: u64,
    /// Of them: without a known cost before.
    pub unknown_before: u64,
    /// Of them: without a known cost now.
    pub unknown_now: u64,
    /// What they cost before.
    pub before: NanoUsd,
    /// What they cost now.
    pub now: NanoUsd,
}

/// Traces that are listed at a time.
const PAGE: usize = 256;

/// Traces that are worked on at the same time: they share commits, and each is held with all its spans.
const AT_ONCE: usize = 8;

/// Spans that one commit writes anew.
const SPANS_AT_ONCE: usize = 10_000;

impl Tracing {
    /// Computes costs anew, page by page over the traces. Reported costs stay. Only what changes is
    /// written; a run that was cut short can be run again. `tell` hears how far it is.
    ///
    /// # Errors
    /// When the store fails. What was written stays.
    pub async fn reprice(
        &self,
        repricing: &Repricing,
        mut tell: impl FnMut(&Repriced) + Send,
    ) -> ServiceResult<Repriced> {
        let filter = TraceFilter { started_from: repricing.started_from, ..TraceFilter::default() };
        let mut page = PageRequest { first: PAGE, after: None };
        let mut all = Repriced::default();
        loop {
            let found = self.list_traces(&filter, TraceOrder::OldestFirst, &page).await?;
            let traces = stream::iter(found.items)
                .map(|(_, trace)| async move { self.reprice_trace(&trace, repricing).await });
            let mut repriced = traces.buffer_unordered(AT_ONCE);
            while let Some(of_trace) = repriced.try_next().await? {
                all.add(of_trace);
                tell(&all);
            }
            match found.end.filter(|_| found.has_next) {
                Some(end) => page.after = Some(end.encode()),
                None => return Ok(all),
            }
        }
    }

    async fn reprice_trace(&self, trace: &Trace, repricing: &Repricing) -> ServiceResult<Repriced> {
        let mut repriced = Repriced { traces: 1, ..Repriced::default() };
        let heads = self.heads(trace.id).await?;
        let mut ops = Vec::new();
        for head in heads.iter().filter(|head| repricing.means(head)) {
            if repriced.look(head, self.repriced(head)?.as_ref()) {
                ops.push(SpanOp { id: head.id, action: SpanAction::Reprice });
            }
        }
        repriced.changed_traces = u64::from(!ops.is_empty());
        if !repricing.dry_run {
            self.write_prices(trace.id, ops).await?;
        }
        Ok(repriced)
    }

    /// The span at the prices that hold now; `None` where it says the same.
    fn repriced(&self, head: &SpanHead) -> Result<Option<SpanHead>, Refusal> {
        let op = SpanOp { id: head.id, action: SpanAction::Reprice };
        Ok(match op.apply(Some(head), &self.context.rules())? {
            Effect::Changed(head) => Some(*head),
            Effect::Known => None,
        })
    }

    async fn write_prices(&self, id: TraceId, mut ops: Vec<SpanOp>) -> ServiceResult<()> {
        while !ops.is_empty() {
            let rest = ops.split_off(ops.len().min(SPANS_AT_ONCE));
            let write = TraceWrite { ops: std::mem::replace(&mut ops, rest), ..TraceWrite::default() };
            let written = self.context.store.write_trace(id, &write, &self.context.rules()).await?;
            // Who deletes a trace or a span meanwhile has nothing left to be priced.
            drop(written);
        }
        Ok(())
    }
}

impl Repricing {
    fn means(&self, head: &SpanHead) -> bool {
        let model = head.details.model.as_deref().unwrap_or_default();
        head.ledger.source.is_some()
            && (self.models.is_empty() || self.models.iter().any(|wanted| wanted.eq_ignore_ascii_case(model)))
    }
}

impl Repriced {
    /// Counts a span, as it was and as it is now. Whether it is to be written.
    fn look(&mut self, head: &SpanHead, new: Option<&SpanHead>) -> bool {
        if head.ledger.source == Some(CostSource::Reported) {
            self.reported_spans += 1;
            return false;
        }
        let (before, now) = (head.ledger.cost, new.map_or(head.ledger.cost, |new| new.ledger.cost));
        let costs = self.models.entry(head.details.model.clone().unwrap_or_default()).or_default();
        costs.spans += 1;
        costs.unknown_before += u64::from(before.is_none());
        costs.unknown_now += u64::from(now.is_none());
        costs.before = costs.before.plus(before.unwrap_or_default());
        costs.now = costs.now.plus(now.unwrap_or_default());
        if new.is_some() {
            *(if before == now { &mut self.confirmed_spans } else { &mut self.changed_spans }) += 1;
        }
        new.is_some()
    }

    fn add(&mut self, other: Self) {
        // Taken apart without `..`, so that a new count cannot be forgotten here.
        let Self { traces, changed_traces, changed_spans, confirmed_spans, reported_spans, models } = other;
        self.traces += traces;
        self.changed_traces += changed_traces;
        self.changed_spans += changed_spans;
        self.confirmed_spans += confirmed_spans;
        self.reported_spans += reported_spans;
        for (model, costs) in models {
            self.models.entry(model).or_default().add(&costs);
        }
    }

    /// All models together.
    #[must_use]
    pub fn total(&self) -> ModelCosts {
        let mut total = ModelCosts::default();
        self.models.values().for_each(|costs| total.add(costs));
        total
    }
}

impl ModelCosts {
    fn add(&mut self, other: &Self) {
        let Self { spans, unknown_before, unknown_now, before, now } = other;
        self.spans += spans;
        self.unknown_before += unknown_before;
        self.unknown_now += unknown_now;
        self.before = self.before.plus(*before);
        self.now = self.now.plus(*now);
    }
}
