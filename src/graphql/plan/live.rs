//! The root that follows a plan.

use async_graphql::{Context, ID, SimpleObject, Subscription};
use futures_util::Stream;

use super::{Plan, PlanStep};
use crate::{
    graphql::{
        error::Result,
        ids, request,
        scalar::{BigInt, Given, OptionalGiven},
    },
    service::plans::PlanChanges,
};

/// Follows plans.
#[derive(Default)]
pub(in crate::graphql) struct PlanSubscription;

/// See [`PlanSubscription`].
#[Subscription]
impl PlanSubscription {
    /// The steps of a plan: first as they stand, then every change. Nothing is lost or doubled between the
    /// two.
    async fn plan_steps(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The plan: its global ID or UUID.")] plan_id: ID,
        #[graphql(
            desc = "Resume behind this revision, which the last message carried; without it everything is sent."
        )]
        after: Option<Given<u64>>,
    ) -> Result<impl Stream<Item = Result<PlanStepsPayload>> + use<>> {
        let (id, after) = (ids::read("planId", &plan_id)?, after.read("after")?);
        let data = request::of(ctx)?;
        let changes = data.services.plans.plan_live(id, after).await?;
        Ok(data.events(changes))
    }
}

/// Steps of a plan that changed.
#[derive(SimpleObject)]
struct PlanStepsPayload {
    /// Everything up to this revision of the plan has been sent: resume behind it.
    revision: BigInt,
    /// Whether this is the state at the beginning, and not yet a change.
    snapshot: bool,
    /// The plan as it stands.
    plan: Plan,
    /// The steps as they stand, in order.
    steps: Vec<PlanStep>,
}

impl From<PlanChanges> for PlanStepsPayload {
    fn from(changes: PlanChanges) -> Self {
        let plan = Plan::new(changes.plan);
        let steps = changes.steps.into_iter().map(|step| PlanStep::new(&plan.0, step)).collect();
        Self { revision: BigInt(changes.revision), snapshot: changes.snapshot, plan, steps }
    }
}
