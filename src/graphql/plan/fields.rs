//! The fields of a plan.

use async_graphql::{Context, ID, Object};

use super::{Plan, PlanStep, usage::usage};
use crate::{
    graphql::{
        conversation::Conversation,
        error::Result,
        scalar::{BigInt, DateTime, Document, PlainId, int, millis},
    },
    model::plan::{PlanAction, PlanStatus},
};

/// What an agent intends to do: steps, each of which may depend on others.
#[Object]
impl Plan {
    /// The global ID.
    async fn id(&self) -> ID {
        self.global_id().encode()
    }

    /// The plan's own ID.
    async fn plan_id(&self) -> PlainId {
        PlainId(self.0.id.uuid())
    }

    /// The ID of the conversation it serves.
    async fn conversation_id(&self) -> PlainId {
        PlainId(self.0.conversation_id.uuid())
    }

    /// The conversation it serves; null where it was deleted meanwhile.
    async fn conversation(&self, ctx: &Context<'_>) -> Result<Option<Conversation>> {
        Conversation::load(ctx, self.0.conversation_id).await
    }

    /// What it is for.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The same at length.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Where it stands.
    async fn status(&self) -> PlanStatus {
        self.0.status
    }

    /// The order of the first step that is not done; the number of steps once all are.
    async fn current_step_index(&self) -> i32 {
        int(self.0.current_step_index)
    }

    /// Whatever the agent keeps with it: an object.
    async fn context(&self) -> Document {
        Document(self.0.context.clone())
    }

    /// How often a failed step may be tried again.
    async fn max_retries(&self) -> i32 {
        int(self.0.max_retries)
    }

    /// Minutes from the first step's start until the plan fails.
    async fn timeout_minutes(&self) -> Option<i32> {
        self.0.timeout_minutes.map(int)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// When its first step started.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// When it came to its end, good or bad.
    async fn completed_at(&self) -> Option<DateTime> {
        self.0.completed_at.map(DateTime)
    }

    /// Why it failed.
    async fn error_message(&self) -> Option<&str> {
        self.0.error_message.as_deref()
    }

    /// Counts the commits that changed the plan or its steps.
    async fn revision(&self) -> BigInt {
        BigInt(self.0.revision)
    }

    /// Its steps, in order.
    async fn steps(&self) -> Vec<PlanStep> {
        PlanStep::all(&self.0)
    }

    /// The steps that can be started now.
    async fn ready_steps(&self) -> Vec<PlanStep> {
        self.0.ready_steps().map(|step| PlanStep::new(&self.0, step.clone())).collect()
    }

    /// The steps that failed; what each holds up is its `blocks`.
    async fn failed_steps(&self) -> Vec<PlanStep> {
        self.0.failed_steps().map(|step| PlanStep::new(&self.0, step.clone())).collect()
    }

    /// How long it took from the start of its first step, in milliseconds; null before that and while it goes on.
    async fn duration_ms(&self) -> Option<f64> {
        let (start, end) = (self.0.started_at?, self.0.completed_at?);
        Some(millis(end.nanos_since(start)))
    }

    /// Tokens of all attempts at its steps, as far as they are recorded.
    async fn total_tokens(&self, ctx: &Context<'_>) -> Result<BigInt> {
        let attempts = self.0.steps.iter().flat_map(|step| &step.attempts);
        Ok(BigInt(usage(ctx, "totalTokens", attempts).await?.tokens))
    }

    /// What all attempts at its steps cost, in US dollars, as far as it is known; null where none says anything.
    async fn total_cost_usd(&self, ctx: &Context<'_>) -> Result<Option<f64>> {
        let attempts = self.0.steps.iter().flat_map(|step| &step.attempts);
        Ok(usage(ctx, "totalCostUsd", attempts).await?.cost)
    }

    /// What can be done to the plan as a whole now.
    async fn legal_actions(&self) -> &[PlanAction] {
        self.0.legal_actions()
    }

    /// When it fails for want of time, once it has started; null where it has no limit.
    async fn deadline(&self) -> Option<DateTime> {
        self.0.deadline().map(DateTime)
    }
}
