//! Changing and removing items. What earlier versions hold stays as it is.

use super::{Datasets, add, required};
use crate::{
    model::{
        DatasetId, DatasetItemId, Refusal,
        dataset::{ContentHash, Dataset, DatasetItem, ItemPatch, ItemState},
        refusal::Entity,
    },
    service::{ServiceError, ServiceResult},
    store::{
        Tx,
        keyspace::{self, item_key},
    },
};

/// What became of items that were to be removed.
#[derive(Debug, Clone)]
pub struct RemovedItems {
    /// The dataset after it.
    pub dataset: Dataset,
    /// Items that were removed.
    pub removed: u64,
    /// Why others were not.
    pub refused: Vec<Refusal>,
}

impl Datasets {
    /// Changes what an item says, from a new version on. A patch that changes nothing makes none.
    pub async fn update_item(
        &self,
        id: DatasetItemId,
        patch: ItemPatch,
    ) -> ServiceResult<(Dataset, DatasetItem)> {
        let address = self.context.store.get(keyspace::DATASET_ITEM_ADDRESS, &id).await?;
        let dataset = address.ok_or_else(|| not_found("itemId", id))?.state.dataset_id;
        let (patch, _turn) = (&patch, self.context.store.turn(dataset.bytes()).await);
        let updated = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let old = required(tx, dataset).await?;
                let before = current(tx, "itemId", id).await?;
                let content = before.content.patched(patch.clone());
                content.check(&self.context.limits)?;
                let hash = ContentHash::of(&content)?;
                if hash == before.hash {
                    return Ok((old, before));
                }
                let same = tx.get(keyspace::DATASET_ITEM_CONTENT, &(dataset, hash)).await?;
                if let Some(same) = same {
                    let message = format!("the item `{}` says the same", same.item_id);
                    return Err(Refusal::invalid("input", message).into());
                }
                let mut change = old.change();
                change.change(&before.hash, &hash);
                let state = ItemState { since: change.number(), ..before.state };
                let after = DatasetItem { state, content, hash, ..before.clone() };
                end(tx, before, change.number())?;
                add::put_item(tx, &after)?;
                Ok((self.put_change(tx, old, change)?, after))
            })
        });
        updated.await
    }

    /// Removes items, from a new version on. Those that are not there are named, the others removed; to remove one twice
    /// is to remove it.
    pub async fn remove_items(&self, id: DatasetId, items: &[DatasetItemId]) -> ServiceResult<RemovedItems> {
        let mut each: Vec<(usize, DatasetItemId)> = items.iter().copied().enumerate().collect();
        each.sort_by_key(|(index, item)| (*item, *index));
        each.dedup_by_key(|(_, item)| *item);
        each.sort_unstable();
        let (each, _turn) = (&each, self.context.store.turn(id.bytes()).await);
        let removed = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let old = required(tx, id).await?;
                let (mut change, mut refused, mut removed) = (old.change(), Vec::new(), 0);
                for (index, item) in each {
                    let place = format!("itemIds.{index}");
                    match current(tx, &place, *item).await {
                        Ok(found) if found.state.dataset_id == id => {
                            change.remove(&found.hash);
                            end(tx, found, change.number())?;
                            removed += 1;
                        }
                        Ok(_) => refused.push(not_found(&place, *item)),
                        Err(ServiceError::Refused(refusal)) => refused.push(refusal),
                        Err(error) => return Err(error),
                    }
                }
                Ok(RemovedItems { dataset: self.put_change(tx, old, change)?, removed, refused })
            })
        });
        removed.await
    }
}

/// An item of a newest version, which must be there.
async fn current(tx: &mut Tx<'_>, field: &str, id: DatasetItemId) -> ServiceResult<DatasetItem> {
    let address = tx.get(keyspace::DATASET_ITEM_ADDRESS, &id).await?.ok_or_else(|| not_found(field, id))?;
    let found = tx.get(keyspace::DATASET_ITEM, &item_key(&address.state)).await?;
    let found = found.ok_or_else(|| not_found(field, id))?;
    match found.until {
        None => Ok(found),
        Some(version) => {
            Err(Refusal::invalid(field, format!("the item was removed in version {version}")).into())
        }
    }
}

/// Ends how an item stands, before a version.
fn end(tx: &mut Tx<'_>, item: DatasetItem, version: u64) -> ServiceResult<()> {
    tx.delete(keyspace::DATASET_ITEM_CONTENT, &(item.state.dataset_id, item.hash));
    let ended = DatasetItem { until: Some(version), ..item };
    Ok(tx.put(keyspace::DATASET_ITEM, &item_key(&ended.state), &ended)?)
}

fn not_found(field: &str, id: DatasetItemId) -> Refusal {
    Refusal::not_found(field, Entity::DatasetItem, id)
}
