//! The roots that make, revise and carry out plans.

use async_graphql::{Context, Object, SimpleObject};

use super::{
    Plan, PlanStep,
    inputs::{AdvancePlanStepInput, ControlPlanInput, CreatePlanInput, UpdatePlanInput},
};
use crate::{
    graphql::{
        error::Result,
        payload::{outcome, payload},
        refusal::Refusal,
        request,
    },
    service::plans::Plans,
};

/// Makes, revises and carries out plans.
#[derive(Default)]
pub(in crate::graphql) struct PlanMutation;

/// See [`PlanMutation`].
#[Object]
impl PlanMutation {
    /// Makes a plan for a conversation.
    async fn create_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new plan.")] input: CreatePlanInput,
    ) -> Result<CreatePlanPayload> {
        let service = service(ctx)?;
        Ok(outcome(input.into_model(), async |new| service.create(new).await).await?.into())
    }

    /// Changes a plan's fields, and those of its steps that have not begun.
    async fn update_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: UpdatePlanInput,
    ) -> Result<UpdatePlanPayload> {
        let service = service(ctx)?;
        Ok(outcome(input.into_model(), async |(id, revision)| service.revise(id, revision).await)
            .await?
            .into())
    }

    /// Holds a plan, lets it go on, or gives it up.
    async fn control_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is done.")] input: ControlPlanInput,
    ) -> Result<ControlPlanPayload> {
        let service = service(ctx)?;
        Ok(outcome(input.into_model(), async |(id, action)| service.control(id, action).await).await?.into())
    }

    /// Does something to a step: starts an attempt, ends it, leaves the step out. What a step can do next, its
    /// `legalActions` say.
    async fn advance_plan_step(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is done.")] input: AdvancePlanStepInput,
    ) -> Result<AdvancePlanStepPayload> {
        let service = service(ctx)?;
        let advanced = outcome(input.into_model(), async |(plan, step, action)| {
            Ok((step, service.advance(plan, step, action).await?))
        });
        Ok(match advanced.await? {
            Ok((id, plan)) => {
                let plan = Plan::new(plan);
                let step = plan.step(id);
                AdvancePlanStepPayload { step, plan: Some(plan), refusal: None }
            }
            Err(refusal) => AdvancePlanStepPayload { step: None, plan: None, refusal: Some(refusal.into()) },
        })
    }
}

fn service<'a>(ctx: &Context<'a>) -> Result<&'a Plans> {
    Ok(&request::of(ctx)?.services.plans)
}

payload!(
    /// A plan that was made.
    CreatePlanPayload {
        /// The plan; null where it was refused.
        plan: Plan
    }
);

payload!(
    /// A plan that was changed.
    UpdatePlanPayload {
        /// The plan as it stands; null where the change was refused.
        plan: Plan
    }
);

payload!(
    /// A plan that was held, let go on, or given up.
    ControlPlanPayload {
        /// The plan as it stands; null where it was refused.
        plan: Plan
    }
);

/// A step that something was done to.
#[derive(SimpleObject)]
struct AdvancePlanStepPayload {
    /// The step as it stands; null where it was refused.
    step: Option<PlanStep>,
    /// The plan as it stands; null where it was refused.
    plan: Option<Plan>,
    /// Why it was refused.
    refusal: Option<Refusal>,
}
