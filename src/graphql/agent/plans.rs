//! The roots by which agents carry out plans.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{inputs, mutations::RunFailure};
use crate::{
    graphql::{
        error::Result,
        ids,
        payload::{outcome, payload},
        plan::{Plan, PlanStep},
        refusal::Refusal,
        request,
        scalar::{Given, OptionalGiven, PlainId},
        trace::Trace,
    },
    model::{self, Json, StepId},
    service::agents::{PlanDraft, PlanExecution},
};

/// Carries out plans.
#[derive(Default)]
pub(in crate::graphql) struct ExecutionMutation;

/// See [`ExecutionMutation`].
#[Object]
impl ExecutionMutation {
    /// Has an agent carry out a plan, from where it stands to its end: steps that are ready at the same time, each
    /// attempt in a trace of its own, again where one fails and may be tried again. Answers at once; follow it with
    /// `planSteps`. `controlPlan` holds it, lets it go on, or gives it up; it goes on after a restart of the server.
    async fn execute_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The plan, and who is to carry it out.")] input: ExecutePlanInput,
    ) -> Result<ExecutePlanPayload> {
        let agents = &request::of(ctx)?.services.agents;
        Ok(outcome(input.into_model(), async |execution| agents.execute_plan(execution).await).await?.into())
    }

    /// Has an agent's model write a plan for a goal, knowing what was said in the conversation. It is checked like one
    /// that a person makes, and kept as `PENDING`: look at it, change it by `updatePlan`, carry it out by
    /// `executePlan`.
    async fn draft_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The goal, and who is to write the plan.")] input: DraftPlanInput,
    ) -> Result<DraftPlanPayload> {
        let data = request::of(ctx)?;
        let (agents, wait) = (&data.services.agents, input.wait);
        let begun = match outcome(input.into_model(), async |draft| agents.draft(draft).await).await? {
            Ok(begun) => begun,
            Err(refusal) => {
                let refusal = Some(refusal.into());
                return Ok(DraftPlanPayload { refusal, ..DraftPlanPayload::default() });
            }
        };
        let (plan_id, trace_id) = (begun.plan_id, begun.trace_id);
        let (mut trace, mut failure, mut plan) = (begun.trace.clone(), None, None);
        if wait && let Some(ended) = begun.ended().await {
            (trace, failure) = (ended.trace, ended.failure);
            plan = data.services.plans.get_many(&[plan_id]).await?.pop().flatten();
        }
        Ok(DraftPlanPayload {
            plan_id: Some(PlainId(plan_id.uuid())),
            plan: plan.map(Plan::new),
            trace_id: Some(PlainId(trace_id.uuid())),
            trace: trace.map(Trace::new),
            failure: failure.map(Into::into),
            refusal: None,
        })
    }

    /// Has an agent carry out one step of a plan, which must be ready.
    async fn execute_plan_step(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The step, and who is to carry it out.")] input: ExecutePlanStepInput,
    ) -> Result<ExecutePlanStepPayload> {
        let data = request::of(ctx)?;
        let (agents, wait) = (&data.services.agents, input.wait);
        let begun = outcome(input.into_model(), async |(execution, step)| {
            Ok((step, agents.execute_step(execution, step).await?))
        });
        let (step, begun) = match begun.await? {
            Ok(begun) => begun,
            Err(refusal) => {
                return Ok(ExecutePlanStepPayload {
                    refusal: Some(refusal.into()),
                    ..ExecutePlanStepPayload::default()
                });
            }
        };
        let (mut plan, mut trace, mut failure) = (begun.plan.clone(), begun.trace.clone(), None);
        if wait && let Some(ended) = begun.ended().await {
            trace = ended.trace;
            failure = ended.failure;
            plan = data.services.plans.get_many(&[plan.id]).await?.pop().flatten().unwrap_or(plan);
        }
        let plan = Plan::new(plan);
        let step = plan.step(step);
        Ok(ExecutePlanStepPayload {
            step,
            plan: Some(plan),
            trace: trace.map(Trace::new),
            failure: failure.map(Into::into),
            refusal: None,
        })
    }
}

/// A goal, and who is to write a plan for it.
#[derive(InputObject)]
struct DraftPlanInput {
    /// The conversation that the plan serves: its global ID or UUID.
    conversation_id: ID,
    /// The agent: its component's global ID, or its own: `agents/support`.
    agent_id: ID,
    /// The hash that names the version of the agent; without it and `label` it is the one registered last.
    version_hash: Option<String>,
    /// A label that points at the version: `production`.
    label: Option<String>,
    /// Values of the instructions' variables, beside those that the agent has: an object of texts.
    variables: Option<Given<Json>>,
    /// What the plan is to reach.
    goal: String,
    /// The ID of the plan, where the client chooses it: a UUID.
    plan_id: Option<ID>,
    /// How often a failed step may be tried again; three times, where nothing is said.
    max_retries: Option<Given<u32>>,
    /// Minutes from the first step's start until the plan fails; null for no limit.
    timeout_minutes: Option<Given<u32>>,
    /// Whether to answer when the plan is written; else at once, with the run's trace to follow.
    #[graphql(default = true)]
    wait: bool,
}

impl DraftPlanInput {
    fn into_model(self) -> Result<PlanDraft, model::Refusal> {
        Ok(PlanDraft {
            conversation_id: ids::read("conversationId", &self.conversation_id)?,
            agent_id: ids::read_component("agentId", &self.agent_id)?,
            version: inputs::version(self.version_hash, self.label)?,
            variables: inputs::texts(self.variables)?,
            goal: self.goal,
            plan_id: ids::read_optional("planId", self.plan_id.as_ref())?,
            max_retries: self.max_retries.read("maxRetries")?,
            timeout_minutes: self.timeout_minutes.read("timeoutMinutes")?,
        })
    }
}

/// A plan that a model wrote.
#[derive(Default, SimpleObject)]
struct DraftPlanPayload {
    /// The ID of the plan, once there is one; null where nothing was begun.
    plan_id: Option<PlainId>,
    /// The plan; null where there is none, or it was not waited for.
    plan: Option<Plan>,
    /// The ID of the run's trace, by which it is followed and stopped; null where nothing was begun.
    trace_id: Option<PlainId>,
    /// The run's trace; null where nothing was begun, or the run is not recorded.
    trace: Option<Trace>,
    /// Why there is no plan, where the run is over and gave none.
    failure: Option<RunFailure>,
    /// Why nothing was begun.
    refusal: Option<Refusal>,
}

/// A plan, and who is to carry it out.
#[derive(InputObject)]
struct ExecutePlanInput {
    /// The plan: its global ID or UUID.
    plan_id: ID,
    /// The agent: its component's global ID, or its own: `agents/support`.
    agent_id: ID,
    /// The hash that names the version of the agent; without it and `label` it is the one registered last.
    version_hash: Option<String>,
    /// A label that points at the version: `production`.
    label: Option<String>,
    /// Values of the instructions' variables, beside those that the agent has: an object of texts.
    variables: Option<Given<Json>>,
}

/// A step of a plan, and who is to carry it out.
#[derive(InputObject)]
struct ExecutePlanStepInput {
    /// The step: its global ID, or its UUID together with `planId`.
    step_id: ID,
    /// The step's plan: its global ID or UUID.
    plan_id: Option<ID>,
    /// The agent: its component's global ID, or its own: `agents/support`.
    agent_id: ID,
    /// The hash that names the version of the agent; without it and `label` it is the one registered last.
    version_hash: Option<String>,
    /// A label that points at the version: `production`.
    label: Option<String>,
    /// Values of the instructions' variables, beside those that the agent has: an object of texts.
    variables: Option<Given<Json>>,
    /// Whether to answer when the attempt is over; else at once, with its trace to follow.
    #[graphql(default = true)]
    wait: bool,
}

impl ExecutePlanInput {
    fn into_model(self) -> Result<PlanExecution, model::Refusal> {
        Ok(PlanExecution {
            plan_id: ids::read("planId", &self.plan_id)?,
            agent_id: ids::read_component("agentId", &self.agent_id)?,
            version: inputs::version(self.version_hash, self.label)?,
            variables: inputs::texts(self.variables)?,
        })
    }
}

impl ExecutePlanStepInput {
    fn into_model(self) -> Result<(PlanExecution, StepId), model::Refusal> {
        let (plan_id, step) = ids::read_step(("stepId", &self.step_id), ("planId", self.plan_id.as_ref()))?;
        let execution = PlanExecution {
            plan_id,
            agent_id: ids::read_component("agentId", &self.agent_id)?,
            version: inputs::version(self.version_hash, self.label)?,
            variables: inputs::texts(self.variables)?,
        };
        Ok((execution, step))
    }
}

payload!(
    /// A plan that is carried out.
    ExecutePlanPayload {
        /// The plan as it stands when that begins; null where it was refused.
        plan: Plan
    }
);

/// An attempt at a step.
#[derive(Default, SimpleObject)]
struct ExecutePlanStepPayload {
    /// The step as it stands; null where it was refused.
    step: Option<PlanStep>,
    /// The plan as it stands; null where it was refused.
    plan: Option<Plan>,
    /// The trace of the attempt; null where it was refused, or the attempt is not recorded.
    trace: Option<Trace>,
    /// Why the attempt gave no result, where it is over and gave none.
    failure: Option<RunFailure>,
    /// Why nothing was begun.
    refusal: Option<Refusal>,
}
