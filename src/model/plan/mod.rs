//! Plans and their steps: records, what is asked of them, and the rules of their lives.
//!
//! `graph` holds what the dependencies of steps must be, `transition` what a step and a plan may do
//! next, `revise` how a plan changes while it is carried out, `blocking` which step holds up which.

mod blocking;
mod faults;
mod graph;
mod revise;
mod transition;

pub use self::{
    revise::{NewPlan, NewStep, PlanRevision, StepChange},
    transition::{PlanAction, StepAction, StepActionKind},
};
use bincode::{Decode, Encode};

use super::{ConversationId, Json, PlanId, SpanId, StepId, Timestamp, TraceId, words::words};

words! {
    /// Where a plan stands.
    PlanStatus {
        /// Made, not begun.
        Pending = 1 "PENDING",
        /// A step has been started.
        Running = 2 "RUNNING",
        /// Held by a person.
        Paused = 3 "PAUSED",
        /// Every step is done or skipped.
        Completed = 4 "COMPLETED",
        /// A step failed for good, or the time ran out.
        Failed = 5 "FAILED",
        /// Given up by a person.
        Cancelled = 6 "CANCELLED",
    }
}

words! {
    /// Where a step stands.
    StepStatus {
        /// Not begun.
        Pending = 1 "PENDING",
        /// Being worked on.
        Running = 2 "RUNNING",
        /// Done.
        Completed = 3 "COMPLETED",
        /// Its last attempt failed.
        Failed = 4 "FAILED",
        /// A step that it depends on failed.
        Blocked = 5 "BLOCKED",
        /// Left out by a person.
        Skipped = 6 "SKIPPED",
        /// The process that worked on it died.
        Interrupted = 7 "INTERRUPTED",
        /// Its plan was given up.
        Cancelled = 8 "CANCELLED",
    }
}

/// What an agent intends to do.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Plan {
    /// The id.
    pub id: PlanId,
    /// The conversation it serves.
    pub conversation_id: ConversationId,
    /// What it is for.
    pub title: String,
    /// The same at length.
    pub description: Option<String>,
    /// Where it stands.
    pub status: PlanStatus,
    /// The order of the first step that is not done; the number of steps once all are.
    pub current_step_index: u32,
    /// Whatever the agent keeps with it: a JSON object.
    pub context: Json,
    /// How often a failed step may be tried again.
    pub max_retries: u32,
    /// Minutes from the first step's start until the plan fails.
    pub timeout_minutes: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When its first step started.
    pub started_at: Option<Timestamp>,
    /// When it came to its end, good or bad.
    pub completed_at: Option<Timestamp>,
    /// Why it failed.
    pub error_message: Option<String>,
    /// Counts the commits that changed the plan or its steps.
    pub revision: u64,
    /// Its steps, in order.
    pub steps: Vec<PlanStep>,
}

impl Plan {
    /// When the plan fails for want of time, once it has started.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let nanos = i64::from(self.timeout_minutes?).saturating_mul(60_000_000_000);
        Some(self.started_at?.plus_nanos(nanos))
    }
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PlanStep {
    /// The id.
    pub id: StepId,
    /// Its place in the plan, from 0.
    pub order: u32,
    /// What is to be done.
    pub description: String,
    /// Where it stands.
    pub status: StepStatus,
    /// What came of it.
    pub result: Option<String>,
    /// Why its last attempt failed.
    pub error_message: Option<String>,
    /// When its first attempt started.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub completed_at: Option<Timestamp>,
    /// The steps that must be done before it.
    pub dependencies: Vec<StepId>,
    /// Every attempt, oldest first.
    pub attempts: Vec<StepAttempt>,
    /// The plan's revision that last changed it.
    pub revision: u64,
}

/// One attempt at a step.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct StepAttempt {
    /// From 1.
    pub number: u32,
    /// How it stands, or ended.
    pub status: StepStatus,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub error_message: Option<String>,
    /// The trace and the span that it ran in.
    pub span: Option<(TraceId, SpanId)>,
}
