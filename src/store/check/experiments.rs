//! Experiments and their items.

use std::collections::HashMap;

use super::Check;
use crate::{
    model::{
        ExperimentId,
        experiment::{ExperimentStatus, ItemCounts},
    },
    store::{
        StoreResult,
        keyspace::{self, Deleted},
    },
};

impl Check<'_> {
    /// Experiments count what their items say, and those that go on are marked.
    pub(super) async fn experiments(&mut self) -> StoreResult<()> {
        let counted = self.experiment_items().await?;
        let mut from = None;
        while let Some(experiments) = self.page(keyspace::EXPERIMENT, &mut from).await? {
            let ids: Vec<_> = experiments.iter().map(|(_, id, _)| *id).collect();
            let marks = self.readable(keyspace::EXPERIMENT_RUN, &ids).await?;
            for ((raw, id, experiment), mark) in experiments.iter().zip(marks) {
                let counts = counted.get(id).copied().unwrap_or_default();
                if experiment.counts != (ItemCounts { total: experiment.counts.total, ..counts }) {
                    self.report.note("experiment", raw, "it does not count what its items say");
                }
                let goes_on = experiment.status == ExperimentStatus::Running || counts.running > 0;
                if goes_on && mark.is_none() {
                    self.report.note("experiment", raw, "it goes on, and nobody is to carry it out");
                }
            }
        }
        let mut from = None;
        while let Some(marks) = self.page(keyspace::EXPERIMENT_RUN, &mut from).await? {
            for (raw, id, _) in &marks {
                if self.readable_at(keyspace::EXPERIMENT, id).await?.is_none() {
                    self.report.note("experiment_run", raw, "there is no such experiment");
                }
            }
        }
        Ok(())
    }

    async fn experiment_items(&mut self) -> StoreResult<HashMap<ExperimentId, ItemCounts>> {
        let (mut from, mut counted) = (None, HashMap::<_, ItemCounts>::new());
        while let Some(items) = self.page(keyspace::EXPERIMENT_ITEM, &mut from).await? {
            let ids: Vec<_> = items.iter().map(|(_, key, _)| key.0).collect();
            let experiments = self.readable(keyspace::EXPERIMENT, &ids).await?;
            for ((raw, key, item), experiment) in items.iter().zip(experiments) {
                counted.entry(key.0).or_default().add(item.status);
                let Some(experiment) = experiment else {
                    if !self.is_deleted(Deleted::Experiment(key.0)).await? {
                        self.report.note("experiment_item", raw, "its experiment does not exist");
                    }
                    continue;
                };
                let is_of = item.item.dataset_id == experiment.dataset_id
                    && item.item.since <= experiment.dataset_version
                    && (1..=experiment.setup.repetitions).contains(&item.repetition);
                if !is_of || item.revision > experiment.revision {
                    self.report.note("experiment_item", raw, "it is no run of its experiment");
                }
            }
        }
        Ok(counted)
    }
}
