//! How plans are shown.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    model::{StepId, Timestamp, plan},
    rest::{
        scalar::{Document, Moment, millis},
        words,
    },
};

/// What an agent intends to do: steps, each of which may depend on others.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct Plan {
    /// The ID.
    plan_id: Uuid,
    /// The conversation it serves.
    conversation_id: Uuid,
    /// What it is for.
    title: String,
    /// The same at length.
    description: Option<String>,
    /// Where it stands.
    status: words::PlanStatus,
    /// The order of the first step that is not done; the number of steps once all are.
    current_step_index: u32,
    /// Whatever the agent keeps with it: an object.
    #[schema(value_type = Object)]
    context: Document,
    /// How often a failed step may be tried again.
    max_retries: u32,
    /// Minutes from the first step's start until the plan fails.
    timeout_minutes: Option<u32>,
    /// When it was made.
    created_at: Moment,
    /// When it last changed.
    updated_at: Moment,
    /// When its first step started.
    started_at: Option<Moment>,
    /// When it came to its end, good or bad.
    completed_at: Option<Moment>,
    /// When it fails for want of time, once it has started; null where it has no limit.
    deadline: Option<Moment>,
    /// How long it took from the start of its first step, in milliseconds; null before that and while it goes on.
    duration_ms: Option<f64>,
    /// Why it failed.
    error_message: Option<String>,
    /// Counts the commits that changed the plan or its steps: its ETag, in quotes.
    revision: u64,
    /// Its steps, in order.
    steps: Vec<PlanStep>,
}

/// One step of a plan.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct PlanStep {
    /// The ID, unique within its plan.
    step_id: Uuid,
    /// Its place in the plan, from 0.
    order: u32,
    /// What is to be done.
    description: String,
    /// Where it stands.
    status: words::StepStatus,
    /// What came of it.
    result: Option<String>,
    /// Why its last attempt failed.
    error_message: Option<String>,
    /// When its first attempt started.
    started_at: Option<Moment>,
    /// When it came to its end.
    completed_at: Option<Moment>,
    /// How long it took from the start of its first attempt, in milliseconds; null before that and while it goes on.
    duration_ms: Option<f64>,
    /// The steps that must be done before it.
    dependency_ids: Vec<Uuid>,
    /// Every attempt, the oldest first.
    attempts: Vec<StepAttempt>,
    /// The plan's revision that last changed it.
    revision: u64,
}

/// One attempt at a step.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::rest) struct StepAttempt {
    /// Counts the attempts at the step, from 1.
    number: u32,
    /// How it stands, or ended.
    status: words::StepStatus,
    /// When it started.
    started_at: Moment,
    /// When it ended; null while it goes on.
    ended_at: Option<Moment>,
    /// How long it took, in milliseconds; null while it goes on.
    duration_ms: Option<f64>,
    /// Why it failed.
    error_message: Option<String>,
    /// The trace that it ran in.
    trace_id: Option<Uuid>,
    /// The span that it ran in.
    span_id: Option<Uuid>,
}

fn duration(start: Option<Timestamp>, end: Option<Timestamp>) -> Option<f64> {
    Some(millis(end?.nanos_since(start?)))
}

impl From<plan::Plan> for Plan {
    fn from(row: plan::Plan) -> Self {
        Self {
            plan_id: row.id.uuid(),
            conversation_id: row.conversation_id.uuid(),
            deadline: row.deadline().map(Into::into),
            duration_ms: duration(row.started_at, row.completed_at),
            title: row.title,
            description: row.description,
            status: row.status.into(),
            current_step_index: row.current_step_index,
            context: row.context.into(),
            max_retries: row.max_retries,
            timeout_minutes: row.timeout_minutes,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            started_at: row.started_at.map(Into::into),
            completed_at: row.completed_at.map(Into::into),
            error_message: row.error_message,
            revision: row.revision,
            steps: row.steps.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<plan::PlanStep> for PlanStep {
    fn from(step: plan::PlanStep) -> Self {
        Self {
            step_id: step.id.uuid(),
            order: step.order,
            description: step.description,
            status: step.status.into(),
            result: step.result,
            error_message: step.error_message,
            started_at: step.started_at.map(Into::into),
            completed_at: step.completed_at.map(Into::into),
            duration_ms: duration(step.started_at, step.completed_at),
            dependency_ids: step.dependencies.iter().map(StepId::uuid).collect(),
            attempts: step.attempts.into_iter().map(Into::into).collect(),
            revision: step.revision,
        }
    }
}

impl From<plan::StepAttempt> for StepAttempt {
    fn from(attempt: plan::StepAttempt) -> Self {
        Self {
            number: attempt.number,
            status: attempt.status.into(),
            started_at: attempt.started_at.into(),
            ended_at: attempt.ended_at.map(Into::into),
            duration_ms: duration(Some(attempt.started_at), attempt.ended_at),
            error_message: attempt.error_message,
            trace_id: attempt.span.map(|(trace, _)| trace.uuid()),
            span_id: attempt.span.map(|(_, span)| span.uuid()),
        }
    }
}
