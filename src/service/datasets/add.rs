//! Adding items: each is judged by itself, those that can be kept make a version.

use std::collections::{HashMap, HashSet};

use super::{Datasets, required};
use crate::{
    model::{
        DatasetId, DatasetItemId, Refusal,
        dataset::{ContentHash, Dataset, DatasetChange, DatasetItem, ItemState, NewItem},
        refusal::Entity,
    },
    service::{ServiceError, ServiceResult},
    store::{
        Tx,
        keyspace::{self, DatasetItemAddress, NamedDataset, item_key},
    },
};

/// Bytes of items that are added in one commit. What is more makes more versions.
const BYTES_AT_ONCE: usize = 8 << 20;

/// Something of a list, with its place there as the caller writes it: `items.3`.
#[derive(Debug, Clone)]
pub struct Placed<T> {
    /// The place.
    pub place: String,
    /// What stands there.
    pub value: T,
}

/// What became of an item that was to be added.
#[derive(Debug, Clone)]
pub enum AddedItem {
    /// It is new.
    Added(DatasetItem),
    /// The dataset has an item that says the same: nothing was changed.
    Unchanged(DatasetItemId),
    /// It cannot be kept.
    Refused(Refusal),
}

/// What became of items that were to be added.
#[derive(Debug, Clone)]
pub struct AddedItems {
    /// The dataset after it.
    pub dataset: Dataset,
    /// The outcome of each, in their order.
    pub outcomes: Vec<Placed<AddedItem>>,
}

/// An item that was checked, with its hash.
type Checked = Placed<Result<(NewItem, ContentHash), Refusal>>;

impl Datasets {
    /// Adds items: those that cannot be kept are named by their places, the others are durable when this answers. An
    /// item that says the same as one that is there changes nothing. What is new makes a version; where it is more than
    /// 8 MiB, several.
    pub async fn add_items(
        &self,
        id: DatasetId,
        items: Vec<Placed<Result<NewItem, Refusal>>>,
    ) -> ServiceResult<AddedItems> {
        let _turn = self.context.store.turn(id.bytes()).await;
        let mut checked = items.into_iter().map(|item| self.checked(item)).peekable();
        let mut outcomes = Vec::new();
        loop {
            let (mut part, mut bytes) = (Vec::new(), 0);
            while let Some(next) = checked.next_if(|_| bytes < BYTES_AT_ONCE) {
                bytes += next.value.as_ref().map_or(0, |(item, _)| item.content.input.text().len());
                part.push(next);
            }
            let (dataset, added) = self.add_part(id, &part).await?;
            outcomes.extend(added);
            if checked.peek().is_none() {
                return Ok(AddedItems { dataset, outcomes });
            }
        }
    }

    fn checked(&self, Placed { place, value }: Placed<Result<NewItem, Refusal>>) -> Checked {
        let value = value.and_then(|item| {
            item.content.check(&self.context.limits)?;
            let hash = ContentHash::of(&item.content)?;
            Ok((item, hash))
        });
        Placed { place, value }
    }

    async fn add_part(
        &self,
        id: DatasetId,
        part: &[Checked],
    ) -> ServiceResult<(Dataset, Vec<Placed<AddedItem>>)> {
        let added = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let old = required(tx, id).await?;
                let mut known = Known::read(tx, id, part).await?;
                let mut change = old.change();
                let mut outcomes = Vec::with_capacity(part.len());
                for Placed { place, value } in part {
                    let value = match value {
                        Ok((item, hash)) => self.add_one(&old, (item, hash), &mut known, &mut change),
                        Err(refusal) => Err(refusal.clone()),
                    };
                    let value = value.unwrap_or_else(|refusal| AddedItem::Refused(refusal.below(place)));
                    if let AddedItem::Added(item) = &value {
                        put_item(tx, item)?;
                    }
                    outcomes.push(Placed { place: place.clone(), value });
                }
                let dataset = self.put_change(tx, old, change)?;
                Ok((dataset, outcomes))
            })
        });
        added.await
    }

    fn add_one(
        &self,
        dataset: &Dataset,
        (item, hash): (&NewItem, &ContentHash),
        known: &mut Known,
        change: &mut DatasetChange,
    ) -> Result<AddedItem, Refusal> {
        if let Some(same) = known.contents.get(hash) {
            return Ok(AddedItem::Unchanged(*same));
        }
        if let Some(id) = item.id.filter(|id| known.ids.contains(id)) {
            return Err(Refusal::already_exists("itemId", Entity::DatasetItem, id));
        }
        let most = self.context.limits.dataset_items;
        if dataset.item_count + change.added() >= most as u64 {
            return Err(Refusal::limit("input", format!("the dataset would have more than {most} items")));
        }
        let id = item.id.unwrap_or_else(|| self.context.new_id());
        let state = ItemState { dataset_id: dataset.id, place: change.add(hash), since: change.number() };
        known.contents.insert(*hash, id);
        known.ids.insert(id);
        Ok(AddedItem::Added(DatasetItem {
            id,
            state,
            until: None,
            content: item.content.clone(),
            hash: *hash,
            source: item.source,
            created_at: self.context.now(),
        }))
    }

    /// Writes the version that a change makes, where it makes one, and the dataset.
    pub(super) fn put_change(
        &self,
        tx: &mut Tx<'_>,
        old: Dataset,
        change: DatasetChange,
    ) -> ServiceResult<Dataset> {
        if change.is_empty() {
            return Ok(old);
        }
        let (dataset, version) = change.finish(&old, self.context.now());
        tx.put(keyspace::DATASET_VERSION, &(version.dataset_id, version.number), &version)?;
        tx.put_indexed(Some(&old), &dataset)?;
        Ok(dataset)
    }
}

/// What a dataset has of what is to be added.
struct Known {
    contents: HashMap<ContentHash, DatasetItemId>,
    /// Ids that are taken, by items of whatever dataset.
    ids: HashSet<DatasetItemId>,
}

impl Known {
    async fn read(tx: &mut Tx<'_>, dataset: DatasetId, part: &[Checked]) -> ServiceResult<Self> {
        let good = || part.iter().filter_map(|item| item.value.as_ref().ok());
        let keys: Vec<_> = good().map(|(_, hash)| (dataset, *hash)).collect();
        let found = tx.get_many(keyspace::DATASET_ITEM_CONTENT, &keys).await?;
        let known = keys.iter().zip(found).filter_map(|((_, hash), it)| Some((*hash, it?.item_id)));
        let contents = known.collect();
        let ids: Vec<_> = good().filter_map(|(item, _)| item.id).collect();
        let found = tx.get_many(keyspace::DATASET_ITEM_ADDRESS, &ids).await?;
        let ids = ids.into_iter().zip(found).filter_map(|(id, found)| found.map(|_| id));
        Ok(Self { contents, ids: ids.collect() })
    }
}

/// Writes an item of the version that is made, and what leads to it.
pub(super) fn put_item(tx: &mut Tx<'_>, item: &DatasetItem) -> ServiceResult<()> {
    let address = DatasetItemAddress { item_id: item.id, state: item.state };
    tx.put(keyspace::DATASET_ITEM, &item_key(&item.state), item)?;
    tx.put(keyspace::DATASET_ITEM_ADDRESS, &item.id, &address)?;
    tx.put(keyspace::DATASET_ITEM_CONTENT, &(item.state.dataset_id, item.hash), &address)?;
    Ok(())
}

/// Refuses a name that a dataset has.
pub(super) async fn refuse_name(tx: &mut Tx<'_>, name: &str) -> ServiceResult<()> {
    match tx.get(keyspace::DATASET_NAME, &name.to_owned()).await? {
        Some(NamedDataset(_)) => Err(Refusal::already_exists("name", Entity::Dataset, name).into()),
        None => Ok(()),
    }
}
