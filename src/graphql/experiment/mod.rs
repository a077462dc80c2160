//! Experiments in the API.

mod compare;
mod fields;
mod item;
mod live;
mod mutations;
mod queries;
mod summary;

use std::sync::Arc;

use async_graphql::Context;

pub(super) use self::{
    live::ExperimentSubscription, mutations::ExperimentMutation, queries::ExperimentQuery,
};
use super::{error::Result, ids::GlobalId, page::Listed, request};
use crate::model::{self, ExperimentId};

/// An experiment.
#[derive(Clone)]
pub(super) struct Experiment(Arc<model::experiment::Experiment>);

impl Experiment {
    pub(super) fn new(row: impl Into<Arc<model::experiment::Experiment>>) -> Self {
        Self(row.into())
    }

    /// The experiment with this ID, if it is there.
    pub(super) async fn load(ctx: &Context<'_>, id: ExperimentId) -> Result<Option<Self>> {
        Ok(request::of(ctx)?.experiments.load(id).await?.map(Self))
    }

    pub(super) fn global_id(&self) -> GlobalId {
        GlobalId::Experiment(self.0.id)
    }
}

impl From<model::experiment::Experiment> for Experiment {
    fn from(row: model::experiment::Experiment) -> Self {
        Self::new(row)
    }
}

impl Listed for Experiment {
    const CONNECTION: &'static str = "ExperimentConnection";
    const EDGE: &'static str = "ExperimentEdge";
}
