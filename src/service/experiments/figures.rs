//! The figures of experiments, read from the traces of their runs: so what was judged or priced anew counts as it does
//! now.

use super::Experiments;
use crate::{
    model::{
        ExperimentId, Refusal,
        experiment::{
            Comparison, Experiment, ExperimentItem, ExperimentSummary, ItemStatus, RunFigures, Sheet, compare,
        },
        refusal::Entity,
        score::ScoreTarget,
        trace::Trace,
    },
    service::ServiceResult,
};

/// Runs whose figures are read at a time.
const AT_ONCE: usize = 1_000;

impl Experiments {
    /// What the runs of an experiment add up to so far: a few calls to the engine for every thousand of them.
    pub async fn summary(&self, experiment: &Experiment) -> ServiceResult<ExperimentSummary> {
        let items = self.all_items(experiment.id).await?;
        let figures = self.figures(&items).await?;
        let errors = items.iter().map(|item| item.evaluator_errors.len() as u64).sum();
        Ok(ExperimentSummary::of(experiment.counts, &figures, errors))
    }

    /// Two experiments over the same dataset side by side.
    pub async fn compare(
        &self,
        a: ExperimentId,
        b: ExperimentId,
    ) -> ServiceResult<(Experiment, Experiment, Comparison)> {
        let mut found = self.get_many(&[a, b]).await?.into_iter();
        let missing = |field, id| Refusal::not_found(field, Entity::Experiment, id);
        let first = found.next().flatten().ok_or_else(|| missing("a", a))?;
        let second = found.next().flatten().ok_or_else(|| missing("b", b))?;
        if first.dataset_id != second.dataset_id {
            let message = "is over another dataset than `a`: they have no items in common";
            return Err(Refusal::invalid("b", message).into());
        }
        let comparison = compare(self.sheet(a).await?, self.sheet(b).await?);
        Ok((first, second, comparison))
    }

    async fn sheet(&self, id: ExperimentId) -> ServiceResult<Sheet> {
        let items = self.all_items(id).await?;
        let figures = self.figures(&items).await?;
        let mut sheet = Sheet::new();
        for (item, figures) in items.into_iter().zip(figures) {
            sheet.entry(item.item).or_default().add(item, &figures);
        }
        Ok(sheet)
    }

    /// The figures of runs, in their order.
    async fn figures(&self, items: &[ExperimentItem]) -> ServiceResult<Vec<RunFigures>> {
        let mut figures = Vec::with_capacity(items.len());
        for items in items.chunks(AT_ONCE) {
            let ids: Vec<_> = items.iter().map(|item| item.trace_id).collect();
            let targets: Vec<_> = ids.iter().copied().map(ScoreTarget::Trace).collect();
            let traces = self.tracing.traces(&ids).await?;
            let scores = self.scores.of_targets(&targets).await?;
            for ((item, trace), scores) in items.iter().zip(traces).zip(scores) {
                let scores = scores.into_iter().map(|score| (score.name, score.value)).collect();
                figures.push(RunFigures { scores, ..figures_of(item.status, trace) });
            }
        }
        Ok(figures)
    }
}

/// The figures of a run by its trace. Of one that goes on they are not known yet.
fn figures_of(status: ItemStatus, trace: Option<Trace>) -> RunFigures {
    let is_over = status != ItemStatus::Running;
    let trace = trace.filter(|trace| is_over && trace.status.is_final());
    RunFigures {
        status: Some(status),
        duration_nanos: trace.as_ref().and_then(|trace| Some(trace.end_time?.nanos_since(trace.start_time))),
        tokens: trace.as_ref().map(|trace| trace.summary.tokens.total()),
        cost: trace.filter(|trace| trace.summary.cost_known).map(|trace| trace.summary.cost),
        scores: Vec::new(),
    }
}
