//! Deleting a dataset: its record first, then its items. Experiments over it stay, with what came of them.

use super::{Datasets, required};
use crate::{
    model::{DatasetId, dataset::Dataset},
    service::{Context, ServiceError, ServiceResult, deletion},
    store::{
        KeyRange,
        keyspace::{self, Deleted, DeletedWith},
        prefix,
    },
};

impl Datasets {
    /// Deletes a dataset with all its versions; answers what it was. An experiment that goes on over it is given up.
    pub async fn delete(&self, id: DatasetId) -> ServiceResult<Dataset> {
        let _turn = self.context.store.turn(id.bytes()).await;
        let deleted = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let dataset = required(tx, id).await?;
                let mark = Deleted::Dataset(id);
                tx.delete_indexed(&dataset)?;
                tx.delete(keyspace::DATASET_NAME, &dataset.name);
                tx.put(keyspace::DELETION, &mark, &DeletedWith(mark))?;
                Ok(dataset)
            })
        });
        let deleted = deleted.await?;
        purge(&self.context, id).await?;
        Ok(deleted)
    }
}

/// Removes what belongs to a dataset whose record is gone, then its mark.
pub(in crate::service) async fn purge(context: &Context, id: DatasetId) -> ServiceResult<()> {
    let (store, mark, at_once) = (&context.store, Deleted::Dataset(id), deletion::AT_ONCE);
    let range = || -> KeyRange { prefix(&id) };
    loop {
        let contents = &store.chunk_keys(keyspace::DATASET_ITEM_CONTENT, range(), at_once).await?;
        let versions = &store.chunk_keys(keyspace::DATASET_VERSION, range(), at_once).await?;
        let items = &store.chunk(keyspace::DATASET_ITEM, range(), at_once).await?;
        let last = !(contents.more || versions.more || items.more);
        let removed = deletion::remove(context, mark, |tx| {
            contents.items.iter().for_each(|key| tx.delete(keyspace::DATASET_ITEM_CONTENT, key));
            versions.items.iter().for_each(|key| tx.delete(keyspace::DATASET_VERSION, key));
            for found in &items.items {
                tx.delete(keyspace::DATASET_ITEM, &found.key);
                tx.delete(keyspace::DATASET_ITEM_ADDRESS, &found.record.id);
            }
            if last {
                tx.delete(keyspace::DELETION, &mark);
            }
            Ok(())
        });
        if !removed.await? || last {
            return Ok(());
        }
    }
}
