//! Reading experiments and their items.

use super::Experiments;
use crate::{
    model::{
        DatasetId, ExperimentId,
        experiment::{Experiment, ExperimentItem, ExperimentStatus, ItemStatus},
        page::{ListId, Page, PageRequest},
    },
    service::{
        ServiceResult,
        listing::{self, Listing, Stretch},
    },
    store::{Direction, KeyRange, key::Key, keyspace, prefix},
};

/// Which experiments. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ExperimentFilter {
    /// Over this dataset.
    pub dataset_id: Option<DatasetId>,
    /// In one of these states; empty: in any.
    pub statuses: Vec<ExperimentStatus>,
    /// Of this agent's component.
    pub agent_id: Option<String>,
    /// With this text in its name, whatever the case of its letters.
    pub name_contains: Option<String>,
}

impl ExperimentFilter {
    fn matches(&self, experiment: &Experiment) -> bool {
        let Self { dataset_id, statuses, agent_id, name_contains } = self;
        dataset_id.is_none_or(|id| experiment.dataset_id == id)
            && (statuses.is_empty() || statuses.contains(&experiment.status))
            && agent_id.as_ref().is_none_or(|id| experiment.setup.agent.component_id == *id)
            && name_contains
                .as_ref()
                .is_none_or(|text| experiment.name.to_lowercase().contains(&text.to_lowercase()))
    }

    fn listing(&self) -> Listing {
        let (index, range) = match self.dataset_id {
            Some(id) => (keyspace::EXPERIMENT_BY_DATASET.name, prefix(&id)),
            None => (keyspace::EXPERIMENT_BY_CREATION.name, KeyRange::all()),
        };
        let list = ListId::of(&format!("experiments {self:?}"));
        Listing { index, range, direction: Direction::Backward, list }
    }
}

/// Items that are read at a time where all are.
const PAGE: usize = 1_000;

impl Experiments {
    /// The experiments with these ids, in their order: one call to the engine.
    pub async fn get_many(&self, ids: &[ExperimentId]) -> ServiceResult<Vec<Option<Experiment>>> {
        Ok(self.context.store.get_many(keyspace::EXPERIMENT, ids).await?)
    }

    /// A page of the experiments that the filter means, the one started last first.
    pub async fn list(
        &self,
        filter: &ExperimentFilter,
        page: &PageRequest,
    ) -> ServiceResult<Page<Experiment>> {
        let (store, limits) = (&self.context.store, &self.context.lists);
        let keep = |experiment: &Experiment| filter.matches(experiment);
        listing::filtered(store, &filter.listing(), page, limits, keep).await
    }

    /// How many experiments the filter means; `None` where counting takes more work than one page may cost.
    pub async fn count(&self, filter: &ExperimentFilter) -> ServiceResult<Option<u64>> {
        let keep = |experiment: &Experiment| filter.matches(experiment);
        listing::count(&self.context.store, &filter.listing(), &self.context.lists, keep).await
    }

    /// The newest experiments over each of these datasets, in their order: two calls to the engine.
    pub async fn for_datasets(
        &self,
        ids: &[DatasetId],
        page: &PageRequest,
    ) -> ServiceResult<Vec<Page<Experiment>>> {
        let listing = |id: &DatasetId| Listing {
            index: keyspace::EXPERIMENT_BY_DATASET.name,
            range: prefix(id),
            direction: Direction::Backward,
            list: ListId::of(&format!("experiments over {id}")),
        };
        let listings: Vec<_> = ids.iter().map(listing).collect();
        listing::first_pages(&self.context.store, &listings, page).await
    }

    /// A page of the runs of each experiment that have begun, in the dataset's order: those in one of its states, or in
    /// any where it names none.
    pub async fn items_of(
        &self,
        lists: &[(ExperimentId, Vec<ItemStatus>)],
        page: &PageRequest,
    ) -> ServiceResult<Vec<Page<ExperimentItem>>> {
        let stretch = |(id, statuses): &(ExperimentId, Vec<ItemStatus>)| Stretch {
            range: prefix(id),
            list: ListId::of(&format!("items of experiment {id} {statuses:?}")),
        };
        let stretches: Vec<_> = lists.iter().map(stretch).collect();
        let keep = |at: usize, item: &ExperimentItem| {
            lists.get(at).is_some_and(|(_, statuses)| statuses.is_empty() || statuses.contains(&item.status))
        };
        let (store, limits) = (&self.context.store, &self.context.lists);
        listing::pages_of(store, keyspace::EXPERIMENT_ITEM, &stretches, page, limits, keep).await
    }

    /// All runs of an experiment that have begun, in the dataset's order.
    pub(super) async fn all_items(&self, id: ExperimentId) -> ServiceResult<Vec<ExperimentItem>> {
        let (mut items, mut range) = (Vec::new(), prefix(&id));
        loop {
            let found = self.context.store.chunk(keyspace::EXPERIMENT_ITEM, range, PAGE).await?;
            let Some(last) = found.items.last().map(|found| found.key.encode()) else { return Ok(items) };
            items.extend(found.items.into_iter().map(|found| found.record));
            if !found.more {
                return Ok(items);
            }
            range = prefix(&id).after(&last);
        }
    }
}
