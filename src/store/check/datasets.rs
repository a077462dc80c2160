//! Datasets, their versions, and their items with what leads to these.

use std::collections::{BTreeMap, HashMap};

use super::Check;
use crate::{
    model::{
        DatasetId,
        dataset::{ContentHash, Dataset, DatasetItem, SetHash},
    },
    store::{
        StoreResult,
        keyspace::{self, DatasetItemAddress, Deleted, NamedDataset, item_key},
    },
};

/// What a version of a dataset changes, as its items tell.
#[derive(Debug, Default, PartialEq, Eq)]
struct Change {
    added: u64,
    changed: u64,
    removed: u64,
    /// What came and what went.
    came: SetHash,
    went: SetHash,
}

/// What the items of a dataset tell of its versions, by number.
type Changes = HashMap<DatasetId, BTreeMap<u64, Change>>;

impl Check<'_> {
    /// Datasets have their names, versions follow from items, and items are found by id and by content.
    pub(super) async fn datasets(&mut self) -> StoreResult<()> {
        let changes = self.dataset_items().await?;
        self.dataset_names().await?;
        self.dataset_versions(&changes).await?;
        self.dataset_addresses().await?;
        self.dataset_contents().await
    }

    async fn dataset_items(&mut self) -> StoreResult<Changes> {
        let (mut from, mut changes) = (None, Changes::new());
        let mut before: Option<DatasetItem> = None;
        while let Some(items) = self.page(keyspace::DATASET_ITEM, &mut from).await? {
            let ids: Vec<_> = items.iter().map(|(_, _, item)| item.id).collect();
            let addresses = self.readable(keyspace::DATASET_ITEM_ADDRESS, &ids).await?;
            let owners: Vec<_> = items.iter().map(|(_, _, item)| item.state.dataset_id).collect();
            let datasets = self.readable(keyspace::DATASET, &owners).await?;
            for (((raw, key, item), address), dataset) in items.into_iter().zip(addresses).zip(datasets) {
                if item_key(&item.state) != key {
                    self.report.note("dataset_item", &raw, "the item names another key than its own");
                }
                if !ContentHash::of(&item.content).is_ok_and(|hash| hash == item.hash) {
                    self.report.note("dataset_item", &raw, "its hash is not that of its content");
                }
                self.owned(&raw, &item, dataset.as_ref()).await?;
                let follows = before.take().filter(|before| before.id == item.id);
                if follows.as_ref().is_some_and(|before| before.until != Some(item.state.since)) {
                    self.report.note("dataset_item", &raw, "it does not begin where it ended before");
                }
                let is_last = address.is_some_and(|address| address.state == item.state);
                if !is_last && item.until.is_none() {
                    self.report.note("dataset_item", &raw, "its address leads elsewhere");
                }
                note(changes.entry(item.state.dataset_id).or_default(), &item, follows.as_ref());
                before = Some(item);
            }
        }
        for versions in changes.values_mut() {
            for change in versions.values_mut() {
                change.removed = change.removed.saturating_sub(change.changed);
            }
        }
        Ok(changes)
    }

    async fn owned(&mut self, raw: &[u8], item: &DatasetItem, dataset: Option<&Dataset>) -> StoreResult<()> {
        let Some(dataset) = dataset else {
            if !self.is_deleted(Deleted::Dataset(item.state.dataset_id)).await? {
                self.report.note("dataset_item", raw, "its dataset does not exist");
            }
            return Ok(());
        };
        if item.state.place >= dataset.next_place || item.until.unwrap_or(item.state.since) > dataset.version
        {
            self.report.note("dataset_item", raw, "its dataset has not come as far");
        }
        Ok(())
    }

    async fn dataset_names(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(datasets) = self.page(keyspace::DATASET, &mut from).await? {
            let names: Vec<_> = datasets.iter().map(|(_, _, dataset)| dataset.name.clone()).collect();
            let owners = self.readable(keyspace::DATASET_NAME, &names).await?;
            for ((raw, id, _), owner) in datasets.iter().zip(owners) {
                if owner != Some(NamedDataset(*id)) {
                    self.report.note("dataset", raw, "its name is not, or leads elsewhere");
                }
            }
        }
        let mut from = None;
        while let Some(names) = self.page(keyspace::DATASET_NAME, &mut from).await? {
            let ids: Vec<_> = names.iter().map(|(_, _, NamedDataset(id))| *id).collect();
            let datasets = self.readable(keyspace::DATASET, &ids).await?;
            for ((raw, name, _), dataset) in names.iter().zip(datasets) {
                if dataset.is_none_or(|dataset| dataset.name != *name) {
                    self.report.note("dataset_name", raw, "no dataset has this name");
                }
            }
        }
        Ok(())
    }

    /// Versions, one after another, are what the items say that came and went.
    async fn dataset_versions(&mut self, changes: &Changes) -> StoreResult<()> {
        let (mut from, nothing) = (None, Change::default());
        let (mut of, mut number, mut count, mut hash) = (None, 0, 0, SetHash::default());
        while let Some(versions) = self.page(keyspace::DATASET_VERSION, &mut from).await? {
            let ids: Vec<_> = versions.iter().map(|(_, key, _)| key.0).collect();
            let datasets = self.readable(keyspace::DATASET, &ids).await?;
            for ((raw, key, version), dataset) in versions.iter().zip(datasets) {
                let Some(dataset) = dataset else {
                    if !self.is_deleted(Deleted::Dataset(key.0)).await? {
                        self.report.note("dataset_version", raw, "its dataset does not exist");
                    }
                    continue;
                };
                if of != Some(key.0) {
                    (of, number, count, hash) = (Some(key.0), 0, 0, SetHash::default());
                }
                let change = changes.get(&key.0).and_then(|changes| changes.get(&key.1)).unwrap_or(&nothing);
                number += 1;
                count = (count + change.added).saturating_sub(change.removed);
                hash.merge(&change.came);
                hash.take(&change.went);
                let told = (version.number, version.item_count, version.content_hash);
                let counts = (version.added, version.changed, version.removed);
                if told != (number, count, hash) || counts != (change.added, change.changed, change.removed) {
                    self.report.note("dataset_version", raw, "it is not what its items make it");
                }
                let newest = (dataset.item_count, dataset.content_hash);
                if key.1 == dataset.version && newest != (version.item_count, version.content_hash) {
                    self.report.note("dataset_version", raw, "the dataset says something else of it");
                }
                if key.1 > dataset.version {
                    self.report.note("dataset_version", raw, "its dataset has not come as far");
                }
            }
        }
        self.dataset_newest().await
    }

    /// The newest version of each dataset is there.
    async fn dataset_newest(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(datasets) = self.page(keyspace::DATASET, &mut from).await? {
            for (raw, id, dataset) in &datasets {
                let version = self.readable_at(keyspace::DATASET_VERSION, &(*id, dataset.version)).await?;
                if version.is_none() && dataset.version > 0 {
                    self.report.note("dataset", raw, "its newest version is missing");
                }
            }
        }
        Ok(())
    }

    async fn dataset_addresses(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(found) = self.page(keyspace::DATASET_ITEM_ADDRESS, &mut from).await? {
            let keys: Vec<_> = found.iter().map(|(_, _, address)| item_key(&address.state)).collect();
            let items = self.readable(keyspace::DATASET_ITEM, &keys).await?;
            for ((raw, id, address), item) in found.iter().zip(items) {
                if address.item_id != *id || item.is_none_or(|item| item.id != *id) {
                    self.report.note(
                        "dataset_item_address",
                        raw,
                        "another item, or none, is at this address",
                    );
                }
            }
        }
        Ok(())
    }

    /// Contents are those of the items of newest versions, each once.
    async fn dataset_contents(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(found) = self.page(keyspace::DATASET_ITEM_CONTENT, &mut from).await? {
            let keys: Vec<_> = found.iter().map(|(_, _, address)| item_key(&address.state)).collect();
            let items = self.readable(keyspace::DATASET_ITEM, &keys).await?;
            for ((raw, (dataset, hash), address), item) in found.iter().zip(items) {
                let is_it = |item: &DatasetItem| {
                    let here = (address.item_id, address.state.dataset_id) == (item.id, *dataset);
                    here && item.hash == *hash && item.until.is_none()
                };
                if !item.as_ref().is_some_and(is_it) {
                    self.report.note("dataset_item_content", raw, "no item of a newest version says this");
                }
            }
        }
        let mut from = None;
        while let Some(items) = self.page(keyspace::DATASET_ITEM, &mut from).await? {
            let newest: Vec<_> = items.iter().filter(|(_, _, item)| item.until.is_none()).collect();
            let keys: Vec<_> = newest.iter().map(|(_, _, item)| (item.state.dataset_id, item.hash)).collect();
            let found = self.readable(keyspace::DATASET_ITEM_CONTENT, &keys).await?;
            for ((raw, _, item), address) in newest.into_iter().zip(found) {
                let own = DatasetItemAddress { item_id: item.id, state: item.state };
                let gone = Deleted::Dataset(item.state.dataset_id);
                if address != Some(own) && !self.is_deleted(gone).await? {
                    self.report.note("dataset_item", raw, "it is not found by its content");
                }
            }
        }
        Ok(())
    }
}

/// Notes when an item came to stand as it does, and when it ceased to.
fn note(versions: &mut BTreeMap<u64, Change>, item: &DatasetItem, before: Option<&DatasetItem>) {
    let came = versions.entry(item.state.since).or_default();
    came.came.add(&item.hash);
    match before {
        None => came.added += 1,
        Some(_) => came.changed += 1,
    }
    if let Some(until) = item.until {
        let went = versions.entry(until).or_default();
        went.went.add(&item.hash);
        went.removed += 1;
    }
}
