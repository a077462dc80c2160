//! New traces: once one is over, the evaluators of the rules that mean it judge it.
//!
//! Judges take their time, and nobody else who follows traces should wait for them. So following only leaves a mark
//! ([`keyspace::EVALUATION_DUE`]), and the marks are worked off beside it. A trace may be marked more than once, after
//! a failure or because it went on: what has a score that is newer than the trace is not judged again.

use std::{collections::HashMap, num::NonZeroUsize, time::Duration};

use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream};
use lru::LruCache;

use super::{Evaluations, carry::is_sampled, filter};
use crate::{
    model::{
        TraceId,
        component::ComponentRef,
        evaluations::{EvaluationRule, EvaluationTarget, Progress},
        query::TraceCondition,
        score::{Score, ScoreTarget},
        trace::Trace,
    },
    service::{
        ServiceError, ServiceResult,
        agents::patiently,
        evaluators::{is_judging, score_id},
        followers::{Followed, Follower},
        scores::Scores,
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

/// A trace that a rule means, and the evaluators that are to judge it.
struct Due {
    rule: String,
    trace: TraceId,
    target: EvaluationTarget,
    evaluators: Vec<ComponentRef>,
}

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
    /// When the store fails, or the server stops: the rest stays due.
    pub async fn judge_due(&self) -> ServiceResult<usize> {
        let _turn = self.at_work.turn.lock().await;
        let (mut count, mut range) = (0, KeyRange::all());
        loop {
            let page = self.context.store.chunk(keyspace::EVALUATION_DUE, range, AT_ONCE).await?;
            let Some(last) = page.items.last().map(|found| found.key) else { return Ok(count) };
            range = KeyRange::all().after(&last.encode());
            count += page.items.len();
            let marks: Vec<_> = page.items.into_iter().map(|found| (found.key, found.record)).collect();
            let mut closed = self.at_work.closed.subscribe();
            let judged = tokio::select! {
                judged = self.judge_marked(&marks) => judged?,
                _ = closed.wait_for(|closed| *closed) => return Err(StoreError::Closed.into()),
            };
            for (name, progress) in judged {
                self.keep_progress(name, progress).await?;
            }
            self.clear(&marks).await?;
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

    /// Has traces judged that were marked; answers what came of it by rule.
    async fn judge_marked(
        &self,
        marks: &[(TraceId, EvaluationDue)],
    ) -> ServiceResult<HashMap<String, Progress>> {
        let rules = self.followed_rules().await?;
        let ids: Vec<_> = marks.iter().map(|(id, _)| *id).collect();
        let traces: Vec<_> = self.tracing.traces(&ids).await?.into_iter().flatten().collect();
        let mut due = Vec::new();
        for rule in rules {
            let over = traces.iter().filter(|trace| trace.status.is_final());
            let sampled: Vec<_> = over.filter(|trace| is_sampled(trace.id, rule.rule.sample)).collect();
            let meant = self.queries.which(&rule.condition, &sampled).await?;
            for trace in sampled.iter().zip(meant).filter_map(|(trace, is_meant)| is_meant.then_some(*trace))
            {
                let evaluators = self.not_judged(&rule.rule, trace).await?;
                let (rule, target) = (rule.rule.name.clone(), rule.rule.target.clone());
                due.push(Due { rule, trace: trace.id, target, evaluators });
            }
        }
        due.retain(|due| !due.evaluators.is_empty());
        let at_once = self.context.evaluation.at_once.max(1);
        let mut judged = stream::iter(due).map(|due| self.judge_one(due).boxed()).buffer_unordered(at_once);
        let mut by_rule: HashMap<String, Progress> = HashMap::new();
        while let Some((name, progress)) = judged.try_next().await? {
            by_rule.entry(name).or_default().add(progress);
        }
        Ok(by_rule)
    }

    /// The evaluators of a rule that have not judged a trace since it last changed. Of spans all: which of them were
    /// judged is not worth a look at each.
    async fn not_judged(&self, rule: &EvaluationRule, trace: &Trace) -> ServiceResult<Vec<ComponentRef>> {
        if rule.target != EvaluationTarget::Trace {
            return Ok(rule.evaluators.clone());
        }
        let target = ScoreTarget::Trace(trace.id);
        let ids: Vec<_> = rule.evaluators.iter().map(|evaluator| score_id(evaluator, &target)).collect();
        let scores = Scores::new(self.context.clone()).get_many(&ids).await?;
        let is_due =
            |score: Option<Score>| score.is_none_or(|score| score.created_at < trace.last_activity_at);
        let pairs = rule.evaluators.iter().zip(scores);
        Ok(pairs.filter_map(|(evaluator, score)| is_due(score).then(|| evaluator.clone())).collect())
    }

    async fn judge_one(&self, due: Due) -> ServiceResult<(String, Progress)> {
        let Due { rule, trace, target, evaluators } = due;
        Ok((rule, self.judge_trace(&evaluators, trace, &target).await?))
    }

    async fn keep_progress(&self, name: String, progress: Progress) -> ServiceResult<()> {
        let (name, progress) = (&name, &progress);
        let keep = || {
            let kept = self.context.store.transact::<_, ServiceError, _>(move |tx| {
                Box::pin(async move {
                    // A rule that was deleted meanwhile counts nothing any more.
                    if let Some(mut rule) = tx.get(keyspace::EVALUATION_RULE, name).await? {
                        rule.progress(progress.clone());
                        tx.put(keyspace::EVALUATION_RULE, name, &rule)?;
                    }
                    Ok(())
                })
            });
            kept.boxed()
        };
        patiently(keep).await
    }

    /// Removes marks, unless their traces were marked again meanwhile.
    async fn clear(&self, done: &[(TraceId, EvaluationDue)]) -> ServiceResult<()> {
        let ids = &done.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        let clear = || {
            let cleared = self.context.store.transact::<_, ServiceError, _>(move |tx| {
                Box::pin(async move {
                    let marks = tx.get_many(keyspace::EVALUATION_DUE, ids).await?;
                    for ((id, known), mark) in done.iter().zip(marks) {
                        if mark == Some(*known) {
                            tx.delete(keyspace::EVALUATION_DUE, id);
                        }
                    }
                    Ok(())
                })
            });
            cleared.boxed()
        };
        patiently(clear).await
    }
}
