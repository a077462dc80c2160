//! What a step and a plan may do next, and what follows from it.
//!
//! A step is ready when all that it depends on is completed or skipped. A failed step blocks what
//! depends on it until it is tried again; when its attempts are used up, the plan fails. A plan that
//! has ended leaves nothing running.

use super::{Plan, PlanStatus, PlanStep, StepAttempt, StepStatus, graph};
use crate::model::{Refusal, SpanId, StepId, Timestamp, TraceId, refusal::Entity, words::words};

words! {
    /// What can be done to a step, by name.
    StepActionKind {
        /// Begin it, or begin it again.
        Start = 1 "START",
        /// It is done.
        Complete = 2 "COMPLETE",
        /// The attempt failed.
        Fail = 3 "FAIL",
        /// Leave it out; what depends on it may go on.
        Skip = 4 "SKIP",
        /// The process that worked on it died.
        Interrupt = 5 "INTERRUPT",
    }
}

words! {
    /// What can be done to a plan.
    PlanAction {
        /// Hold it: no further step starts.
        Pause = 1 "PAUSE",
        /// Go on.
        Resume = 2 "RESUME",
        /// Give it up.
        Cancel = 3 "CANCEL",
        /// Take up one that failed: each step that failed or was stopped may be tried once more, in as much time again.
        Retry = 4 "RETRY",
    }
}

/// What is done to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepAction {
    /// Begin an attempt, in this span if there is one.
    Start {
        /// The trace and the span that the attempt runs in.
        span: Option<(TraceId, SpanId)>,
    },
    /// The attempt succeeded.
    Complete {
        /// What came of it.
        result: Option<String>,
    },
    /// The attempt failed.
    Fail {
        /// Why.
        error: String,
    },
    /// Leave the step out.
    Skip,
    /// The attempt was cut off.
    Interrupt,
}

impl StepAction {
    /// The action's name.
    #[must_use]
    pub const fn kind(&self) -> StepActionKind {
        match self {
            Self::Start { .. } => StepActionKind::Start,
            Self::Complete { .. } => StepActionKind::Complete,
            Self::Fail { .. } => StepActionKind::Fail,
            Self::Skip => StepActionKind::Skip,
            Self::Interrupt => StepActionKind::Interrupt,
        }
    }
}

const MINUTE_NANOS: u64 = 60_000_000_000;

impl PlanStatus {
    /// Whether the plan has come to its end.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl StepStatus {
    /// Whether what depends on the step may begin.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Completed | Self::Skipped)
    }
}

impl Plan {
    /// A step by its id.
    #[must_use]
    pub fn step(&self, id: StepId) -> Option<&PlanStep> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Whether everything that the step depends on is done.
    #[must_use]
    pub fn is_ready(&self, step: &PlanStep) -> bool {
        step.dependencies.iter().all(|id| self.step(*id).is_some_and(|step| step.status.is_done()))
    }

    /// The steps that can be started now.
    pub fn ready_steps(&self) -> impl Iterator<Item = &PlanStep> {
        self.steps.iter().filter(|step| self.legal(step).contains(&StepActionKind::Start))
    }

    /// Attempts that a step may still have.
    fn attempts_left(&self, step: &PlanStep) -> usize {
        (self.max_retries as usize + 1).saturating_sub(step.attempts.len())
    }

    /// What can be done to a step now.
    #[must_use]
    pub fn legal(&self, step: &PlanStep) -> Vec<StepActionKind> {
        use StepActionKind::{Complete, Fail, Interrupt, Skip, Start};
        let goes_on = matches!(self.status, PlanStatus::Pending | PlanStatus::Running);
        match step.status {
            _ if self.status.is_final() => Vec::new(),
            StepStatus::Running => vec![Complete, Fail, Interrupt],
            StepStatus::Pending if goes_on && self.is_ready(step) => vec![Start, Skip],
            StepStatus::Failed | StepStatus::Interrupted if goes_on && self.attempts_left(step) > 0 => {
                vec![Start, Skip]
            }
            StepStatus::Pending | StepStatus::Blocked | StepStatus::Failed | StepStatus::Interrupted => {
                vec![Skip]
            }
            StepStatus::Completed | StepStatus::Skipped | StepStatus::Cancelled => Vec::new(),
        }
    }

    /// What can be done to the plan now.
    #[must_use]
    pub fn legal_actions(&self) -> &'static [PlanAction] {
        match self.status {
            PlanStatus::Pending | PlanStatus::Running => &[PlanAction::Pause, PlanAction::Cancel],
            PlanStatus::Paused => &[PlanAction::Resume, PlanAction::Cancel],
            PlanStatus::Failed => &[PlanAction::Retry],
            PlanStatus::Completed | PlanStatus::Cancelled => &[],
        }
    }

    /// Does something to a step. Nothing has changed where it is refused.
    pub fn advance(&mut self, id: StepId, action: StepAction, now: Timestamp) -> Result<(), Refusal> {
        let step = self.step(id).ok_or_else(|| Refusal::not_found("stepId", Entity::Step, id))?;
        let legal = self.legal(step);
        if !legal.contains(&action.kind()) {
            return Err(self.refused(step, action.kind(), &legal));
        }
        self.change(now, |plan| plan.apply(id, action, now));
        Ok(())
    }

    fn refused(&self, step: &PlanStep, action: StepActionKind, legal: &[StepActionKind]) -> Refusal {
        let mut state = step.status.to_string();
        if self.status.is_final() || self.status == PlanStatus::Paused {
            state = format!("{state} in a plan that is {}", self.status);
        } else if step.status == StepStatus::Pending && !self.is_ready(step) {
            state.push_str(" and waits for the steps that it depends on");
        } else if matches!(step.status, StepStatus::Failed | StepStatus::Interrupted) {
            state.push_str(" and has used up its attempts");
        }
        Refusal::IllegalTransition {
            entity: Entity::Step,
            state,
            action: action.to_string(),
            legal: legal.iter().map(ToString::to_string).collect(),
        }
    }

    fn apply(&mut self, id: StepId, action: StepAction, now: Timestamp) {
        if action.kind() == StepActionKind::Start {
            self.status = PlanStatus::Running;
            self.started_at.get_or_insert(now);
        }
        let used_up = self.step(id).is_some_and(|step| self.attempts_left(step) == 0);
        let Some(step) = self.steps.iter_mut().find(|step| step.id == id) else { return };
        step.apply(action, now);
        if used_up && matches!(step.status, StepStatus::Failed | StepStatus::Interrupted) {
            step.status = StepStatus::Failed;
            step.completed_at = Some(now);
            let why = step.error_message.as_deref().unwrap_or("it was interrupted");
            let message = format!("step {} failed after {} attempts: {why}", step.order, step.attempts.len());
            self.end(PlanStatus::Failed, Some(message), now);
        }
    }

    /// Does something to the plan as a whole.
    pub fn control(&mut self, action: PlanAction, now: Timestamp) -> Result<(), Refusal> {
        let legal = self.legal_actions();
        if !legal.contains(&action) {
            return Err(Refusal::IllegalTransition {
                entity: Entity::Plan,
                state: self.status.to_string(),
                action: action.to_string(),
                legal: legal.iter().map(ToString::to_string).collect(),
            });
        }
        self.change(now, |plan| match action {
            PlanAction::Pause => plan.status = PlanStatus::Paused,
            PlanAction::Resume if plan.started_at.is_some() => plan.status = PlanStatus::Running,
            PlanAction::Resume => plan.status = PlanStatus::Pending,
            PlanAction::Cancel => plan.end(PlanStatus::Cancelled, None, now),
            PlanAction::Retry => plan.take_up(now),
        });
        Ok(())
    }

    /// Takes up a plan that failed. What failed keeps its attempts, and may have one more.
    fn take_up(&mut self, now: Timestamp) {
        self.status = if self.started_at.is_some() { PlanStatus::Running } else { PlanStatus::Pending };
        (self.completed_at, self.error_message) = (None, None);
        if let (Some(minutes), Some(start)) = (self.timeout_minutes, self.started_at) {
            let passed = now.nanos_since(start).div_ceil(MINUTE_NANOS);
            self.timeout_minutes = Some(minutes.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX)));
        }
        for step in &mut self.steps {
            if step.status == StepStatus::Cancelled {
                step.status = StepStatus::Pending;
            }
            if !step.status.is_done() {
                step.completed_at = None;
                let tried = u32::try_from(step.attempts.len()).unwrap_or(u32::MAX);
                self.max_retries = self.max_retries.max(tried);
            }
        }
    }

    /// Whether its time has run out.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        !self.status.is_final() && self.deadline().is_some_and(|deadline| now >= deadline)
    }

    /// Ends a plan whose time has run out.
    pub fn expire(&mut self, now: Timestamp) {
        let minutes = self.timeout_minutes.unwrap_or_default();
        self.change(now, |plan| {
            plan.end(PlanStatus::Failed, Some(format!("not done within {minutes} minutes")), now);
        });
    }

    /// Ends the plan, and with it what runs or was still to come.
    fn end(&mut self, status: PlanStatus, message: Option<String>, now: Timestamp) {
        self.status = status;
        self.completed_at = Some(now);
        self.error_message = message;
        self.settle_blocked();
        for step in &mut self.steps {
            if matches!(step.status, StepStatus::Pending | StepStatus::Running | StepStatus::Interrupted) {
                step.end_attempt(StepStatus::Cancelled, None, now);
                step.status = StepStatus::Cancelled;
                step.completed_at = Some(now);
            }
        }
    }

    /// Makes a change, then brings what follows from it up to date: which steps are blocked, where the
    /// plan stands, and which steps the new revision has changed.
    pub(super) fn change(&mut self, now: Timestamp, change: impl FnOnce(&mut Self)) {
        let before = self.steps.clone();
        change(self);
        self.settle_blocked();
        if !self.status.is_final()
            && !self.steps.is_empty()
            && self.steps.iter().all(|step| step.status.is_done())
        {
            self.status = PlanStatus::Completed;
            self.completed_at = Some(now);
        }
        let first_open = self.steps.iter().position(|step| !step.status.is_done());
        self.current_step_index = u32::try_from(first_open.unwrap_or(self.steps.len())).unwrap_or(u32::MAX);
        self.revision += 1;
        self.updated_at = now;
        for step in &mut self.steps {
            if !before.contains(step) {
                step.revision = self.revision;
            }
        }
    }

    /// A step that has not begun is blocked while something that it depends on has failed or is blocked.
    fn settle_blocked(&mut self) {
        // A plan that is kept has no circle: its order can be told.
        let Ok(order) = graph::order(&self.steps, |place| place.to_string()) else { return };
        for place in order {
            let Some(step) = self.steps.get(place) else { continue };
            if !matches!(step.status, StepStatus::Pending | StepStatus::Blocked) {
                continue;
            }
            let stops = |id: &StepId| {
                self.step(*id)
                    .is_some_and(|step| matches!(step.status, StepStatus::Failed | StepStatus::Blocked))
            };
            let blocked = step.dependencies.iter().any(stops);
            if let Some(step) = self.steps.get_mut(place) {
                step.status = if blocked { StepStatus::Blocked } else { StepStatus::Pending };
            }
        }
    }
}

impl PlanStep {
    fn apply(&mut self, action: StepAction, now: Timestamp) {
        match action {
            StepAction::Start { span } => self.start(span, now),
            StepAction::Complete { result } => {
                self.end_attempt(StepStatus::Completed, None, now);
                self.status = StepStatus::Completed;
                self.result = result;
                self.completed_at = Some(now);
            }
            StepAction::Fail { error } => {
                self.end_attempt(StepStatus::Failed, Some(error.clone()), now);
                self.status = StepStatus::Failed;
                self.error_message = Some(error);
            }
            StepAction::Interrupt => {
                self.end_attempt(StepStatus::Interrupted, None, now);
                self.status = StepStatus::Interrupted;
            }
            StepAction::Skip => {
                self.status = StepStatus::Skipped;
                self.completed_at = Some(now);
            }
        }
    }

    fn start(&mut self, span: Option<(TraceId, SpanId)>, now: Timestamp) {
        self.status = StepStatus::Running;
        self.error_message = None;
        self.started_at.get_or_insert(now);
        self.attempts.push(StepAttempt {
            number: u32::try_from(self.attempts.len() + 1).unwrap_or(u32::MAX),
            status: StepStatus::Running,
            started_at: now,
            ended_at: None,
            error_message: None,
            span,
        });
    }

    fn end_attempt(&mut self, status: StepStatus, error: Option<String>, now: Timestamp) {
        if let Some(attempt) =
            self.attempts.last_mut().filter(|attempt| attempt.status == StepStatus::Running)
        {
            attempt.status = status;
            attempt.ended_at = Some(now);
            attempt.error_message = error;
        }
    }
}
