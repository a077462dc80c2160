//! The roots that make and change datasets.

use async_graphql::{Context, Enum, Object, SimpleObject};

use super::{
    Dataset, DatasetItem,
    inputs::{
        AddDatasetItemsInput, CreateDatasetInput, DeleteDatasetInput, RemoveDatasetItemsInput,
        UpdateDatasetInput, UpdateDatasetItemInput,
    },
};
use crate::{
    graphql::{
        error::Result,
        ids,
        payload::{outcome, payload},
        refusal::Refusal,
        request::{self, RequestData},
        scalar::{PlainId, int},
    },
    model::{self, DatasetItemId},
    service::datasets::{AddedItem, AddedItems, Placed, RemovedItems},
};

/// Makes and changes datasets.
#[derive(Default)]
pub(in crate::graphql) struct DatasetMutation;

/// See [`DatasetMutation`].
#[Object]
impl DatasetMutation {
    /// Makes a dataset without items.
    async fn create_dataset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The dataset.")] input: CreateDatasetInput,
    ) -> Result<CreateDatasetPayload> {
        let datasets = &request::of(ctx)?.services.datasets;
        Ok(outcome(input.into_model(), async |new| datasets.create(new).await).await?.into())
    }

    /// Changes a dataset's own fields. Makes no version.
    async fn update_dataset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateDatasetInput,
    ) -> Result<UpdateDatasetPayload> {
        let datasets = &request::of(ctx)?.services.datasets;
        let update = async |(id, patch)| datasets.update(id, patch).await;
        Ok(outcome(input.into_model(), update).await?.into())
    }

    /// Deletes a dataset with all its versions. Experiments over it stay, with what came of them; one that goes on is
    /// given up.
    async fn delete_dataset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which dataset.")] input: DeleteDatasetInput,
    ) -> Result<DeleteDatasetPayload> {
        let datasets = &request::of(ctx)?.services.datasets;
        let deleted = outcome(input.into_model(), async |id| datasets.delete(id).await).await?;
        Ok(match deleted {
            Ok(dataset) => {
                DeleteDatasetPayload { dataset_id: Some(PlainId(dataset.id.uuid())), refusal: None }
            }
            Err(refusal) => DeleteDatasetPayload { dataset_id: None, refusal: Some(refusal.into()) },
        })
    }

    /// Adds items to a dataset. Each has its own outcome: one that cannot be kept does not hold up the others, and one
    /// that says the same as one that is there changes nothing. What is new makes a version; where it is more than
    /// 8 MiB, several.
    async fn add_dataset_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The items, or what they are made of.")] input: AddDatasetItemsInput,
    ) -> Result<AddDatasetItemsPayload> {
        let data = request::of(ctx)?;
        let (items, most) = (input.len(), data.limits.most_writes);
        if items > most {
            let message = format!("{items} items, {most} are allowed at once");
            return Err(model::Refusal::limit("items", message).into());
        }
        let id = ids::read("datasetId", &input.dataset_id);
        let read = id.and_then(|id| Ok((id, input.into_model(most)?)));
        let datasets = &data.services.datasets;
        let added = outcome(read, async |(id, (mut items, origins))| {
            items.extend(datasets.collect(origins).await?);
            datasets.add_items(id, items).await
        });
        Ok(match added.await? {
            Ok(added) => AddDatasetItemsPayload::of(data, added).await?,
            Err(refusal) => AddDatasetItemsPayload { refusal: Some(refusal.into()), ..Default::default() },
        })
    }

    /// Changes what an item says, from a new version on. Earlier versions keep it as it was.
    async fn update_dataset_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdateDatasetItemInput,
    ) -> Result<UpdateDatasetItemPayload> {
        let datasets = &request::of(ctx)?.services.datasets;
        let update = async |(id, patch)| datasets.update_item(id, patch).await;
        Ok(match outcome(input.into_model(), update).await? {
            Ok((dataset, item)) => UpdateDatasetItemPayload {
                item: Some(DatasetItem::new(item)),
                dataset: Some(dataset.into()),
                refusal: None,
            },
            Err(refusal) => {
                UpdateDatasetItemPayload { item: None, dataset: None, refusal: Some(refusal.into()) }
            }
        })
    }

    /// Removes items, from a new version on. Earlier versions keep them. Those that are not there are named; the others
    /// are removed.
    async fn remove_dataset_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which items.")] input: RemoveDatasetItemsInput,
    ) -> Result<RemoveDatasetItemsPayload> {
        let data = request::of(ctx)?;
        let (datasets, most) = (&data.services.datasets, data.limits.most_writes);
        let read = input.into_model();
        if let Ok((_, items)) = &read
            && items.len() > most
        {
            let message = format!("{} items, {most} are allowed at once", items.len());
            return Err(model::Refusal::limit("itemIds", message).into());
        }
        let remove = async |(id, items): (_, Vec<DatasetItemId>)| datasets.remove_items(id, &items).await;
        Ok(match outcome(read, remove).await? {
            Ok(RemovedItems { dataset, removed, refused }) => RemoveDatasetItemsPayload {
                dataset: Some(dataset.into()),
                removed_count: int(removed),
                refusals: refused.into_iter().map(Into::into).collect(),
                refusal: None,
            },
            Err(refusal) => RemoveDatasetItemsPayload { refusal: Some(refusal.into()), ..Default::default() },
        })
    }
}

payload!(
    /// A dataset that was made.
    CreateDatasetPayload {
        /// The dataset; null where it was refused.
        dataset: Dataset
    }
);

payload!(
    /// A dataset that was changed.
    UpdateDatasetPayload {
        /// The dataset as it stands; null where the change was refused.
        dataset: Dataset
    }
);

/// A dataset that was deleted.
#[derive(SimpleObject)]
struct DeleteDatasetPayload {
    /// The ID of what was deleted; null where it was refused.
    dataset_id: Option<PlainId>,
    /// Why it was refused.
    refusal: Option<Refusal>,
}

/// Items that were added.
#[derive(Default, SimpleObject)]
struct AddDatasetItemsPayload {
    /// The dataset as it stands; null where all was refused.
    dataset: Option<Dataset>,
    /// Items that are new.
    added_count: i32,
    /// Items that say the same as one that was there.
    unchanged_count: i32,
    /// Items that cannot be kept.
    refused_count: i32,
    /// The outcome of each item: first those that were given, then those of traces, of the filter's traces, and of
    /// conversations.
    results: Vec<AddDatasetItemResult>,
    /// Why all was refused.
    refusal: Option<Refusal>,
}

/// What became of one item.
#[derive(SimpleObject)]
struct AddDatasetItemResult {
    /// Its place in the input: `items.3`.
    place: String,
    /// What became of it.
    outcome: AddDatasetItemOutcome,
    /// The item: the new one, or the one that says the same; null where it was refused.
    item: Option<DatasetItem>,
    /// Why it was refused.
    refusal: Option<Refusal>,
}

/// What can become of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
enum AddDatasetItemOutcome {
    /// It is new.
    Added,
    /// The dataset has an item that says the same.
    Unchanged,
    /// It cannot be kept.
    Refused,
}

impl AddDatasetItemsPayload {
    async fn of(data: &RequestData, AddedItems { dataset, outcomes }: AddedItems) -> Result<Self> {
        let same: Vec<_> = outcomes
            .iter()
            .filter_map(|it| match it.value {
                AddedItem::Unchanged(id) => Some(id),
                _ => None,
            })
            .collect();
        let mut same = data.dataset_items.load_many(&same).await?.into_iter();
        let result = |Placed { place, value }: Placed<AddedItem>| {
            let (outcome, item, refusal) = match value {
                AddedItem::Added(item) => (AddDatasetItemOutcome::Added, Some(DatasetItem::new(item)), None),
                AddedItem::Unchanged(_) => {
                    (AddDatasetItemOutcome::Unchanged, same.next().flatten().map(DatasetItem::new), None)
                }
                AddedItem::Refused(refusal) => (AddDatasetItemOutcome::Refused, None, Some(refusal.into())),
            };
            AddDatasetItemResult { place, outcome, item, refusal }
        };
        let results: Vec<_> = outcomes.into_iter().map(result).collect();
        let count = |outcome| int(results.iter().filter(|result| result.outcome == outcome).count());
        Ok(Self {
            dataset: Some(dataset.into()),
            added_count: count(AddDatasetItemOutcome::Added),
            unchanged_count: count(AddDatasetItemOutcome::Unchanged),
            refused_count: count(AddDatasetItemOutcome::Refused),
            results,
            refusal: None,
        })
    }
}

/// An item that was changed.
#[derive(SimpleObject)]
struct UpdateDatasetItemPayload {
    /// The item as it stands; null where the change was refused.
    item: Option<DatasetItem>,
    /// The dataset as it stands; null where the change was refused.
    dataset: Option<Dataset>,
    /// Why it was refused.
    refusal: Option<Refusal>,
}

/// Items that were removed.
#[derive(Default, SimpleObject)]
struct RemoveDatasetItemsPayload {
    /// The dataset as it stands; null where all was refused.
    dataset: Option<Dataset>,
    /// Items that were removed.
    removed_count: i32,
    /// Why some were not.
    refusals: Vec<Refusal>,
    /// Why all was refused.
    refusal: Option<Refusal>,
}
