//! Evaluations: evaluators over traces that are there, in the background, and rules for those that come.
//!
//! An evaluation is a record that says how far it is, so that one that was cut off with its process is gone on with
//! by the next. A judgement replaces the one before it, so what is judged twice is not counted as two.

mod carry;
mod delete;
mod filter;
mod follow;
mod list;
mod live;
mod rules;

use std::{collections::HashSet, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, watch};

pub use self::{
    filter::shown as shown_condition, list::EvaluationFilter, live::EvaluationProgress,
    rules::NewEvaluationRule,
};
use super::{Context, ServiceError, ServiceResult, evaluators::Evaluators, query::Queries, tracing::Tracing};
use crate::{
    model::{
        EvaluationId, Refusal, TraceId,
        component::{ComponentRef, VersionSelector},
        evaluations::{Evaluation, EvaluationStatus, EvaluationTarget, Selection, Tally, checked_sample},
        query::TraceCondition,
        refusal::Entity,
    },
    store::{Touched, Tx, keyspace},
};

/// How much is evaluated at once.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Traces that are judged at the same time, over all evaluations and rules; those with more than 20,000 spans count
    /// for several. Each holds its spans in memory, and a judge may ask a model for each.
    pub at_once: usize,
    /// Evaluations that may be under way, those that wait included.
    pub unfinished: usize,
    /// Traces that one evaluation may be given by their ids: they stand in its record, which is written again with
    /// each step.
    pub traces_by_id: usize,
    /// Traces of one evaluation at most. More are evaluated a month or a sample at a time.
    pub traces: u64,
    /// Evaluators of one evaluation, or of one rule.
    pub evaluators: usize,
    /// Spans of one trace that are judged one by one.
    pub spans: usize,
    /// Rules for new traces: each is held against every trace that ends.
    pub rules: usize,
    /// Bytes of one thing that a judge is shown: what costs money, and what models can read.
    pub judge_bytes: usize,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self {
            at_once: 8,
            unfinished: 100,
            traces_by_id: 1_000,
            traces: 1_000_000,
            evaluators: 20,
            spans: 1_000,
            rules: 100,
            judge_bytes: 256 << 10,
        }
    }
}

/// Use cases of evaluations. Cheap to clone.
#[derive(Clone)]
pub struct Evaluations {
    context: Context,
    evaluators: Evaluators,
    tracing: Tracing,
    queries: Queries,
    at_work: Arc<AtWork>,
}

/// What this process evaluates.
struct AtWork {
    /// A place for each trace that may be judged at the same time.
    places: Semaphore,
    evaluations: Mutex<HashSet<EvaluationId>>,
    /// Told when an evaluation is left.
    left: Notify,
    /// Told when a new trace is due.
    marked: Notify,
    /// New traces that were marked as due.
    known: Mutex<follow::Marked>,
    /// Held by the one who has new traces judged.
    turn: tokio::sync::Mutex<()>,
    /// Whether no more is judged.
    closed: watch::Sender<bool>,
}

/// An evaluation that is asked for.
#[derive(Debug, Clone)]
pub struct NewEvaluation {
    /// The id, where the caller chooses it.
    pub id: Option<EvaluationId>,
    /// What people call it.
    pub name: Option<String>,
    /// The evaluators, and which version of each.
    pub evaluators: Vec<(String, VersionSelector)>,
    /// Which traces.
    pub traces: TraceSelection,
    /// What of each is judged.
    pub target: EvaluationTarget,
    /// The share of the traces that is evaluated, chosen by a hash of their ids.
    pub sample: f64,
}

/// Which traces are evaluated.
#[derive(Debug, Clone)]
pub enum TraceSelection {
    /// These.
    Traces(Vec<TraceId>),
    /// Those that fulfil a condition, the newest first.
    Filter {
        /// The condition.
        condition: TraceCondition,
        /// Traces at most; `None`: as many as one evaluation may have.
        limit: Option<u64>,
    },
}

impl Evaluations {
    /// The use cases over one context.
    #[must_use]
    pub fn new(context: Context, evaluators: Evaluators) -> Self {
        let at_work = AtWork {
            places: Semaphore::new(context.evaluation.at_once.clamp(1, Semaphore::MAX_PERMITS)),
            evaluations: Mutex::default(),
            left: Notify::new(),
            marked: Notify::new(),
            known: Mutex::new(follow::marked()),
            turn: tokio::sync::Mutex::default(),
            closed: watch::Sender::new(false),
        };
        let (tracing, queries) = (Tracing::new(context.clone()), Queries::new(context.clone()));
        Self { evaluators, tracing, queries, at_work: Arc::new(at_work), context }
    }

    /// Begins an evaluation, which goes on in the background. Durable when it returns.
    pub async fn start(&self, new: NewEvaluation) -> ServiceResult<Evaluation> {
        let NewEvaluation { id, name, evaluators, traces, target, sample } = new;
        self.context.limits.optional_name("name", name.as_deref())?;
        let sample = checked_sample("sample", sample)?;
        let evaluators = self.evaluators_of(&evaluators).await?;
        self.check_target(&target)?;
        let now = self.context.now();
        let selection = self.selection(traces, sample).await?;
        let evaluation = &Evaluation {
            id: id.unwrap_or_else(|| self.context.new_id()),
            name,
            evaluators,
            selection,
            target,
            sample,
            status: EvaluationStatus::Pending,
            created_at: now,
            started_at: None,
            ended_at: None,
            error_message: None,
            selected: None,
            done: 0,
            tally: Tally::default(),
            cursor: None,
            errors: Vec::new(),
            revision: 1,
            skips: Vec::new(),
        };
        let most = self.context.evaluation.unfinished;
        if self.unfinished(most).await?.len() >= most {
            let message = format!("{most} evaluations are under way; wait until one is over, or cancel one");
            return Err(Refusal::limit("evaluators", message).into());
        }
        let started = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                if tx.get(keyspace::EVALUATION, &evaluation.id).await?.is_some() {
                    let taken = Refusal::already_exists("evaluationId", Entity::Evaluation, evaluation.id);
                    return Err(taken.into());
                }
                put(tx, None, evaluation)
            })
        });
        started.await?;
        self.carry(evaluation.id);
        Ok(evaluation.clone())
    }

    /// Stops an evaluation. What it judged stays.
    pub async fn cancel(&self, id: EvaluationId) -> ServiceResult<Evaluation> {
        let now = self.context.now();
        self.change(id, |evaluation| evaluation.cancel(now)).await
    }

    /// The evaluations with these ids, in their order: one call to the engine.
    pub async fn get_many(&self, ids: &[EvaluationId]) -> ServiceResult<Vec<Option<Evaluation>>> {
        Ok(self.context.store.get_many(keyspace::EVALUATION, ids).await?)
    }

    /// Stops judging, because the server stops. Evaluations are gone on with by the next.
    pub async fn stop(&self) {
        self.at_work.closed.send_replace(true);
        loop {
            let left = self.at_work.left.notified();
            if self.at_work.evaluations.lock().is_empty() {
                return;
            }
            left.await;
        }
    }

    /// The versions of evaluators that are meant, each once.
    async fn evaluators_of(
        &self,
        evaluators: &[(String, VersionSelector)],
    ) -> ServiceResult<Vec<ComponentRef>> {
        if evaluators.is_empty() {
            return Err(Refusal::invalid("evaluators", "name at least one evaluator").into());
        }
        self.context.limits.count("evaluators", evaluators.len(), self.context.evaluation.evaluators)?;
        let mut found = Vec::with_capacity(evaluators.len());
        for (index, (id, version)) in evaluators.iter().enumerate() {
            let resolved = self.evaluators.resolve(id, version).await;
            let (reference, _) = resolved.map_err(|error| error.below(&format!("evaluators.{index}")))?;
            if !found.contains(&reference) {
                found.push(reference);
            }
        }
        Ok(found)
    }

    fn check_target(&self, target: &EvaluationTarget) -> Result<(), Refusal> {
        match target {
            EvaluationTarget::Trace => Ok(()),
            EvaluationTarget::Spans(selector) => {
                selector.check(&self.context.limits).map_err(|refusal| refusal.below("target.spans"))
            }
        }
    }

    async fn selection(&self, traces: TraceSelection, sample: f64) -> ServiceResult<Selection> {
        let config = &self.context.evaluation;
        match traces {
            TraceSelection::Traces(ids) => {
                if ids.len() > config.traces_by_id {
                    let message = format!(
                        "{} ids, {} are allowed; name more traces by a filter",
                        ids.len(),
                        config.traces_by_id
                    );
                    return Err(Refusal::limit("traces.ids", message).into());
                }
                let mut seen = HashSet::new();
                let sampled = ids.into_iter().filter(|id| seen.insert(*id) && carry::is_sampled(*id, sample));
                Ok(Selection::Traces(sampled.collect()))
            }
            TraceSelection::Filter { condition, limit } => {
                let limit = limit.unwrap_or(config.traces);
                if !(1..=config.traces).contains(&limit) {
                    let message = format!("{limit} is not from 1 to {}", config.traces);
                    return Err(Refusal::invalid("traces.filter.limit", message).into());
                }
                // What starts from now on is not there yet.
                let now = self.context.now().plus_nanos(1);
                let condition = condition.and(TraceCondition::Started { from: None, before: Some(now) });
                let checked = self.queries.check(&condition).await;
                checked.map_err(|error| error.below("traces.filter"))?;
                Ok(Selection::Filter { filter: filter::written(&condition), limit })
            }
        }
    }

    /// Changes an evaluation, as a rule of the model says.
    async fn change(
        &self,
        id: EvaluationId,
        change: impl Fn(&mut Evaluation) -> Result<(), Refusal> + Send + Sync,
    ) -> ServiceResult<Evaluation> {
        let change = &change;
        let changed = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let old = tx.get(keyspace::EVALUATION, &id).await?;
                let old = old.ok_or_else(|| Refusal::not_found("evaluationId", Entity::Evaluation, id))?;
                let mut new = old.clone();
                change(&mut new)?;
                if new != old {
                    put(tx, Some(&old), &new)?;
                }
                Ok(new)
            })
        });
        changed.await
    }
}

fn put(tx: &mut Tx<'_>, old: Option<&Evaluation>, new: &Evaluation) -> ServiceResult<()> {
    tx.put_indexed(old, new)?;
    tx.touch(Touched::Evaluation { id: new.id, revision: new.revision });
    Ok(())
}
