//! Plans and their steps: making, revising, carrying out, following.

mod list;
mod live;

pub use self::{
    list::{PlanFilter, PlanOrder},
    live::PlanChanges,
};
use super::{Context, ServiceError, ServiceResult, conversations};
use crate::{
    model::{
        PlanId, Refusal, StepId, Timestamp,
        plan::{NewPlan, Plan, PlanAction, PlanRevision, StepAction},
        refusal::Entity,
    },
    store::{Touched, Tx, keyspace},
};

/// Use cases of plans. Cheap to clone.
#[derive(Clone)]
pub struct Plans {
    context: Context,
}

/// Plans whose time has run out that one sweep ends: the next sweep takes the rest.
const EXPIRED_AT_ONCE: usize = 100;

impl Plans {
    /// The use cases over one context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// Makes a plan for a conversation, which must exist.
    pub async fn create(&self, new: NewPlan) -> ServiceResult<Plan> {
        let plan = &new.build(self.context.ids.as_ref(), self.context.now(), &self.context.limits)?;
        let _turn = self.context.store.turn(plan.conversation_id.bytes()).await;
        let created = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                conversations::required(tx, plan.conversation_id).await?;
                if tx.get(keyspace::PLAN, &plan.id).await?.is_some() {
                    return Err(Refusal::already_exists("planId", Entity::Plan, plan.id).into());
                }
                put(tx, None, plan)
            })
        });
        created.await?;
        Ok(plan.clone())
    }

    /// Changes a plan's fields and the steps that have not begun.
    pub async fn revise(&self, id: PlanId, revision: PlanRevision) -> ServiceResult<Plan> {
        let context = &self.context;
        self.change(id, |plan, now| plan.revise(&revision, context.ids.as_ref(), now, &context.limits)).await
    }

    /// Does something to a step.
    pub async fn advance(&self, id: PlanId, step: StepId, action: StepAction) -> ServiceResult<Plan> {
        let limits = &self.context.limits;
        match &action {
            StepAction::Complete { result } => limits.text("result", result.as_deref())?,
            StepAction::Fail { error } => limits.text("errorMessage", Some(error))?,
            StepAction::Start { .. } | StepAction::Skip | StepAction::Interrupt => {}
        }
        self.change(id, |plan, now| plan.advance(step, action.clone(), now)).await
    }

    /// Holds a plan, lets it go on, or gives it up.
    pub async fn control(&self, id: PlanId, action: PlanAction) -> ServiceResult<Plan> {
        self.change(id, |plan, now| plan.control(action, now)).await
    }

    /// The plans with these ids, in their order.
    pub async fn get_many(&self, ids: &[PlanId]) -> ServiceResult<Vec<Option<Plan>>> {
        Ok(self.context.store.get_many(keyspace::PLAN, ids).await?)
    }

    /// Ends plans whose time has run out, as many as are handled well at a time; answers how many. To be
    /// run every so often: an overdue plan that nobody touches would else look as if it went on.
    pub async fn expire_due(&self) -> ServiceResult<usize> {
        let mut ended = 0;
        for id in self.due(self.context.now(), EXPIRED_AT_ONCE).await? {
            // The change finds the plan overdue and ends it; the refusal that follows is expected.
            match self.change(id, |_, _| Ok(())).await {
                Err(ServiceError::Refused(Refusal::IllegalTransition { .. })) => ended += 1,
                Ok(_) | Err(ServiceError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(ended)
    }

    /// Changes a plan in one commit. One whose time has run out is ended instead, and the change
    /// refused.
    async fn change(
        &self,
        id: PlanId,
        change: impl Fn(&mut Plan, Timestamp) -> Result<(), Refusal> + Send + Sync,
    ) -> ServiceResult<Plan> {
        let (now, change) = (self.context.now(), &change);
        let _turn = self.context.store.turn(id.bytes()).await;
        let changed = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let old = tx.get(keyspace::PLAN, &id).await?;
                let old = old.ok_or_else(|| Refusal::not_found("planId", Entity::Plan, id))?;
                let mut plan = old.clone();
                if plan.is_overdue(now) {
                    plan.expire(now);
                    put(tx, Some(&old), &plan)?;
                    return Ok(Err(overdue(&plan)));
                }
                change(&mut plan, now)?;
                if plan != old {
                    put(tx, Some(&old), &plan)?;
                }
                Ok(Ok(plan))
            })
        });
        Ok(changed.await??)
    }
}

fn overdue(plan: &Plan) -> Refusal {
    Refusal::IllegalTransition {
        entity: Entity::Plan,
        state: format!("{} because its time ran out", plan.status),
        action: "be changed".to_owned(),
        legal: Vec::new(),
    }
}

/// Writes the plan and tells who watches it.
fn put(tx: &mut Tx<'_>, old: Option<&Plan>, new: &Plan) -> ServiceResult<()> {
    tx.put_indexed(old, new)?;
    tx.touch(Touched::Plan { id: new.id, revision: new.revision });
    Ok(())
}
