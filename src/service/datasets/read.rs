//! Reading datasets, their versions and their items.

use super::Datasets;
use crate::{
    model::{
        DatasetId, DatasetItemId,
        dataset::{Dataset, DatasetItem, DatasetVersion, ItemState},
        page::{ListId, Page, PageRequest},
    },
    service::{
        ServiceResult,
        listing::{self, Listing, Stretch},
    },
    store::{
        Direction, KeyRange,
        keyspace::{self, NamedDataset, item_key},
        prefix,
    },
};

impl Datasets {
    /// The datasets with these ids, in their order: one call to the engine.
    pub async fn get_many(&self, ids: &[DatasetId]) -> ServiceResult<Vec<Option<Dataset>>> {
        Ok(self.context.store.get_many(keyspace::DATASET, ids).await?)
    }

    /// The dataset with this name.
    pub async fn named(&self, name: &str) -> ServiceResult<Option<Dataset>> {
        let store = &self.context.store;
        match store.get(keyspace::DATASET_NAME, &name.to_owned()).await? {
            Some(NamedDataset(id)) => Ok(store.get(keyspace::DATASET, &id).await?),
            None => Ok(None),
        }
    }

    /// A page of the datasets whose names have a text in them, the one made last first.
    pub async fn list(
        &self,
        name_contains: Option<&str>,
        page: &PageRequest,
    ) -> ServiceResult<Page<Dataset>> {
        let keep = named_like(name_contains);
        let (store, limits) = (&self.context.store, &self.context.lists);
        listing::filtered(store, &all(name_contains), page, limits, keep).await
    }

    /// How many datasets have a text in their names; `None` where counting takes more work than one page may cost.
    pub async fn count(&self, name_contains: Option<&str>) -> ServiceResult<Option<u64>> {
        let keep = named_like(name_contains);
        listing::count(&self.context.store, &all(name_contains), &self.context.lists, keep).await
    }

    /// Versions of datasets by their numbers: one call to the engine.
    pub async fn versions(&self, keys: &[(DatasetId, u64)]) -> ServiceResult<Vec<Option<DatasetVersion>>> {
        Ok(self.context.store.get_many(keyspace::DATASET_VERSION, keys).await?)
    }

    /// A page of the versions of each dataset, the first one first.
    pub async fn versions_of(
        &self,
        ids: &[DatasetId],
        page: &PageRequest,
    ) -> ServiceResult<Vec<Page<DatasetVersion>>> {
        let stretch = |id: &DatasetId| Stretch {
            range: prefix(id),
            list: ListId::of(&format!("versions of dataset {id}")),
        };
        let stretches: Vec<_> = ids.iter().map(stretch).collect();
        let (store, limits) = (&self.context.store, &self.context.lists);
        listing::pages_of(store, keyspace::DATASET_VERSION, &stretches, page, limits, |_, _| true).await
    }

    /// A page of the items of each of these versions, in the order in which they were added.
    pub async fn items_of(
        &self,
        versions: &[(DatasetId, u64)],
        page: &PageRequest,
    ) -> ServiceResult<Vec<Page<DatasetItem>>> {
        let stretch = |(id, version): &(DatasetId, u64)| Stretch {
            range: prefix(id),
            list: ListId::of(&format!("items of dataset {id} at {version}")),
        };
        let stretches: Vec<_> = versions.iter().map(stretch).collect();
        let keep =
            |at: usize, item: &DatasetItem| versions.get(at).is_some_and(|(_, version)| item.is_in(*version));
        let (store, limits) = (&self.context.store, &self.context.lists);
        listing::pages_of(store, keyspace::DATASET_ITEM, &stretches, page, limits, keep).await
    }

    /// Items as they stand from a version on: one call to the engine.
    pub async fn items_at(&self, states: &[ItemState]) -> ServiceResult<Vec<Option<DatasetItem>>> {
        let keys: Vec<_> = states.iter().map(item_key).collect();
        Ok(self.context.store.get_many(keyspace::DATASET_ITEM, &keys).await?)
    }

    /// Items as they stand last: two calls to the engine.
    pub async fn items(&self, ids: &[DatasetItemId]) -> ServiceResult<Vec<Option<DatasetItem>>> {
        let addresses = self.context.store.get_many(keyspace::DATASET_ITEM_ADDRESS, ids).await?;
        let states: Vec<_> = addresses.iter().flatten().map(|address| address.state).collect();
        let mut found = self.items_at(&states).await?.into_iter();
        Ok(addresses.into_iter().map(|address| address.and_then(|_| found.next().flatten())).collect())
    }
}

fn all(name_contains: Option<&str>) -> Listing {
    Listing {
        index: keyspace::DATASET_BY_CREATION.name,
        range: KeyRange::all(),
        direction: Direction::Backward,
        list: ListId::of(&format!("datasets {name_contains:?}")),
    }
}

fn named_like(text: Option<&str>) -> impl Fn(&Dataset) -> bool + Send + use<> {
    let text = text.map(str::to_lowercase);
    move |dataset| text.as_ref().is_none_or(|text| dataset.name.to_lowercase().contains(text))
}
