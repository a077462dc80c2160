//! How far plans came.

use std::collections::BTreeMap;

use crate::model::{
    plan::{Plan, PlanStatus, StepStatus},
    stats::float,
};

/// How far plans came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanFigures {
    /// Plans.
    pub plans: u64,
    /// How many stand where.
    pub by_status: BTreeMap<PlanStatus, u64>,
    /// Steps of all plans.
    pub steps: u64,
    /// How many stand where.
    pub steps_by_status: BTreeMap<StepStatus, u64>,
}

impl PlanFigures {
    /// How far these plans came.
    #[must_use]
    pub fn of<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> Self {
        let mut figures = Self::default();
        for plan in plans {
            figures.plans += 1;
            *figures.by_status.entry(plan.status).or_default() += 1;
            for step in &plan.steps {
                figures.steps += 1;
                *figures.steps_by_status.entry(step.status).or_default() += 1;
            }
        }
        figures
    }

    /// The part of the plans that came to an end that were completed; `None` where none came to one.
    #[must_use]
    pub fn completion_rate(&self) -> Option<f64> {
        let count = |status| self.by_status.get(&status).copied().unwrap_or(0);
        let completed = count(PlanStatus::Completed);
        let ended = completed + count(PlanStatus::Failed) + count(PlanStatus::Cancelled);
        (ended > 0).then(|| float(completed) / float(ended))
    }

    /// The part of all steps that are done; skipped ones are not. `None` where there are no steps.
    #[must_use]
    pub fn step_completion_rate(&self) -> Option<f64> {
        let completed = self.steps_by_status.get(&StepStatus::Completed).copied().unwrap_or(0);
        (self.steps > 0).then(|| float(completed) / float(self.steps))
    }
}
