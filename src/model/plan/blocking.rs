//! Which failed step holds up which others.

use std::collections::{HashMap, HashSet};

use super::{Plan, PlanStep, StepStatus};
use crate::model::StepId;

impl Plan {
    /// The steps that failed.
    pub fn failed_steps(&self) -> impl Iterator<Item = &PlanStep> {
        self.steps.iter().filter(|step| step.status == StepStatus::Failed)
    }

    /// The failed steps because of which this one cannot begin: those that it depends on, also by way of others.
    #[must_use]
    pub fn blockers(&self, step: &PlanStep) -> Vec<&PlanStep> {
        if step.status != StepStatus::Blocked {
            return Vec::new();
        }
        let by_id: HashMap<StepId, &PlanStep> = self.steps.iter().map(|step| (step.id, step)).collect();
        let mut seen: HashSet<StepId> = HashSet::new();
        let mut open: Vec<StepId> = step.dependencies.clone();
        while let Some(id) = open.pop() {
            if seen.insert(id)
                && let Some(before) = by_id.get(&id)
            {
                open.extend(&before.dependencies);
            }
        }
        self.failed_steps().filter(|failed| seen.contains(&failed.id)).collect()
    }

    /// The steps that cannot begin because this one failed.
    #[must_use]
    pub fn blocked_by(&self, failed: &PlanStep) -> Vec<&PlanStep> {
        if failed.status != StepStatus::Failed {
            return Vec::new();
        }
        // Steps that depend on it, directly or by way of others: each walk adds those of one level more.
        let mut held: HashSet<StepId> = HashSet::from([failed.id]);
        let mut before = 0;
        while held.len() > before {
            before = held.len();
            let depends = |step: &&PlanStep| step.dependencies.iter().any(|id| held.contains(id));
            let more: Vec<_> = self.steps.iter().filter(depends).map(|step| step.id).collect();
            held.extend(more);
        }
        let is_held = |step: &&PlanStep| step.status == StepStatus::Blocked && held.contains(&step.id);
        self.steps.iter().filter(is_held).collect()
    }
}
