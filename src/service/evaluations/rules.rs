//! Rules for new traces: setting, deleting and listing them. What they mean is judged in `follow`.

use super::{Evaluations, filter};
use crate::{
    model::{
        Refusal,
        component::VersionSelector,
        evaluations::{EvaluationRule, EvaluationTarget, Tally, checked_sample},
        query::TraceCondition,
        refusal::Entity,
    },
    service::{ServiceError, ServiceResult},
    store::{KeyRange, keyspace},
};

/// A rule that is to hold from now on.
#[derive(Debug, Clone)]
pub struct NewEvaluationRule {
    /// What people call it: it takes the place of the rule that has this name.
    pub name: String,
    /// The evaluators, and which version of each.
    pub evaluators: Vec<(String, VersionSelector)>,
    /// Which traces. One that looks for a text is refused.
    pub condition: TraceCondition,
    /// What of each is judged.
    pub target: EvaluationTarget,
    /// The share of the traces that is evaluated, chosen by a hash of their ids.
    pub sample: f64,
    /// Whether it is followed.
    pub enabled: bool,
}

/// Refuses a condition that looks for a text.
fn refuse_texts(condition: &TraceCondition) -> Result<(), Refusal> {
    if condition.texts().is_empty() {
        return Ok(());
    }
    let message = "a rule cannot look for a `text`: texts are found a moment after a trace is over, when rules have \
                   judged it. Ask for a `name`, or for a `span` with an `attribute` that contains it, or evaluate \
                   traces by their texts with `startEvaluation`";
    Err(Refusal::invalid("where", message))
}

impl Evaluations {
    /// Sets a rule, in place of the one that has its name, whose counts it keeps. Durable when it returns.
    pub async fn set_rule(&self, new: NewEvaluationRule) -> ServiceResult<EvaluationRule> {
        let NewEvaluationRule { name, evaluators, condition, target, sample, enabled } = new;
        self.context.limits.name("name", &name)?;
        let sample = checked_sample("sample", sample)?;
        let evaluators = self.evaluators_of(&evaluators).await?;
        self.check_target(&target)?;
        refuse_texts(&condition)?;
        let now = self.context.now();
        let rule = &EvaluationRule {
            name,
            evaluators,
            filter: filter::written(&condition),
            target,
            sample,
            enabled,
            created_at: now,
            updated_at: now,
            done: 0,
            tally: Tally::default(),
            errors: Vec::new(),
            skips: Vec::new(),
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
                    let EvaluationRule { created_at, done, tally, errors, skips, .. } = known;
                    rule = EvaluationRule { created_at, done, tally, errors, skips, ..rule };
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
}
