//! What clients write to datasets.

use async_graphql::{ID, InputObject, MaybeUndefined};

use crate::{
    graphql::{
        ids,
        query::TraceWhere,
        scalar::{Given, OptionalGiven, undefined_or},
        trace::TraceFilterInput,
    },
    model::{
        DatasetId, DatasetItemId, Json, Refusal,
        dataset::{DatasetPatch, ItemContent, ItemPatch, ItemSource, NewDataset, NewItem},
        query::TraceCondition,
    },
    service::datasets::{ItemOrigins, Placed},
};

/// A dataset.
#[derive(InputObject)]
pub(super) struct CreateDatasetInput {
    /// The ID, where the client chooses it: a UUID.
    dataset_id: Option<ID>,
    /// What people call it. No two datasets have the same name.
    name: String,
    /// What it is for, in words.
    description: Option<String>,
}

/// A change of a dataset's own fields. What is left out stays as it is.
#[derive(InputObject)]
pub(super) struct UpdateDatasetInput {
    /// The dataset: its global ID or UUID.
    dataset_id: ID,
    /// What people call it.
    name: Option<String>,
    /// What it is for, in words; null clears it.
    description: MaybeUndefined<String>,
}

/// Items for a dataset: given as they are, or made of what was recorded. All can be given together.
#[derive(InputObject)]
pub(super) struct AddDatasetItemsInput {
    /// The dataset: its global ID or UUID.
    pub(super) dataset_id: ID,
    /// Items as they are.
    items: Option<Vec<DatasetItemInput>>,
    /// Traces, by their global IDs or UUIDs: of each, what the user asked.
    from_traces: Option<Vec<ID>>,
    /// Traces that a filter or a condition means: of each, what the user asked.
    from_trace_filter: Option<TraceSelectionInput>,
    /// Conversations, by their global IDs or UUIDs: of each, what was said up to the last thing that the user said. One
    /// such text alone is the input as a text, several are a list of messages.
    from_conversations: Option<Vec<ID>>,
    /// Whether what was answered then is what is expected; else nothing is.
    #[graphql(default)]
    output_as_expected: bool,
}

/// Traces that a filter or a condition means; where both are given, both must hold.
#[derive(InputObject)]
struct TraceSelectionInput {
    /// Which traces, by what stands in their rows.
    filter: Option<TraceFilterInput>,
    /// Which traces, by a condition as `queryTraces` takes it.
    #[graphql(name = "where")]
    condition: Option<TraceWhere>,
    /// How many of them at most, the newest first.
    first: Given<i32>,
}

/// An item of a dataset.
#[derive(InputObject)]
struct DatasetItemInput {
    /// The ID, where the client chooses it: a UUID.
    item_id: Option<ID>,
    /// What the agent is given: a text, or a list of messages with `role` and `content`, or any other JSON, of which it
    /// is given the text.
    input: Given<Json>,
    /// What the agent should answer: a text or any JSON.
    expected: Option<Given<Json>>,
    /// Whatever is kept with it: an object.
    metadata: Option<Given<Json>>,
    /// The trace that it is made from, or whose span it is: its global ID or UUID.
    source_trace_id: Option<ID>,
    /// The span that it is made from: its global ID, or its UUID together with `sourceTraceId`.
    source_span_id: Option<ID>,
}

/// A change of an item, from a new version on. What is left out stays as it is.
#[derive(InputObject)]
pub(super) struct UpdateDatasetItemInput {
    /// The item: its global ID or UUID.
    item_id: ID,
    /// What the agent is given.
    input: Option<Given<Json>>,
    /// What the agent should answer; null clears it.
    expected: MaybeUndefined<Given<Json>>,
    /// Whatever is kept with it: an object.
    metadata: Option<Given<Json>>,
}

/// Items that are not to be in the next version.
#[derive(InputObject)]
pub(super) struct RemoveDatasetItemsInput {
    /// The dataset: its global ID or UUID.
    dataset_id: ID,
    /// The items: their global IDs or UUIDs.
    item_ids: Vec<ID>,
}

/// A dataset that is to go.
#[derive(InputObject)]
pub(super) struct DeleteDatasetInput {
    /// The dataset: its global ID or UUID.
    dataset_id: ID,
}

impl CreateDatasetInput {
    pub(super) fn into_model(self) -> Result<NewDataset, Refusal> {
        let Self { dataset_id, name, description } = self;
        Ok(NewDataset { id: ids::read_optional("datasetId", dataset_id.as_ref())?, name, description })
    }
}

impl UpdateDatasetInput {
    pub(super) fn into_model(self) -> Result<(DatasetId, DatasetPatch), Refusal> {
        let description = match self.description {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(text) => Some(Some(text)),
        };
        Ok((ids::read("datasetId", &self.dataset_id)?, DatasetPatch { name: self.name, description }))
    }
}

/// Items as they are given, and what others are to be made of.
pub(super) type Additions = (Vec<Placed<Result<NewItem, Refusal>>>, ItemOrigins);

impl AddDatasetItemsInput {
    /// How many items it names.
    pub(super) fn len(&self) -> usize {
        let lists = [self.items.as_ref().map(Vec::len), self.from_traces.as_ref().map(Vec::len)];
        let conversations = self.from_conversations.as_ref().map(Vec::len);
        lists.into_iter().chain([conversations]).flatten().sum()
    }

    pub(super) fn into_model(self, most: usize) -> Result<Additions, Refusal> {
        let items = self.items.unwrap_or_default().into_iter().enumerate();
        let items = items
            .map(|(index, item)| Placed { place: format!("items.{index}"), value: item.into_model() })
            .collect();
        let condition = self.from_trace_filter.map(|selection| selection.into_model(most)).transpose();
        let origins = ItemOrigins {
            traces: ids::read_all("fromTraces", &self.from_traces.unwrap_or_default())?,
            condition: condition.map_err(|refusal| refusal.below("fromTraceFilter"))?,
            conversations: ids::read_all("fromConversations", &self.from_conversations.unwrap_or_default())?,
            output_as_expected: self.output_as_expected,
        };
        Ok((items, origins))
    }
}

impl TraceSelectionInput {
    fn into_model(self, most: usize) -> Result<(TraceCondition, usize), Refusal> {
        let first = self.first.read("first")?;
        let first = usize::try_from(first).ok().filter(|first| (1..=most).contains(first));
        let first = first.ok_or_else(|| Refusal::invalid("first", format!("must be from 1 to {most}")))?;
        let condition = self.condition.unwrap_or_default().read("where")?;
        Ok((condition.and(self.filter.unwrap_or_default().into_model()?.into()), first))
    }
}

impl DatasetItemInput {
    fn into_model(self) -> Result<NewItem, Refusal> {
        let content = ItemContent {
            input: self.input.read("input")?,
            expected: self.expected.read("expected")?,
            metadata: self.metadata.read("metadata")?.unwrap_or_default(),
        };
        let source = match (&self.source_trace_id, &self.source_span_id) {
            (trace, Some(span)) => {
                let trace = ("sourceTraceId", trace.as_ref());
                let (trace, span) = ids::read_span(("sourceSpanId", span), trace)?;
                Some(ItemSource::Span(trace, span))
            }
            (Some(trace), None) => Some(ItemSource::Trace(ids::read("sourceTraceId", trace)?)),
            (None, None) => None,
        };
        Ok(NewItem { id: ids::read_optional("itemId", self.item_id.as_ref())?, content, source })
    }
}

impl UpdateDatasetItemInput {
    pub(super) fn into_model(self) -> Result<(DatasetItemId, ItemPatch), Refusal> {
        let patch = ItemPatch {
            input: self.input.read("input")?,
            expected: undefined_or(self.expected, "expected")?,
            metadata: self.metadata.read("metadata")?,
        };
        Ok((ids::read("itemId", &self.item_id)?, patch))
    }
}

impl RemoveDatasetItemsInput {
    pub(super) fn into_model(self) -> Result<(DatasetId, Vec<DatasetItemId>), Refusal> {
        Ok((ids::read("datasetId", &self.dataset_id)?, ids::read_all("itemIds", &self.item_ids)?))
    }
}

impl DeleteDatasetInput {
    pub(super) fn into_model(self) -> Result<DatasetId, Refusal> {
        ids::read("datasetId", &self.dataset_id)
    }
}
