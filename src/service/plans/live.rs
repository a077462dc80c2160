//! Following a plan live: first how it stands, then every change of its steps, resumable by revision.

use futures_util::{Stream, stream};

use super::Plans;
use crate::{
    live::{Topic, Watch},
    model::{
        PlanId, Refusal,
        plan::{Plan, PlanStep},
        refusal::Entity,
    },
    service::ServiceResult,
    store::keyspace,
};

/// Steps that changed in a plan.
#[derive(Debug, Clone)]
pub struct PlanChanges {
    /// Everything up to this revision has been sent: resume after it.
    pub revision: u64,
    /// Whether this is the state at the beginning.
    pub snapshot: bool,
    /// The plan as it stands.
    pub plan: Plan,
    /// The steps that changed, in order.
    pub steps: Vec<PlanStep>,
}

impl Plans {
    /// A plan with all its steps first (or, with `after`, those changed since that revision), then every
    /// change. Ends when the plan is deleted.
    pub async fn plan_live(
        &self,
        id: PlanId,
        after: Option<u64>,
    ) -> ServiceResult<impl Stream<Item = ServiceResult<PlanChanges>> + Send + use<>> {
        // Watch before reading, so that no change falls between.
        let watch = self.context.hub.watch(Topic::Plan(id));
        let plan = self.context.store.get(keyspace::PLAN, &id).await?;
        let plan = plan.ok_or_else(|| Refusal::not_found("planId", Entity::Plan, id))?;
        if after.is_some_and(|after| after > plan.revision) {
            let message = format!("the plan is at revision {}; resume with one you received", plan.revision);
            return Err(Refusal::invalid("after", message).into());
        }
        let behind = after.is_none_or(|after| after < plan.revision);
        let follower = PlanFollower {
            plans: self.clone(),
            id,
            watch,
            seen: after.unwrap_or(0),
            snapshot: after.is_none(),
            behind,
        };
        Ok(stream::try_unfold(follower, PlanFollower::next))
    }
}

/// One follower of a plan.
struct PlanFollower {
    plans: Plans,
    id: PlanId,
    watch: Watch,
    /// Everything up to here was sent.
    seen: u64,
    snapshot: bool,
    /// Whether there is something to send without waiting.
    behind: bool,
}

impl PlanFollower {
    async fn next(mut self) -> ServiceResult<Option<(PlanChanges, Self)>> {
        if !self.behind {
            self.watch.beyond(self.seen).await;
        }
        let store = &self.plans.context.store;
        let Some(plan) = store.get(keyspace::PLAN, &self.id).await? else { return Ok(None) };
        // What is shown must be durable: a client that resumes after a loss of power must not hold a
        // revision that is given out again.
        store.flush().await?;
        let steps = plan.steps.iter().filter(|step| step.revision > self.seen).cloned().collect();
        let changes = PlanChanges { revision: plan.revision, snapshot: self.snapshot, plan, steps };
        (self.seen, self.snapshot, self.behind) = (changes.revision, false, false);
        Ok(Some((changes, self)))
    }
}
