//! Plans and their steps in the API.

mod fields;
mod filter;
mod inputs;
mod live;
mod mutations;
mod queries;
mod step;
mod usage;

use std::sync::Arc;

use async_graphql::Context;

pub(super) use self::{live::PlanSubscription, mutations::PlanMutation, queries::PlanQuery, step::PlanStep};
use super::{error::Result, ids::GlobalId, page::Listed, request};
use crate::model::{self, PlanId, StepId};

/// A plan.
#[derive(Clone)]
pub(super) struct Plan(Arc<model::plan::Plan>);

impl Plan {
    pub(super) fn new(row: impl Into<Arc<model::plan::Plan>>) -> Self {
        Self(row.into())
    }

    /// A step of it, if it is there.
    pub(super) fn step(&self, id: StepId) -> Option<PlanStep> {
        let step = self.0.step(id)?.clone();
        Some(PlanStep::new(&self.0, step))
    }

    /// The plan with this ID, if it is there.
    pub(super) async fn load(ctx: &Context<'_>, id: PlanId) -> Result<Option<Self>> {
        Ok(request::of(ctx)?.plans.load(id).await?.map(Self))
    }

    pub(super) fn global_id(&self) -> GlobalId {
        GlobalId::Plan(self.0.id)
    }
}

impl From<model::plan::Plan> for Plan {
    fn from(row: model::plan::Plan) -> Self {
        Self::new(row)
    }
}

impl Listed for Plan {
    const CONNECTION: &'static str = "PlanConnection";
    const EDGE: &'static str = "PlanEdge";
}
