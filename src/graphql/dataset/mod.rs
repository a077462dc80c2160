//! Datasets in the API.

mod fields;
mod inputs;
mod item;
mod mutations;
mod queries;

use std::sync::Arc;

use async_graphql::Context;

pub(super) use self::{item::DatasetItem, mutations::DatasetMutation, queries::DatasetQuery};
use super::{error::Result, ids::GlobalId, page::Listed, request};
use crate::model::{self, DatasetId};

/// A dataset.
#[derive(Clone)]
pub(super) struct Dataset(Arc<model::dataset::Dataset>);

impl Dataset {
    pub(super) fn new(row: impl Into<Arc<model::dataset::Dataset>>) -> Self {
        Self(row.into())
    }

    /// The dataset with this ID, if it is there.
    pub(super) async fn load(ctx: &Context<'_>, id: DatasetId) -> Result<Option<Self>> {
        Ok(request::of(ctx)?.datasets.load(id).await?.map(Self))
    }

    pub(super) fn global_id(&self) -> GlobalId {
        GlobalId::Dataset(self.0.id)
    }
}

impl From<model::dataset::Dataset> for Dataset {
    fn from(row: model::dataset::Dataset) -> Self {
        Self::new(row)
    }
}

impl Listed for Dataset {
    const CONNECTION: &'static str = "DatasetConnection";
    const EDGE: &'static str = "DatasetEdge";
}
