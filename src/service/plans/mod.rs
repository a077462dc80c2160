//! Plans and their steps: making, revising, carrying out, following.

mod list;
mod live;

pub use self::{
    list::{PlanFilter, PlanOrder},
    live::PlanChanges,
};
use super::{Context, ServiceError, ServiceResult, conversations, tracing};
use crate::{
    model::{
        PlanId, Refusal, SpanId, StepId, Timestamp, TraceId,
        plan::{NewPlan, Plan, PlanAction, PlanRevision, PlanStep, StepAction},
        refusal::Entity,
        trace::{NewTrace, Trace},
    },
    store::{
        Touched, Tx,
        keyspace::{self, AgentRun},
    },
};

/// Use cases of plans. Cheap to clone.
#[derive(Clone)]
pub struct Plans {
    context: Context,
}

/// An attempt at a step by an agent of this server.
pub(in crate::service) struct NewAttempt<T> {
    /// The trace and the span that it runs in.
    pub(in crate::service) span: (TraceId, SpanId),
    /// Whether the trace is started with it.
    pub(in crate::service) is_traced: bool,
    /// The mark of the run.
    pub(in crate::service) mark: AgentRun,
    /// Says what its trace is and what the agent is told, by the plan and the step as it stood before.
    pub(in crate::service) tell: T,
}

/// An attempt at a step that has begun.
pub(in crate::service) struct BegunAttempt {
    /// The plan with it.
    pub(in crate::service) plan: Plan,
    /// What its trace is started with, whether it was or not.
    pub(in crate::service) new: NewTrace,
    /// Its trace, where that was started.
    pub(in crate::service) trace: Option<Trace>,
    /// What the agent is told.
    pub(in crate::service) told: String,
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

    /// Begins an attempt at a step together with the trace that it runs in and the mark of the run: one commit.
    pub(in crate::service) async fn begin_attempt<T>(
        &self,
        id: PlanId,
        step: StepId,
        attempt: NewAttempt<T>,
    ) -> ServiceResult<BegunAttempt>
    where
        T: Fn(&Plan, &PlanStep) -> (NewTrace, String) + Send + Sync,
    {
        let NewAttempt { span, is_traced, mark, tell } = &attempt;
        let (now, context) = (self.context.now(), &self.context);
        let _turn = self.context.store.turn(id.bytes()).await;
        let begun = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let (old, mut plan) = match open(tx, id, now).await? {
                    Ok(plan) => (plan.clone(), plan),
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let before = plan.step(step).cloned();
                plan.advance(step, StepAction::Start { span: Some(*span) }, now)?;
                put(tx, Some(&old), &plan)?;
                // The step as it stood: its attempts are those before this one.
                let before = before.ok_or_else(|| Refusal::not_found("stepId", Entity::Step, step))?;
                let (new, told) = tell(&plan, &before);
                let trace =
                    if *is_traced { Some(tracing::start(context, tx, new.clone()).await?) } else { None };
                tx.put(keyspace::AGENT_RUN, &span.0, mark)?;
                Ok(Ok(BegunAttempt { plan, new, trace, told }))
            })
        });
        Ok(begun.await??)
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
                let (old, mut plan) = match open(tx, id, now).await? {
                    Ok(plan) => (plan.clone(), plan),
                    Err(refusal) => return Ok(Err(refusal)),
                };
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

/// The plan, which must be there, and still the same when the transaction commits.
async fn required(tx: &mut Tx<'_>, id: PlanId) -> ServiceResult<Plan> {
    let found = tx.get(keyspace::PLAN, &id).await?;
    Ok(found.ok_or_else(|| Refusal::not_found("planId", Entity::Plan, id))?)
}

/// The plan, to be changed. One whose time has run out is ended instead, and the change refused.
async fn open(tx: &mut Tx<'_>, id: PlanId, now: Timestamp) -> ServiceResult<Result<Plan, Refusal>> {
    let plan = required(tx, id).await?;
    if !plan.is_overdue(now) {
        return Ok(Ok(plan));
    }
    let mut ended = plan.clone();
    ended.expire(now);
    put(tx, Some(&plan), &ended)?;
    Ok(Err(overdue(&ended)))
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
