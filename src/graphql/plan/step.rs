//! The steps of a plan and the attempts at them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{Plan, usage::usage};
use crate::{
    graphql::{
        error::Result,
        ids::{self, GlobalId},
        scalar::{BigInt, DateTime, PlainId, int, millis},
        span::Span,
    },
    model::{
        self, PlanId, StepId,
        plan::{StepActionKind, StepStatus},
    },
};

/// A step, with the plan that it is of.
#[derive(Clone)]
pub(in crate::graphql) struct PlanStep {
    plan: Arc<model::plan::Plan>,
    step: model::plan::PlanStep,
}

impl PlanStep {
    /// The steps of a plan, in order.
    pub(super) fn all(plan: &Arc<model::plan::Plan>) -> Vec<Self> {
        plan.steps.iter().map(|step| Self::new(plan, step.clone())).collect()
    }

    /// A step of a plan.
    pub(super) fn new(plan: &Arc<model::plan::Plan>, step: model::plan::PlanStep) -> Self {
        Self { plan: Arc::clone(plan), step }
    }

    /// The step of a plan, if both are there.
    pub(in crate::graphql) async fn load(
        ctx: &Context<'_>,
        plan: PlanId,
        step: StepId,
    ) -> Result<Option<Self>> {
        let plan = Plan::load(ctx, plan).await?;
        Ok(plan.and_then(|plan| Self::all(&plan.0).into_iter().find(|found| found.step.id == step)))
    }

    fn global_id(&self) -> GlobalId {
        GlobalId::PlanStep(self.plan.id, self.step.id)
    }
}

/// One step of a plan.
#[Object]
impl PlanStep {
    /// The global ID.
    async fn id(&self) -> ID {
        self.global_id().encode()
    }

    /// The step's own ID, unique within its plan.
    #[graphql(name = "stepId")]
    async fn plain_id(&self) -> PlainId {
        PlainId(self.step.id.uuid())
    }

    /// The ID of its plan.
    async fn plan_id(&self) -> PlainId {
        PlainId(self.plan.id.uuid())
    }

    /// Its plan.
    async fn plan(&self) -> Plan {
        Plan(Arc::clone(&self.plan))
    }

    /// Its place in the plan, from 0.
    async fn order(&self) -> i32 {
        int(self.step.order)
    }

    /// What is to be done.
    async fn description(&self) -> &str {
        &self.step.description
    }

    /// Where it stands.
    async fn status(&self) -> StepStatus {
        self.step.status
    }

    /// What came of it.
    async fn result(&self) -> Option<&str> {
        self.step.result.as_deref()
    }

    /// Why its last attempt failed.
    async fn error_message(&self) -> Option<&str> {
        self.step.error_message.as_deref()
    }

    /// When its first attempt started.
    async fn started_at(&self) -> Option<DateTime> {
        self.step.started_at.map(DateTime)
    }

    /// When it came to its end.
    async fn completed_at(&self) -> Option<DateTime> {
        self.step.completed_at.map(DateTime)
    }

    /// The IDs of the steps that must be done before it.
    async fn dependency_ids(&self) -> Vec<PlainId> {
        self.step.dependencies.iter().map(|id| PlainId(id.uuid())).collect()
    }

    /// The steps that must be done before it.
    async fn dependencies(&self) -> Vec<PlanStep> {
        let steps = Self::all(&self.plan).into_iter();
        steps.filter(|other| self.step.dependencies.contains(&other.step.id)).collect()
    }

    /// The failed steps because of which it cannot begin: those that it depends on, also by way of others.
    async fn blocked_by(&self) -> Vec<Self> {
        self.plan.blockers(&self.step).into_iter().map(|step| Self::new(&self.plan, step.clone())).collect()
    }

    /// The steps that cannot begin because it failed.
    async fn blocks(&self) -> Vec<Self> {
        self.plan.blocked_by(&self.step).into_iter().map(|step| Self::new(&self.plan, step.clone())).collect()
    }

    /// How long it took from the start of its first attempt, in milliseconds; null before that and while it goes on.
    async fn duration_ms(&self) -> Option<f64> {
        let (start, end) = (self.step.started_at?, self.step.completed_at?);
        Some(millis(end.nanos_since(start)))
    }

    /// Tokens of all attempts, as far as they are recorded.
    async fn total_tokens(&self, ctx: &Context<'_>) -> Result<BigInt> {
        Ok(BigInt(usage(ctx, "totalTokens", &self.step.attempts).await?.tokens))
    }

    /// What all attempts cost, in US dollars, as far as it is known; null where none says anything.
    async fn total_cost_usd(&self, ctx: &Context<'_>) -> Result<Option<f64>> {
        Ok(usage(ctx, "totalCostUsd", &self.step.attempts).await?.cost)
    }

    /// Every attempt, the oldest first.
    async fn attempts(&self) -> Vec<StepAttempt> {
        let of = self.global_id();
        let attempts = self.step.attempts.iter().cloned().enumerate();
        attempts
            .map(|(index, attempt)| StepAttempt { id: ids::part(&of, "attempt", index), attempt })
            .collect()
    }

    /// What can be done to it now.
    async fn legal_actions(&self) -> Vec<StepActionKind> {
        self.plan.legal(&self.step)
    }

    /// The plan's revision that last changed it.
    async fn revision(&self) -> BigInt {
        BigInt(self.step.revision)
    }
}

/// An attempt at a step.
struct StepAttempt {
    id: ID,
    attempt: model::plan::StepAttempt,
}

/// One attempt at a step.
#[Object]
impl StepAttempt {
    /// Tells the attempts at a step apart.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// Counts the attempts at the step, from 1.
    async fn number(&self) -> i32 {
        int(self.attempt.number)
    }

    /// How it stands, or ended.
    async fn status(&self) -> StepStatus {
        self.attempt.status
    }

    /// When it started.
    async fn started_at(&self) -> DateTime {
        DateTime(self.attempt.started_at)
    }

    /// When it ended; null while it goes on.
    async fn ended_at(&self) -> Option<DateTime> {
        self.attempt.ended_at.map(DateTime)
    }

    /// How long it took, in milliseconds; null while it goes on.
    async fn duration_ms(&self) -> Option<f64> {
        self.attempt.ended_at.map(|end| millis(end.nanos_since(self.attempt.started_at)))
    }

    /// Tokens of it, as far as they are recorded.
    async fn total_tokens(&self, ctx: &Context<'_>) -> Result<BigInt> {
        Ok(BigInt(usage(ctx, "totalTokens", [&self.attempt]).await?.tokens))
    }

    /// What it cost, in US dollars, as far as it is known; null where nothing is.
    async fn total_cost_usd(&self, ctx: &Context<'_>) -> Result<Option<f64>> {
        Ok(usage(ctx, "totalCostUsd", [&self.attempt]).await?.cost)
    }

    /// Why it failed.
    async fn error_message(&self) -> Option<&str> {
        self.attempt.error_message.as_deref()
    }

    /// The ID of the trace that it ran in.
    async fn trace_id(&self) -> Option<PlainId> {
        self.attempt.span.map(|(trace, _)| PlainId(trace.uuid()))
    }

    /// The ID of the span that it ran in.
    async fn span_id(&self) -> Option<PlainId> {
        self.attempt.span.map(|(_, span)| PlainId(span.uuid()))
    }

    /// The span that it ran in; null where it is not here.
    async fn span(&self, ctx: &Context<'_>) -> Result<Option<Span>> {
        match self.attempt.span {
            Some((trace, span)) => Span::load(ctx, trace, span).await,
            None => Ok(None),
        }
    }
}
