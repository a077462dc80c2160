//! Carrying out plans: each step by a run of an agent, those that are ready at the same time, and again where one
//! fails and may be tried again.
//!
//! What comes next is read from the plan after every change of it, whoever made it: so pausing, skipping and giving
//! up work while it goes on, and a server that starts again goes on where another was cut off.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::{self, Write as _},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use parking_lot::Mutex;

use super::{
    Agents, EndedRun,
    begin::Ending,
    flags::Keep,
    prepare::{ChosenAgent, Prepared},
    recorder::{Recorder, patiently},
    substitutes::Substitutes,
    task::Task,
};
use crate::{
    live::Topic,
    model::{
        PlanId, Refusal, StepId, TraceId,
        agent::RunFailureKind,
        component::{ComponentRef, VersionSelector},
        plan::{Plan, PlanStep, StepAction},
        refusal::Entity,
        text::shortened,
        trace::Trace,
    },
    service::{
        ServiceError, ServiceResult,
        plans::{BegunAttempt, NewAttempt},
    },
    store::{
        Direction, KeyRange,
        key::Key,
        keyspace::{self, AgentRun, PlanRun, RunTask},
    },
};

/// Steps of one plan that are carried out at the same time.
const STEPS_AT_ONCE: usize = 8;

/// Marks of plans that are read at a time.
const PAGE: usize = 500;

/// Bytes of a name in a tree of spans.
const NAME_BYTES: usize = 120;

/// Bytes that an agent is told of what came of one step.
const RESULT_BYTES: usize = 16 << 10;

/// The plans that this process carries out.
#[derive(Default)]
pub(super) struct Carried(Mutex<HashSet<PlanId>>);

/// A plan that is to be carried out, or a step of it.
#[derive(Debug, Clone)]
pub struct PlanExecution {
    /// The plan.
    pub plan_id: PlanId,
    /// The component of the agent: `agents/support`.
    pub agent_id: String,
    /// Which version of it.
    pub version: VersionSelector,
    /// Values of the instructions' variables, beside those that the agent has.
    pub variables: BTreeMap<String, String>,
}

/// An attempt at a step that has begun.
pub struct BegunStep {
    /// The plan, with the attempt.
    pub plan: Plan,
    /// The trace of the attempt, where it is recorded from the start.
    pub trace: Option<Trace>,
    ending: Ending,
}

impl BegunStep {
    /// Waits until the attempt is over. `None`: its end could not be kept.
    pub async fn ended(self) -> Option<EndedRun> {
        self.ending.wait().await
    }
}

impl Agents {
    /// Carries out one step of a plan. It must be ready.
    pub async fn execute_step(&self, execution: PlanExecution, step: StepId) -> ServiceResult<BegunStep> {
        let PlanExecution { plan_id, agent_id, version, variables } = execution;
        let prepared = self.prepare(&agent_id, &version, variables).await?;
        let trace = self.context.new_id();
        self.begin_step(prepared, plan_id, step, trace).await
    }

    /// Carries out a plan, from where it stands to its end. Answers the plan as it is when that begins.
    pub async fn execute_plan(&self, execution: PlanExecution) -> ServiceResult<Plan> {
        let PlanExecution { plan_id, agent_id, version, variables } = execution;
        let (definition, agent) = self.choose(&agent_id, &version).await?;
        // What cannot be run is told now.
        let chosen = ChosenAgent { definition, versions: vec![agent.clone()] };
        self.prepare_chosen(chosen, variables.clone(), &Substitutes::default()).await?;
        let run = &PlanRun { agent, variables: variables.into_iter().collect() };
        let marked = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                let plan = tx.get(keyspace::PLAN, &plan_id).await?;
                let plan = plan.ok_or_else(|| Refusal::not_found("planId", Entity::Plan, plan_id))?;
                if plan.status.is_final() {
                    let message = format!("the plan is {}: nothing is left to be done", plan.status);
                    return Err(Refusal::invalid("planId", message).into());
                }
                if tx.get(keyspace::PLAN_RUN, &plan_id).await?.is_some() {
                    return Err(Refusal::invalid("planId", "the plan is being carried out already").into());
                }
                tx.put(keyspace::PLAN_RUN, &plan_id, run)?;
                Ok(plan)
            })
        });
        let plan = marked.await?;
        self.carry_plan(plan_id, run.clone());
        Ok(plan)
    }

    /// Goes on with the plans that an earlier process was carrying out; answers how many. The runs that were cut off
    /// with it must have been ended: see [`Agents::end_interrupted`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resume_plans(&self) -> ServiceResult<usize> {
        let (mut resumed, mut range) = (0, KeyRange::all());
        loop {
            let part = (range.clone(), Direction::Forward, PAGE);
            let Some(page) = self.context.store.scan_many(keyspace::PLAN_RUN, vec![part]).await?.pop() else {
                return Ok(resumed);
            };
            let Some(last) = page.items.last() else { return Ok(resumed) };
            range = range.after(&last.key.encode());
            for found in page.items {
                if self.carry_plan(found.key, found.record) {
                    resumed += 1;
                }
            }
        }
    }

    /// Carries a plan out beside everything else. Whether nobody did already.
    fn carry_plan(&self, id: PlanId, run: PlanRun) -> bool {
        if !self.carried.0.lock().insert(id) {
            return false;
        }
        let agents = self.clone();
        tokio::spawn(async move {
            if let Err(error) = agents.carry(id, &run).await {
                tracing::error!(plan = %id, %error, "a plan is not carried on");
            }
            agents.carried.0.lock().remove(&id);
        });
        true
    }

    async fn carry(&self, id: PlanId, run: &PlanRun) -> ServiceResult<()> {
        let mut watch = self.context.hub.watch(Topic::Plan(id));
        let mut attempts = FuturesUnordered::new();
        let mut begun: HashMap<StepId, TraceId> = HashMap::new();
        loop {
            let plan = patiently(|| self.plan(id).boxed()).await?;
            let Some(plan) = plan.filter(|plan| !plan.status.is_final()) else { break };
            let ready: Vec<_> = plan.ready_steps().filter(|step| !begun.contains_key(&step.id)).collect();
            for step in ready.into_iter().take(STEPS_AT_ONCE.saturating_sub(begun.len())) {
                let trace = self.context.new_id();
                begun.insert(step.id, trace);
                let (wait, step) = (self.wait_before(step), step.id);
                let attempt = self.attempt(id, run, step, trace, wait);
                attempts.push(attempt.map(move |outcome| (step, outcome)));
            }
            tokio::select! {
                Some((step, outcome)) = attempts.next() => {
                    begun.remove(&step);
                    outcome?;
                }
                _ = watch.beyond(plan.revision) => {}
                // Its mark stays: the next process goes on.
                () = self.runs.closed() => return Ok(()),
            }
        }
        // The plan is over: what still goes on is stopped.
        for trace in begun.values() {
            self.runs.stop(*trace, RunFailureKind::Cancelled);
        }
        while attempts.next().await.is_some() {}
        self.unmark(keyspace::PLAN_RUN, &id).await
    }

    async fn plan(&self, id: PlanId) -> ServiceResult<Option<Plan>> {
        Ok(self.plans.get_many(&[id]).await?.pop().flatten())
    }

    /// How long to wait before a step is tried again.
    fn wait_before(&self, step: &PlanStep) -> Duration {
        let failed = u32::try_from(step.attempts.len()).unwrap_or(u32::MAX);
        let backoff = self.runtime.config.backoff();
        match failed.checked_sub(1) {
            None => Duration::ZERO,
            Some(before) => backoff.first.saturating_mul(2_u32.saturating_pow(before)).min(backoff.most),
        }
    }

    /// One attempt at a step, from its beginning to its end. That a rule says no to it is no failure: somebody else
    /// was faster, or the plan changed.
    fn attempt<'a>(
        &'a self,
        plan: PlanId,
        run: &'a PlanRun,
        step: StepId,
        trace: TraceId,
        wait: Duration,
    ) -> BoxFuture<'a, ServiceResult<()>> {
        async move {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            let ComponentRef { component_id, version_hash } = &run.agent;
            let variables: BTreeMap<_, _> = run.variables.iter().cloned().collect();
            loop {
                let version = VersionSelector::Hash(*version_hash);
                let begun = match self.prepare(component_id, &version, variables.clone()).await {
                    Ok(prepared) => self.begin_step(prepared, plan, step, trace).await,
                    // The agent cannot be run any more: nobody would ever carry the plan on.
                    Err(ServiceError::Refused(refusal)) => {
                        let failed = ServiceError::Refused(refusal.clone());
                        self.fail_step(plan, step, &refusal).await?;
                        Err(failed)
                    }
                    Err(error) => Err(error),
                };
                match begun {
                    Ok(begun) => {
                        begun.ended().await;
                        return Ok(());
                    }
                    Err(ServiceError::Overloaded { retry_after }) if !self.runs.is_closed() => {
                        tokio::time::sleep(retry_after).await;
                    }
                    Err(ServiceError::Refused(_) | ServiceError::Overloaded { .. }) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        }
        .boxed()
    }

    /// An attempt that failed before its run began.
    async fn fail_step(&self, plan: PlanId, step: StepId, why: &Refusal) -> ServiceResult<()> {
        for action in [StepAction::Start { span: None }, StepAction::Fail { error: why.to_string() }] {
            match patiently(|| self.plans.advance(plan, step, action.clone()).boxed()).await {
                Ok(_) | Err(ServiceError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Begins an attempt at a step: the attempt, its trace and the mark of the run are one commit.
    async fn begin_step(
        &self,
        prepared: Prepared,
        plan_id: PlanId,
        step_id: StepId,
        trace_id: TraceId,
    ) -> ServiceResult<BegunStep> {
        let place = self.place(trace_id)?;
        let span = self.context.new_id();
        let recording = self.flags.recording(trace_id);
        let tell = |plan: &Plan, step: &PlanStep| {
            let user_input = Some(step.description.clone());
            let mut new = prepared.new_trace(trace_id, user_input, &recording);
            let mut name = plan.title.clone();
            recording.flags.clean_name(&mut name);
            new.name = Some(name);
            new.start_time = Some(self.context.now());
            new.conversation_id = Some(plan.conversation_id);
            (new, told(plan, step))
        };
        let attempt = NewAttempt {
            span: (trace_id, span),
            is_traced: recording.keep == Keep::All,
            mark: AgentRun { task: RunTask::Step { plan: plan_id, step: step_id } },
            tell,
        };
        let BegunAttempt { plan, new, trace, told } =
            self.plans.begin_attempt(plan_id, step_id, attempt).await?;
        let step = plan.step(step_id).ok_or_else(|| Refusal::not_found("stepId", Entity::Step, step_id))?;
        let name = shortened(&step.description, NAME_BYTES);
        let task = Task::Step { plan: plan_id, step: step_id, name, span, told };
        let run = self.run(prepared, task, &place, Recorder::begin(&self.context, trace_id, recording, new));
        Ok(BegunStep { plan, trace, ending: self.set_off(run, place) })
    }
}

/// Adds to a text, which cannot fail.
fn push(text: &mut String, more: fmt::Arguments<'_>) {
    let _ = text.write_fmt(more);
}

/// What an agent is told that is to carry out a step: the plan, what came of the steps before it, and the step.
fn told(plan: &Plan, step: &PlanStep) -> String {
    let mut told = format!("You carry out one step of a plan.\n\nThe plan: {}\n", plan.title);
    if let Some(description) = &plan.description {
        push(&mut told, format_args!("{description}\n"));
    }
    if plan.context.text() != "{}" {
        push(&mut told, format_args!("\nWhat is known: {}\n", shortened(plan.context.text(), RESULT_BYTES)));
    }
    for before in plan.steps.iter().filter(|before| step.dependencies.contains(&before.id)) {
        let result = match (&before.result, before.status) {
            (Some(result), _) => shortened(result, RESULT_BYTES),
            (None, status) => format!("(no result: {status})"),
        };
        push(
            &mut told,
            format_args!("\nStep {}: {}\nIts result: {result}\n", before.order + 1, before.description),
        );
    }
    if let Some(failed) = step.attempts.iter().rev().find_map(|attempt| attempt.error_message.as_ref()) {
        push(
            &mut told,
            format_args!("\nAn earlier attempt at your step failed: {}\n", shortened(failed, 1_000)),
        );
    }
    push(
        &mut told,
        format_args!("\nYour step: {}\n\nAnswer with the result of your step alone.", step.description),
    );
    told
}
