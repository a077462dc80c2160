//! New traces: once one is over, the evaluators of the rules that mean it judge it.
//!
//! Judges take their time, and nobody else who follows traces should wait for them. So following only leaves a mark
//! ([`keyspace::EVALUATION_DUE`]), and the marks are worked off beside it. A trace may be marked more than once, after
//! a failure or because it went on: what has a score and has not changed since is not judged again. What came of a trace
//! is counted in the commit that takes its mark away.

use std::{collections::BTreeMap, num::NonZeroUsize, pin::pin, time::Duration};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use lru::LruCache;

use super::{
    Evaluations,
    carry::{KEPT_AT_ONCE, is_sampled},
    filter,
};
use crate::{
    model::{
        TraceId,
        evaluations::{EvaluationRule, Progress},
        query::TraceCondition,
        trace::Trace,
    },
    service::{
        ServiceError, ServiceResult,
        agents::patiently,
        evaluators::{Judgements, is_judging},
        followers::{Followed, Follower},
        tracing::row_tells,
    },
    store::{
        KeyRange, StoreError,
        key::Key,
        keyspace::{self, EvaluationDue},
    },
};

/// The code of rules for new traces among the followers.
const CODE: u8 = 20;

/// Nothing is kept that would have to be made anew: what was over before there was a rule is not judged by it.
const FORMAT: u32 = 1;

/// Marks that are worked off at a time.
const AT_ONCE: usize = 256;

/// How long after a failure it is tried again.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Traces of which it is known in which revision they were marked: some 100 bytes each.
const KNOWN: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// Traces that were marked, each with the revision: who follows may be told of one again and again, because another
/// follower fails.
pub(super) type Marked = LruCache<TraceId, u64>;

/// Room for the traces that were marked last.
pub(super) fn marked() -> Marked {
    LruCache::new(KNOWN)
}

/// A rule that is followed, with its condition read.
struct Rule {
    rule: EvaluationRule,
    condition: TraceCondition,
}

/// A trace that is due, with what its mark says.
type Mark = (TraceId, EvaluationDue);

/// What came of such a trace, by rule.
type Judged = (Mark, Vec<(String, Progress)>);

impl Rule {
    /// Whether it may mean a trace, by what its row tells.
    fn may_mean(&self, trace: &Trace) -> bool {
        is_sampled(trace.id, self.rule.sample) && row_tells(&self.condition, trace) != Some(false)
    }
}

impl Follower for Evaluations {
    fn code(&self) -> u8 {
        CODE
    }

    fn name(&self) -> &'static str {
        "evaluation rules"
    }

    fn format(&self) -> u32 {
        FORMAT
    }

    fn follow<'a>(&'a self, traces: &'a [Followed]) -> BoxFuture<'a, ServiceResult<()>> {
        self.mark_due(traces).boxed()
    }
}

impl Evaluations {
    /// Works off what is due, until it is aborted: whatever it is at can be cut off anywhere.
    pub fn run(&self) -> BoxFuture<'_, ()> {
        self.work().boxed()
    }

    async fn work(&self) {
        loop {
            let marked = self.at_work.marked.notified();
            match self.judge_due().await {
                Ok(_) => marked.await,
                // The server stops.
                Err(ServiceError::Store(StoreError::Closed)) => return,
                Err(error) => {
                    tracing::warn!(%error, "new traces are not evaluated yet");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    /// Has all traces judged that are due now, by the rules that mean them. Answers how many were looked at.
    ///
    /// # Errors
    /// When the store fails, or the server stops: what was not judged stays due. One trace that fails does not hold up
    /// the others.
    pub async fn judge_due(&self) -> ServiceResult<usize> {
        let _turn = self.at_work.turn.lock().await;
        let (mut count, mut range, mut failed) = (0, KeyRange::all(), None);
        loop {
            let page = self.context.store.chunk(keyspace::EVALUATION_DUE, range, AT_ONCE).await?;
            let Some(last) = page.items.last().map(|found| found.key) else {
                return failed.map_or(Ok(count), Err);
            };
            range = KeyRange::all().after(&last.encode());
            count += page.items.len();
            let marks: Vec<_> = page.items.into_iter().map(|found| (found.key, found.record)).collect();
            let mut closed = self.at_work.closed.subscribe();
            let error = tokio::select! {
                judged = self.judge_marked(&marks) => judged?,
                _ = closed.wait_for(|closed| *closed) => return Err(StoreError::Closed.into()),
            };
            failed = error.or(failed);
        }
    }

    /// Marks the traces that are over and that a rule may mean: what their rows do not tell is read by whoever judges.
    async fn mark_due(&self, traces: &[Followed]) -> ServiceResult<()> {
        let over = traces.iter().filter(|followed| followed.changed).filter_map(Followed::over);
        let over: Vec<_> = over.map(|spans| &spans.trace).filter(|trace| !is_judging(trace)).collect();
        if over.is_empty() {
            return Ok(());
        }
        let rules = self.followed_rules().await?;
        let is_new = |trace: &&Trace| self.at_work.known.lock().peek(&trace.id) != Some(&trace.revision);
        let meant =
            over.into_iter().filter(is_new).filter(|trace| rules.iter().any(|rule| rule.may_mean(trace)));
        let due: Vec<_> = meant.map(|trace| (trace.id, EvaluationDue { revision: trace.revision })).collect();
        if due.is_empty() {
            return Ok(());
        }
        let marks = &due;
        let marked = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                for (id, mark) in marks {
                    tx.put(keyspace::EVALUATION_DUE, id, mark)?;
                }
                Ok(())
            })
        });
        marked.await?;
        let mut known = self.at_work.known.lock();
        for (id, EvaluationDue { revision }) in due {
            known.put(id, revision);
        }
        drop(known);
        self.at_work.marked.notify_one();
        Ok(())
    }

    /// The rules that are followed.
    async fn followed_rules(&self) -> ServiceResult<Vec<Rule>> {
        let rules = self.rules().await?.into_iter().filter(|rule| rule.enabled);
        let read = |rule: EvaluationRule| match filter::read(&rule.filter) {
            Ok(condition) => Some(Rule { rule, condition }),
            Err(error) => {
                tracing::warn!(rule = rule.name, %error, "a rule for new traces cannot be followed");
                None
            }
        };
        Ok(rules.filter_map(read).collect())
    }

    /// Has traces judged that were marked, and keeps what came of it. Answers the last failure.
    async fn judge_marked(&self, marks: &[Mark]) -> ServiceResult<Option<ServiceError>> {
        let rules = &self.followed_rules().await?;
        let ids: Vec<_> = marks.iter().map(|(id, _)| *id).collect();
        let traces = self.tracing.traces(&ids).await?;
        let pairs = marks.iter().zip(traces);
        let judged: Vec<_> =
            pairs.map(|(mark, trace)| self.judge_mark(*mark, trace, rules).boxed()).collect();
        let at_once = self.context.evaluation.at_once.max(1);
        let mut judged = pin!(stream::iter(judged).buffer_unordered(at_once).ready_chunks(KEPT_AT_ONCE));
        let mut failed = None;
        while let Some(some) = judged.next().await {
            let mut done = Vec::with_capacity(some.len());
            for one in some {
                match one {
                    Ok(one) => done.push(one),
                    Err(error) => {
                        tracing::debug!(%error, "a new trace is not evaluated yet");
                        failed = Some(error);
                    }
                }
            }
            self.keep_judged(&done).await?;
        }
        Ok(failed)
    }

    /// Has a trace judged by the rules that mean it, one after another, so that an evaluator of several is asked once;
    /// answers what came of it by rule.
    async fn judge_mark(&self, mark: Mark, trace: Option<Trace>, rules: &[Rule]) -> ServiceResult<Judged> {
        let Some(trace) = trace.filter(|trace| trace.status.is_final()) else {
            return Ok((mark, Vec::new()));
        };
        let mut by_rule = Vec::new();
        for Rule { rule, condition } in rules.iter().filter(|rule| rule.may_mean(&trace)) {
            if self.queries.which(condition, &[&trace]).await?.first() != Some(&true) {
                continue;
            }
            let EvaluationRule { name, evaluators, target, .. } = rule;
            let progress = self.judge_trace(evaluators, trace.id, target, Judgements::Due).await?;
            by_rule.push((name.clone(), progress));
        }
        Ok((mark, by_rule))
    }

    /// Counts what came of traces, by rule, and takes their marks away unless they were marked again meanwhile.
    async fn keep_judged(&self, judged: &[Judged]) -> ServiceResult<()> {
        let mut by_rule: BTreeMap<String, Progress> = BTreeMap::new();
        let each = judged.iter().flat_map(|(_, by_rule)| by_rule);
        for (name, progress) in each.filter(|(_, progress)| progress.done > 0) {
            by_rule.entry(name.clone()).or_default().add(progress.clone());
        }
        let (names, progress): (Vec<_>, Vec<_>) = by_rule.into_iter().unzip();
        let ids: Vec<_> = judged.iter().map(|((id, _), _)| *id).collect();
        let (names, progress, ids) = (&names, &progress, &ids);
        let keep = || {
            let kept = self.context.store.transact::<_, ServiceError, _>(move |tx| {
                Box::pin(async move {
                    let rules = tx.get_many(keyspace::EVALUATION_RULE, names).await?;
                    for (rule, progress) in rules.into_iter().zip(progress) {
                        // One that was deleted meanwhile counts nothing any more.
                        let Some(mut rule) = rule else { continue };
                        rule.progress(progress.clone());
                        tx.put(keyspace::EVALUATION_RULE, &rule.name, &rule)?;
                    }
                    let marks = tx.get_many(keyspace::EVALUATION_DUE, ids).await?;
                    for (((id, known), _), mark) in judged.iter().zip(marks) {
                        if mark == Some(*known) {
                            tx.delete(keyspace::EVALUATION_DUE, id);
                        }
                    }
                    Ok(())
                })
            });
            kept.boxed()
        };
        patiently(keep).await
    }
}
