//! Datasets: making and changing them, reading what a version of them holds.
//!
//! A change of items is one commit: the items as they stand before and from then on, what leads to them, the version,
//! and the dataset. So a version is there whole, and costs what it changes.

mod add;
mod change;
mod collect;
mod delete;
mod file;
mod read;

use self::add::refuse_name;
pub(super) use self::delete::purge;
pub use self::{
    add::{AddedItem, AddedItems, Placed},
    change::RemovedItems,
    collect::{Collection, ItemOrigins},
    file::{FileFormat, FileItem, ImportedItems, read_items, to_line},
};
use super::{
    Context, ServiceError, ServiceResult, conversations::Conversations, deletion, query::Queries,
    tracing::Tracing,
};
use crate::{
    model::{
        DatasetId, Refusal,
        dataset::{Dataset, DatasetPatch, NewDataset},
        refusal::Entity,
    },
    store::{
        Tx,
        keyspace::{self, Deleted, NamedDataset},
    },
};

/// Use cases of datasets. Cheap to clone.
#[derive(Clone)]
pub struct Datasets {
    context: Context,
    conversations: Conversations,
    tracing: Tracing,
    queries: Queries,
}

impl Datasets {
    /// The use cases over one context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        let (conversations, tracing) = (Conversations::new(context.clone()), Tracing::new(context.clone()));
        Self { queries: Queries::new(context.clone()), context, conversations, tracing }
    }

    /// Makes a dataset without items.
    pub async fn create(&self, new: NewDataset) -> ServiceResult<Dataset> {
        new.check(&self.context.limits)?;
        let id = new.id.unwrap_or_else(|| self.context.new_id());
        let dataset = &Dataset::empty(id, new, self.context.now());
        let created = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                if tx.get(keyspace::DATASET, &id).await?.is_some() {
                    return Err(Refusal::already_exists("datasetId", Entity::Dataset, id).into());
                }
                deletion::refuse_pending(tx, "datasetId", Deleted::Dataset(id)).await?;
                refuse_name(tx, &dataset.name).await?;
                tx.put(keyspace::DATASET_NAME, &dataset.name, &NamedDataset(id))?;
                Ok(tx.put_indexed(None, dataset)?)
            })
        });
        created.await?;
        Ok(dataset.clone())
    }

    /// Changes a dataset's own fields. A patch that changes nothing writes nothing.
    pub async fn update(&self, id: DatasetId, patch: DatasetPatch) -> ServiceResult<Dataset> {
        patch.check(&self.context.limits)?;
        let patch = &patch;
        let _turn = self.context.store.turn(id.bytes()).await;
        let updated = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let old = required(tx, id).await?;
                let new = old.patched(patch.clone(), self.context.now());
                if new.name != old.name {
                    refuse_name(tx, &new.name).await?;
                    tx.delete(keyspace::DATASET_NAME, &old.name);
                    tx.put(keyspace::DATASET_NAME, &new.name, &NamedDataset(id))?;
                }
                if new != old {
                    tx.put_indexed(Some(&old), &new)?;
                }
                Ok(new)
            })
        });
        updated.await
    }
}

/// The dataset, which must be there, and still the same when the transaction commits.
pub(super) async fn required(tx: &mut Tx<'_>, id: DatasetId) -> ServiceResult<Dataset> {
    let found = tx.get(keyspace::DATASET, &id).await?;
    Ok(found.ok_or_else(|| Refusal::not_found("datasetId", Entity::Dataset, id))?)
}
