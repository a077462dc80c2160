//! What a trace tells, in the API: where its time went, what it cost, what went wrong.
//!
//! The figures are the model's, and `docs/analysis.md` defines them. Lists take `first`, because a trace may
//! have a hundred thousand spans.

mod failures;
mod figures;
mod growth;
mod health;
mod path;

use std::sync::Arc;

use async_graphql::{Context, Enum, Object};

pub(super) use self::figures::{CostCoverage, DistributionFigures, NANOS_A_MILLI, TokenFigures};
use self::{
    failures::{FailureFigures, RetryFigures, RetryTotalFigures},
    figures::{ModelFigures, OperationFigures, SpanFigures, ToolFigures, TraceFigures},
    growth::{ContextFigures, FirstTokenFigures},
    health::TreeFigures,
    path::{ConcurrencyFigures, CriticalPathFigures},
};
use super::{
    error::Result,
    page, request,
    scalar::{BigInt, DateTime, Given, millis},
};
use crate::{
    model::{self, analysis::TraceAnalysis as Analysis},
    service::tracing::TraceSpans,
};

/// What a trace tells.
#[derive(Clone)]
pub(super) struct TraceAnalysis {
    spans: Arc<TraceSpans>,
    analysis: Arc<Analysis>,
}

impl TraceAnalysis {
    /// What a trace tells that has been read.
    pub(super) fn of(ctx: &Context<'_>, spans: Arc<TraceSpans>) -> Result<Self> {
        let analysis = request::of(ctx)?.services.tracing.analysis(&spans);
        Ok(Self { spans, analysis })
    }

    /// The figures of the span at a place.
    pub(super) fn figures(&self, place: usize) -> Option<&model::analysis::SpanFigures> {
        self.analysis.spans.get(place)
    }

    fn span_figures(&self, places: impl IntoIterator<Item = usize>) -> Vec<SpanFigures> {
        places.into_iter().filter_map(|place| SpanFigures::at(self, place)).collect()
    }
}

/// Entries of a list of figures where the client names no number.
#[expect(clippy::unnecessary_wraps, reason = "the argument may be null")]
fn default_first() -> Option<Given<i32>> {
    Some(Given::from(10))
}

/// How many entries are asked for.
fn most(ctx: &Context<'_>, first: Option<Given<i32>>) -> Result<usize> {
    Ok(page::request(first, None, request::of(ctx)?.limits.most)?.first)
}

/// How slow a span is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum)]
enum Slowness {
    /// By what it did itself, while nothing below it was at work.
    #[default]
    SelfTime,
    /// By how long it took with all below it.
    Duration,
    /// By how long the trace waited for what it did itself.
    CriticalPath,
}

/// What a trace tells: where its time went, what it cost, what went wrong. Times of a trace that goes on count up to
/// `asOf`.
#[Object]
impl TraceAnalysis {
    /// Whether the trace goes on: spans that run count up to `asOf`, and every figure may change.
    async fn is_running(&self) -> bool {
        self.analysis.is_running
    }

    /// The moment up to which spans count that have no end: now, or the end of a trace that is over.
    async fn as_of(&self) -> DateTime {
        DateTime(self.analysis.as_of)
    }

    /// The revision of the trace that the figures are of.
    async fn revision(&self) -> BigInt {
        BigInt(self.spans.trace.revision)
    }

    /// From the start of the trace to `asOf`, in milliseconds.
    async fn duration_ms(&self) -> f64 {
        millis(self.analysis.duration_nanos)
    }

    /// What all spans come to.
    async fn totals(&self) -> TraceFigures {
        TraceFigures::from(&self.analysis.totals)
    }

    /// Spans by what kind of operation they are, those with the most self time first.
    async fn operations(&self) -> Vec<OperationFigures> {
        self.analysis.operations.iter().map(OperationFigures::from).collect()
    }

    /// Calls of models by model, those with the most self time first: `LLM_CALL`, `EMBEDDING` and `RERANK` spans,
    /// and of several that tell of one call the one that counts.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn models(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Models at most.", default_with = "default_first()")] first: Option<Given<i32>>,
    ) -> Result<Vec<ModelFigures>> {
        let most = most(ctx, first)?;
        Ok(self.analysis.models.iter().take(most).map(ModelFigures::from).collect())
    }

    /// Calls of tools by tool, those with the most self time first.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn tools(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Tools at most.", default_with = "default_first()")] first: Option<Given<i32>>,
    ) -> Result<Vec<ToolFigures>> {
        let most = most(ctx, first)?;
        Ok(self.analysis.tools.iter().take(most).map(ToolFigures::from).collect())
    }

    /// The spans that took longest, the longest first; none that took no time.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn slowest_spans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Spans at most.", default_with = "default_first()")] first: Option<Given<i32>>,
        #[graphql(desc = "By which time.", default)] by: Slowness,
    ) -> Result<Vec<SpanFigures>> {
        let nanos = |figures: &model::analysis::SpanFigures| match by {
            Slowness::SelfTime => figures.self_nanos,
            Slowness::Duration => figures.nanos,
            Slowness::CriticalPath => figures.path_nanos,
        };
        Ok(self.largest(most(ctx, first)?, |figures| Some(nanos(figures)).filter(|nanos| *nanos > 0)))
    }

    /// The spans at which most cost counts, or, where costs are not known, most tokens; the costliest first.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn costliest_spans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Spans at most.", default_with = "default_first()")] first: Option<Given<i32>>,
    ) -> Result<Vec<SpanFigures>> {
        let spent = |figures: &model::analysis::SpanFigures| {
            let tokens = figures.own.tokens.map(|tokens| tokens.total());
            (figures.own.cost.is_some() || tokens.is_some()).then_some((figures.own.cost, tokens))
        };
        Ok(self.largest(most(ctx, first)?, spent))
    }

    /// The chain of spans that the end of the trace waited for.
    async fn critical_path(&self) -> CriticalPathFigures {
        CriticalPathFigures(self.clone())
    }

    /// How many spans were at work at once.
    async fn concurrency(&self) -> ConcurrencyFigures {
        ConcurrencyFigures::from(&self.analysis.concurrency)
    }

    /// The span that was probably the first cause of what went wrong: of the failed spans with no failed span below
    /// them, the first to fail, and where the failure of some reached the top of the tree, the first of those. Null
    /// where nothing failed.
    async fn probable_origin(&self) -> Option<FailureFigures> {
        let failures = &self.analysis.failures;
        FailureFigures::at(self, failures.all.get(failures.origin?)?)
    }

    /// Spans that ended with an error, in the order in which they did; of those that failed at once, the deepest
    /// first.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn failures(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Spans at most.", default_with = "default_first()")] first: Option<Given<i32>>,
        #[graphql(desc = "Whether those are given too that have a failed span below them.", default = true)]
        repeats: bool,
    ) -> Result<Vec<FailureFigures>> {
        let meant = self.analysis.failures.all.iter().filter(|failure| repeats || !failure.is_repeat);
        let meant = meant.take(most(ctx, first)?);
        Ok(meant.filter_map(|failure| FailureFigures::at(self, failure)).collect())
    }

    /// What came of trying again, in numbers.
    async fn retry_totals(&self) -> RetryTotalFigures {
        RetryTotalFigures::of(&self.analysis.retries)
    }

    /// What failed and was tried again, in the order of the first attempts.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn retries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Retries at most.", default_with = "default_first()")] first: Option<Given<i32>>,
    ) -> Result<Vec<RetryFigures>> {
        let most = most(ctx, first)?;
        Ok(self.analysis.retries.iter().take(most).map(|retry| RetryFigures::of(self, retry)).collect())
    }

    /// How long models took to begin with their answers.
    async fn first_token(&self) -> FirstTokenFigures {
        FirstTokenFigures(self.clone())
    }

    /// How the input of models grew from call to call.
    async fn context(&self) -> ContextFigures {
        ContextFigures(self.clone())
    }

    /// How sound the tree is.
    async fn tree(&self) -> TreeFigures {
        TreeFigures(self.clone())
    }
}

impl TraceAnalysis {
    /// The spans with the largest of something, largest first; of two with as much, the first in the tree. Those
    /// that have none of it are left out.
    fn largest<T: Ord>(
        &self,
        most: usize,
        of: impl Fn(&model::analysis::SpanFigures) -> Option<T>,
    ) -> Vec<SpanFigures> {
        let places = self.analysis.spans.iter().enumerate();
        let mut places: Vec<_> = places.filter_map(|(place, figures)| Some((of(figures)?, place))).collect();
        places.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        self.span_figures(places.into_iter().take(most).map(|(_, place)| place))
    }
}
