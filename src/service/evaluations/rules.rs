//! Rules for new traces: once one is over, the evaluators of the rules that mean it judge it.
//!
//! A trace may be told of more than once, after a failure or because it went on: what was judged since it last
//! changed is not judged again.

use std::collections::HashMap;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::{Evaluations, carry::is_sampled, filter};
use crate::{
    model::{
        Refusal, TraceId,
        component::{ComponentRef, VersionSelector},
        evaluation::{EvaluationRule, EvaluationTarget, Progress, Tally, checked_sample},
        refusal::Entity,
        score::ScoreTarget,
        trace::Trace,
    },
    service::{
        ServiceError, ServiceResult,
        agents::patiently,
        evaluators::{is_judging, score_id},
        scores::Scores,
        tracing::TraceFilter,
    },
    store::{KeyRange, StoreError, keyspace},
};

/// A rule that is to hold from now on.
#[derive(Debug, Clone)]
pub struct NewEvaluationRule {
    /// What people call it: it takes the place of the rule that has this name.
    pub name: String,
    /// The evaluators, and which version of each.
    pub evaluators: Vec<(String, VersionSelector)>,
    /// Which traces.
    pub filter: TraceFilter,
    /// What of each is judged.
    pub target: EvaluationTarget,
    /// The share of the traces that is evaluated, chosen by a hash of their ids.
    pub sample: f64,
    /// Whether it is followed.
    pub enabled: bool,
}

/// A trace that a rule means.
struct Due<'a> {
    rule: &'a EvaluationRule,
    trace: TraceId,
    evaluators: Vec<ComponentRef>,
}

impl Evaluations {
    /// Sets a rule, in place of the one that has its name, whose counts it keeps. Durable when it returns.
    pub async fn set_rule(&self, new: NewEvaluationRule) -> ServiceResult<EvaluationRule> {
        let NewEvaluationRule { name, evaluators, filter, target, sample, enabled } = new;
        self.context.limits.name("name", &name)?;
        let sample = checked_sample("sample", sample)?;
        let evaluators = self.evaluators_of(&evaluators).await?;
        self.check_target(&target)?;
        let now = self.context.now();
        let rule = &EvaluationRule {
            name,
            evaluators,
            filter: filter::written(&filter)?,
            target,
            sample,
            enabled,
            created_at: now,
            updated_at: now,
            done: 0,
            tally: Tally::default(),
            errors: Vec::new(),
        };
        let most = self.context.evaluation.rules;
        let others = self.rules().await?.into_iter().filter(|other| other.name != rule.name).count();
        if others >= most {
            let message = format!("there are {most} rules, which is the most; delete one");
            return Err(Refusal::limit("name", message).into());
        }
        let set = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let mut rule = rule.clone();
                if let Some(known) = tx.get(keyspace::EVALUATION_RULE, &rule.name).await? {
                    let EvaluationRule { created_at, done, tally, errors, .. } = known;
                    rule = EvaluationRule { created_at, done, tally, errors, ..rule };
                }
                tx.put(keyspace::EVALUATION_RULE, &rule.name, &rule)?;
                Ok(rule)
            })
        });
        set.await
    }

    /// Removes a rule; answers it as it stood. The scores stay that were given by it.
    pub async fn delete_rule(&self, name: &str) -> ServiceResult<EvaluationRule> {
        let name = &name.to_owned();
        let deleted = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let found = tx.get(keyspace::EVALUATION_RULE, name).await?;
                let found = found.ok_or_else(|| Refusal::not_found("name", Entity::EvaluationRule, name))?;
                tx.delete(keyspace::EVALUATION_RULE, name);
                Ok(found)
            })
        });
        deleted.await
    }

    /// The rules with these names, in their order: one call to the engine.
    pub async fn rules_named(&self, names: &[String]) -> ServiceResult<Vec<Option<EvaluationRule>>> {
        Ok(self.context.store.get_many(keyspace::EVALUATION_RULE, names).await?)
    }

    /// All rules, by name: there are few.
    pub async fn rules(&self) -> ServiceResult<Vec<EvaluationRule>> {
        let most = self.context.evaluation.rules.saturating_add(1);
        let page = self.context.store.chunk(keyspace::EVALUATION_RULE, KeyRange::all(), most).await?;
        Ok(page.items.into_iter().map(|found| found.record).collect())
    }

    /// Has traces judged that are over, by the evaluators of the rules that mean them. Asked again with the same
    /// traces, it does what is missing.
    ///
    /// # Errors
    /// When the store fails, or the server stops: then some may not be judged.
    pub async fn follow(&self, traces: &[Trace]) -> ServiceResult<()> {
        let mut rules = self.rules().await?;
        rules.retain(|rule| rule.enabled);
        let due = self.due(&rules, traces).await?;
        if due.is_empty() {
            return Ok(());
        }
        let mut closed = self.at_work.closed.subscribe();
        let judged = tokio::select! {
            judged = self.judge_due(due) => judged?,
            _ = closed.wait_for(|closed| *closed) => return Err(StoreError::Closed.into()),
        };
        for (name, progress) in judged {
            self.keep_progress(&name, &progress).await?;
        }
        Ok(())
    }

    /// What the rules mean of these traces, and is not judged since they changed.
    async fn due<'a>(&self, rules: &'a [EvaluationRule], traces: &[Trace]) -> ServiceResult<Vec<Due<'a>>> {
        let mut due = Vec::new();
        let over: Vec<_> =
            traces.iter().filter(|trace| trace.status.is_final() && !is_judging(trace)).collect();
        for rule in rules {
            let filter = match filter::read(&rule.filter) {
                Ok(filter) => filter,
                Err(error) => {
                    tracing::warn!(rule = rule.name, %error, "a rule for new traces cannot be followed");
                    continue;
                }
            };
            for trace in
                over.iter().filter(|trace| is_sampled(trace.id, rule.sample) && filter.matches(trace))
            {
                let evaluators = self.not_judged(rule, trace).await?;
                if !evaluators.is_empty() {
                    due.push(Due { rule, trace: trace.id, evaluators });
                }
            }
        }
        Ok(due)
    }

    /// The evaluators of a rule that have not judged a trace since it last changed.
    async fn not_judged(&self, rule: &EvaluationRule, trace: &Trace) -> ServiceResult<Vec<ComponentRef>> {
        if rule.target != EvaluationTarget::Trace {
            return Ok(rule.evaluators.clone());
        }
        let target = ScoreTarget::Trace(trace.id);
        let ids: Vec<_> = rule.evaluators.iter().map(|evaluator| score_id(evaluator, &target)).collect();
        let scores = Scores::new(self.context.clone()).get_many(&ids).await?;
        let is_due = |score: &Option<crate::model::score::Score>| {
            score.as_ref().is_none_or(|score| score.created_at < trace.last_activity_at)
        };
        let pairs = rule.evaluators.iter().zip(scores);
        Ok(pairs.filter(|(_, score)| is_due(score)).map(|(evaluator, _)| evaluator.clone()).collect())
    }

    /// Judges what is due, many at the same time; answers what came of it by rule.
    async fn judge_due(&self, due: Vec<Due<'_>>) -> ServiceResult<HashMap<String, Progress>> {
        let at_once = self.context.evaluation.at_once.max(1);
        let mut judged = stream::iter(due).map(|due| self.judge_one(due)).buffer_unordered(at_once);
        let mut by_rule: HashMap<String, Progress> = HashMap::new();
        while let Some((name, progress)) = judged.try_next().await? {
            by_rule.entry(name).or_default().add(progress);
        }
        Ok(by_rule)
    }

    async fn judge_one(&self, due: Due<'_>) -> ServiceResult<(String, Progress)> {
        let progress = self.judge_trace(&due.evaluators, due.trace, &due.rule.target).await?;
        Ok((due.rule.name.clone(), progress))
    }

    async fn keep_progress(&self, name: &String, progress: &Progress) -> ServiceResult<()> {
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
}
