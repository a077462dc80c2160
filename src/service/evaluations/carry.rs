//! Carrying evaluations on: which traces come next, many judged at the same time, and what came of them kept in the
//! order of the list, so that there is one place from which to go on.

use std::pin::pin;

use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};

use super::{AtWork, Evaluations, filter};
use crate::{
    live::Topic,
    model::{
        EvaluationId, Refusal, TraceId,
        component::ComponentRef,
        evaluations::{
            Evaluation, EvaluationError, EvaluationSkip, EvaluationStatus, EvaluationTarget, Outcome,
            Progress, Selection,
        },
        page::{Cursor, ListId},
        text::shortened,
        trace::share_of,
    },
    service::{
        ServiceError, ServiceResult,
        agents::patiently,
        evaluators::{Evaluated, Judgements, is_judging},
    },
    store::StoreError,
};

/// Traces of a list that are read at a time.
const PAGE: usize = 200;

/// Traces whose results are kept in one commit at most.
pub(super) const KEPT_AT_ONCE: usize = 64;

/// Spans that are in memory for each place, some 6 MB: see [`Evaluations::places_for`].
const SPANS_A_PLACE: u64 = 20_000;

/// Bytes of an error that an evaluation keeps.
const ERROR_BYTES: usize = 500;

/// Whether a sample takes a trace.
pub(super) fn is_sampled(trace: TraceId, sample: f64) -> bool {
    share_of(trace) < sample
}

/// A trace of a list, and the place behind it.
type Next = (TraceId, Option<String>);

/// Bytes of a place among traces by their start: the start, and the id. Cursors of whatever list end with them.
const PLACE_BYTES: usize = 24;

/// The place that an evaluation keeps.
fn kept_place(place: &[u8]) -> String {
    Cursor::new(ListId::of("traces of an evaluation"), place).encode()
}

/// That an evaluation is at work in this process.
struct Held<'a> {
    at_work: &'a AtWork,
    id: EvaluationId,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.at_work.evaluations.lock().remove(&self.id);
        self.at_work.left.notify_waiters();
    }
}

impl Evaluations {
    /// Goes on with the evaluations that are not over and that nobody is at: those of an earlier process, and those
    /// that the store failed. Answers how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resume(&self) -> ServiceResult<usize> {
        let unfinished = self.unfinished(self.context.evaluation.unfinished).await?;
        Ok(unfinished.into_iter().filter(|id| self.carry(*id)).count())
    }

    /// Carries an evaluation on beside everything else. Whether nobody did already.
    pub(super) fn carry(&self, id: EvaluationId) -> bool {
        if *self.at_work.closed.borrow() || !self.at_work.evaluations.lock().insert(id) {
            return false;
        }
        let evaluations = self.clone();
        tokio::spawn(async move {
            let _held = Held { at_work: &evaluations.at_work, id };
            let mut closed = evaluations.at_work.closed.subscribe();
            let carried = tokio::select! {
                carried = evaluations.carry_out(id) => carried,
                // It stays as it is: the next process goes on.
                _ = closed.wait_for(|closed| *closed) => Ok(()),
            };
            let ended = match carried {
                Ok(()) => return,
                Err(ServiceError::Refused(refusal)) => evaluations.end(id, Some(refusal.to_string())).await,
                Err(error) => Err(error),
            };
            if let Err(error) = ended {
                tracing::warn!(evaluation = %id, %error, "an evaluation does not go on for now");
            }
        });
        true
    }

    async fn carry_out(&self, id: EvaluationId) -> ServiceResult<()> {
        let Some(mut evaluation) = self.get_many(&[id]).await?.pop().flatten() else { return Ok(()) };
        if evaluation.status == EvaluationStatus::Pending {
            let selected = self.selected(&evaluation).await?;
            let now = self.context.now();
            let begun = self.keep(id, |evaluation| evaluation.begin(selected, now)).await?;
            let Some(begun) = begun else { return Ok(()) };
            evaluation = begun;
        }
        // What is judged meanwhile is dropped where it is stopped.
        let mut watch = self.context.hub.watch(Topic::Evaluation(id));
        let judged = self.traces_of(&evaluation).await?.map_ok(|next| self.judged(&evaluation, next));
        let mut judged =
            pin!(judged.try_buffered(self.context.evaluation.at_once).ready_chunks(KEPT_AT_ONCE));
        let mut seen = evaluation.revision;
        loop {
            if self.get_many(&[id]).await?.pop().flatten().is_none_or(|found| found.status.is_final()) {
                return Ok(());
            }
            let some = tokio::select! {
                some = judged.next() => some,
                newer = watch.beyond(seen) => {
                    seen = newer;
                    continue;
                }
            };
            let Some(some) = some else { return self.end(id, None).await };
            let mut progress = Progress::default();
            let mut failed = None;
            for one in some {
                match one {
                    Ok(one) => progress.add(one),
                    // What comes behind it in the list is not kept: it is gone on with from here.
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            let kept = self.keep(id, |evaluation| evaluation.progress(&progress)).await?;
            let Some(kept) = kept else { return Ok(()) };
            seen = kept.revision;
            if let Some(error) = failed {
                return Err(error);
            }
        }
    }

    /// How many traces are to be evaluated.
    async fn selected(&self, evaluation: &Evaluation) -> ServiceResult<u64> {
        let traces = self.traces_of(evaluation).await?;
        traces.try_fold(0_u64, |count, _| async move { Ok(count + 1) }).await
    }

    /// The traces that are still to be evaluated.
    async fn traces_of(
        &self,
        evaluation: &Evaluation,
    ) -> ServiceResult<BoxStream<'static, ServiceResult<Next>>> {
        let (condition, most) = match &evaluation.selection {
            Selection::Traces(ids) => {
                let done = usize::try_from(evaluation.done).unwrap_or(usize::MAX);
                let left: Vec<_> = ids.iter().skip(done).map(|id| Ok((*id, None))).collect();
                return Ok(stream::iter(left).boxed());
            }
            Selection::Filter { filter, limit } => {
                (filter::read(filter)?, limit.saturating_sub(evaluation.done))
            }
        };
        let after = evaluation.cursor.as_deref().map(Cursor::key_of).transpose()?;
        let place = after.as_deref().and_then(|key| key.last_chunk::<PLACE_BYTES>());
        // It was checked when it was asked for: that there is more by now does not end it.
        let walk = self.queries.walk(&condition, place.map(|place| place.to_vec())).await?;
        let pages = stream::try_unfold(walk, |mut walk| async move {
            let found = walk.next(PAGE).await?;
            ServiceResult::Ok(found.map(|found| (found, walk)))
        });
        let traces =
            pages.map_ok(|items| stream::iter(items.into_iter().map(ServiceResult::Ok))).try_flatten();
        let sample = evaluation.sample;
        let meant = traces.try_filter_map(move |(place, trace)| {
            let is_meant = is_sampled(trace.id, sample) && !is_judging(&trace);
            std::future::ready(Ok(is_meant.then(|| (trace.id, Some(kept_place(&place))))))
        });
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Ok(meant.take(most).boxed())
    }

    /// Has a trace judged by all evaluators.
    async fn judged(&self, evaluation: &Evaluation, (trace, cursor): Next) -> ServiceResult<Progress> {
        let Evaluation { evaluators, target, .. } = evaluation;
        let progress = self.judge_trace(evaluators, trace, target, Judgements::All).await?;
        Ok(Progress { cursor, ..progress })
    }

    /// Has a trace judged by evaluators, once there is a place for it. Where nothing was to be judged, it is not
    /// counted as done.
    pub(super) async fn judge_trace(
        &self,
        evaluators: &[ComponentRef],
        trace: TraceId,
        target: &EvaluationTarget,
        which: Judgements,
    ) -> ServiceResult<Progress> {
        let places = self.places_for(trace).await?;
        let _places = self.at_work.places.acquire_many(places).await.map_err(|_| StoreError::Closed)?;
        let judge = || self.evaluators.evaluate_all(evaluators, trace, target, which).boxed();
        let evaluated = patiently(judge).await?;
        let mut progress = Progress { done: u64::from(!evaluated.is_empty()), ..Progress::default() };
        for Evaluated { evaluator, span_id, outcome } in evaluated {
            progress.tally.count(&outcome);
            match outcome {
                Outcome::Scored { .. } => {}
                Outcome::Skipped(reason) => {
                    let skip = EvaluationSkip::new(evaluator, &reason, trace, span_id);
                    EvaluationSkip::add_to_first(&mut progress.skips, &[skip]);
                }
                Outcome::Failed(message) => {
                    let message = shortened(&message, ERROR_BYTES);
                    progress.errors.push(EvaluationError { trace_id: trace, span_id, evaluator, message });
                }
            }
        }
        Ok(progress)
    }

    /// The places that a trace takes: a large one takes several, because its spans are in memory while it is judged.
    async fn places_for(&self, trace: TraceId) -> ServiceResult<u32> {
        let found = patiently(|| async move { self.tracing.traces(&[trace]).await }.boxed()).await?;
        let spans = found.into_iter().flatten().map(|trace| trace.summary.span_count).sum::<u64>();
        let all = u32::try_from(self.context.evaluation.at_once).unwrap_or(u32::MAX).max(1);
        Ok(u32::try_from(1 + spans / SPANS_A_PLACE).unwrap_or(u32::MAX).min(all))
    }

    async fn end(&self, id: EvaluationId, error: Option<String>) -> ServiceResult<()> {
        let now = self.context.now();
        self.keep(id, |evaluation| evaluation.end(error.clone(), now)).await.map(drop)
    }

    /// Changes an evaluation that is not over, again where too much is going on; answers it as it stands. `None`: it was
    /// deleted.
    async fn keep(
        &self,
        id: EvaluationId,
        change: impl Fn(&mut Evaluation) + Send + Sync,
    ) -> ServiceResult<Option<Evaluation>> {
        let change = |evaluation: &mut Evaluation| {
            if !evaluation.status.is_final() {
                change(evaluation);
            }
            Ok(())
        };
        match patiently(|| self.change(id, &change).boxed()).await {
            Err(ServiceError::Refused(Refusal::NotFound { .. })) => Ok(None),
            kept => kept.map(Some),
        }
    }
}
