//! Items of datasets.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::Dataset;
use crate::{
    graphql::{
        error::Result,
        ids::GlobalId,
        message::Message,
        page::Listed,
        request,
        scalar::{BigInt, DateTime, Document, PlainId},
        span::Span,
        trace::Trace,
    },
    model::{
        self, DatasetItemId,
        dataset::{ItemSource, ItemState},
    },
};

/// An item of a dataset, as it stands in some versions of it.
#[derive(Clone)]
pub(in crate::graphql) struct DatasetItem(Arc<model::dataset::DatasetItem>);

impl DatasetItem {
    pub(in crate::graphql) fn new(row: impl Into<Arc<model::dataset::DatasetItem>>) -> Self {
        Self(row.into())
    }

    /// The item with this ID as it stands last, if it is there.
    pub(in crate::graphql) async fn load(ctx: &Context<'_>, id: DatasetItemId) -> Result<Option<Self>> {
        Ok(request::of(ctx)?.dataset_items.load(id).await?.map(Self))
    }

    /// An item as it stands from a version on, if it is there.
    pub(in crate::graphql) async fn load_at(ctx: &Context<'_>, state: ItemState) -> Result<Option<Self>> {
        Ok(request::of(ctx)?.dataset_items_at.load(state).await?.map(Self))
    }
}

/// What an agent is given, and what it should come to. It stands so from one version of its dataset until another.
#[Object]
impl DatasetItem {
    /// The global ID, the same in all versions. By it the item is read as it stands last.
    pub(in crate::graphql) async fn id(&self) -> ID {
        GlobalId::DatasetItem(self.0.id).encode()
    }

    /// The item's own ID.
    async fn item_id(&self) -> PlainId {
        PlainId(self.0.id.uuid())
    }

    /// What the agent is given: a text, or a list of messages, or any other JSON, of which it is given the text.
    async fn input(&self) -> Document {
        Document(self.0.content.input.clone())
    }

    /// What the agent should answer; null where nobody says.
    async fn expected(&self) -> Option<Document> {
        self.0.content.expected.clone().map(Document)
    }

    /// Whatever is kept with it: an object.
    async fn metadata(&self) -> Document {
        Document(self.0.content.metadata.clone())
    }

    /// The first version of the dataset that has it so.
    async fn since_version(&self) -> BigInt {
        BigInt(self.0.state.since)
    }

    /// The first version that does not have it so any more; null where the newest has it.
    async fn until_version(&self) -> Option<BigInt> {
        self.0.until.map(BigInt)
    }

    /// When it was first added.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// Its dataset.
    async fn dataset(&self, ctx: &Context<'_>) -> Result<Option<Dataset>> {
        Dataset::load(ctx, self.0.state.dataset_id).await
    }

    /// The trace that it was made from, or whose span it was; null where it was made otherwise, or that is gone.
    async fn source_trace(&self, ctx: &Context<'_>) -> Result<Option<Trace>> {
        match self.0.source {
            Some(ItemSource::Trace(id) | ItemSource::Span(id, _)) => Trace::load(ctx, id).await,
            _ => Ok(None),
        }
    }

    /// The span that it was made from; null where it was made otherwise, or that is gone.
    async fn source_span(&self, ctx: &Context<'_>) -> Result<Option<Span>> {
        match self.0.source {
            Some(ItemSource::Span(trace, span)) => Span::load(ctx, trace, span).await,
            _ => Ok(None),
        }
    }

    /// The message that it was made from; null where it was made otherwise, or that is gone.
    async fn source_message(&self, ctx: &Context<'_>) -> Result<Option<Message>> {
        match self.0.source {
            Some(ItemSource::Message(_, id)) => Message::load(ctx, id).await,
            _ => Ok(None),
        }
    }
}

impl Listed for DatasetItem {
    const CONNECTION: &'static str = "DatasetItemConnection";
    const EDGE: &'static str = "DatasetItemEdge";
}
