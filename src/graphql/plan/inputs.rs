//! What clients write to plans.

use async_graphql::{ID, InputObject, MaybeUndefined};

use crate::{
    graphql::{
        ids::{self, GlobalId},
        inputs::number,
        scalar::{Given, OptionalGiven, undefined_or},
    },
    model::{
        Json, PlanId, Refusal, StepId,
        plan::{NewPlan, NewStep, PlanAction, PlanRevision, StepAction, StepActionKind, StepChange},
    },
};

/// A new plan.
#[derive(InputObject)]
pub(super) struct CreatePlanInput {
    /// The ID, where the client chooses it: a UUID. A second creation is then refused, and not a second plan.
    plan_id: Option<ID>,
    /// The conversation it serves: its global ID or UUID.
    conversation_id: ID,
    /// What it is for.
    title: String,
    /// The same at length.
    description: Option<String>,
    /// Whatever the agent keeps with it: an object.
    context: Option<Given<Json>>,
    /// How often a failed step may be tried again; three times, where nothing is said.
    max_retries: Option<Given<u32>>,
    /// Minutes from the first step's start until the plan fails; without it there is no limit.
    timeout_minutes: Option<Given<u32>>,
    /// Its steps, in order.
    steps: Vec<PlanStepInput>,
}

/// A new step of a plan.
#[derive(InputObject)]
struct PlanStepInput {
    /// The ID, where the client chooses it: a UUID.
    step_id: Option<ID>,
    /// A name by which other steps of the same input can say that they depend on it.
    key: Option<String>,
    /// What is to be done.
    description: String,
    /// The steps that must be done before it: keys of the same input, global IDs or UUIDs.
    dependencies: Option<Vec<String>>,
}

/// A change of a plan. What is left out stays as it is; null clears it.
#[derive(InputObject)]
pub(super) struct UpdatePlanInput {
    /// The plan: its global ID or UUID.
    plan_id: ID,
    /// What it is for.
    title: Option<String>,
    /// The same at length.
    description: MaybeUndefined<String>,
    /// Whatever the agent keeps with it: an object, which replaces the one it has.
    context: Option<Given<Json>>,
    /// How often a failed step may be tried again.
    max_retries: Option<Given<u32>>,
    /// Minutes from the first step's start until the plan fails.
    timeout_minutes: MaybeUndefined<Given<u32>>,
    /// Steps that are added at the end.
    add_steps: Option<Vec<PlanStepInput>>,
    /// Steps that have not begun and are taken out: their global IDs or UUIDs. No step that stays may depend
    /// on them.
    remove_steps: Option<Vec<ID>>,
    /// Steps that have not begun and change.
    change_steps: Option<Vec<PlanStepChangeInput>>,
}

/// A change of a step that has not begun. What is left out stays as it is.
#[derive(InputObject)]
struct PlanStepChangeInput {
    /// The step: its global ID or UUID.
    step_id: ID,
    /// What is to be done.
    description: Option<String>,
    /// The steps that must be done before it: keys of added steps, global IDs or UUIDs.
    dependencies: Option<Vec<String>>,
}

/// Something done to a plan as a whole.
#[derive(InputObject)]
pub(super) struct ControlPlanInput {
    /// The plan: its global ID or UUID.
    plan_id: ID,
    /// What is done.
    action: PlanAction,
}

/// Something done to a step.
#[derive(InputObject)]
pub(super) struct AdvancePlanStepInput {
    /// The step: its global ID, or its UUID together with `planId`.
    step_id: ID,
    /// The step's plan: its global ID or UUID.
    plan_id: Option<ID>,
    /// What is done.
    action: StepActionKind,
    /// With `COMPLETE`: what came of it.
    result: Option<String>,
    /// With `FAIL`, and needed there: why.
    error_message: Option<String>,
    /// With `START`: the span that the attempt runs in, by its global ID, or its UUID together with `traceId`.
    span_id: Option<ID>,
    /// With `START`: the span's trace, by its global ID or UUID.
    trace_id: Option<ID>,
}

impl CreatePlanInput {
    pub(super) fn into_model(self) -> Result<NewPlan, Refusal> {
        Ok(NewPlan {
            id: ids::read_optional("planId", self.plan_id.as_ref())?,
            conversation_id: ids::read("conversationId", &self.conversation_id)?,
            title: self.title,
            description: self.description,
            context: self.context.read("context")?,
            max_retries: self.max_retries.read("maxRetries")?,
            timeout_minutes: self.timeout_minutes.read("timeoutMinutes")?,
            steps: number(Some(self.steps), "steps", PlanStepInput::into_model)?,
        })
    }
}

impl PlanStepInput {
    fn into_model(self) -> Result<NewStep, Refusal> {
        Ok(NewStep {
            id: ids::read_optional("stepId", self.step_id.as_ref())?,
            key: self.key,
            description: self.description,
            dependencies: plain(self.dependencies.unwrap_or_default()),
        })
    }
}

impl UpdatePlanInput {
    pub(super) fn into_model(self) -> Result<(PlanId, PlanRevision), Refusal> {
        let change = |change: PlanStepChangeInput| {
            Ok(StepChange {
                id: ids::read("stepId", &change.step_id)?,
                description: change.description,
                dependencies: change.dependencies.map(plain),
            })
        };
        let revision = PlanRevision {
            title: self.title,
            description: self.description.into(),
            context: self.context.read("context")?,
            max_retries: self.max_retries.read("maxRetries")?,
            timeout_minutes: undefined_or(self.timeout_minutes, "timeoutMinutes")?,
            add_steps: number(self.add_steps, "addSteps", PlanStepInput::into_model)?,
            remove_steps: ids::read_all("removeSteps", &self.remove_steps.unwrap_or_default())?,
            change_steps: number(self.change_steps, "changeSteps", change)?,
        };
        Ok((ids::read("planId", &self.plan_id)?, revision))
    }
}

impl ControlPlanInput {
    pub(super) fn into_model(self) -> Result<(PlanId, PlanAction), Refusal> {
        Ok((ids::read("planId", &self.plan_id)?, self.action))
    }
}

impl AdvancePlanStepInput {
    pub(super) fn into_model(self) -> Result<(PlanId, StepId, StepAction), Refusal> {
        let (plan, step) = ids::read_step(("stepId", &self.step_id), ("planId", self.plan_id.as_ref()))?;
        Ok((plan, step, self.into_action()?))
    }

    fn into_action(self) -> Result<StepAction, Refusal> {
        self.check_fields()?;
        Ok(match self.action {
            StepActionKind::Start => {
                let trace = ("traceId", self.trace_id.as_ref());
                let span = self.span_id.as_ref().map(|span| ids::read_span(("spanId", span), trace));
                StepAction::Start { span: span.transpose()? }
            }
            StepActionKind::Complete => StepAction::Complete { result: self.result },
            StepActionKind::Fail => {
                let missing = || Refusal::invalid("errorMessage", "must say why, with FAIL");
                StepAction::Fail { error: self.error_message.ok_or_else(missing)? }
            }
            StepActionKind::Skip => StepAction::Skip,
            StepActionKind::Interrupt => StepAction::Interrupt,
        })
    }

    /// Refuses what has no meaning with the action, before it is lost.
    fn check_fields(&self) -> Result<(), Refusal> {
        for (field, given, of) in [
            ("result", self.result.is_some(), StepActionKind::Complete),
            ("errorMessage", self.error_message.is_some(), StepActionKind::Fail),
            ("spanId", self.span_id.is_some(), StepActionKind::Start),
            ("traceId", self.trace_id.is_some() && self.span_id.is_none(), StepActionKind::Start),
        ] {
            if given && self.action != of {
                return Err(Refusal::invalid(field, format!("has a meaning only with {of}")));
            }
        }
        Ok(())
    }
}

/// The names of steps, global IDs among them as UUIDs.
fn plain(names: Vec<String>) -> Vec<String> {
    let plain = |name: String| match GlobalId::decode(&name) {
        Some(GlobalId::PlanStep(_, step)) => step.to_string(),
        _ => name,
    };
    names.into_iter().map(plain).collect()
}
